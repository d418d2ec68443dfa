"""One worker process, as the server sees it."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from kg import resources
from kg.web.evaluation import FRAME
from kg.web.room import Hold, Room

_LOW: Final = 15
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
        seconds: The most seconds of CPU time.
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
    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What a worker answered.

    Attributes:
        status: `whole`, `syntax`, `failed`, `large`, `memory` or `form`.
        message: What went wrong, in the engine's words.
        gzip: Whether the result is compressed.
        parts: The result.
        store: The store it is of.
        hold: The room it takes.
    """

    status: str
    message: str
    gzip: bool
    parts: list[bytes]
    store: Path
    hold: Hold

    @property
    def body(self) -> bytes:
        """The result as one."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)


class Worker(asyncio.Protocol):
    """A process with a store open.

    Attributes:
        store: The store's folder.
        ready: Done once the store is open.
        lowered: Whether its priority was lowered.
        asked: When it was last asked, on the loop's clock.
        answer: The reply to what was asked last, or `Gone`.
    """

    def __init__(self, process: subprocess.Popen[bytes], store: Path, room: Room) -> None:
        self._loop = asyncio.get_running_loop()
        self.store = store
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.lowered = False
        self.asked = 0.0
        self.answer: asyncio.Future[Reply] | None = None
        self._process = process
        self._room = room
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._hold = Hold(room)
        self._reason: str | None = None
        self._lost = False
        self._clocked: float | None = None
        self._mourning: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return self._reason is None and not self._lost

    @property
    def idle(self) -> bool:
        """Whether nothing is asked of it now."""
        return self.answer is None

    def ask(self, job: Job) -> asyncio.Future[Reply]:
        """Send a query; the future has the reply, or `Gone`, or `Long` after `defer`."""
        self.answer = answer = self._loop.create_future()
        if self._transport is None or not self.alive:
            answer.set_exception(Gone(self._reason or ""))
            return answer
        self._clocked, self._parts, self._hold = None, [], Hold(self._room)
        self.asked = self._loop.time()
        raw = orjson.dumps(job)
        self._transport.write(FRAME.pack(True, len(raw)) + raw)
        return answer

    def defer(self) -> None:
        """Tell whoever waits that it takes long; `answer` is from now on a new future."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(Long())
            self.answer = self._loop.create_future()

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
        """How many bytes it holds in memory that no other process shares."""
        try:
            resident, shared = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1:3]
        except (OSError, ValueError):
            return 0
        return (int(resident) - int(shared)) * _PAGE

    def forgotten(self) -> bool:
        """Whether the process has ended and was reaped."""
        return self._lost and self._process.poll() is not None

    async def ended(self) -> None:
        """Return once the process has been reaped."""
        await asyncio.to_thread(self._process.wait)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

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
        answer, self.answer = self.answer, None
        parts, self._parts = self._parts, []
        hold, self._hold = self._hold, Hold(self._room)
        if answer is not None and not answer.done():
            told = header["status"], header.get("message", ""), header.get("gzip", False)
            answer.set_result(Reply(*told, parts, self.store, hold))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """See asyncio.Protocol."""
        self._lost = True
        self._parts, self._hold = [], Hold(self._room)
        if self._reason is None:
            self._mourning = self._loop.create_task(self._died())
        else:
            self._fail(self._reason)

    async def _died(self) -> None:
        code = await asyncio.to_thread(self._process.wait)
        self._fail(_DEATHS.get(code, ""))

    def _fail(self, reason: str) -> None:
        for future in (self.ready, self.answer):
            if future is not None and not future.done():
                future.set_exception(Gone(reason))
                # Nobody may be waiting any more, and that is no fault.
                future.exception()


async def open_worker(store: Path, address_space: int, room: Room) -> Worker:
    """Start a worker process; its `ready` says when the store is open.

    Args:
        store: The store's folder.
        address_space: The most bytes it may map.
        room: What its results may take.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "kg.web.evaluation", str(theirs.fileno()), str(store), str(address_space)],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd="/", process_group=0,
            # One arena: each further one maps 64 MB that are never used.
            env={"PYTHONPATH": str(resources.PACKAGE.parent), "MALLOC_ARENA_MAX": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    ours.setblocking(False)
    worker = Worker(process, store, room)
    await asyncio.get_running_loop().create_connection(lambda: worker, sock=ours)
    return worker
