"""What a query's text says before anything parses it: its form, its depth, and what it must not have.

The engine's parser recurses, and deep nesting kills the process it runs in; an engine asked for SERVICE speaks to
any address. So a text is taken apart into tokens here, as the grammar's terminals have it, and judged by them.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from kg.errors import QueryError

FORMS: Final = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
UPDATES: Final = frozenset(("INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH"))
_VOLATILE: Final = frozenset(("NOW", "RAND", "UUID", "STRUUID", "BNODE"))
_LONGEST_RUN: Final = 500
"""Signs in a row that the parser takes one inside the other: `!!!!`, `----`, `^^^^`."""

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\r\n]*)
    | <[^<>"{}|^`\\\x00-\x20]*>
    | \"\"\"(?:\"{0,2}(?:[^"\\]|\\.))*\"\"\" | '''(?:'{0,2}(?:[^'\\]|\\.))*'''
    | "(?:[^"\\\r\n]|\\.)*" | '(?:[^'\\\r\n]|\\.)*'
    | [?$]\w+ | @[A-Za-z]+(?:-[A-Za-z0-9]+)*
    | (?P<prefix>[^\W\d_](?:[\w.·-]*[\w·-])?)?:(?:[\w.:·-]|%[0-9A-Fa-f]{2}|\\.)*
    | (?P<word>[A-Za-z_]\w*)
    | (?P<open>[({\[]) | (?P<close>[)}\]])
    | (?P<sign>[!+\-^]) | .""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the tokens of a query say.

    Attributes:
        form: SELECT, ASK, CONSTRUCT, DESCRIBE, or "" where it is none.
        dataset: Whether the query names its own dataset with FROM.
        borrows: Whether it uses prefixes that it does not declare.
        volatile: Whether two evaluations may differ on one release.
        update: Whether it starts as an update does.
        service: Whether it asks another endpoint.
    """

    form: str
    dataset: bool
    borrows: bool
    volatile: bool
    update: bool
    service: bool


@lru_cache(maxsize=512)
def inspect(text: str, longest: int, depth: int) -> Inspection:
    """Take a query apart, without parsing it.

    Args:
        text: The query.
        longest: The most characters it may have.
        depth: How deep its brackets may be nested.

    Raises:
        QueryError: It is too long, or nested too deep.
    """
    if len(text) > longest:
        raise QueryError(f"the query has {len(text):,} characters; at most {longest:,} are taken")
    if "\x00" in text:
        raise QueryError("the query has a NUL character")
    seen = _tokens(text, depth)
    if "\\u" in text or "\\U" in text:
        # The grammar lets any character be written as an escape; a keyword hidden so is still one.
        hidden = _tokens(_ESCAPE.sub(_character, text), depth)
        return Inspection(
            seen.form, seen.dataset or hidden.dataset, seen.borrows, seen.volatile or hidden.volatile, seen.update,
            seen.service or hidden.service,
        )  # fmt: skip
    return seen


def _character(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else match[0]


def _tokens(text: str, limit: int) -> Inspection:
    words: list[str] = []
    used: set[str] = set()
    declared: set[str] = set()
    depth = run = 0
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "space":
            continue
        run = run + 1 if kind == "sign" else 0
        depth += (kind == "open") - (kind == "close")
        if depth > limit or run > _LONGEST_RUN:
            raise QueryError(f"the query is nested more than {limit if depth > limit else _LONGEST_RUN} deep")
        if kind == "word":
            words.append(token[0].upper())
        elif kind == "prefix" or token[0].startswith(":"):
            (declared if words and words[-1] == "PREFIX" else used).add(token["prefix"] or "")
    forms = [word for word in words if word in FORMS]
    start = next((word for word in words if word not in ("PREFIX", "BASE")), "")
    return Inspection(
        forms[0] if forms and start in FORMS else "", "FROM" in words, bool(used - declared),
        not _VOLATILE.isdisjoint(words), start in UPDATES, "SERVICE" in words,
    )  # fmt: skip


def undeclared(text: str, known: Container[str]) -> tuple[str, int, int] | None:
    """Return the first prefix of a query that is neither declared in it nor known, with its line and column."""
    declared: set[str] = set()
    used: dict[str, int] = {}
    word = ""
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "word":
            word = token[0].upper()
        elif (token.lastgroup == "prefix" or token[0].startswith(":")) and text[token.start() - 1] != "_":
            prefix = token["prefix"] or ""
            if word == "PREFIX":
                declared.add(prefix)
            else:
                used.setdefault(prefix, token.start())
        if token.lastgroup not in ("word", "space"):
            word = ""
    for prefix, start in used.items():
        if prefix not in declared and prefix not in known:
            return prefix, text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    return None
