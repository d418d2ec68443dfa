"""What pages need of a release, read once and kept: names, labels, conflicts, answers."""

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any, Final, TypedDict

import pyoxigraph as ox

from kg.errors import IdentifierError, QueryError
from kg.lookup import STANDARD, Index
from kg.namespaces import BASE, KINDS, ONTOLOGY, WEB, compact, expand
from kg.neighbours import Step, Surroundings, kind
from kg.network import Graph, drawn, joined, positions
from kg.pictures import SUFFIXES
from kg.query import LIST_SEPARATOR, arrange, bind, find, names
from kg.report import rows
from kg.store import Answer, Release
from kg.web.kept import Kept

_TERMS: Final = f"""
SELECT ?id ?kind (MAX(?count) AS ?uses) (MAX(?meaning) AS ?definition)
  (GROUP_CONCAT(DISTINCT ?name; SEPARATOR = "{LIST_SEPARATOR}") AS ?names)
WHERE {{
  {{ SELECT ?id ("class" AS ?kind) (COUNT(*) AS ?count) {{ ?thing a ?id }} GROUP BY ?id }}
  UNION {{ SELECT ?id ("property" AS ?kind) (COUNT(*) AS ?count) {{ ?thing ?id ?value }} GROUP BY ?id }}
  UNION {{ VALUES (?type ?kind) {{ (owl:Class "class") (owl:ObjectProperty "property")
    (owl:DatatypeProperty "property") (owl:AnnotationProperty "property") }} ?id a ?type BIND(0 AS ?count) }}
  OPTIONAL {{ ?id rdfs:label|skos:altLabel ?name }}
  OPTIONAL {{ ?id skos:definition ?meaning FILTER(LANG(?meaning) = "en") }}
  FILTER(ISIRI(?id))
}} GROUP BY ?id ?kind ORDER BY DESC(?uses) ?id ?kind
"""
PAGED: Final = frozenset(KINDS) | {"MONDO"}
"""The prefixes of ids that have pages here."""
Draw = Callable[[str, str], bytes]
"""Draws a specification in a form of `kg.vega`."""
_NEAR: Final = 20
"""Neighbours on the picture of a thing."""
_KEPT: Final = 16_000_000
"""Bytes of answers that are kept, and of networks, and of pictures, about."""
_CELL: Final = 150
"""Bytes that a cell of an answer takes beside its text, about."""
_EDGE: Final = 1_000
"""Bytes that an edge or node of a network takes, about."""
_CELLS: Final = 50_000
_BRANDED: Final = frozenset({"product", "therapy", "organisation"})
"""Kinds whose Chinese name stands beside the English one in tables."""


class Cell(TypedDict):
    """A cell of a table: its text, what it links to, its language where that is not English, and its Chinese name."""

    text: str
    href: str | None
    language: str | None
    chinese: str


def _size(answer: Answer) -> int:
    return sum(_CELL + len(str(term)) for row in answer.rows for term in row)


def node(curie: str) -> ox.NamedNode:
    """Return the term that a compact id stands for."""
    return ox.NamedNode(expand(curie))


