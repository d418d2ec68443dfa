"""A result as a browser shows it."""

import json
from dataclasses import dataclass
from typing import Final

from kg.namespaces import compact

LEAST_FORMAT: Final = {True: "JSON", False: "TURTLE"}
"""What a page is made of: rows come as JSON, graphs as Turtle."""
_ROWS: Final = 500
_CHARACTERS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of a result.

    Attributes:
        columns: The variables' names; none where the result is text.
        rows: The cells' text.
        text: A graph, or the answer of an ASK.
        note: How much of the whole this is, where it is not all of it.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: str
    note: str


def shown(body: bytes) -> Shown:
    """Return the beginning of a result, and a note where there is more.

    Args:
        body: SPARQL results in JSON, or Turtle.
    """
    text = body.decode()
    try:
        result = json.loads(text)
        columns = tuple(result["head"].get("vars", ()))
    except (ValueError, KeyError, TypeError):
        note = f"The first {_CHARACTERS:,} of {len(text):,} characters." if len(text) > _CHARACTERS else ""
        return Shown((), (), text[:_CHARACTERS], note)
    if "boolean" in result:
        return Shown((), (), "true" if result["boolean"] else "false", "")
    found = result["results"]["bindings"]
    rows = tuple(tuple(compact(row[c]["value"]) if c in row else "" for c in columns) for row in found[:_ROWS])
    some = f"The first {_ROWS:,} of {len(found):,} rows; the other formats have them all."
    return Shown(columns, rows, "", some if len(found) > _ROWS else f"{len(found):,} rows.")
