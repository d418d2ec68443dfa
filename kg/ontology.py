"""The ontology, its schemes, alignments and shapes, as named graphs; and what is derived by rule.

Blank nodes stand only here (OWL and SHACL cannot do without) and get canonical labels, so that two builds
agree to the byte.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from kg import resources
from kg.errors import OntologyError
from kg.namespaces import graph

FILES: Final = {
    "ontology": "cgt.ttl",
    "schemes": "schemes.ttl",
    "alignments": "alignments.ttl",
    "shapes": "shapes.ttl",
}
"""The named graph that each file of the ontology is loaded into."""

NQUADS: Final = ox.RdfFormat.N_QUADS
"""The format that facts travel in between the rooms."""

DERIVED: Final = "derived"
"""The named graph of what rules derive from stated facts."""


def load(folder: Path = resources.ONTOLOGY) -> list[str]:
    """Return the ontology's graphs as sorted N-Quads lines, the tree of therapy classes derived.

    Args:
        folder: Where the files of `FILES` and the folder `derive` are.

    Raises:
        OntologyError: A file is missing or is not Turtle.
    """
    dataset = ox.Dataset()
    for name, file in FILES.items():
        try:
            for quad in ox.parse(path=str(folder / file), format=ox.RdfFormat.TURTLE, rename_blank_nodes=True):
                dataset.add(ox.Quad(quad.subject, quad.predicate, quad.object, ox.NamedNode(graph(name))))
        except (SyntaxError, OSError) as error:
            raise OntologyError(f"{folder / file}: {error}") from error
    store = ox.Store()
    store.extend(dataset)
    derive(store, rules("terms", folder), graph("schemes"))
    whole = ox.Dataset(store)
    whole.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(serialize(whole))


def serialize(quads: Iterable[ox.Quad]) -> list[str]:
    """Return quads as N-Quads lines without their line ends, in the order given."""
    raw = ox.serialize(quads, format=NQUADS)
    assert raw is not None
    return raw.decode().splitlines()


def rules(kind: str, folder: Path = resources.ONTOLOGY) -> list[Path]:
    """Return the CONSTRUCT rules of a kind, `terms` or `facts`, in the order they run in."""
    return sorted((folder / "derive" / kind).glob("*.rq"))


def derive(store: ox.Store, paths: Sequence[Path], into: str) -> int:
    """Run CONSTRUCT rules one after the other, each seeing what those before it added.

    Args:
        store: The store to read, over the union of its graphs, and to add to.
        paths: The rules' files.
        into: The IRI of the graph to add to.

    Returns:
        How many quads were added.

    Raises:
        OntologyError: A rule is not a CONSTRUCT query.
    """
    before = len(store)
    for path in paths:
        try:
            triples = store.query(path.read_text(encoding="utf-8"), use_default_graph_as_union=True)
        except SyntaxError as error:
            raise OntologyError(f"{path}: {error}") from error
        if not isinstance(triples, ox.QueryTriples):
            raise OntologyError(f"{path}: not a CONSTRUCT query")
        target = ox.NamedNode(into)
        store.extend([ox.Quad(t.subject, t.predicate, t.object, target) for t in triples])
    return len(store) - before
