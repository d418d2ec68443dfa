"""One worker process, as the server sees it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from kg.sandbox import command, environment
from kg.web.evaluation import FRAME

_LOW: Final = 15
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Gone(Exception):  # noqa: N818
    """A worker ended before it answered; its argument says why where the server ended it."""


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
        borrows: Whether it uses the project's prefixes without declaring them.
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
    borrows: bool
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
        gzip: Whether the body is compressed.
        body: The result.
        store: The store it is of.
    """

    status: str
    message: str
    gzip: bool
    body: bytes
    store: Path


class Worker(asyncio.Protocol):
    """A process with a store open.

    Attributes:
        store: The store's folder.
        ready: Done once the store is open.
        lowered: Whether its priority was lowered.
    """

    def __init__(self, process: subprocess.Popen[bytes], store: Path) -> None:
        self.store = store
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lowered = False
        self._process = process
        self._transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[Reply] | None = None
        self._buffer = bytearray()
        self._reason: str | None = None
        self._lost = False
        self._before = 0.0

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return self._reason is None and not self._lost

    @property
    def idle(self) -> bool:
        """Whether nothing is asked of it now."""
        return self._answer is None

    def ask(self, job: Job) -> asyncio.Future[Reply]:
        """Send a query; the future has the reply, or `Gone`."""
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport is None or not self.alive:
            self._answer.set_exception(Gone(self._reason or ""))
            return self._answer
        self._before = self._clock()
        raw = json.dumps(asdict(job)).encode()
        self._transport.write(FRAME.pack(len(raw), 0) + raw)
        return self._answer

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
        """How many seconds of CPU time the query asked last has taken."""
        return self._clock() - self._before

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
        self._buffer += data
        if len(self._buffer) < FRAME.size:
            return
        head, size = FRAME.unpack_from(self._buffer)
        if len(self._buffer) < FRAME.size + head + size:
            return
        header: dict[str, Any] = json.loads(self._buffer[FRAME.size : FRAME.size + head])
        body = bytes(memoryview(self._buffer)[FRAME.size + head :])
        self._buffer = bytearray()
        if not self.ready.done():
            self.ready.set_result(None)
        elif self._answer is not None:
            answer, self._answer = self._answer, None
            if not answer.done():
                reply = Reply(header["status"], header.get("message", ""), header.get("gzip", False), body, self.store)
                answer.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """See asyncio.Protocol."""
        self._lost = True
        for future in (self.ready, self._answer):
            if future is not None and not future.done():
                future.set_exception(Gone(self._reason or ""))
                # Nobody may be waiting any more, and that is no fault.
                future.exception()


async def open_worker(store: Path, address_space: int) -> Worker:
    """Start a worker process; its `ready` says when the store is open.

    Args:
        store: The store's folder.
        address_space: The most bytes it may map.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603
            command("kg.web.evaluation", str(theirs.fileno()), str(store), str(address_space)),
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd="/", process_group=0, env=environment(),
        )  # fmt: skip
    ours.setblocking(False)
    worker = Worker(process, store)
    await asyncio.get_running_loop().create_connection(lambda: worker, sock=ours)
    return worker
