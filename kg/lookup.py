"""Things by name, and everything about one thing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pyoxigraph as ox
from rapidfuzz import fuzz, process, utils

from kg.errors import IdentifierError
from kg.namespaces import THINGS, WEB, compact, expand
from kg.query import alike, names, resolve
from kg.store import Release, Term

_LIMIT: Final = 20
_CUTOFF: Final = 70
_WORDS: Final = 90
"""From this score on, a name has every one of several words; where there is such a name, no other comes up to it."""

_KINDS = """
SELECT ?thing ?kind WHERE {
  ?thing a ?class . ?class rdfs:label ?kind FILTER(LANG(?kind) = "en")
  FILTER NOT EXISTS { ?narrower rdfs:subClassOf ?class . ?thing a ?narrower }
  VALUES ?thing { %s }
} ORDER BY ?thing ?kind
"""
_OUT = """
SELECT ?property ?label ?value ?value_label WHERE {
  <%(iri)s> ?property ?value .
  FILTER(?property != rdf:type)
  OPTIONAL { ?property rdfs:label ?label FILTER(LANG(?label) = "en") }
  OPTIONAL { ?value rdfs:label ?value_label FILTER(LANG(?value_label) = "en") }
} ORDER BY ?property ?value_label ?value
"""
_IN = """
SELECT ?property ?label ?value ?value_label WHERE {
  ?value ?property <%(iri)s> .
  FILTER(!ISBLANK(?value) && ?property NOT IN (cgt:corroborates, cgt:contradicts, cgt:fact, prov:wasDerivedFrom))
  OPTIONAL { ?property rdfs:label ?label FILTER(LANG(?label) = "en") }
  OPTIONAL { ?value rdfs:label ?value_label FILTER(LANG(?value_label) = "en") }
  OPTIONAL { ?value cgt:date ?date }
} ORDER BY ?property ?date ?value_label ?value
"""
_CLAIMS = """
SELECT ?field ?value ?source ?quotation ?locator ?reason ?differs WHERE {
  ?claim cgt:fact <%(iri)s> ; cgt:field ?field ; cgt:claimedValue ?value ; cgt:source ?source .
  OPTIONAL { ?claim cgt:quotation ?quotation }
  OPTIONAL { ?claim cgt:locator ?locator }
  OPTIONAL { ?claim cgt:explanation ?reason }
  BIND(EXISTS { ?claim cgt:contradicts <%(iri)s> } AS ?differs)
} ORDER BY ?field ?differs ?value ?source
"""
_SOURCES = """
SELECT DISTINCT ?source ?title ?url WHERE {
  { <%(iri)s> prov:wasDerivedFrom ?source } UNION { ?claim cgt:fact <%(iri)s> ; cgt:source ?source }
  ?source rdfs:label ?title ; cgt:url ?url .
} ORDER BY ?source
"""
STANDARD: Final = {
    "label": "label", "altLabel": "other name", "prefLabel": "name", "note": "note", "wasDerivedFrom": "source",
    "definition": "definition", "broader": "broader", "exactMatch": "exact match", "closeMatch": "close match",
    "broadMatch": "broad match", "narrowMatch": "narrow match", "inScheme": "scheme", "example": "example",
    "scopeNote": "scope", "topConceptOf": "top of", "subClassOf": "kind of", "subPropertyOf": "kind of",
    "isDefinedBy": "defined by", "term_status": "status", "domain": "said of", "range": "leads to",
    "equivalentClass": "same as", "disjointWith": "never also",
}  # fmt: skip
"""Properties of other vocabularies in words, by their local names."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found by name.

    Attributes:
        id: Its compact id.
        label: Its English label.
        kind: What it is.
        matched: The name that matched.
        score: How well, from 0 to 100.
    """

    id: str
    label: str
    kind: str
    matched: str
    score: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing said of another: its property in words, the value, and the value's label."""

    property: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class ClaimView:
    """What one source says of one field."""

    field: str
    value: str
    source: str
    evidence: str
    differs: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Thing:
    """Everything about one thing.

    Attributes:
        id: Its compact id.
        iri: Its IRI.
        label: Its English label.
        kinds: What it is.
        says: What is stated and derived of it.
        said: What refers to it, without claims and citations.
        claims: What sources say of its fields.
        sources: The sources it rests on, with title and address.
    """

    id: str
    iri: str
    label: str
    kinds: tuple[str, ...]
    says: tuple[Statement, ...]
    said: tuple[Statement, ...]
    claims: tuple[ClaimView, ...]
    sources: tuple[tuple[str, str, str], ...]