class Opened:
    """A release with what its pages share. Everything is read when it is first asked for.

    Args:
        release: The release, opened read only.
        tracker: Where readers propose corrections, with `{id}` for the thing's id; or nothing.
        select: What evaluates the queries of the library; the release itself where None.
        draw: How pictures of answers are drawn; None where each is drawn in a process of its own.
        base: The address of the start page as readers reach it; where empty, each request's own.

    Attributes:
        release: The release, opened read only.
        tracker: Where readers propose corrections, with `{id}` for the thing's id; or nothing.
        draw: How pictures of answers are drawn; None where each is drawn in a process of its own.
        base: The address of the start page as readers reach it, or nothing.
        answer: The answer to a question of the library, kept for the next who asks the same.
        network: A network of the library, kept likewise.
        places: Where its nodes lie.
        drawn: The same in the format of a suffix.
        pictured: A thing and its closest neighbours as a picture.
        suggested: The labels of a class's things, for a list to choose from.
        called: The IRIs of the things of a kind, which the prefix of their ids names, by their labels.
        cell: A value of a table as its text and what it links to.
    """

    def __init__(
        self,
        release: Release,
        tracker: str = "",
        select: Callable[[str], Answer] | None = None,
        draw: Draw | None = None,
        base: str = "",
    ) -> None:
        self.release = release
        self.tracker = tracker
        self.draw = draw
        self.base = base
        self._select = select or release.select
        self.answer = Kept(self._answer, _size, _KEPT)
        self.network = Kept(self._network, lambda graph: _EDGE * (len(graph) + graph.number_of_edges()), _KEPT)
        self.places = Kept(self._places, lambda places: _CELL * len(places), _KEPT)
        self.drawn = Kept(self._drawn, len, _KEPT)
        self.pictured = Kept(self._pictured, len, _KEPT)
        self.suggested = lru_cache(maxsize=None)(self._suggested)
        self.called = lru_cache(maxsize=None)(self._called)
        self.cell = lru_cache(maxsize=_CELLS)(self._cell)

    @property
    def name(self) -> str:
        """The release's name, or where it lies nowhere `unbuilt`."""
        return str(self.release.manifest.get("name", "unbuilt"))

    @cached_property
    def index(self) -> Index:
        """The names of all things."""
        return Index(self.release)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The English label, or else any, of everything that has one, by IRI."""
        found: dict[str, str] = {}
        for quad in self.release.store.quads_for_pattern(None, node("rdfs:label"), None, None):
            if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.Literal):
                if quad.object.language == "en":
                    found[quad.subject.value] = quad.object.value
                else:
                    found.setdefault(quad.subject.value, quad.object.value)
        return found

    @cached_property
    def foreign(self) -> dict[str, dict[str, list[str]]]:
        """The names in other languages than English, by IRI and language; the one to show first comes first."""
        found: dict[str, dict[str, list[str]]] = {}
        for name in ("rdfs:label", "skos:prefLabel", "skos:altLabel"):
            ranked: dict[tuple[str, str], set[str]] = {}
            for quad in self.release.store.quads_for_pattern(None, node(name), None, None):
                value = quad.object
                if isinstance(value, ox.Literal) and value.language and value.language != "en":
                    ranked.setdefault((str(getattr(quad.subject, "value", "")), value.language), set()).add(value.value)
            for (iri, language), texts in ranked.items():
                known = found.setdefault(iri, {}).setdefault(language, [])
                known += sorted(texts - set(known), key=lambda text: (text[-1] in "®™", len(text), text))
        return found

    @cached_property
    def languages(self) -> dict[str, str]:
        """The language of every name that is not English."""
        return {text: tag for names in self.foreign.values() for tag, texts in names.items() for text in texts}

    def chinese(self, iri: str) -> str:
        """Return what a thing is called in Chinese first, or nothing."""
        names = self.foreign.get(iri, {})
        return next((names[tag][0] for tag in ("zh", "zh-hant") if tag in names), "")

    @cached_property
    def conflicts(self) -> dict[str, list[dict[str, str]]]:
        """Where sources disagree, by the compact id of the fact."""
        found: dict[str, list[dict[str, str]]] = {}
        for row in rows(self.answer("conflicts")):
            found.setdefault(row["fact"], []).append(row)
        return found

    @cached_property
    def surroundings(self) -> Surroundings:
        """What is linked with each thing."""
        return Surroundings(self.release)

    @cached_property
    def terms(self) -> list[dict[str, Any]]:
        """The classes and properties that a query may name, what they mean, and how often they stand."""
        found = []
        for row in rows(self.release.select(_TERMS)):
            if not row["id"].startswith(WEB):
                names = sorted(filter(None, (row.pop("names") or "").split(LIST_SEPARATOR)))
                found.append(row | {"label": self.words(expand(row["id"])), "names": names})
        return found

    def _answer(self, name: str, *values: tuple[str, str]) -> Answer:
        question = find(name)
        return arrange(question, self._select(bind(question, dict(values), self.release)))

    def _network(self, name: str, *values: tuple[str, str]) -> Graph:
        graph = drawn(find(name), lambda: self.answer(name, *values))
        if not graph:
            raise QueryError("the network is empty; widen the question")
        return graph

    def _places(self, name: str, *values: tuple[str, str]) -> dict[str, tuple[float, float]]:
        return positions(self.network(name, *values))

    def _drawn(self, name: str, suffix: str, *values: tuple[str, str]) -> str:
        return SUFFIXES[suffix](self.network(name, *values), find(name).title)

    def _pictured(self, thing: str) -> str:
        found = self.surroundings.explore([Step(thing, most=_NEAR)])
        nodes = {one: (self.surroundings.label(one) or one, kind(one)) for one in found.nodes}
        edges = ((edge.source, edge.target, edge.label) for edge in found.edges)
        return SUFFIXES[".svg"](joined(nodes, edges), f"{self.surroundings.label(thing)} and what is linked with it")

    def _suggested(self, kind: str) -> list[str]:
        return sorted({label for _, _, label in names(self.release, kind)}, key=lambda label: (label.casefold(), label))

    def words(self, iri: str) -> str:
        """Return what a thing or term is called, or its compact id."""
        short = compact(iri)
        return self.labels.get(iri) or STANDARD.get(short.rpartition(":")[2], short)

    def path(self, iri: str) -> str | None:
        """Return where a page links to for an IRI: a page here, an address elsewhere, or nothing."""
        prefix, _, local = compact(iri).partition(":")
        if iri == ONTOLOGY:
            return "/ontology"
        if prefix in PAGED and iri in self.labels:
            return f"/page/{prefix}/{local}"
        if prefix == "cgt":
            return f"/ontology#{local}"
        return iri if iri.startswith(WEB) and not iri.startswith(BASE) else None

    def _cell(self, value: object) -> Cell:
        text = "" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
        if text.startswith(WEB):
            return Cell(text=text, href=text, language=None, chinese="")
        prefix, colon, _ = text.partition(":")
        if colon and (prefix in PAGED or prefix == "cgt"):
            try:
                iri = expand(text)
            except IdentifierError:
                return Cell(text=text, href=None, language=None, chinese="")
            return self.titled(iri, text)
        return Cell(text=text, href=None, language=self.languages.get(text), chinese="")

    def titled(self, iri: str, otherwise: str = "") -> Cell:
        """Return a thing as its label, or what is given otherwise, its page, and its Chinese name where that tells."""
        chinese = self.chinese(iri) if compact(iri).partition(":")[0] in _BRANDED else ""
        return Cell(text=self.labels.get(iri, otherwise), href=self.path(iri), language=None, chinese=chinese)

    def _called(self, kind: str) -> dict[str, str]:
        start = expand(f"{kind}:X")[:-1]
        return {label: iri for iri, label in sorted(self.labels.items(), reverse=True) if iri.startswith(start)}
