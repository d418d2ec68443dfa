"""A worker process: opens a release's store read only, answers one query after another, and can be killed.

It imports little, so that a killed one is replaced fast. Frames go both ways on one socket: whether it is the last of
a message, its length, its bytes. The last is JSON; those before it are parts of a result, which go out while the rest
is still being evaluated.
"""

import json
import os
import resource
import socket
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final, cast

import pyoxigraph as ox

from kg.sandbox import confine, one_core

FRAME: Final = struct.Struct(">?I")
_PART: Final = 131_072
"""Bytes of a part, about."""
_SEPARATORS: Final = {
    # Quotes in JSON strings and < in XML ones are escaped, and lines within a CSV cell end otherwise.
    "JSON": (b'},{"', b"},{}"),
    "XML": (b"<result>",),
    "CSV": (b"\r\n",),
    "TSV": (b"\n",),
}
_BESIDE: Final = {"JSON": -1, "CSV": 1, "TSV": 1}
"""Separators that are more or less than rows: JSON has none before the first, CSV and TSV have a line of names."""
_WORTH_COMPRESSING: Final = 1024
_GZIP: Final = 31
"""What zlib calls the format gzip, without a time in its header."""


class _TooLargeError(Exception):
    pass


class _Result:
    """A file that counts what is written to it, sends it on in parts, and refuses more than was agreed."""

    def __init__(self, channel: socket.socket, job: dict[str, Any]) -> None:
        self.gzip = False
        self._channel = channel
        self._size: int = job["size"]
        self._rows: int = job["rows"] + _BESIDE.get(job["format"], 0)
        self._separators = _SEPARATORS.get(job["format"], ())
        self._compress = zlib.compressobj(3, zlib.DEFLATED, _GZIP) if job["gzip"] else None
        self._held = bytearray()
        self._tail = b""

    def write(self, written: Any) -> int:
        self._held += written
        if len(self._held) >= _PART:
            part = self._packed()
            if part:
                self._channel.sendall(FRAME.pack(False, len(part)) + part)
        return len(written)

    def flush(self) -> None:
        """Nothing is held back for longer than it takes to fill a part."""

    def counted(self, triples: ox.QueryTriples) -> Iterator[ox.Triple]:
        """Count what is no text yet: in a graph's formats no sign stands between all triples, and between them only."""
        for triple in triples:
            self._rows -= 1
            if self._rows < 0:
                raise _TooLargeError
            yield triple

    def end(self) -> bytes:
        """Return what was not sent yet, as a frame."""
        if not self.gzip and len(self._held) <= _WORTH_COMPRESSING:
            self._compress = None
        rest = self._packed()
        if self._compress is not None:
            rest += self._compress.flush()
        return FRAME.pack(False, len(rest)) + rest if rest else b""

    def _packed(self) -> bytes:
        part, self._held = bytes(self._held), bytearray()
        self._size -= len(part)
        for separator in self._separators:
            # A separator may lie across two parts.
            kept = len(separator) - 1
            self._rows -= part.count(separator)
            if kept and self._tail:
                self._rows -= (self._tail[-kept:] + part[:kept]).count(separator)
        self._tail = part[-8:]
        if self._size < 0 or self._rows < 0:
            raise _TooLargeError
        if self._compress is None:
            return part
        self.gzip = True
        return self._compress.compress(part)


def main() -> None:
    """Answer queries on a socket until it is closed: its number, the store, the most bytes, and the most seconds."""
    number, folder, address_space, longest = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    channel = socket.socket(fileno=int(number))
    confine(address_space)
    with one_core():
        store = ox.Store.read_only(folder)
    # An empty message says that the store is open.
    channel.sendall(_last({}))
    asked, bounded = channel.makefile("rb"), 0.0
    while (job := _receive(asked)) is not None:
        # The server kills at the deadline; this holds even if the server cannot. Each query anew would cost too much.
        if (now := time.monotonic()) > bounded:
            resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + longest) + 3, -1))
            bounded = now + 1
        channel.sendall(_answer(store, job, channel))


def _answer(store: ox.Store, job: dict[str, Any], channel: socket.socket) -> bytes:
    try:
        results = store.query(
            job["query"],
            prefixes=job["prefixes"] or None,
            use_default_graph_as_union=job["default"] is None and job["named"] is None and not job["dataset"],
            default_graph=_graphs(job["default"], job["named"]),
            named_graphs=_graphs(job["named"], job["default"]),
        )
        if isinstance(results, ox.QueryTriples) != (job["kind"] == "graph"):
            return _last({"status": "form"})
        result = _Result(channel, job)
        file = cast(IO[bytes], result)
        if isinstance(results, ox.QueryTriples):
            ox.serialize(result.counted(results), file, getattr(ox.RdfFormat, job["format"]), prefixes=job["prefixes"])
        else:
            results.serialize(file, format=getattr(ox.QueryResultsFormat, job["format"]))
        rest = result.end()
    except _TooLargeError:
        return _last({"status": "large"})
    except SyntaxError as error:
        return _last({"status": "syntax", "message": str(error)})
    except MemoryError:
        return _last({"status": "memory"})
    except (RuntimeError, OSError, ValueError) as error:
        return _last({"status": "failed", "message": str(error)})
    return rest + _WHOLE[result.gzip]


def _last(header: dict[str, Any]) -> bytes:
    raw = json.dumps(header).encode()
    return FRAME.pack(True, len(raw)) + raw


_WHOLE: Final = {packed: _last({"status": "whole", "gzip": packed}) for packed in (False, True)}


def _graphs(these: list[str] | None, others: list[str] | None) -> list[Any] | None:
    # A request that names graphs of one kind only has none of the other.
    if these is None:
        return None if others is None else []
    return [ox.NamedNode(iri) for iri in these]


def _receive(asked: IO[bytes]) -> dict[str, Any] | None:
    head = asked.read(FRAME.size)
    if len(head) < FRAME.size:
        return None
    return json.loads(asked.read(FRAME.unpack(head)[1]))  # type: ignore[no-any-return]


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        os._exit(0)
