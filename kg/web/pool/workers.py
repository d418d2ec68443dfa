"""The pool: worker processes that evaluate queries, and that are killed when one takes too long or too much.

A query starts on any free worker. One that is not done after a moment is long: it moves into one of few places for
long queries, with low priority, or waits for one. Few queries start at a time, and one that is still running at the
next look makes room for another; so a light query waits for some looks at most, however many heavy ones came before.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

from kg.web.pool.room import Room
from kg.web.pool.worker import Gone, Job, Long, Query, Reply, Worker, open_worker
from kg.web.settings import Settings

_LOOK: Final = 0.02
"""Seconds between looks at what is running."""
_MOMENT: Final = 0.03
"""Seconds of CPU time after which a query is long where many others run."""
_LIGHT: Final = 0.25
"""Seconds of CPU time after which it is long in any case."""
_LONGEST: Final = 1.0
"""Seconds on the clock after which it is long in any case."""
_TOGETHER: Final = 8
"""Queries that one worker is given at once; where one of them is not done soon, those behind it go to others."""
_FIRST: Final = 8
"""Workers that are opened before a release is served; the others follow."""
_STARTING: Final = 20.0
ENDING: Final = "end"
"""Why a query is gone that was stopped because the server ends."""

_T = TypeVar("_T")


class Overloaded(Exception):  # noqa: N818
    """There is no room for another query now."""


class _Crowded(Overloaded):
    """As many long queries wait as may; this one had begun, which cost a worker."""


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
        self._room = Room(settings.room)
        self._workers: set[Worker] = set()
        self._free: list[Worker] = []
        self._queue: deque[tuple[float, Query]] = deque()
        self._starting: set[Worker] = set()
        self._started: set[Worker] = set()
        self._heavy = asyncio.Semaphore(settings.heavy)
        self._patient = 0
        self._admitted = 0
        self._ending = False
        self._watching: asyncio.Task[None] | None = None
        self._refilling: asyncio.Task[None] | None = None

    async def serve(self, store: Path) -> None:
        """Open a store in new workers, and let those on another go once they are idle.

        Raises:
            Gone: A worker could not open it; the pool stays as it was.
        """
        first = min(self._wanted, _FIRST)
        opened = await asyncio.gather(*(self._open(store) for _ in range(first)), return_exceptions=True)
        good = [worker for worker in opened if isinstance(worker, Worker)]
        if len(good) < first:
            for worker in good:
                worker.kill("")
            raise Gone(f"{store}: the store cannot be opened")
        self._store = store
        for old in self._free:
            old.kill("")
        self._free = good
        self._hand_out()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    def end(self) -> None:
        """Begin nothing any more, and stop what is evaluated."""
        self._ending = True
        self._hand_out()
        for worker in self._workers:
            worker.kill(ENDING)

    async def close(self) -> None:
        """End every worker."""
        tasks = [task for task in (self._watching, self._refilling) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for worker in self._workers:
            worker.kill("")
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
            Gone: The worker died of it, or the pool ends.
        """
        if self._admitted >= self._settings.admitted:
            raise Overloaded
        self._admitted += 1
        try:
            return await self._evaluated(job, seconds, left)
        except _Crowded:
            pass
        finally:
            self._admitted -= 1
        # Who asks again at once would cost one worker after another, and light queries would wait for those.
        return await _first(asyncio.get_running_loop().create_future(), left, self._settings.retry, Overloaded)

    async def _evaluated(self, job: Job, seconds: float, left: Callable[[], Awaitable[None]]) -> Reply:
        query = self._begun(job)
        with contextlib.suppress(Long):
            return await query.answer
        if not self._heavy.locked():
            async with self._heavy:
                return await _long(query, seconds, left)
        # No place is free: it starts again when one is.
        _stop(query)
        return await self._later(job, seconds, left)

    async def _later(self, job: Job, seconds: float, left: Callable[[], Awaitable[None]]) -> Reply:
        if self._patient >= self._settings.waiting:
            raise _Crowded
        self._patient += 1
        try:
            await _first(self._heavy.acquire(), left, self._settings.patience, Overloaded)
        finally:
            self._patient -= 1
        try:
            query = self._begun(job)
            with contextlib.suppress(Long):
                return await query.answer
            return await _long(query, seconds, left)
        finally:
            self._heavy.release()

    def _begun(self, job: Job) -> Query:
        query = Query(job)
        self._queue.append((asyncio.get_running_loop().time() + self._settings.patience, query))
        self._hand_out()
        return query

    def _hand_out(self) -> None:
        """Give queries that wait to free workers, in the order of asking; several to one where many wait."""
        while self._queue and self._ending:
            self._queue.popleft()[1].fail(Gone(ENDING))
        while self._queue and self._free and (places := self._settings.width - len(self._starting)) > 0:
            worker = self._free.pop()
            if worker.alive:
                count = min(-(-len(self._queue) // places), _TOGETHER)
                taken = (self._queue.popleft()[1] for _ in range(count))
                if queries := [query for query in taken if not query.answer.done()]:
                    self._starting.add(worker)
                    worker.ask(queries)
                else:
                    self._free.append(worker)

    def _settled(self, worker: Worker) -> None:
        self._starting.discard(worker)
        self._started.discard(worker)
        self._take_back(worker)
        # Priority once lowered stays low, and what a long query left in memory stays there: a new one is better.
        if worker.alive and not worker.lowered and worker.store == self._store:
            self._free.append(worker)
        else:
            worker.kill("")
        self._hand_out()

    def _take_back(self, worker: Worker) -> None:
        now = asyncio.get_running_loop().time()
        self._queue.extendleft((now + self._settings.patience, query) for query in reversed(worker.behind()))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            self._look()

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._queue and self._queue[0][0] < now:
            self._queue.popleft()[1].fail(Overloaded())
        # Time on the clock says little of a query while others crowd the cores.
        light = _MOMENT if len(self._starting) + len(self._started) > self._settings.width else _LIGHT
        for worker in [*self._started, *self._starting]:
            if worker.used() > light or now - worker.asked > _LONGEST:
                self._starting.discard(worker)
                self._started.discard(worker)
                self._take_back(worker)
                if worker.query is None:
                    worker.kill("")
                else:
                    worker.query.defer()
            elif now - worker.asked > _LOOK:
                self._take_back(worker)
                self._started.add(worker)
        self._starting -= self._started
        self._hand_out()
        self._weigh()
        # A worker may also end of itself, or by somebody else's hand.
        if self._missing() and (self._refilling is None or self._refilling.done()):
            self._refilling = asyncio.create_task(self._refill())

    def _weigh(self) -> None:
        """Hold all workers together to their memory, and forget those that have ended."""
        self._workers = {worker for worker in self._workers if not worker.forgotten()}
        if all(worker.idle for worker in self._workers):
            return
        held = {worker: worker.memory() for worker in self._workers if worker.alive}
        if sum(held.values()) > self._settings.memory:
            max(held, key=lambda worker: held[worker]).kill("memory")

    def _missing(self) -> bool:
        alive = sum(worker.alive and worker.store == self._store for worker in self._workers)
        return not self._ending and alive < self._wanted

    async def _refill(self) -> None:
        """Open what is missing, one at a time: opening takes a core for as long as many light queries do."""
        while (store := self._store) is not None and self._missing():
            try:
                worker = await self._open(store)
            except Gone:
                await asyncio.sleep(1)
                continue
            if store == self._store:
                self._free.append(worker)
                self._hand_out()
            else:
                worker.kill("")

    async def _open(self, store: Path) -> Worker:
        worker = await open_worker(store, self._settings, self._room, self._settled)
        self._workers.add(worker)
        try:
            await asyncio.wait_for(asyncio.shield(worker.ready), _STARTING)
        except BaseException as error:
            worker.kill("")
            if isinstance(error, TimeoutError):
                raise Gone("") from None
            raise
        return worker


async def _long(query: Query, seconds: float, left: Callable[[], Awaitable[None]]) -> Reply:
    if query.worker is not None and query.worker.query is query:
        query.worker.lower()
    try:
        return await _first(query.answer, left, seconds, Late)
    finally:
        _stop(query)


def _stop(query: Query) -> None:
    if query.worker is not None and query.worker.query is query:
        query.worker.kill("")


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
