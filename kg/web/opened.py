"""What pages need of a release, read once and kept: names, labels, conflicts, answers."""

from functools import cached_property, lru_cache
from typing import Any, Final

import pyoxigraph as ox

from kg.errors import IdentifierError, QueryError
from kg.lookup import STANDARD, Index
from kg.namespaces import BASE, KINDS, ONTOLOGY, WEB, compact, expand
from kg.network import network
from kg.pictures import SUFFIXES
from kg.query import LIST_SEPARATOR, ask, find, names
from kg.report import rows
from kg.store import Answer, Release

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
_KEPT: Final = 32


def node(curie: str) -> ox.NamedNode:
    """Return the term that a compact id stands for."""
    return ox.NamedNode(expand(curie))


class Opened:
    """A release with what its pages share. Everything is read when it is first asked for.

    Attributes:
        release: The release, opened read only.
        answer: The answer to a question of the library, kept for the next who asks the same.
        drawn: A network of the library in the format of a suffix, kept likewise.
        suggested: The labels of a class's things, for a list to choose from.
    """

    def __init__(self, release: Release) -> None:
        self.release = release
        self.answer = lru_cache(maxsize=_KEPT)(self._answer)
        self.drawn = lru_cache(maxsize=_KEPT)(self._drawn)
        self.suggested = lru_cache(maxsize=None)(self._suggested)

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
    def conflicts(self) -> dict[str, list[dict[str, str]]]:
        """Where sources disagree, by the compact id of the fact."""
        found: dict[str, list[dict[str, str]]] = {}
        for row in rows(self.answer("conflicts")):
            found.setdefault(row["fact"], []).append(row)
        return found

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
        return ask(name, self.release, None, **dict(values))

    def _drawn(self, name: str, suffix: str, *values: tuple[str, str]) -> str:
        graph = network(name, self.release, **dict(values))
        if not graph:
            raise QueryError("the network is empty; widen the question")
        return SUFFIXES[suffix](graph, find(name).title)

    def _suggested(self, kind: str) -> list[str]:
        return sorted({label for _, _, label in names(self.release, kind)}, key=str.casefold)

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

    def cell(self, value: object) -> dict[str, str | None]:
        """Return a cell of a table as its text and what it links to."""
        text = "" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
        if text.startswith(WEB):
            return {"text": text, "href": text}
        prefix, colon, _ = text.partition(":")
        if colon and (prefix in PAGED or prefix == "cgt"):
            try:
                iri = expand(text)
            except IdentifierError:
                return {"text": text, "href": None}
            return {"text": self.labels.get(iri, text), "href": self.path(iri)}
        return {"text": text, "href": None}
