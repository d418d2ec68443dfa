"""A result as a page shows it where no script does."""

import json
from dataclasses import dataclass
from typing import Any, Final

from kg.namespaces import compact
from kg.web.opened import Cell, Opened

LEAST_FORMAT: Final = {True: "JSON", False: "TURTLE"}
"""What a page is made of: rows come as JSON, graphs as Turtle."""
_ROWS: Final = 500
_CHARACTERS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of a result.

    Attributes:
        columns: The variables' names; none where the result is text.
        rows: The cells, each with what is said beside it.
        text: A graph, or the answer of an ASK.
        note: How much of the whole this is.
        results: The whole result for a script, where the rows are the whole.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[tuple[Cell, str], ...], ...]
    text: str
    note: str
    results: dict[str, Any] | None = None


def shown(body: bytes, opened: Opened) -> Shown:
    """Return the beginning of a result, and a note where there is more.

    Args:
        body: SPARQL results in JSON, or Turtle.
        opened: The release, for labels and pages.
    """
    text = body.decode()
    try:
        result = json.loads(text)
        columns = tuple(result["head"].get("vars", ()))
    except (ValueError, KeyError, TypeError):
        note = f"The first {_CHARACTERS:,} of {len(text):,} characters." if len(text) > _CHARACTERS else ""
        return Shown((), (), text[:_CHARACTERS], note)
    if "boolean" in result:
        return Shown((), (), "true" if result["boolean"] else "false", "", result)
    found = result["results"]["bindings"]
    rows = tuple(tuple(_cell(row.get(column), opened) for column in columns) for row in found[:_ROWS])
    if len(found) > _ROWS:
        return Shown(columns, rows, "", f"The first {_ROWS:,} of {len(found):,} rows; the other formats have them all.")
    return Shown(columns, rows, "", f"{len(found):,} row{'' if len(found) == 1 else 's'}.", result)


def _cell(term: dict[str, Any] | None, opened: Opened) -> tuple[Cell, str]:
    """Return a cell, and what is said beside it: a thing's id, a text's language."""
    if term is None:
        return Cell(text="", href=None, language=None, chinese=""), ""
    value = term["value"]
    if term["type"] == "uri":
        short = compact(value)
        return opened.titled(value, short), short if value in opened.labels else ""
    text = f"_:{value}" if term["type"] == "bnode" else value if isinstance(value, str) else json.dumps(value)
    language = term.get("xml:lang")
    beside = f"@{language}" if language and language != "en" else ""
    return Cell(text=text, href=None, language=language, chinese=""), beside
