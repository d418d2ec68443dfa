"""One thing as its page shows it: names, facts in words, milestones, evidence, what refers to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final

import pyoxigraph as ox

from kg.errors import QueryError
from kg.namespaces import WEB, compact
from kg.neighbours import kind
from kg.shapes import shapes
from kg.store import Answer
from kg.web.opened import Opened, node
from kg.web.pages.wording import LANGUAGES, known

_TYPE: Final = node("rdf:type")
_ABOUT: Final = node("cgt:about")
_SOURCE: Final = node("prov:wasDerivedFrom")
_NAMES: Final = frozenset(
    node(name).value for name in ("rdfs:label", "skos:prefLabel", "skos:altLabel", "cgt:fullName")
)
_NOT_FACTS: Final = _NAMES | {_TYPE.value, _SOURCE.value}
_FOLDED: Final = 150
"""More milestones than this are folded by agency, and their sources are a click further."""
_FIRST: Final = ("zh", "zh-hant", "ja", "ko")
"""Languages whose names come before those of others."""
_EVIDENCE: Final = frozenset(node(f"cgt:{name}").value for name in ("fact", "corroborates", "contradicts"))
# What leads from a thing to the things whose milestones its page shows too: for a company its products' ...
_TOWARDS: Final[dict[str, tuple[str, ...]]] = {
    "therapy": ("cgt:therapy",),
    "organisation": ("cgt:holder",),
    "gene": ("cgt:target", "cgt:therapy"),
    "class": ("cgt:therapyClass", "cgt:therapy"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A value: its text, where it leads, and the language it is in where that is not English."""

    text: str
    href: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A source: its page, title, publisher's address, and the words that state the fact."""

    link: Link
    address: str | None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """What is stated of a thing by one property: the property in words, its values, and who says what of it."""

    name: str
    values: tuple[Link, ...]
    said: tuple[tuple[Source, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Milestone:
    """A milestone as one row: ISO date as precise as it is known, and the rest in words."""

    link: Link
    date: str
    kind: str
    agency: Link
    about: tuple[Link, ...]
    details: tuple[Link, ...]
    note: str
    sources: tuple[Source, ...]
    conflicts: tuple[dict[str, Any], ...]


class View:
    """A thing, read from a release.

    Attributes:
        opened: The release.
        iri: The thing's IRI.
    """

    def __init__(self, opened: Opened, iri: str) -> None:
        self.opened = opened
        self.iri = iri
        self._seen: dict[str, list[tuple[str, Any]]] = {}

    @property
    def id(self) -> str:
        """The compact id."""
        return compact(self.iri)

    @property
    def prefix(self) -> str:
        """The id's prefix: the kind of thing."""
        return self.id.partition(":")[0]

    def out(self, iri: str) -> list[tuple[str, Any]]:
        """Return (property, value) of everything stated of an IRI, each once."""
        if iri not in self._seen:
            quads = self.opened.release.store.quads_for_pattern(ox.NamedNode(iri), None, None, None)
            found = {(quad.predicate.value, quad.object) for quad in quads}
            self._seen[iri] = sorted(found, key=lambda pair: (pair[0], str(pair[1])))
        return self._seen[iri]

    def values(self, iri: str, *properties: str) -> list[Any]:
        """Return the values of some properties of an IRI."""
        wanted = {node(name).value for name in properties}
        return [value for name, value in self.out(iri) if name in wanted]

    def subjects(self, name: ox.NamedNode | None, value: str) -> list[tuple[str, str]]:
        """Return (subject, property) of everything that refers to an IRI."""
        quads = self.opened.release.store.quads_for_pattern(None, name, ox.NamedNode(value), None)
        return sorted({(q.subject.value, q.predicate.value) for q in quads if isinstance(q.subject, ox.NamedNode)})

    def asked(self, name: str, parameter: str) -> Answer | None:
        """Return a question's answer about the thing; nothing where it cannot be asked of it."""
        try:
            return self.opened.answer(name, (parameter, self.id))
        except QueryError:
            return None

    @property
    def there(self) -> bool:
        """Whether anything is stated of it."""
        return bool(self.out(self.iri))

    @property
    def label(self) -> str:
        """Its English label."""
        return self.opened.words(self.iri)

    def kinds(self, iri: str) -> list[str]:
        """Return the narrowest classes an IRI is stated or derived to be of, in words."""
        types = {value.value for value in self.values(iri, "rdf:type") if compact(value.value).startswith("cgt:")}
        above = {
            up.value for one in types for up in self.values(one, "rdfs:subClassOf") if isinstance(up, ox.NamedNode)
        }
        return sorted(self.opened.words(one) for one in types - above)

    @property
    def classes(self) -> set[str]:
        """Compact ids of the classes that it belongs to, the wider ones too."""
        found: set[str] = set()
        todo = [v.value for v in self.values(self.iri, "rdf:type") if isinstance(v, ox.NamedNode)]
        while todo:
            one = todo.pop()
            if compact(one) not in found:
                found.add(compact(one))
                todo += [up.value for up in self.values(one, "rdfs:subClassOf") if isinstance(up, ox.NamedNode)]
        return found

    def link(self, value: Any) -> Link:
        """Return a value as a link."""
        if isinstance(value, ox.NamedNode):
            return Link(self.opened.words(value.value), self.opened.path(value.value))
        language = value.language if value.language not in (None, "en") else None
        return Link(value.value, value.value if value.value.startswith(WEB) else None, language)

    @property
    def names(self) -> list[Link]:
        """Every other name, in every language."""
        own = [v for name, v in self.out(self.iri) if name in _NAMES and isinstance(v, ox.Literal)]
        found = {(v.language or "", v.value): self.link(v) for v in own if v.value != self.label}
        return [found[key] for key in sorted(found)]

    @property
    def named(self) -> list[tuple[str, list[Link]]]:
        """The other names by language, the English ones first."""
        groups: dict[str, list[Link]] = {}
        for link in self.names:
            groups.setdefault(link.language or "en", []).append(link)
        order = sorted(groups, key=lambda tag: (tag != "en", tag not in _FIRST, LANGUAGES.get(tag, tag)))
        return [(LANGUAGES.get(tag, tag), groups[tag]) for tag in order]

    @property
    def chinese(self) -> str:
        """What it is called in Chinese, where that is known and not its label."""
        name = self.opened.chinese(self.iri)
        return "" if name == self.label else name

    def facts(self, iri: str | None = None) -> list[Fact]:
        """Return what is stated of the thing, or of another, in the order of its curated table."""
        iri = iri or self.iri
        found: dict[str, list[Link]] = {}
        for name, value in self.out(iri):
            if name not in _NOT_FACTS and not isinstance(value, ox.BlankNode | ox.Triple):
                found.setdefault(name, []).append(self.link(value))
        order, claims = _order(), self._claims(iri)
        return [
            Fact(
                self.opened.words(name),
                tuple(sorted(found[name], key=lambda link: link.text)),
                tuple(one for field in _fields().get(name, ()) for one in claims.get(field, ())),
            )
            for name in sorted(found, key=lambda name: (order.get(name, 999), name))
        ]

    def _claims(self, iri: str) -> dict[str, list[tuple[Source, str]]]:
        """What sources say of each column of a fact: the source with its words, and the value it states."""
        found: dict[str, list[tuple[Source, str]]] = {}
        for claim, _ in self.subjects(node("cgt:fact"), iri):
            words = tuple(v.value for v in self.values(claim, "cgt:quotation", "cgt:locator"))
            value = next((v.value for v in self.values(claim, "cgt:claimedValue")), "")
            field = next((v.value for v in self.values(claim, "cgt:field")), "")
            for source in self.values(claim, "cgt:source"):
                said = (self._source(source.value, words), self.opened.cell(value)["text"])
                found.setdefault(field, []).append(said)
        return found

    @property
    def therapy(self) -> tuple[Link, list[Fact]] | None:
        """For a product: its therapy, and the facts of it."""
        found = self.values(self.iri, "cgt:therapy") if self.prefix == "product" else []
        return (self.link(found[0]), self.facts(found[0].value)) if found else None

    def sources(self, iri: str) -> tuple[Source, ...]:
        """Return the sources that a thing rests on, each with the words in which it states a fact."""
        words: dict[str, list[str]] = {}
        for claim, _ in self.subjects(node("cgt:fact"), iri):
            said = self.values(claim, "cgt:quotation") or self.values(claim, "cgt:locator")
            for source in self.values(claim, "cgt:source"):
                words.setdefault(source.value, []).extend(v.value for v in said)
        cited = {v.value for v in self.values(iri, "prov:wasDerivedFrom")} | set(words)
        return tuple(self._source(source, tuple(dict.fromkeys(words.get(source, ())))) for source in sorted(cited))

    def _source(self, iri: str, words: tuple[str, ...] = ()) -> Source:
        address = next((v.value for v in self.values(iri, "cgt:url") if v.value.startswith(WEB)), None)
        return Source(self.link(ox.NamedNode(iri)), address, words)

    def milestones(self) -> list[tuple[Link, list[Milestone]]]:
        """Return the milestones of the thing by agency, in order of date; the agency with the first comes first.

        Where there are many, they come without their sources.
        """
        found = [self.milestone(iri) for iri in self.milestone_iris]
        groups: dict[Link, list[Milestone]] = {}
        for one in sorted(found, key=lambda m: (m.date, m.link.text)):
            groups.setdefault(one.agency, []).append(one)
        return list(groups.items())

    @cached_property
    def milestone_iris(self) -> list[str]:
        """The milestones that refer to the thing, or are about what leads to it."""
        found = {subject for subject, name in self.subjects(None, self.iri) if name not in _EVIDENCE}
        for one in self._related():
            found |= {subject for subject, _ in self.subjects(_ABOUT, one)}
        if self.prefix == "source":
            return []
        return sorted(iri for iri in found if compact(iri).startswith("milestone:") and iri != self.iri)

    @property
    def folded(self) -> bool:
        """Whether there are so many milestones that they are folded by agency."""
        return len(self.milestone_iris) > _FOLDED

    def _related(self) -> Iterator[str]:
        """Yield the thing and the things whose milestones are also its own."""
        yield self.iri
        if self.prefix == "product":
            yield from (v.value for v in self.values(self.iri, "cgt:therapy"))
        level = {self.iri} | (self._narrower(self.iri) if self.prefix == "class" else set())
        for name in _TOWARDS.get(self.prefix, ()):
            level = {subject for one in level for subject, _ in self.subjects(node(name), one)}
            yield from level

    def _narrower(self, iri: str) -> set[str]:
        below = {subject for subject, _ in self.subjects(node("skos:broader"), iri)}
        return below.union(*(self._narrower(one) for one in below))

    def milestone(self, iri: str) -> Milestone:
        """Return a milestone as one row of the thing's page."""
        date = self.values(iri, "cgt:date")[0].value
        precision = next((v.value for v in self.values(iri, "cgt:datePrecision")), "day")
        details = self.values(iri, "cgt:approvalType", "cgt:outcome", "cgt:reason", "cgt:pathway", "cgt:indication")
        return Milestone(
            link=self.link(ox.NamedNode(iri)),
            date=known(date, precision),
            kind=", ".join(self.kinds(iri)),
            agency=self.link(self.values(iri, "cgt:agency")[0]),
            about=tuple(self.link(v) for v in self.values(iri, "cgt:about") if v.value != self.iri),
            details=tuple(self.link(v) for v in details),
            note=" ".join(v.value for v in self.values(iri, "skos:note")),
            sources=() if self.folded else self.sources(iri),
            conflicts=tuple(self.opened.conflicts.get(compact(iri), ())),
        )

    def conflicts(self) -> list[dict[str, Any]]:
        """Return where sources disagree about the thing or its milestones: both values, both sources, the reason."""
        about: Iterable[str] = [self.iri, *self.milestone_iris]
        return [
            {
                "fact": self.opened.cell(row["fact"]),
                "field": str(row["field"]).replace("_", " "),
                "followed": row["followed_value"], "claimed": row["claimed_value"], "reason": row["reason"],
                "followed_sources": [self.opened.cell(s) for s in str(row["followed_source"] or "").split("|") if s],
                "claiming": self.opened.cell(row["claiming_source"]),
            }
            for iri in about
            for row in self.opened.conflicts.get(compact(iri), ())
        ]  # fmt: skip

    def neighbours(self) -> list[tuple[str, list[Link]]]:
        """Return what else refers to the thing, grouped by what it is and how it refers."""
        shown = set(self.milestone_iris)
        found: dict[str, set[Link]] = {}
        for subject, name in self.subjects(None, self.iri):
            if subject in shown or name in _EVIDENCE or (name == _SOURCE.value and self.prefix != "source"):
                continue
            if compact(subject).startswith(("claim:", "graph:")) or subject not in self.opened.labels:
                continue
            group = f"{kind(compact(subject))}: {self.opened.words(name)}"
            found.setdefault(group, set()).add(self.link(ox.NamedNode(subject)))
        return [
            (group, sorted(links, key=lambda link: (link.text.casefold(), link.href or "")))
            for group, links in sorted(found.items())
        ]

    @property
    def table(self) -> str | None:
        """The curated table that states the thing."""
        names = {shape.table for shape in shapes().values()}
        quads = self.opened.release.store.quads_for_pattern(ox.NamedNode(self.iri), _TYPE, None, None)
        stated = {str(q.graph_name.value).rpartition("/")[2] for q in quads if isinstance(q.graph_name, ox.NamedNode)}
        return next(iter(sorted(stated & names)), None)

    @property
    def gone(self) -> bool:
        """Whether the id was withdrawn."""
        return any(v.value == "true" for v in self.values(self.iri, "owl:deprecated"))


@cache
def _order() -> dict[str, int]:
    """The place of each property in its curated table."""
    fields = (f for shape in shapes().values() for f in enumerate(shape.fields))
    return {f.path: place for place, f in fields}


@cache
def _fields() -> dict[str, tuple[str, ...]]:
    """The columns that state each property."""
    found: dict[str, tuple[str, ...]] = {}
    for shape in shapes().values():
        for field in shape.fields:
            found[field.path] = tuple(dict.fromkeys((*found.get(field.path, ()), field.name)))
    return found
