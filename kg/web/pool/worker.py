"""One worker process, as the server sees it."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import orjson

from kg.sandbox import command, environment
from kg.web.pool.evaluation import FRAME
from kg.web.pool.room import Hold, Room
from kg.web.settings import Settings

_LOW: Final = 5
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_DEATHS: Final = {-signal.SIGABRT: "memory", -signal.SIGSEGV: "depth", -signal.SIGXCPU: "time"}
"""What a worker died of that was not killed here: the engine aborts where it gets no memory."""


class Gone(Exception):  # noqa: N818
    """A worker ended before it answered; its argument says why, in a word where that is known."""


class Long(Exception):  # noqa: N818
    """A query is not done after a moment, and goes on."""


@dataclass(frozen=True, slots=True)
class Job:
    """A query and what is wanted of it.

    Attributes:
        query: The text.
        kind: `rows` for SELECT and ASK, `graph` for the others.
        format: What the engine calls the format wanted.
        default: Graphs that make the default graph; None where the request names none.
        named: Named graphs; None where the request names none.
        dataset: Whether the query names its dataset itself.
        prefixes: The project's prefixes that it uses without declaring them.
        gzip: Whether the result may be compressed.
        rows: The most rows.
        size: The most bytes.
    """

    query: str
    kind: str
    format: str
    default: tuple[str, ...] | None
    named: tuple[str, ...] | None
    dataset: bool
    prefixes: Mapping[str, str]
    gzip: bool
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What a worker answered.

    Attributes:
        status: `whole`, `syntax`, `failed`, `large`, `memory` or `form`.
        message: What went wrong, in the engine's words.
        gzip: Whether the result is compressed.
        parts: The result.
        release: The name of the release it is of.
        hold: The room it takes.
    """

    status: str
    message: str
    gzip: bool
    parts: list[bytes]
    release: str
    hold: Hold

    @property
    def body(self) -> bytes:
        """The result as one."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)


class Query:
    """A job on its way through the pool.

    Attributes:
        job: The job.
        answer: Its reply; or `Long`, after which there is a new future in its place; or `Gone`, or what the pool says.
        worker: The worker that evaluates it now, or did last.
    """

    __slots__ = ("answer", "job", "worker")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.worker: Worker | None = None

    def defer(self) -> None:
        """Tell whoever waits that it takes long."""
        waiting, self.answer = self.answer, asyncio.get_running_loop().create_future()
        if not waiting.done():
            waiting.set_exception(Long())

    def fail(self, error: Exception) -> None:
        """Tell whoever waits that there is no reply."""
        if not self.answer.done():
            self.answer.set_exception(error)
            # Nobody may be waiting any more, and that is no fault.
            self.answer.exception()


class Worker(asyncio.Protocol):
    """A process with a store open.

    Args:
        process: The process.
        store: The store's folder.
        room: What its results may take.
        settled: Called when it has answered everything, and when it has ended.

    Attributes:
        store: The store's folder.
        ready: Done once the store is open.
        lowered: Whether its priority was lowered.
        asked: When it began the query it evaluates, on the loop's clock.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], store: Path, room: Room, settled: "Callable[[Worker], None]"
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.store = store
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.lowered = False
        self.asked = 0.0
        self._process = process
        self._room = room
        self._settled = settled
        self._transport: asyncio.WriteTransport | None = None
        # What was asked and is not answered, the query evaluated now first; None where nobody waits any more.
        self._queries: deque[Query | None] = deque()
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._hold = Hold(room)
        self._reason: str | None = None
        self._lost = False
        self._memory = 0
        self._clocked: float | None = None
        self._mourning: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return self._reason is None and not self._lost

    @property
    def idle(self) -> bool:
        """Whether nothing is asked of it now."""
        return not self._queries

    @property
    def query(self) -> Query | None:
        """The query that it evaluates now."""
        return self._queries[0] if self._queries else None

    def ask(self, queries: Sequence[Query]) -> None:
        """Send queries, which are evaluated one after another."""
        assert self._transport is not None
        self._queries.extend(queries)
        self._begin()
        frames: list[bytes] = []
        for query in queries:
            query.worker = self
            raw = orjson.dumps(query.job)
            frames += (FRAME.pack(True, len(raw)), raw)
        self._transport.write(b"".join(frames))

    def behind(self) -> list[Query]:
        """Take back what waits behind the query evaluated now, for others to evaluate."""
        if not self._queries:
            return []
        first, *rest = self._queries
        self._queries = deque([first, *(None for _ in rest)])
        return [query for query in rest if query is not None]

    def _begin(self) -> None:
        self._clocked, self._parts, self._hold = None, [], Hold(self._room)
        self.asked = self._loop.time()

    def lower(self) -> None:
        """Let every other process go first."""
        self.lowered = True
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _LOW)

    def kill(self, reason: str) -> None:
        """End the process at once; whoever waits for its answer gets `Gone` with the reason."""
        if self._reason is None:
            self._reason = reason
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            if self._transport is not None:
                self._transport.abort()

    def used(self) -> float:
        """How many seconds of CPU time the query asked last has taken since this was first called for it."""
        now = self._clock()
        if self._clocked is None:
            self._clocked = now
        return now - self._clocked

    def _clock(self) -> float:
        try:
            return int(Path(f"/proc/{self._process.pid}/schedstat").read_text().split()[0]) / 1e9
        except (OSError, ValueError, IndexError):
            # Without this the clock on the wall has to do.
            return time.monotonic()

    def memory(self) -> int:
        """How many bytes it holds in memory that no other process shares; while idle, as many as when last looked."""
        if self.idle and self._memory:
            return self._memory
        try:
            resident, shared = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1:3]
        except (OSError, ValueError):
            return 0
        self._memory = (int(resident) - int(shared)) * _PAGE
        return self._memory

    def forgotten(self) -> bool:
        """Whether the process has ended and was reaped."""
        return self._lost and self._process.poll() is not None

    async def ended(self) -> None:
        """Return once the process has been reaped."""
        await asyncio.to_thread(self._process.wait)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) >= start + FRAME.size:
            last, size = FRAME.unpack_from(buffer, start)
            begin = start + FRAME.size
            if len(buffer) < begin + size:
                break
            start = begin + size
            raw = bytes(memoryview(buffer)[begin:start])
            if last:
                self._answered(orjson.loads(raw))
            elif self._hold.more(size):
                self._parts.append(raw)
            else:
                self.kill("room")
                break
        del buffer[:start]

    def _answered(self, header: dict[str, Any]) -> None:
        if not self.ready.done():
            self.ready.set_result(None)
            return
        query = self._queries.popleft()
        told = header["status"], header.get("message", ""), header.get("gzip", False)
        reply = Reply(*told, self._parts, self.store.parent.name, self._hold)
        self._begin()
        if query is not None and not query.answer.done():
            query.answer.set_result(reply)
        if not self._queries:
            self._settled(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """See asyncio.Protocol."""
        self._lost = True
        self._parts, self._hold = [], Hold(self._room)
        if self._reason is None:
            self._mourning = self._loop.create_task(self._died())
        else:
            self._fail(self._reason)
        self._settled(self)

    async def _died(self) -> None:
        code = await asyncio.to_thread(self._process.wait)
        self._fail(_DEATHS.get(code, ""))

    def _fail(self, reason: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(Gone(reason))
            self.ready.exception()
        if self.query is not None:
            self.query.fail(Gone(reason))


async def open_worker(store: Path, settings: Settings, room: Room, settled: Callable[[Worker], None]) -> Worker:
    """Start a worker process; its `ready` says when the store is open.

    Args:
        store: The store's folder.
        settings: What it may take.
        room: What its results may take here.
        settled: Called when the worker has answered everything, and when it has ended.
    """
    ours, theirs = socket.socketpair()
    words = (theirs.fileno(), store, settings.address_space, settings.longest)
    with theirs:
        process = subprocess.Popen(  # noqa: S603
            command("kg.web.pool.evaluation", *map(str, words)),
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd="/", process_group=0, env=environment(),
        )  # fmt: skip
    ours.setblocking(False)
    worker = Worker(process, store, room, settled)
    await asyncio.get_running_loop().create_connection(lambda: worker, sock=ours)
    return worker