class Index:
    """The names of a release, made ready to be searched many times.

    Args:
        release: Where to look.
    """

    def __init__(self, release: Release) -> None:
        self._release = release
        self._labels: dict[str, str] = {}
        self._named = [row for row in names(release) if row[0].startswith(THINGS) or "/obo/" in row[0]]
        self._choices = {name: utils.default_process(name) for name in sorted({name for _, name, _ in self._named})}
        self._by_name: dict[str, list[tuple[str, str]]] = {}
        for thing, name, label in self._named:
            self._by_name.setdefault(name, []).append((thing, label))
            self._labels[thing] = label

    def search(self, text: str, limit: int = _LIMIT) -> list[Hit]:
        """Find things by any of their names, in any language, spelling mistakes included; by an id or IRI only the one.

        Args:
            text: What a person typed.
            limit: The most hits.

        Returns:
            The hits, best first; one a thing, under the name that matched best.
        """
        same = self._identified(text.strip())
        top = [(same, (100, text, self._labels[same]))] if same else self._near(text, limit)
        kinds = _kinds(self._release, (thing for thing, _ in top))
        return [
            Hit(compact(t), label, ", ".join(kinds.get(t, ())), name, int(score)) for t, (score, name, label) in top
        ]

    def _near(self, text: str, limit: int) -> list[tuple[str, tuple[float, str, str]]]:
        wanted = utils.default_process(text)
        if not wanted:
            return []
        having = self._having(wanted.split())
        matches = process.extract(wanted, self._choices, scorer=fuzz.WRatio, limit=limit * 5, score_cutoff=_CUTOFF)
        matches += process.extract(wanted, having, scorer=fuzz.WRatio, limit=limit * 5)
        found: dict[str, tuple[float, str, str]] = {}
        for choice, score, name in matches:
            best: float = alike(wanted, choice, score)
            if having:
                best = _WORDS + best * (100 - _WORDS) / 100 if name in having else min(best, _WORDS - 1)
            for thing, label in self._by_name[name]:
                if (best, name) > found.get(thing, (0, "", ""))[:2]:
                    found[thing] = (best, name, label)
        return sorted(found.items(), key=lambda item: (-item[1][0], item[1][2], item[0]))[:limit]

    def _having(self, words: list[str]) -> dict[str, str]:
        """The names that have every one of several words, in any order."""
        if len(words) < 2:
            return {}
        # The longest word leaves the fewest names, which alone are taken apart.
        longest, wanted = max(words, key=len), frozenset(words)
        return {name: own for name, own in self._choices.items() if longest in own and wanted.issubset(own.split())}

    def _identified(self, text: str) -> str:
        try:
            iri = text if text.startswith(WEB) else expand(text)
        except IdentifierError:
            return ""
        return iri if iri in self._labels else ""


def search(text: str, release: Release, limit: int = _LIMIT) -> list[Hit]:
    """Find things by any of their names, once; `Index` is for many searches.

    Args:
        text: What a person typed.
        release: Where to look.
        limit: The most hits.

    Returns:
        The hits, best first; one a thing, under the name that matched best.
    """
    return Index(release).search(text, limit)


def show(text: str, release: Release) -> Thing:
    """Return everything about the thing that an id or a name stands for.

    Raises:
        QueryError: There is no such thing, or several have the name.
    """
    iri = resolve(text, release).value
    says = _statements(release, _OUT % {"iri": iri})
    claims = release.select(_CLAIMS % {"iri": iri})
    sources = release.select(_SOURCES % {"iri": iri})
    label = next((s.value for s in says if s.property == "label"), compact(iri))
    return Thing(
        id=compact(iri),
        iri=iri,
        label=label,
        kinds=tuple(_kinds(release, [iri]).get(iri, ())),
        says=tuple(s for s in says if s.property not in ("label", "source")),
        said=tuple(_statements(release, _IN % {"iri": iri})),
        claims=tuple(
            ClaimView(_plain(f), _plain(v), _plain(s), _plain(q) or _plain(where), _plain(d) == "true", _plain(r))
            for f, v, s, q, where, r, d in claims.rows
        ),
        sources=tuple((_plain(s), _plain(t), _plain(u)) for s, t, u in sources.rows),
    )


def _statements(release: Release, query: str) -> list[Statement]:
    rows = release.select(query).rows
    found = []
    for prop, label, value, value_label in rows:
        local = _plain(prop).rpartition(":")[2]
        name = _plain(label) or STANDARD.get(local, local)
        text = _plain(value)
        if isinstance(value, ox.Literal) and value.language not in (None, "en"):
            text = f"{text} ({value.language})"
        found.append(Statement(name, text, _plain(value_label)))
    return list(dict.fromkeys(found))


def _plain(term: Term | None) -> str:
    if isinstance(term, ox.NamedNode):
        return compact(term.value)
    return term.value if isinstance(term, ox.Literal) else ""


def _kinds(release: Release, things: Iterable[str]) -> dict[str, list[str]]:
    values = " ".join(f"<{thing}>" for thing in things)
    own = expand("cgt:X")[:-1]
    rows = release.select(
        (_KINDS % values).replace("FILTER NOT", f'FILTER(STRSTARTS(STR(?class), "{own}")) FILTER NOT')
    ).rows
    kinds: dict[str, list[str]] = {}
    for thing, kind in rows:
        if isinstance(thing, ox.NamedNode):
            kinds.setdefault(thing.value, []).append(_plain(kind))
    return kinds
