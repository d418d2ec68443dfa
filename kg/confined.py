"""One SPARQL query, read only, in a process of its own: the child that `kg.limited` starts and may kill.

It takes a request as JSON on standard input, gives itself limits of time and memory, gives up the right to open
sockets, opens the store, and writes rows or one plain error as JSON to standard output. It imports no more than it
needs, for it is started anew for each query.
"""

import contextlib
import ctypes
import json
import platform
import re
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from typing import Any, Final

import pyoxigraph as ox

from kg.namespaces import PREFIXES

_STRINGS = r'"""(?:[^\\]|\\.)*?"""|\'\'\'(?:[^\\]|\\.)*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\''
_SKIPPED: Final = tuple(
    re.compile(f"(?P<iri>{iri})|{_STRINGS}|#[^\\n\\r]*", re.DOTALL)
    for iri in (r"<[^<>\"{}|^`\\\s]*>", r"<[^<>\"'{}|^`\\\s]*>", r"(?!)")
)
"""What is not keywords, read in three ways: `<` opens an IRI or compares, and only a whole parser knows which."""
_SERVICE = re.compile(r"(?<![?$\w])SERVICE(?!\w)", re.IGNORECASE)
_UPDATE = re.compile(r"(?<![?$:\w])(INSERT|DELETE|DROP|CLEAR|LOAD|CREATE|COPY|MOVE|ADD)\s", re.IGNORECASE)
_SOCKET: Final = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""The kernel's numbers for an architecture and for its call `socket`."""


def bar_network() -> bool:
    """Give up the right to open sockets, for good; return whether the system can do that.

    The engine follows SERVICE to any address and has no switch for it.
    """
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _SOCKET:
        return False
    architecture, socket = _SOCKET[machine]
    # Berkeley packet filter: code, jump if true, jump if false, operand.
    steps = (
        (0x20, 0, 0, 4), (0x15, 1, 0, architecture), (0x06, 0, 0, 0x80000000),  # another architecture: killed
        (0x20, 0, 0, 0), (0x35, 1, 0, 0x40000000), (0x15, 0, 1, socket),
        (0x06, 0, 0, 0x00050000 | 13), (0x06, 0, 0, 0x7FFF0000),  # refused with EACCES; everything else is allowed
    )  # fmt: skip

    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    # No new privileges, then the filter; both last.
    return bool(libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0)


def calls_out(text: str, barred: bool) -> bool:
    """Return whether a query has the keyword SERVICE.

    Args:
        text: The query.
        barred: Whether sockets are barred anyway. Where they are not, the word is refused wherever it stands.
    """
    if not barred:
        return bool(_SERVICE.search(text))
    return any(_SERVICE.search(skip.sub(lambda m: m["iri"] or " ", text)) for skip in _SKIPPED)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Evaluate a request: `store`, `query`, `rows` and `bytes`; return columns, rows and whether they were cut."""
    text = request["query"]
    if calls_out(text, bar_network()):
        return {"error": "SERVICE is refused: queries see this graph only. (In a string, write 'S\\u0065rvice'.)"}
    store = ox.Store.read_only(request["store"])
    try:
        result = store.query(text, prefixes=PREFIXES, use_default_graph_as_union=True)
        if isinstance(result, ox.QueryBoolean):
            return {"columns": ["answer"], "rows": [[_encoded(ox.Literal(bool(result)))]], "cut": False}
        if isinstance(result, ox.QuerySolutions):
            columns = [variable.value for variable in result.variables]
            found: Iterator[list[Any]] = ([row[column] for column in columns] for row in result)
        else:
            columns = ["subject", "predicate", "object"]
            found = ([triple.subject, triple.predicate, triple.object] for triple in result)
        return _within(columns, found, request["rows"], request["bytes"])
    except SyntaxError as error:
        if _UPDATE.search(_SKIPPED[0].sub(" ", text)):
            return {"error": "updates are refused: the graph is read only; only SELECT, ASK, CONSTRUCT and DESCRIBE"}
        return {"error": f"not a SPARQL 1.1 query: {error}"}


def _within(columns: list[str], found: Iterator[list[Any]], most: int, size: int) -> dict[str, Any]:
    rows: list[list[Any]] = []
    for row in found:
        size -= sum(len(str(term)) for term in row)
        if len(rows) == most or size < 0:
            if not rows:
                return {"error": "one row alone is larger than an answer may be"}
            return {"columns": columns, "rows": rows, "cut": True}
        rows.append([_encoded(term) for term in row])
    return {"columns": columns, "rows": rows, "cut": False}


def _encoded(term: object) -> list[str | None] | None:
    if isinstance(term, ox.NamedNode):
        return ["iri", term.value]
    if isinstance(term, ox.Literal):
        return ["literal", term.value, term.datatype.value, term.language]
    return None if term is None else ["blank", term.value if isinstance(term, ox.BlankNode) else str(term)]


def main() -> None:
    """Answer one request within its limits."""
    request = json.load(sys.stdin)
    # The kernel's own doing, whatever the engine is busy with, and even if the parent is gone.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, request["seconds"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # macOS knows the limit and does not let one set it; the deadline holds there.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (request["memory"], request["memory"]))
    try:
        reply = answer(request)
    except MemoryError:
        reply = {"error": "the query needs more memory than one may have"}
    except (RuntimeError, OSError, ValueError) as error:
        reply = {"error": f"the query failed: {error}"}
    json.dump(reply, sys.stdout)


if __name__ == "__main__":
    main()
