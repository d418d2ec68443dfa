"""Measure the endpoint beside the native Oxigraph server: the same release, machine and run, both over HTTP.

    python benchmarks/serve.py [--build build] [--rounds 7] [--seconds 2] [--json FILE]

Cheap: what a thing's statements are; `anew` with a text of its own each time, so that nothing is answered from what is
kept, and `again` with the same few texts, as programs and pages ask them. Large: 10,000 rows as JSON. Rounds are
interleaved (ours, theirs, ours ...), so that whatever else the machine does meets both alike; ratios are taken round by
round, and the median of them is given.

The load comes from one process that speaks HTTP/1.1 on bare sockets with epoll and keeps each connection busy with
one request. `floor` is what it reaches against a server that answers at once: where that is not several times the
rates below, the load itself would be measured.
"""

import argparse
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count, cycle, product
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[1]))
from kg.namespaces import THINGS
from kg.store import DATASET, STORE, open_release

ROOT = Path(__file__).parents[1]
CONNECTIONS = (1, 8, 32)
LARGE = "SELECT ?s ?p ?o { ?s ?p ?o } LIMIT 10000"
LARGE_TIMES = 15
FEW = 50
"""Of so many things, one is asked for again and again."""
CHEAP = "SELECT ?p ?o { <%s> ?p ?o } LIMIT 20 # %d"
ASKED = "GET /%s?query=%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/sparql-results+json\r\n\r\n"
GOALS = {"rate": (True, 0.7), "p99": (False, 2.0), "large": (False, 1.3)}
"""Whether the ratio must be at least or at most so much; those of requests are meant for 8 and 32 connections."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run.

    Attributes:
        rate: Requests a second.
        p50: The latency that half of the requests stay under, in ms.
        p99: The same of 99 in a hundred.
        processor: Microseconds of all cores that the server and its workers took for a request.
    """

    rate: float
    p50: float
    p99: float
    processor: float


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that runs: its port, the path of its endpoint, and its process."""

    port: int
    path: str
    process: int


class Connection:
    """A connection that is kept open, with one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = 0.0
        self._got = bytearray()
        self._whole = 0

    def ask(self, request: bytes) -> None:
        """Send a request."""
        self._got.clear()
        self._whole = 0
        self.sent = time.perf_counter()
        self.socket.sendall(request)

    def answered(self) -> bool:
        """Read what has come, and say whether the answer is whole."""
        part = self.socket.recv(1 << 20)
        if not part:
            raise SystemExit("the server closed a connection")
        got = self._got
        got += part
        if not self._whole:
            end = got.find(b"\r\n\r\n")
            if end < 0:
                return False
            if not got.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"not answered: {bytes(got[:400])!r}")
            told = re.search(rb"content-length: *(\d+)", got[:end], re.IGNORECASE)
            self._whole = end + 4 + int(told[1]) if told else -1
        return len(got) >= self._whole if self._whole > 0 else got.endswith(b"0\r\n\r\n")

    def body(self) -> bytes:
        """Return what was answered last, where it was not chunked, or chunk lengths and all where it was."""
        return bytes(self._got).partition(b"\r\n\r\n")[2]


def repeated(path: str, things: Sequence[str]) -> Iterator[bytes]:
    """Yield the same few requests over and over."""
    asks = [(ASKED % (path, quote(CHEAP % (thing, 0), safe=""))).encode() for thing in things[::FEW]]
    return cycle(asks)


def prepared(path: str, things: Sequence[str], number: int) -> Iterator[bytes]:
    """Yield requests that are all different, from a text that is quoted beforehand."""
    heads = [
        (ASKED % (path, quote(CHEAP % (thing, number), safe="").replace("%", "%%") + "x%d")).encode()
        for thing in things
    ]
    return (heads[n % len(heads)] % n for n in count())


def spent(process: int) -> float:
    """Return the seconds of all cores that a process and its children have taken."""
    ticks, found = 0, [process]
    for one in found:
        with suppress(OSError):
            ticks += sum(map(int, Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[11:15]))
            for listed in Path(f"/proc/{one}/task").glob("*/children"):
                found += map(int, listed.read_text().split())
    return ticks / os.sysconf("SC_CLK_TCK")


