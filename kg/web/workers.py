"""The pool: worker processes that evaluate queries, and that are killed when one takes too long or too much.

A query starts on any free worker. One that is not done after a moment is long: it moves into one of few places
for long queries, with low priority, or waits for one; so some workers are always free for light queries.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

from kg.web.settings import Settings
from kg.web.worker import Gone, Job, Reply, Worker, open_worker

_LOOK: Final = 0.02
_MOMENT: Final = 0.03
"""Seconds of CPU time after which a query is long where others wait for a worker."""
_LIGHT: Final = 0.25
"""Seconds of CPU time after which it is long in any case."""
_LONGEST: Final = 1.0
"""Seconds on the clock after which it is long in any case."""
_WATCH: Final = 0.05
_STARTING: Final = 20.0

_T = TypeVar("_T")


class Overloaded(Exception):  # noqa: N818
    """There is no room for another query now."""


class Late(Exception):  # noqa: N818
    """The query was stopped at its deadline."""


class Left(Exception):  # noqa: N818
    """The client went away, and the query was stopped."""


class Pool:
    """Workers on one release at a time.

    Args:
        settings: How many workers there are, and their bounds.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wanted = settings.light + settings.heavy
        self._store: Path | None = None
        self._workers: set[Worker] = set()
        self._free: list[Worker] = []
        self._queue: deque[asyncio.Future[Worker]] = deque()
        self._heavy = asyncio.Semaphore(settings.heavy)
        self._patient = 0
        self._admitted = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def serve(self, store: Path) -> None:
        """Open a store in new workers, and let those on another go once they are idle.

        Raises:
            Gone: A worker could not open it; the pool stays as it was.
        """
        opened = await asyncio.gather(*(self._open(store) for _ in range(self._wanted)), return_exceptions=True)
        good = [worker for worker in opened if isinstance(worker, Worker)]
        if len(good) < self._wanted:
            for worker in good:
                worker.kill("")
            raise Gone(f"{store}: the store cannot be opened")
        self._store = store
        for old in self._free:
            old.kill("")
        self._free = []
        for worker in good:
            self._workers.add(worker)
            self._offer(worker)
        if not self._tasks:
            self._start(self._watch())

    async def close(self) -> None:
        """End every worker."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for worker in self._workers:
            worker.kill("")
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in self._workers:
            await worker.ended()

    async def evaluate(self, job: Job, seconds: float, left: Callable[[], Awaitable[None]]) -> Reply:
        """Evaluate one query.

        Args:
            job: The query and what is wanted of it.
            seconds: How long it may take.
            left: Returns when the client has gone away.

        Raises:
            Overloaded: There is no room.
            Late: It took too long.
            Left: The client went away.
            Gone: The worker died of it.
        """
        if self._admitted >= self._settings.admitted:
            raise Overloaded
        self._admitted += 1
        try:
            worker = await self._take()
            answer = worker.ask(job)
            try:
                if await self._is_light(worker, answer):
                    return answer.result()
                if not self._heavy.locked():
                    async with self._heavy:
                        return await self._long(worker, answer, seconds, left)
            finally:
                self._give_back(worker)
            # No place is free: it starts again when one is.
            return await self._later(job, seconds, left)
        finally:
            self._admitted -= 1

    async def _later(self, job: Job, seconds: float, left: Callable[[], Awaitable[None]]) -> Reply:
        if self._patient >= self._settings.waiting:
            raise Overloaded
        self._patient += 1
        try:
            await _first(self._heavy.acquire(), left, self._settings.patience, Overloaded)
        finally:
            self._patient -= 1
        try:
            worker = await self._take()
            try:
                return await self._long(worker, worker.ask(job), seconds, left)
            finally:
                self._give_back(worker)
        finally:
            self._heavy.release()

    async def _is_light(self, worker: Worker, answer: asyncio.Future[Reply]) -> bool:
        # Time on the clock says little of a query while others crowd the cores.
        for _ in range(int(_LONGEST / _LOOK)):
            await asyncio.wait({answer}, timeout=_LOOK)
            if answer.done() or worker.used() > (_MOMENT if self._queue else _LIGHT):
                break
        return answer.done()

    async def _long(
        self, worker: Worker, answer: asyncio.Future[Reply], seconds: float, left: Callable[[], Awaitable[None]]
    ) -> Reply:
        worker.lower()
        return await _first(answer, left, seconds, Late)

    async def _take(self) -> Worker:
        while self._free:
            worker = self._free.pop()
            if worker.alive:
                return worker
        place: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            return await asyncio.wait_for(place, self._settings.patience)
        except TimeoutError:
            raise Overloaded from None
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._offer(place.result())
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._queue.remove(place)

    def _give_back(self, worker: Worker) -> None:
        if worker.alive and worker.idle and not worker.lowered and worker.store == self._store:
            self._offer(worker)
            return
        # Priority once lowered stays low, and what a long query left in memory stays there: a new one is better.
        worker.kill("")
        self._replace()

    def _offer(self, worker: Worker) -> None:
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(worker)
                return
        self._free.append(worker)

    def _replace(self) -> None:
        if not self._closed:
            self._start(self._refill())

    async def _refill(self) -> None:
        store = self._store
        assert store is not None
        while store == self._store and len([w for w in self._workers if w.alive and w.store == store]) < self._wanted:
            try:
                worker = await self._open(store)
            except Gone:
                await asyncio.sleep(1)
                continue
            if store != self._store or self._closed:
                worker.kill("")
            else:
                self._offer(worker)

    async def _open(self, store: Path) -> Worker:
        worker = await open_worker(store, self._settings.address_space)
        self._workers.add(worker)
        try:
            await asyncio.wait_for(asyncio.shield(worker.ready), _STARTING)
        except BaseException as error:
            worker.kill("")
            if isinstance(error, TimeoutError):
                raise Gone("") from None
            raise
        return worker

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self) -> None:
        """Hold all workers together to their memory, and forget those that have ended."""
        while True:
            await asyncio.sleep(_WATCH)
            self._workers = {worker for worker in self._workers if not worker.forgotten()}
            # A worker may also end of itself, or by somebody else's hand.
            if len([w for w in self._workers if w.alive and w.store == self._store]) < self._wanted:
                self._replace()
            held = {worker: worker.memory() for worker in self._workers if worker.alive}
            if sum(held.values()) > self._settings.memory:
                max(held, key=lambda worker: held[worker]).kill("memory")


async def _first(
    wanted: Awaitable[_T], left: Callable[[], Awaitable[None]], seconds: float, late: type[Exception]
) -> _T:
    work, leaving = asyncio.ensure_future(wanted), asyncio.ensure_future(left())
    try:
        done, _ = await asyncio.wait({work, leaving}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if work in done:
            return work.result()
        raise Left if done else late
    finally:
        leaving.cancel()
        work.cancel()
