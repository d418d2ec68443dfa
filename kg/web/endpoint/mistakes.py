"""What is wrong with a query, and where: the engine's message in words for a person, with the line it points at."""

import re
from typing import Final

from kg.namespaces import PREFIXES
from kg.syntax import inspect
from kg.web.refusal import RefusedError

_PLACE = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
_HELPFUL = re.compile(r"[A-Z ]{1,30}|[A-Z]\w+(?: \w+){1,3}|\"[.;,(){}\[\]]\"")
_UNHELPFUL: Final = ("LATERAL", "SERVICE")


def mistake(message: str, query: str) -> RefusedError:
    """Return the error that answers a query which cannot be evaluated.

    Args:
        message: What the engine says of it.
        query: Its text.
    """
    found = _PLACE.match(message)
    if found is None:
        said = f"The query cannot be evaluated: {message[:500]}" if message else ""
        return RefusedError(400, said or "A query is SELECT, ASK, CONSTRUCT or DESCRIBE.")
    # The engine reads on after a prefix that it does not know, and complains of what comes later.
    for prefix, start in inspect(query).borrows.items():
        if prefix in PREFIXES:
            continue
        line, column = query.count("\n", 0, start) + 1, start - query.rfind("\n", 0, start)
        return _placed(f"The prefix {prefix}: is neither declared nor one of the project's", "", line, column, query)
    wanted = [part.strip() for part in found[3].removeprefix("expected ").removeprefix("one of ").split(",")]
    # Of what the parser would take here, words and brackets help a person; ranges of characters do not.
    wanted = [part for part in wanted if _HELPFUL.fullmatch(part) and part not in _UNHELPFUL]
    expected = f" (expected here: {' '.join(dict.fromkeys(wanted))})" if wanted else ""
    return _placed("Not a SPARQL 1.1 query", expected, int(found[1]), int(found[2]), query)


def _placed(what: str, more: str, line: int, column: int, query: str) -> RefusedError:
    lines = query.split("\n")
    text = lines[line - 1] if line <= len(lines) else ""
    start = max(0, column - 60)
    shown = f"{text[start : column + 40]}\n{' ' * (column - 1 - start)}^\n"
    return RefusedError(400, f"{what}: line {line}, column {column}{more}\n\n{shown}", place=(line, column))
