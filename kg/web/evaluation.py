"""A worker process: opens a release's store read only, answers one query after another, and can be killed.

It imports little, so that a killed one is replaced fast. Frames go both ways on one socket: the lengths of a JSON
header and of a body, then both.
"""

import gzip
import json
import os
import resource
import socket
import struct
import sys
from typing import IO, Any, Final, cast

import pyoxigraph as ox

from kg.namespaces import PREFIXES
from kg.sandbox import confine, one_core

FRAME: Final = struct.Struct(">IQ")
_SEPARATORS: Final = {
    # Quotes in JSON strings and < in XML ones are escaped, so these stand between rows only.
    "JSON": (b'},{"', b"},{}"),
    "XML": (b"<result>",),
    "CSV": (b"\n",),
    "TSV": (b"\n",),
    "N_TRIPLES": (b"\n",),
    "N_QUADS": (b"\n",),
}
_WORTH_COMPRESSING: Final = 1024
_COPIED: Final = 65_536
"""Bytes below which one copy costs less than a second call."""


class _TooLargeError(Exception):
    pass


class _Bounded:
    """A file that counts what is written to it, and refuses more than was agreed."""

    def __init__(self, rows: int, size: int, separators: tuple[bytes, ...]) -> None:
        self.parts: list[bytes] = []
        self._rows, self._size = rows, size
        self._separators = separators
        self._tail = b""

    def write(self, written: Any) -> int:
        part = bytes(written)
        self.parts.append(part)
        self._size -= len(part)
        for separator in self._separators:
            # A separator may lie across two writes.
            kept = len(separator) - 1
            head = self._tail[-kept:] if kept else b""
            self._rows -= (head + part).count(separator)
        self._tail = (self._tail + part)[-8:]
        if self._size < 0:
            raise _TooLargeError("bytes")
        if self._rows < 0:
            raise _TooLargeError("rows")
        return len(part)

    def flush(self) -> None:
        """Nothing is held back."""


def main() -> None:
    """Answer queries on the socket that the first argument names until it is closed."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    confine(int(sys.argv[3]))
    with one_core():
        store = ox.Store.read_only(sys.argv[2])
    # An empty frame says that the store is open.
    _send(channel, {}, b"")
    while (request := _receive(channel)) is not None:
        _send(channel, *_answer(store, request))


def _answer(store: ox.Store, job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    # The server kills at the deadline; this holds even if the server cannot.
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + job["seconds"]) + 2, -1))
    try:
        results = store.query(
            job["query"],
            prefixes=PREFIXES if job["borrows"] else None,
            use_default_graph_as_union=job["default"] is None and job["named"] is None and not job["dataset"],
            default_graph=_graphs(job["default"], job["named"]),
            named_graphs=_graphs(job["named"], job["default"]),
        )
        graph = isinstance(results, ox.QueryTriples)
        if graph != (job["kind"] == "graph"):
            return {"status": "form"}, b""
        form = job["format"]
        # Between n rows stand n-1 separators in JSON; CSV and TSV have a line of names.
        spare = {"JSON": -1, "CSV": 1, "TSV": 1}.get(form, 0)
        file = _Bounded(job["rows"] + spare, job["size"], _SEPARATORS.get(form, ()))
        if isinstance(results, ox.QueryTriples):
            results.serialize(cast(IO[bytes], file), format=getattr(ox.RdfFormat, form))
        else:
            results.serialize(cast(IO[bytes], file), format=getattr(ox.QueryResultsFormat, form))
    except _TooLargeError as error:
        return {"status": "large", "message": str(error)}, b""
    except SyntaxError as error:
        return {"status": "syntax", "message": str(error)}, b""
    except MemoryError:
        return {"status": "memory"}, b""
    except (RuntimeError, OSError, ValueError) as error:
        return {"status": "failed", "message": str(error)}, b""
    body = b"".join(file.parts)
    if job["gzip"] and len(body) > _WORTH_COMPRESSING:
        return {"status": "whole", "gzip": True}, gzip.compress(body, 3, mtime=0)
    return {"status": "whole", "gzip": False}, body


def _graphs(these: list[str] | None, others: list[str] | None) -> list[Any] | None:
    # A request that names graphs of one kind only has none of the other.
    if these is None:
        return None if others is None else []
    return [ox.NamedNode(iri) for iri in these]


def _receive(channel: socket.socket) -> dict[str, Any] | None:
    lengths = _exactly(channel, FRAME.size)
    if lengths is None:
        return None
    raw = _exactly(channel, FRAME.unpack(lengths)[0])
    return None if raw is None else json.loads(raw)


def _exactly(channel: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = channel.recv(count - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _send(channel: socket.socket, header: dict[str, Any], body: bytes) -> None:
    raw = json.dumps(header).encode()
    head = FRAME.pack(len(raw), len(body)) + raw
    if len(body) < _COPIED:
        channel.sendall(head + body)
    else:
        channel.sendall(head)
        channel.sendall(body)


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        os._exit(0)
