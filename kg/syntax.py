"""What a query's text says before anything parses it: its form, its depth, and what it must not have.

The engine's parser recurses, and deep nesting kills the process it runs in; an engine asked for SERVICE speaks to
any address. So a text is taken apart into tokens here, as the grammar's terminals have it, and judged by them.
Only a whole parser knows whether `<` opens an IRI or compares, and a string may hide in either: the word SERVICE counts
in any reading, and so do the functions that answer anew each time. What still slips through finds no socket in a
confined process (`kg.sandbox`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kg.errors import QueryError
from kg.namespaces import PREFIXES
from kg.sandbox import bars_sockets

FORMS: Final = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
UPDATES: Final = frozenset(("INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH"))
READ_ONLY: Final = (
    "the graph is read only: updates are refused. Facts are changed in the tables that a release is built of"
)
_NO_SERVICE: Final = "SERVICE is refused: queries see this graph only"
_SERVICE: Final = frozenset(("SERVICE",))
_VOLATILE: Final = frozenset(("NOW", "RAND", "UUID", "STRUUID", "BNODE"))
_DEPTH: Final = 300
"""How deep brackets may be nested; some thousand exhaust the parser's stack and with it the process."""
_LONGEST_RUN: Final = 500
"""Signs in a row that the parser takes one inside the other: `!!!!`, `----`, `^^^^`."""

_TERMINALS: Final = r"""(?P<space>\s+|\#[^\r\n]*)
    | IRI
    | \"\"\"(?:\"{0,2}(?:[^"\\]|\\.))*\"\"\" | '''(?:'{0,2}(?:[^'\\]|\\.))*'''
    | "(?:[^"\\\r\n]|\\.)*" | '(?:[^'\\\r\n]|\\.)*'
    | [?$]\w+ | _:[\w.·-]+ | @[A-Za-z]+(?:-[A-Za-z0-9]+)*
    | (?P<prefix>[^\W\d_](?:[\w.·-]*[\w·-])?)?:(?:[\w.:·-]|%[0-9A-Fa-f]{2}|\\.)*
    | (?P<word>[A-Za-z_]\w*)
    | (?P<open>[({\[]) | (?P<close>[)}\]])
    | (?P<sign>[!+\-^]) | ."""
_READ, *_OTHERWISE = (
    re.compile(_TERMINALS.replace("IRI", iri), re.VERBOSE | re.DOTALL)
    for iri in (r"<[^<>\"{}|^`\\\x00-\x20]*>", r"<[^<>\"'{}|^`\\\x00-\x20]*>", "(?!)")
)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the tokens of a query say.

    Attributes:
        form: SELECT, ASK, CONSTRUCT, DESCRIBE, or "" where it is none.
        dataset: Whether the query names its own dataset with FROM.
        borrows: The prefixes that it uses and does not declare, with the place in the text where each stands first.
        volatile: Whether two evaluations may differ on one release.
        refused: Why it must not be evaluated, where it is an update or asks another endpoint; else "".
    """

    form: str
    dataset: bool
    borrows: dict[str, int]
    volatile: bool
    refused: str


def inspect(text: str, longest: int | None = None) -> Inspection:
    """Take a query apart, without parsing it.

    Args:
        text: The query.
        longest: The most characters it may have.

    Raises:
        QueryError: It is too long, or nested too deep.
    """
    if longest is not None and len(text) > longest:
        raise QueryError(f"the query has {len(text):,} characters; at most {longest:,} are taken")
    if "\x00" in text:
        raise QueryError("the query has a NUL character")
    words, borrows = _read(text)
    said = set(words)
    if "\\u" in text or "\\U" in text:
        # The grammar lets any character be written as an escape; a keyword hidden so is still one.
        plain = _ESCAPE.sub(_character, text)
        said.update(_words(plain, _READ))
    else:
        plain = text
    start = next((word for word in words if word not in ("PREFIX", "BASE")), "")
    form = next((word for word in words if word in FORMS), "") if start in FORMS else ""
    calls_out = "SERVICE" in said or _hides(_SERVICE, text, plain)
    refused = READ_ONLY if start in UPDATES else _NO_SERVICE if calls_out else ""
    volatile = not _VOLATILE.isdisjoint(said) or _hides(_VOLATILE, text, plain)
    return Inspection(form, "FROM" in said, borrows, volatile, refused)


def named(text: str) -> list[str]:
    """Return the IRIs that a query names, each once and in its order, with prefixes written out."""
    prefixes = dict(PREFIXES)
    found: dict[str, None] = {}
    before = declared = ""
    for token in _tokens(text, _READ):
        said = token[0]
        if token.lastgroup == "prefix" or said.startswith(":"):
            prefix, _, local = said.partition(":")
            if before == "PREFIX":
                declared = said
                continue
            if prefix in prefixes:
                found[prefixes[prefix] + local.replace("\\", "")] = None
        elif said.startswith("<") and said.endswith(">"):
            if declared:
                prefixes[declared[:-1]] = said[1:-1]
            elif before != "BASE":
                found[said[1:-1]] = None
        before, declared = said.upper(), ""
    return list(found)


def check_depth(text: str) -> None:
    """Refuse a query that is nested deeper than the engine's parser bears.

    Raises:
        QueryError: It is.
    """
    _read(text)


def _read(text: str) -> tuple[list[str], dict[str, int]]:
    """Return the words of a query, and the prefixes that it borrows; refuse what is nested too deep."""
    words: list[str] = []
    used: dict[str, int] = {}
    declared: set[str] = set()
    depth = run = 0
    for token in _tokens(text, _READ):
        kind = token.lastgroup
        run = run + 1 if kind == "sign" else 0
        depth += (kind == "open") - (kind == "close")
        if depth > _DEPTH or run > _LONGEST_RUN:
            raise QueryError(f"the query is nested more than {_DEPTH if depth > _DEPTH else _LONGEST_RUN} deep")
        if kind == "word":
            words.append(token[0].upper())
        elif kind == "prefix" or token[0].startswith(":"):
            if words and words[-1] == "PREFIX":
                declared.add(token["prefix"] or "")
            else:
                used.setdefault(token["prefix"] or "", token.start())
    return words, {prefix: place for prefix, place in used.items() if prefix not in declared}


def _hides(sought: frozenset[str], text: str, plain: str) -> bool:
    """Whether a query may have one of some words where its usual reading does not say so."""
    shouted = plain.upper()
    if not any(word in shouted for word in sought):
        return False
    # Where nothing else holds, the word SERVICE is refused wherever it stands.
    if sought is _SERVICE and not bars_sockets():
        return True
    return any(not sought.isdisjoint(_words(one, way)) for one in (text, plain) for way in _OTHERWISE)


def _words(text: str, reading: re.Pattern[str]) -> list[str]:
    return [token[0].upper() for token in _tokens(text, reading) if token.lastgroup == "word"]


def _tokens(text: str, reading: re.Pattern[str]) -> Iterator[re.Match[str]]:
    return (token for token in reading.finditer(text) if token.lastgroup != "space")


def _character(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else match[0]
