"""Answers as pictures: bars, columns, dots, series, matrices, timelines and maps, as Vega-Lite specifications."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from kg.charts.lanes import points, timeline
from kg.charts.looks import Drawing, Page, framed
from kg.charts.plots import bars, columns, matrix, series
from kg.charts.world import world
from kg.errors import IdentifierError
from kg.figures import Figure
from kg.namespaces import PREFIXES, expand
from kg.report import rows
from kg.store import Answer, Release

_DRAWN: Final[dict[str, Callable[[Figure, Sequence[Mapping[str, Any]], Page], Drawing | None]]] = {
    "bars": bars, "columns": columns, "points": points, "series": series, "matrix": matrix, "timeline": timeline,
}  # fmt: skip
_LABEL = (
    'SELECT ?label WHERE { <%s> rdfs:label ?label FILTER(LANG(?label) = "en" || LANG(?label) = "") } ORDER BY ?label'
)
_PLACES = """
SELECT DISTINCT ?label ?code WHERE {
  ?place a cgt:Jurisdiction ; rdfs:label ?label FILTER(LANG(?label) = "en")
  OPTIONAL { ?place cgt:isoAlpha2 ?own } OPTIONAL { ?part cgt:partOf ?place ; cgt:isoAlpha2 ?of }
  BIND(COALESCE(?own, ?of) AS ?code) FILTER(BOUND(?code))
} ORDER BY ?label ?code
"""


def picture(figure: Figure, answer: Answer, release: Release, page: Page) -> dict[str, Any] | None:
    """Return an answer as a Vega-Lite specification, or nothing where there is nothing to draw.

    The specification's `description` says in a sentence what the picture shows.

    Args:
        figure: What is drawn, as the question's header says.
        answer: The rows.
        release: Where they come from; it has the names of things and the countries of a map.
        page: The picture's title and size.
    """
    found = _named(rows(answer), release)
    drawing = (
        world(figure, found, page, _countries(release))
        if figure.kind == "map"
        else _DRAWN[figure.kind](figure, found, page)
    )
    return framed(drawing, page) if drawing else None


def written(spec: Mapping[str, Any]) -> str:
    """Return a specification as JSON."""
    return json.dumps(spec, ensure_ascii=False, indent=None, separators=(",", ":")) + "\n"


def _named(found: list[dict[str, Any]], release: Release) -> list[dict[str, Any]]:
    """Put the names of things where an answer has their ids."""
    known: dict[str, str] = {}

    def name(value: Any) -> Any:
        if not isinstance(value, str) or value.partition(":")[0] not in PREFIXES:
            return value
        if value not in known:
            known[value] = _label(value, release)
        return known[value]

    return [{column: name(value) for column, value in row.items()} for row in found]


def _label(short: str, release: Release) -> str:
    try:
        iri = expand(short)
    except IdentifierError:
        return short
    answer = release.select(_LABEL % iri)
    return str(rows(answer)[0]["label"]) if answer.rows else short


def _countries(release: Release) -> dict[str, list[str]]:
    """Return the codes of the countries of every jurisdiction: its own, or else those of its parts."""
    found: dict[str, list[str]] = {}
    for row in rows(release.select(_PLACES)):
        found.setdefault(row["label"], []).append(row["code"])
    return found
