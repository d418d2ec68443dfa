"""The graph about the graphs: what each named graph is, under which licence, from where, and how large."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Final

from kg import __version__
from kg.mapping import iri, literal
from kg.namespaces import BASE, LICENCES, ONTOLOGY, PREFIXES, expand, graph
from kg.shapes import shapes

GRAPH: Final = "description"
DATASET: Final = f"{BASE}dataset"
_TITLE: Final = "The knowledge graph of cell and gene therapies and their milestones"
_ABOUT: Final = (
    "Who approved which cell or gene therapy, when, how, for whom, by which source, and where sources disagree."
)
_GRAPHS: Final = {
    "ontology": "The ontology of advanced therapies",
    "schemes": "The closed vocabularies and the tree of therapy classes",
    "alignments": "Axioms about the terms of other vocabularies",
    "shapes": "The record shapes",
    "derived": "What rules derive from stated facts",
    "inferred": "The types that the OWL reasoner infers",
    GRAPH: "The description of these graphs",
}


def describe(nquads: Iterable[str], modified: date) -> list[str]:
    """Return N-Quads lines that describe the dataset and each of its graphs with VoID, DCAT and PROV.

    Args:
        nquads: Every line of the release but these.
        modified: The day the newest source was opened; a build's own day would make builds differ.
    """
    tables = {graph(shape.table): shape for shape in shapes().values()}
    counts, first = _counted(nquads, tables)
    inside: list[str] = []

    def state(subject: str, predicate: str, term: str) -> None:
        inside.append(f"<{subject}> {iri(predicate)} {term} <{graph(GRAPH)}> .")

    def head(subject: str, title: str, licence: str, triples: int, types: Sequence[str]) -> None:
        for kind in types:
            state(subject, "rdf:type", iri(kind))
        state(subject, "dcterms:title", literal(title, language="en"))
        state(subject, "rdfs:label", literal(title, language="en"))
        state(subject, "dcterms:license", f"<{licence}>")
        state(subject, "dcterms:modified", literal(modified.isoformat(), expand("xsd:date")))
        state(subject, "void:triples", literal(str(triples), expand("xsd:integer")))

    head(
        DATASET,
        _TITLE,
        LICENCES["facts"],
        sum(counts.values()),
        ("void:Dataset", "dcat:Dataset", "prov:Entity"),
    )
    state(DATASET, "dcterms:description", literal(_ABOUT, language="en"))
    state(DATASET, "owl:versionInfo", literal(__version__))
    state(DATASET, "dcterms:conformsTo", f"<{ONTOLOGY}>")
    state(DATASET, "void:uriSpace", literal(PREFIXES["product"].removesuffix("product/")))
    for vocabulary in ("dcterms:X", "owl:X", "prov:X", "rdfs:X", "skos:X", "cgt:X"):
        state(DATASET, "void:vocabulary", f"<{expand(vocabulary)[:-1]}>")
    titles = {graph(name): title for name, title in _GRAPHS.items()}
    for name in sorted(counts):
        shape = tables.get(name)
        title = f"Curated table: {shape.table}" if shape else titles.get(name, name)
        own_terms = name in (graph("ontology"), graph("schemes"), graph("shapes"), graph("alignments"))
        head(
            name,
            title,
            LICENCES["ontology" if own_terms else "facts"],
            counts[name],
            ("void:Dataset", "dcat:Dataset"),
        )
        state(DATASET, "void:subset", f"<{name}>")
        state(name, "dcterms:isPartOf", f"<{DATASET}>")
        if shape:
            state(name, "void:class", iri(f"cgt:{shape.name}"))
            state(name, "void:exampleResource", first[name].partition(" ")[0])
            state(name, "prov:wasAttributedTo", f"<{BASE}curators>")
        if name in (graph("derived"), graph("inferred")):
            for other in sorted(counts.keys() & tables.keys()):
                state(name, "prov:wasDerivedFrom", f"<{other}>")
    state(f"{BASE}curators", "rdf:type", iri("prov:Agent"))
    state(f"{BASE}curators", "rdfs:label", literal("The curators of the tables", language="en"))
    return sorted(set(inside))


def _counted(nquads: Iterable[str], tables: Collection[str]) -> tuple[Counter[str], dict[str, str]]:
    """Count the lines of each graph, and find the first line of each that is a table's."""
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for line in nquads:
        name = line[line.rindex("<") + 1 : line.rindex(">")]
        counts[name] += 1
        if name in tables:
            first[name] = min(first.get(name, line), line)
    return counts, first
