"""Answers as pictures: bars, columns, dots, series, matrices, timelines and maps, as Vega-Lite specifications."""

import json
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, Final

from kg.charts.lanes import points, timeline
from kg.charts.looks import Drawing, Page, framed
from kg.charts.plots import bars, columns, matrix, series
from kg.charts.world import world
from kg.errors import IdentifierError, OutputError
from kg.figures import Figure
from kg.namespaces import PREFIXES, compact, expand
from kg.query import ask, find, resolve
from kg.report import rows
from kg.store import Release
from kg.vega import FORMS
from kg.writing import put, suffix_of

_DRAWN: Final[dict[str, Callable[[Figure, Sequence[Mapping[str, Any]], Page], Drawing | None]]] = {
    "bars": bars, "columns": columns, "points": points, "series": series, "matrix": matrix, "timeline": timeline,
}  # fmt: skip
SUFFIXES: Final[dict[str, Callable[[str], bytes]]] = {
    **{f".{form}": drawn for form, drawn in FORMS.items()},
    ".json": str.encode,
}
"""The formats a picture can be written in, by the file's suffix; JSON is the Vega-Lite specification."""
THING: Final = "milestones-of"
"""The question whose answer is the timeline of a thing."""
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


def picture(figure: Figure, found: Sequence[Mapping[str, Any]], release: Release, page: Page) -> dict[str, Any] | None:
    """Return an answer as a Vega-Lite specification, or nothing where there is nothing to draw.

    The specification's `description` says in a sentence what the picture shows.

    Args:
        figure: What is drawn, as the question's header says.
        found: The rows, as plain values.
        release: Where they come from; it has the names of things and the countries of a map.
        page: The picture's title and size.
    """
    named = _named(found, {name for names in figure.columns.values() for name in names}, release)
    drawing = (
        world(figure, named, page, _countries(release))
        if figure.kind == "map"
        else _DRAWN[figure.kind](figure, named, page)
    )
    return framed(drawing, page) if drawing else None


def milestones_of(things: Sequence[str], release: Release, about: Sequence[str]) -> dict[str, Any] | None:
    """Return what happened to things over time; where they are several, each has its own lanes.

    Args:
        things: Ids, IRIs or names.
        release: The release to ask.
        about: What the picture says below its title.

    Raises:
        QueryError: There is no such thing, or a name is of several.
    """
    found: list[dict[str, Any]] = []
    labels = []
    for thing in things:
        label = _label(compact(resolve(thing, release).value), release)
        labels.append(label)
        lane = f" · {label}" if len(things) > 1 else ""
        found += [{**row, "agency": f"{row['agency']}{lane}"} for row in rows(ask(THING, release, thing=thing))]
    (figure,) = find(THING).pictures
    return picture(figure, found, release, Page(f"Milestones of {', '.join(labels)}", about))


def draw(spec: Mapping[str, Any] | None, out: Path) -> None:
    """Write a specification to a file, drawn in the format of its suffix.

    Args:
        spec: As `picture` makes it.
        out: The file; one of `SUFFIXES`.

    Raises:
        OutputError: The suffix is not known, there is nothing to draw, or the file cannot be written.
    """
    suffix = suffix_of(out, SUFFIXES, "a picture is")
    if spec is None:
        raise OutputError(f"{out}: there is nothing to draw; widen the question")
    content = SUFFIXES[suffix](written(spec))
    put(out, content)


def written(spec: Mapping[str, Any]) -> str:
    """Return a specification as JSON."""
    return json.dumps(spec, ensure_ascii=False, indent=None, separators=(",", ":")) + "\n"


def _named(found: Sequence[Mapping[str, Any]], columns: Set[str], release: Release) -> list[dict[str, Any]]:
    """Return some columns of an answer, with the names of things where it has their ids."""
    known: dict[str, str] = {}

    def name(value: Any) -> Any:
        if not isinstance(value, str) or value.partition(":")[0] not in PREFIXES:
            return value
        if value not in known:
            known[value] = _label(value, release)
        return known[value]

    return [{column: name(row[column]) for column in sorted(columns)} for row in found]


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
