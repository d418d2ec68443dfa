"""What is wrong with a query, and where: the engine's message in words for a person, with the place it points at."""

import re
from difflib import get_close_matches
from typing import Final

from kg.errors import MistakeError, QueryError
from kg.namespaces import PREFIXES
from kg.syntax import FORMS, READ_ONLY, inspect

_PLACE = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
_HELPFUL = re.compile(r"[A-Z ]{1,30}|\"[.;,(){}\[\]]\"")
_UNHELPFUL: Final = ("LATERAL", "OPTIONAL", "SERVICE", "VERSION")
_REASON = re.compile(r"[A-Z]\w+(?: [\w*]+){2,}")
_PLAINER: Final = {
    "Prefix not found": "",
    "IRI parsing failed": "what <...> holds is no whole IRI: it has no scheme",
    "The SELECT contains a variable that is unbound": "SELECT has a variable that is neither bound nor grouped by",
    "SELECT * is not authorized with GROUP BY": "SELECT * and GROUP BY do not go together",
}
"""What the engine says in a sentence, in other words."""
_BEFORE: Final = 60
_AFTER: Final = 40
"""Characters of a line that are shown on either side of a place."""
_READ_ON: Final = 30
"""Characters that are repeated in a sentence."""


def mistake(message: str, query: str) -> QueryError:
    """Return the error of a query that cannot be evaluated.

    Args:
        message: What the engine says of it.
        query: Its text.
    """
    found = _PLACE.match(message)
    if found is None:
        return QueryError(f"the query cannot be evaluated: {message[:500]}")
    seen = inspect(query)
    if seen.refused == READ_ONLY:
        return QueryError(READ_ONLY)
    # The engine reads on after a prefix that it does not know, and complains of what comes later.
    for prefix, start in seen.borrows.items():
        if prefix in PREFIXES:
            continue
        near = get_close_matches(prefix, PREFIXES, 1)
        hint = f"; did you mean {near[0]}:?" if near else ""
        line, column = query.count("\n", 0, start) + 1, start - query.rfind("\n", 0, start)
        return _placed(f"the prefix {prefix}: is neither declared nor one of the project's", hint, line, column, query)
    return _placed("not a SPARQL 1.1 query", _why(found[3], seen.form), int(found[1]), int(found[2]), query)


def _why(message: str, form: str) -> str:
    """Why the parser stopped; else what it would have taken, of which words and brackets help a person."""
    if not form:
        return f"; a query is one of {', '.join(FORMS)}"
    parts = [part.strip() for part in message.removeprefix("expected ").removeprefix("one of ").split(",")]
    reasons = [_PLAINER.get(part, part) for part in parts if _REASON.fullmatch(part)]
    wanted = [part for part in parts if _HELPFUL.fullmatch(part) and part not in _UNHELPFUL]
    if any(reasons):
        return f"; {'; '.join(filter(None, reasons))}"
    return f"; expected here: {' '.join(dict.fromkeys(wanted))}" if wanted else ""


def _placed(what: str, more: str, line: int, column: int, query: str) -> MistakeError:
    lines = query.split("\n")
    text = lines[line - 1] if line <= len(lines) else ""
    rest = text[column - 1 :].strip()[:_READ_ON]
    at = f"at '{rest}'" if rest else "at its end"
    start = max(0, column - _BEFORE)
    shown = f"{text[start : column + _AFTER]}\n{' ' * (column - 1 - start)}^\n"
    return MistakeError(f"{what}: line {line}, column {column}, {at}{more}", (line, column), shown)