def cheap(served: Serving, connections: int, seconds: float, asks: Iterator[bytes]) -> Measured:
    """Ask for so many seconds on so many connections."""
    with ExitStack() as stack, select.epoll() as poll:
        held: dict[int, Connection] = {}
        for _ in range(connections):
            one = Connection(served.port)
            stack.enter_context(one.socket)
            held[one.socket.fileno()] = one
            poll.register(one.socket, select.EPOLLIN)
            one.ask(next(asks))
        took: list[float] = []
        before, start = spent(served.process), time.perf_counter()
        end = start + seconds
        while (now := time.perf_counter()) < end:
            for descriptor, _ in poll.poll(1):
                one = held[descriptor]
                if one.answered():
                    took.append(time.perf_counter() - one.sent)
                    one.ask(next(asks))
        processor = spent(served.process) - before
    took.sort()
    return Measured(
        len(took) / (now - start), took[len(took) // 2] * 1000, took[len(took) * 99 // 100] * 1000,
        processor / len(took) * 1e6,
    )  # fmt: skip


def large(served: Serving) -> list[float]:
    """Return the milliseconds that large answers took, one after another on one connection."""
    one = Connection(served.port)
    took = []
    with one.socket:
        for _ in range(LARGE_TIMES):
            one.ask((ASKED % (served.path, quote(LARGE, safe=""))).encode())
            while not one.answered():
                pass
            took.append((time.perf_counter() - one.sent) * 1000)
    if one.body().count(b'"o":') != 10_000:
        raise SystemExit("the large answer does not have 10,000 rows")
    return took


@contextmanager
def started(command: Sequence[str | Path], port: int, path: str) -> Iterator[Serving]:
    """Start a server, wait until it takes connections, and end it by its own id."""
    process = subprocess.Popen([str(word) for word in command], cwd=ROOT, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise SystemExit(f"{command[0]} ended with {process.returncode}") from None
                time.sleep(0.1)
        yield Serving(port, path, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def echo(listener: socket.socket) -> None:
    """Answer every request of one connection after another with 200 and nothing."""
    with select.epoll() as poll:
        poll.register(listener, select.EPOLLIN)
        held: dict[int, socket.socket] = {}
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == listener.fileno():
                    one, _ = listener.accept()
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    held[one.fileno()] = one
                    poll.register(one, select.EPOLLIN)
                else:
                    # Those that have left say so once, by an error, and are asked no more.
                    with suppress(OSError):
                        if held[descriptor].recv(65_536):
                            held[descriptor].sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                            continue
                    poll.unregister(descriptor)
                    held.pop(descriptor).close()


def floor(things: Sequence[str], turn: Iterator[int]) -> float:
    """Return the requests a second that the load reaches against a server that answers at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = get_context("fork").Process(target=echo, args=(listener,))
        process.start()
        try:
            asks = prepared("", things, next(turn))
            return cheap(Serving(listener.getsockname()[1], "", os.getpid()), 8, 1.0, asks).rate
        finally:
            process.kill()
            process.join()


def things_of(dataset: Path) -> list[str]:
    """Return the IRIs of the dataset's own things."""
    with dataset.open(encoding="utf-8") as lines:
        found = {line[1 : line.index(">")] for line in lines if line.startswith(f"<{THINGS}")}
    return sorted(found)


def rounds(times: int, ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[list[Any], list[Any]]:
    """Run both so many times, in turns, after one that does not count."""
    pairs = [(ours(), theirs()) for _ in range(times + 1)][1:]
    return [a for a, _ in pairs], [b for _, b in pairs]


def told(name: str, ours: list[float], theirs: list[float], goal: str = "") -> dict[str, Any]:
    """Print and return a line: both medians, the median of the rounds' ratios, and whether that will do."""
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
    line = f"{name:40}{median(ours):>12,.2f}{median(theirs):>12,.2f}{ratio:>8.2f}"
    measured: dict[str, Any] = {"name": name, "ours": ours, "native": theirs, "ratio": ratio}
    if goal:
        least, value = GOALS[goal]
        measured |= {"goal": value, "met": ratio >= value if least else ratio <= value}
        line += f"   {'>=' if least else '<='} {value} {'met' if measured['met'] else 'not met'}"
    print(line)
    return measured


def main() -> None:
    """Read the command line, measure, print."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--build", type=Path, default=ROOT / "build")
    asked.add_argument("--rounds", type=int, default=7)
    asked.add_argument("--seconds", type=float, default=2.0)
    asked.add_argument("--json", type=Path, help="Write the measurements to this file too.")
    given = asked.parse_args()
    release = open_release(given.build)
    things = things_of(release.path / DATASET)
    turn = count()
    print(f"release {release.path.name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
          f"floor {floor(things, turn):,.0f} requests/s")  # fmt: skip
    here, there = free_port(), free_port()
    native = [Path(sys.executable).with_name("oxigraph"), "serve-read-only", "--union-default-graph",
              "--location", release.path / STORE, "--bind", f"127.0.0.1:{there}"]  # fmt: skip
    own = [sys.executable, "-m", "kg", "serve", "--build", given.build, "--port", str(here)]
    lines = []
    with started(own, here, "sparql") as ours, started(native, there, "query") as theirs:
        print(f"{'':40}{'kg serve':>12}{'native':>12}{'ratio':>8}   goal")
        for kind, connections in product(("anew", "again"), CONNECTIONS):

            def asked_of(served: Serving, kind: str = kind, connections: int = connections) -> Measured:
                asks = prepared(served.path, things, next(turn)) if kind == "anew" else repeated(served.path, things)
                return cheap(served, connections, given.seconds, asks)

            a, b = rounds(given.rounds, lambda ask=asked_of: ask(ours), lambda ask=asked_of: ask(theirs))
            at = f"at {connections}, {kind}"
            lines.append(told(f"requests/s {at}", [m.rate for m in a], [m.rate for m in b], "rate"))
            lines.append(told(f"p50 ms {at}", [m.p50 for m in a], [m.p50 for m in b]))
            lines.append(told(f"p99 ms {at}", [m.p99 for m in a], [m.p99 for m in b], "p99"))
            lines.append(told(f"processor µs a request {at}", [m.processor for m in a], [m.processor for m in b]))
        a, b = rounds(given.rounds, lambda: median(large(ours)), lambda: median(large(theirs)))
        lines.append(told("10,000 rows as JSON, ms", a, b, "large"))
    measured = json.dumps({"release": release.path.name, "cores": os.cpu_count(), "lines": lines}, indent=2)
    if given.json:
        given.json.write_text(measured + "\n")


if __name__ == "__main__":
    main()
