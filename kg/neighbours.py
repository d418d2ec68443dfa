"""What is linked with a thing, step by step: the part of the graph around some things that a person wants to see."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, zip_longest
from typing import Any, Final

import pyoxigraph as ox

from kg.errors import IdentifierError, QueryError
from kg.lookup import STANDARD
from kg.namespaces import compact, expand
from kg.network import ours
from kg.report import rows
from kg.store import Release

STEP: Final = 200
"""So many neighbours a step shows, unless it says another number."""
MOST: Final = 5000
"""More nodes than this are never shown at once."""
STEPS: Final = 100
"""More steps than this are not taken."""

EVIDENCE: Final = frozenset({
    "change", "claim", "decision", "distinction", "entry-outcome", "link", "rejection", "rejection-kind",
    "second-entry", "source", "source-kind",
})  # fmt: skip
"""Kinds that record where facts come from; they are shown when asked for, since they would hide all else."""
_CALLED: Final = {"MONDO": "disease", "rejection": "proposal not entered", "rejection-kind": "reason not to enter"}
"""What kinds are called whose prefix is no word, or one that readers take for another: an agency rejects too."""
_LABEL: Final = ox.NamedNode(expand("rdfs:label"))
_DATE: Final = expand("cgt:date")
_NAMES: Final = frozenset({_LABEL.value, expand("skos:altLabel"), expand("skos:prefLabel")})
_SKIPPED: Final = frozenset({expand("rdf:type")})
MILESTONE: Final = "cgt:Milestone"
"""The relation between an agency and what it took a milestone for, where milestones are lines rather than things."""
_ACTS: Final = """
SELECT ?milestone ?agency ?about ?date ?kind (GROUP_CONCAT(DISTINCT STR(?source); SEPARATOR=" ") AS ?sources) WHERE {
  ?milestone a ?class ; cgt:agency ?agency ; cgt:about ?about ; cgt:date ?date .
  ?class rdfs:subClassOf* cgt:Milestone ; rdfs:label ?kind FILTER(LANG(?kind) = "en")
  FILTER NOT EXISTS { ?narrower rdfs:subClassOf ?class . ?milestone a ?narrower }
  OPTIONAL { ?milestone prov:wasDerivedFrom ?source }
} GROUP BY ?milestone ?agency ?about ?date ?kind ORDER BY ?date ?milestone ?about ?kind
"""
_CLASSES: Final = """
SELECT DISTINCT ?thing ?other WHERE { ?thing cgt:about?/cgt:therapy?/cgt:therapyClass/skos:broader* ?other }
ORDER BY ?thing ?other
"""
_AGENCIES: Final = """
SELECT DISTINCT ?thing ?other WHERE {
  { ?milestone cgt:agency ?other ; cgt:about/cgt:therapy? ?thing } UNION { ?thing cgt:agency ?other }
} ORDER BY ?thing ?other
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an exploration: a thing and its neighbours, all of them or those of one relation.

    Attributes:
        thing: A compact id.
        way: `out` for what the thing refers to, `in` for what refers to it, empty for both.
        property: The compact id of the relation, where one was chosen.
        most: How many neighbours it shows.
    """

    thing: str
    way: str = ""
    property: str = ""
    most: int = STEP

    @classmethod
    def read(cls, text: str) -> "Step":
        """Read a step as addresses write it: `agency:us-fda`, or `agency:us-fda~in~cgt:agency~400`.

        Raises:
            QueryError: It is not written so.
        """
        parts = text.split("~")
        thing, way, prop, most = parts + ["", "", "", str(STEP)][len(parts) :] if len(parts) in (1, 3, 4) else [""] * 4
        # A number of many digits would take long to read.
        fits = most.isascii() and most.isdecimal() and len(most) <= len(str(MOST))
        if not fits or (way, bool(prop)) not in {("", False), ("in", True), ("out", True)}:
            raise QueryError(f"not a step of the form id or id~in~property~number: {text[:80]!r}")
        return cls(thing, way, prop, min(int(most), MOST))


@dataclass(frozen=True, slots=True)
class Group:
    """The neighbours of a thing by one relation, in the order in which they are shown.

    Attributes:
        way: `out` or `in`, as of a step.
        property: The compact id of the relation.
        label: The relation in words.
        things: Compact ids.
    """

    way: str
    property: str
    label: str
    things: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A line of a drawing.

    Attributes:
        source: A compact id.
        target: A compact id.
        label: The relation in words; for a milestone, what it is.
        milestone: The milestone that the line stands for, where it does.
        date: The milestone's date.
        sources: The milestone's sources.
    """

    source: str
    target: str
    label: str
    milestone: str = ""
    date: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manner:
    """How neighbours are seen.

    Attributes:
        evidence: Whether sources, claims and the like are neighbours too.
        milestones: Whether milestones are things of their own; else each is a line between its agency and what it is
            about.
    """

    evidence: bool = False
    milestones: bool = False


