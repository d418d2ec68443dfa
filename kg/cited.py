"""Answers that carry their sources: each row with the sources of its facts, each source with its address."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import pyoxigraph as ox

from kg.errors import IdentifierError
from kg.namespaces import PREFIXES, THINGS, compact, expand
from kg.query import LIST_SEPARATOR
from kg.report import plain
from kg.store import Answer, Release

MOST: Final = 12
"""Sources given with one row; how many more there are is said."""
_FACTS: Final = (
    "milestone", "observation", "rejection", "claim", "decision", "second-entry", "classification", "change", "link",
    "indication", "trial",
)  # fmt: skip
"""Kinds that state facts of their own: where a row names one, it rests on that, not on the product beside it."""
_SOURCE = PREFIXES["source"]

# One path: a UNION of the three would be joined with every value anew, and takes 400 times as long.
_OF = """
SELECT DISTINCT ?thing ?source WHERE {
  VALUES ?thing { %s }
  ?thing prov:wasDerivedFrom|cgt:source|(^cgt:fact/cgt:source) ?source
} ORDER BY ?thing ?source
"""
_ON = """
SELECT DISTINCT ?about ?date ?agency ?milestone WHERE {
  VALUES (?about ?date) { %s }
  ?milestone cgt:about ?about ; cgt:date ?date ; cgt:agency/rdfs:label ?agency .
} ORDER BY ?about ?date ?milestone
"""
_SAYS = """
SELECT ?source ?title ?url ?accessed WHERE {
  VALUES ?source { %s }
  ?source rdfs:label ?title ; cgt:url ?url . OPTIONAL { ?source cgt:accessed ?accessed }
} ORDER BY ?source
"""


def cited(answer: Answer, release: Release, most: int = MOST) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return the rows of an answer, each with its `sources`, and what each source is.

    A row rests on the facts it names. Where it names none but a thing and a day, it rests on what happened to that
    thing on that day; else on the things it names. A row of counts rests on nothing that could be named in it.

    Args:
        answer: The rows.
        release: Where they are from.
        most: The most sources of a row; `more_sources` counts the others.
    """
    named = [list(_named(row)) for row in answer.rows]
    of = sources_of((iri for row in named for iri in row), release)
    rests = [[iri for iri in row if _kind(iri) in _FACTS] for row in named]
    events = _events(answer, [row if not facts else [] for row, facts in zip(named, rests, strict=True)], release)
    of |= sources_of((iri for row in events for iri in row), release)
    rows: list[dict[str, Any]] = []
    used: set[str] = set()
    for cells, things, facts, happened in zip(answer.rows, named, rests, events, strict=True):
        row: dict[str, Any] = dict(zip(answer.columns, map(plain, cells), strict=True))
        own = [iri for iri in things if iri.startswith(_SOURCE)]
        found = list(dict.fromkeys(own or [s for iri in facts or happened or things for s in of.get(iri, ())]))
        row["sources"] = [compact(iri) for iri in found[:most]]
        if len(found) > most:
            row["more_sources"] = len(found) - most
        used.update(found[:most])
        rows.append(row)
    return rows, described(used, release)


def sources_of(things: Iterable[str], release: Release) -> dict[str, list[str]]:
    """Return the IRIs of the sources of each thing that has any."""
    values = _values(things)
    found: dict[str, list[str]] = {}
    if values:
        for thing, source in release.select(_OF % values).rows:
            assert isinstance(thing, ox.NamedNode)
            assert isinstance(source, ox.NamedNode)
            if source.value.startswith(_SOURCE):
                found.setdefault(thing.value, []).append(source.value)
    return found


def described(sources: Iterable[str], release: Release) -> dict[str, dict[str, Any]]:
    """Return title, address and day of opening of each source, by compact id."""
    values = _values(sources)
    if not values:
        return {}
    rows = release.select(_SAYS % values).rows
    return {
        str(plain(source)): {"title": plain(title), "url": plain(url), "opened": plain(opened)}
        for source, title, url, opened in rows
    }


def _named(row: Sequence[object]) -> Iterable[str]:
    """Yield the IRI of each of the project's things in a row, lists of ids included."""
    for cell in row:
        if isinstance(cell, ox.NamedNode):
            yield cell.value
        elif isinstance(cell, ox.Literal):
            for item in cell.value.split(LIST_SEPARATOR):
                try:
                    iri = expand(item) if ":" in item else ""
                except IdentifierError:
                    continue
                if iri.startswith(THINGS):
                    yield iri


def _events(answer: Answer, rows: list[list[str]], release: Release) -> list[list[str]]:
    """Return, for each row, the milestones of its things on its days, of its agencies where it says any."""
    days = [
        [cell.value for cell in cells if isinstance(cell, ox.Literal) and cell.datatype.value == expand("xsd:date")]
        for cells in answer.rows
    ]
    pairs = {
        (f"<{thing}>", f'"{day}"^^xsd:date')
        for things, on in zip(rows, days, strict=True)
        for thing in things
        if _kind(thing) == "product"
        for day in on
    }
    if not pairs:
        return [[] for _ in rows]
    values = " ".join(f"({thing} {day})" for thing, day in sorted(pairs))
    happened: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for about, on_day, agency, milestone in release.select(_ON % values).rows:
        assert isinstance(about, ox.NamedNode)
        assert isinstance(on_day, ox.Literal)
        assert isinstance(agency, ox.Literal)
        assert isinstance(milestone, ox.NamedNode)
        happened.setdefault((about.value, on_day.value), []).append((agency.value, milestone.value))
    found = []
    for cells, things, on in zip(answer.rows, rows, days, strict=True):
        said = {cell.value for cell in cells if isinstance(cell, ox.Literal)}
        events = [event for thing in things for day in on for event in happened.get((thing, day), ())]
        own = [milestone for agency, milestone in events if agency in said]
        found.append(own or [milestone for _, milestone in events])
    return found


def _kind(iri: str) -> str:
    return iri[len(THINGS) :].partition("/")[0] if iri.startswith(THINGS) else ""


def _values(iris: Iterable[str]) -> str:
    # Only what has a compact id: an address that a query made up is not put into the text of another.
    iris = (iri for iri in iris if compact(iri) != iri)
    return " ".join(f"<{iri}>" for iri in sorted(set(iris)))
