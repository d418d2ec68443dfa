"""One SPARQL query, read only, in a process of its own: the child that `kg.limited` starts and may kill.

It takes a request as JSON on standard input, confines itself, opens the store and says so, and writes rows or one
error as JSON to standard output. It imports no more than it needs, for it is started anew for each query.
"""

import json
import signal
import sys
from collections.abc import Iterator
from typing import Any, Final

import pyoxigraph as ox

from kg.namespaces import PREFIXES
from kg.sandbox import confine, one_core

OPEN: Final = b"open\n"
"""What the child says first, once the store is open."""


def answer(store: ox.Store, request: dict[str, Any]) -> dict[str, Any]:
    """Evaluate a request's `query` within its `rows` and `bytes`; return columns, rows and whether they were cut."""
    try:
        result = store.query(request["query"], prefixes=PREFIXES, use_default_graph_as_union=True)
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
        return {"mistake": str(error)}
    except MemoryError:
        return {"error": "the query needs more memory than one may have"}
    except (RuntimeError, OSError, ValueError) as error:
        return {"error": f"the query failed: {error}"}


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
    confine(request["memory"])
    with one_core():
        store = ox.Store.read_only(request["store"])
    sys.stdout.buffer.write(OPEN)
    sys.stdout.buffer.flush()
    json.dump(answer(store, request), sys.stdout)


if __name__ == "__main__":
    main()