@dataclass(slots=True)
class Explored:
    """What some steps show: the things, every relation between two of them, and what each step left out.

    Attributes:
        nodes: Compact ids, each once, in the order of the steps.
        edges: Every relation between two of them.
        groups: Of each thing that was expanded, its groups.
        unknown: What was asked for and is not there.
    """

    nodes: list[str] = field(default_factory=list)
    edges: list[Relation] = field(default_factory=list)
    groups: dict[str, list[Group]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def kind(thing: str) -> str:
    """Return the kind of a thing in words.

    >>> kind("cell-source:autologous")
    'cell source'
    """
    prefix = thing.partition(":")[0]
    return _CALLED.get(prefix, prefix.replace("-", " "))


class Surroundings:
    """The neighbours of every thing of a release.

    Args:
        release: Where to look.
    """

    def __init__(self, release: Release) -> None:
        self._release = release
        self._labels: dict[str, str] = {}

    def explore(self, steps: Sequence[Step], manner: Manner | None = None) -> Explored:
        """Take steps one after the other.

        Args:
            steps: The steps; those after the first `STEPS` are not taken.
            manner: How neighbours are seen.
        """
        found, manner = Explored(), manner or Manner()
        shown: dict[str, None] = {}
        for step in steps[:STEPS]:
            if not self.there(step.thing):
                found.unknown.append(step.thing)
                continue
            if step.thing not in found.groups:
                found.groups[step.thing] = self.groups(step.thing, manner)
            chosen = (step.way, step.property)
            wanted = [g for g in found.groups[step.thing] if not step.way or (g.way, g.property) == chosen]
            shown.update(dict.fromkeys([step.thing, *_fairly(wanted, step.most)]))
        found.nodes = list(shown)[:MOST]
        found.edges = list(self._relations(dict.fromkeys(found.nodes), manner))
        return found

    def _relations(self, shown: Mapping[str, None], manner: Manner) -> Iterator[Relation]:
        for source in shown:
            yield from (Relation(source, t, self.words(p)) for p, t in self._out(source) if t in shown)
            if not manner.milestones:
                for act in self._acts.get(source, ()):
                    if act.source == source and act.target in shown and act.milestone not in shown:
                        yield act

    def there(self, thing: str) -> bool:
        """Return whether a compact id is of something that has a label."""
        return bool(self.label(thing))

    def groups(self, thing: str, manner: Manner | None = None) -> list[Group]:
        """Return all neighbours of a thing, by relation: what it refers to first, then what refers to it.

        Args:
            thing: A compact id.
            manner: How neighbours are seen.
        """
        manner = manner or Manner()
        ways: dict[tuple[str, str], set[str]] = {}
        for prop, other in self._out(thing):
            ways.setdefault(("out", prop), set()).add(other)
        acts = () if manner.milestones else self._acts.get(thing, ())
        lines = {act.milestone for act in acts}
        for quad in self._release.store.quads_for_pattern(None, None, ox.NamedNode(expand(thing)), None):
            if isinstance(quad.subject, ox.NamedNode) and ours(quad.subject.value):
                other = compact(quad.subject.value)
                if other not in lines:
                    ways.setdefault(("in", compact(quad.predicate.value)), set()).add(other)
        if acts:
            ways["in", MILESTONE] = {end for act in acts for end in (act.source, act.target)}
        groups = []
        for (way, prop), things in sorted(ways.items(), key=lambda item: (item[0][0] == "in", item[0][1])):
            near = [one for one in things - {thing} if manner.evidence or one.partition(":")[0] not in EVIDENCE]
            ordered = sorted((one for one in near if self.there(one)), key=lambda o: (self.label(o).casefold(), o))
            if ordered:
                groups.append(Group(way, prop, self.words(prop), tuple(ordered)))
        return groups

    def facts(self, thing: str) -> dict[str, Any]:
        """Return what a drawing says of a thing and filters it by: label, kind, names, date, agencies, classes.

        Args:
            thing: A compact id.
        """
        label, names, date = self.label(thing), set(), ""
        for quad in self._release.store.quads_for_pattern(ox.NamedNode(expand(thing)), None, None, None):
            if isinstance(quad.object, ox.Literal):
                if quad.predicate.value in _NAMES and quad.object.value != label:
                    names.add(quad.object.value)
                elif quad.predicate.value == _DATE:
                    date = quad.object.value
        found = {
            "label": label or thing, "kind": kind(thing), "names": sorted(names), "date": date,
            "agencies": self._agencies.get(thing, []), "classes": self._classes.get(thing, []),
        }  # fmt: skip
        return {name: value for name, value in found.items() if value}

    def label(self, thing: str) -> str:
        """Return the English label of a thing, or another, or nothing."""
        if thing not in self._labels:
            try:
                quads = self._release.store.quads_for_pattern(ox.NamedNode(expand(thing)), _LABEL, None, None)
                found = {q.object.language or "": q.object.value for q in quads if isinstance(q.object, ox.Literal)}
            except IdentifierError:
                return ""
            self._labels[thing] = found.get("en") or found[min(found)] if found else ""
        return self._labels[thing]

    def words(self, prop: str) -> str:
        """Return a relation in words."""
        return self.label(prop) or STANDARD.get(prop.rpartition(":")[2], prop)

    def _out(self, thing: str) -> list[tuple[str, str]]:
        quads = self._release.store.quads_for_pattern(ox.NamedNode(expand(thing)), None, None, None)
        pairs = {
            (compact(quad.predicate.value), compact(quad.object.value))
            for quad in quads
            if isinstance(quad.object, ox.NamedNode) and ours(quad.object.value)
            if quad.predicate.value not in _SKIPPED
        }
        return sorted(pairs)

    @cached_property
    def _acts(self) -> dict[str, list[Relation]]:
        """The milestones as lines, by each of their ends."""
        found: dict[str, list[Relation]] = {}
        for row in rows(self._release.select(_ACTS)):
            sources = tuple(sorted(compact(source) for source in str(row["sources"] or "").split()))
            act = Relation(row["agency"], row["about"], row["kind"], row["milestone"], str(row["date"]), sources)
            for end in {act.source, act.target}:
                found.setdefault(end, []).append(act)
        return found

    @cached_property
    def _classes(self) -> dict[str, list[str]]:
        return self._by_thing(_CLASSES)

    @cached_property
    def _agencies(self) -> dict[str, list[str]]:
        return self._by_thing(_AGENCIES)

    def _by_thing(self, text: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for thing, other in self._release.select(text).rows:
            if isinstance(thing, ox.NamedNode) and isinstance(other, ox.NamedNode):
                found.setdefault(compact(thing.value), []).append(compact(other.value))
        return found


def _fairly(groups: Sequence[Group], most: int) -> list[str]:
    """Choose so many things that every relation is seen: one of each in turn, as long as there is room."""
    turns = zip_longest(*(group.things for group in groups))
    return list(dict.fromkeys(one for one in chain.from_iterable(turns) if one is not None))[:most]
