"""SPARQL from strangers, within limits: each query in a child process that is killed at its deadline.

An embedded engine cannot be interrupted from a thread, and dies of deep nesting; a child process can be killed,
and may die. Starting one takes about a tenth of a second.
"""

import json
import signal
import subprocess
from dataclasses import dataclass
from typing import Any, Final

import pyoxigraph as ox

from kg.confined import OPEN
from kg.errors import QueryError, ReleaseError
from kg.mistakes import mistake
from kg.sandbox import LEAST_MEMORY, command, environment
from kg.store import STORE, Answer, Release, Term
from kg.syntax import inspect

_GRACE: Final = 2
"""Seconds after which a child that did not keep its own deadline is killed."""
_ALARM: Final = -signal.SIGALRM
"""What a child's own deadline leaves as its return code."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may take.

    Attributes:
        seconds: From start to answer.
        memory: Bytes of address space, of which opening the release takes up to `LEAST_MEMORY`.
        rows: The most rows; more are cut, and the answer says so.
        bytes: The most characters of all cells together.
        text: The longest query, in characters.
    """

    seconds: float = 10
    memory: int = 1_500_000_000
    rows: int = 1_000
    bytes: int = 1_000_000
    text: int = 100_000


@dataclass(frozen=True, slots=True)
class Limited:
    """An answer that may be cut.

    Attributes:
        answer: The rows: those of SELECT; `answer` of ASK; subject, predicate and object of CONSTRUCT and DESCRIBE.
        cut: Whether there are more rows than these.
    """

    answer: Answer
    cut: bool


def evaluate(release: Release, text: str, limits: Limits | None = None) -> Limited:
    """Run a query over the union of all graphs, in a child process within limits.

    Args:
        release: A release on disk.
        text: A SPARQL 1.1 query; the project's prefixes are known. SERVICE and updates are refused.
        limits: What it may take.

    Raises:
        QueryError: It is no query, is refused, or does not fit the limits.
        ReleaseError: The release cannot be opened within them.
    """
    limits = limits or Limits()
    if refused := inspect(text, limits.text).refused:
        raise QueryError(refused)
    request = {
        "store": str(release.path / STORE), "query": text, "rows": limits.rows, "bytes": limits.bytes,
        "seconds": limits.seconds, "memory": limits.memory,
    }  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603
            command("kg.confined"), env=environment(), check=False, capture_output=True,
            input=json.dumps(request).encode(), timeout=limits.seconds + _GRACE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise _too_long(limits) from None
    if not done.stdout.startswith(OPEN):
        raise _too_long(limits) if done.returncode == _ALARM else _unopened(done, limits)
    if done.returncode:
        raise _died(done, limits)
    reply = json.loads(done.stdout.removeprefix(OPEN))
    if "mistake" in reply:
        raise mistake(reply["mistake"], text)
    if "error" in reply:
        raise QueryError(reply["error"])
    rows = tuple(tuple(_term(cell) for cell in row) for row in reply["rows"])
    return Limited(Answer(tuple(reply["columns"]), rows), reply["cut"])


def _too_long(limits: Limits) -> QueryError:
    return QueryError(f"the query was stopped after {limits.seconds:g} seconds; narrow it, or ask a named question")


def _unopened(done: "subprocess.CompletedProcess[bytes]", limits: Limits) -> ReleaseError:
    if limits.memory < LEAST_MEMORY:
        return ReleaseError(f"more memory is needed to open the release: at least {LEAST_MEMORY:,} bytes")
    said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2] or f"signal {-done.returncode}"
    return ReleaseError(f"the release cannot be opened for queries: {said}")


def _died(done: "subprocess.CompletedProcess[bytes]", limits: Limits) -> QueryError:
    if done.returncode == _ALARM:
        return _too_long(limits)
    if b"memory allocation" in done.stderr or b"MemoryError" in done.stderr or b"bad_alloc" in done.stderr:
        return QueryError("the query needs more memory than one may have; narrow it")
    return QueryError("the query could not be evaluated within limits: it is nested too deeply or asks for too much")


def _term(cell: list[Any] | None) -> Term | None:
    if cell is None:
        return None
    if cell[0] == "iri":
        return ox.NamedNode(cell[1])
    if cell[0] == "blank":
        return ox.BlankNode(cell[1])
    return ox.Literal(cell[1], language=cell[3]) if cell[3] else ox.Literal(cell[1], datatype=ox.NamedNode(cell[2]))
