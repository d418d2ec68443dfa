"""Networks for people who know networkx: the library's questions as graphs, and the whole release as one."""

import random
from collections.abc import Callable
from datetime import date
from typing import Any, Final, TypeAlias

import igraph
import networkx as nx
import pyoxigraph as ox

from kg.errors import QueryError
from kg.namespaces import THINGS, compact, expand
from kg.query import Question, ask, find
from kg.report import rows
from kg.store import Answer, Release

Graph: TypeAlias = "nx.MultiDiGraph[str]"

_SEED: Final = 20170830
_SCALE: Final = 90.0
_EVEN: Final = 300
"""Up to so many nodes a slower layout spreads them more evenly."""
_LABELS = """
SELECT ?thing ?label WHERE { ?thing rdfs:label ?label FILTER(LANG(?label) = "en") } ORDER BY ?thing ?label
"""
_EDGES = """
SELECT ?source ?property ?target WHERE { ?source ?property ?target FILTER(ISIRI(?target)) }
ORDER BY ?source ?property ?target
"""


def network(name: str, release: Release, **values: "str | int | date | None") -> Graph:
    """Return the network that a question of the library draws.

    Args:
        name: A question whose header says that it is a network.
        release: The release to ask.
        values: The question's parameters.

    Returns:
        A directed multigraph. Nodes are compact ids with `label` and `kind`; edges have `relation`, and
        `date`, `detail` and `sources` where known. Nodes and edges are in the question's order.

    Raises:
        QueryError: There is no such question, it is not a network, or a parameter does not fit.
    """
    return drawn(find(name), lambda: ask(name, release, **values))


def drawn(question: Question, ask_it: Callable[[], Answer]) -> Graph:
    """Return the network of a question that is asked in a way of one's own.

    Args:
        question: A question whose header says that it is a network.
        ask_it: What gives its answer.

    Raises:
        QueryError: It is not a network.
    """
    if not question.network:
        raise QueryError(f"question {question.name} is not a network")
    graph: Graph = nx.MultiDiGraph(name=question.name)
    for row in rows(ask_it()):
        for end in ("source", "target"):
            graph.add_node(row[end], label=str(row[f"{end}_label"]), kind=str(row[f"{end}_kind"]))
        facts = {key: str(row[key]) for key in ("date", "detail", "sources") if row.get(key)}
        graph.add_edge(row["source"], row["target"], relation=str(row["relation"]), **facts)
    return graph


def multigraph(release: Release) -> Graph:
    """Return every thing of a release as a node, and every relation between two of them as an edge.

    Nodes are compact ids with `label` and `kind` (the id's prefix); edges have `relation`, the compact id
    of the property. Claims and shapes are among them, blank nodes are not.
    """
    graph: Graph = nx.MultiDiGraph(name=str(release.manifest["name"]))
    labels: dict[str, str] = {}
    for thing, label in release.select(_LABELS).rows:
        if isinstance(thing, ox.NamedNode) and isinstance(label, ox.Literal):
            labels.setdefault(thing.value, label.value)
    skipped = {expand("rdf:type")}
    for source, prop, target in release.select(_EDGES).rows:
        if not (
            isinstance(source, ox.NamedNode) and isinstance(prop, ox.NamedNode) and isinstance(target, ox.NamedNode)
        ):
            continue
        if prop.value in skipped or not (_ours(source.value) and _ours(target.value)):
            continue
        for end in (source.value, target.value):
            short = compact(end)
            graph.add_node(short, label=labels.get(end, short), kind=short.partition(":")[0])
        graph.add_edge(compact(source.value), compact(target.value), relation=compact(prop.value))
    return graph


def _ours(iri: str) -> bool:
    return iri.startswith(THINGS) or "/obo/MONDO_" in iri


def positions(graph: Graph) -> dict[str, tuple[float, float]]:
    """Return a place for every node, the same at every call.

    Kamada and Kawai's layout, or above a few hundred nodes Fruchterman and Reingold's, by igraph with a
    fixed seed; parts that do not touch are packed side by side. The unit is the pixel.
    """
    if not graph:
        return {}
    order = list(graph)
    index = {node: number for number, node in enumerate(order)}
    plain = igraph.Graph(n=len(order), edges=[(index[a], index[b]) for a, b in graph.edges()])
    plain.simplify()
    igraph.set_random_number_generator(random.Random(_SEED))  # noqa: S311 - a layout, not a secret
    layouts = []
    parts = list(plain.connected_components())
    for part in parts:
        sub = plain.induced_subgraph(part)
        small = len(part) <= _EVEN
        layouts.append(sub.layout_kamada_kawai() if small else sub.layout_fruchterman_reingold(niter=300))
    igraph.set_random_number_generator(random)
    return _packed(order, parts, layouts)


def _packed(order: list[str], parts: list[list[int]], layouts: list[Any]) -> dict[str, tuple[float, float]]:
    """Put the layouts of unconnected parts beside each other, the largest first, in rows."""
    found: dict[str, tuple[float, float]] = {}
    x = y = height = width = 0.0
    for part, layout in sorted(zip(parts, layouts, strict=True), key=lambda pair: (-len(pair[0]), pair[0])):
        points = [(px * _SCALE, py * _SCALE) for px, py in layout.coords]
        left, top = min(p[0] for p in points), min(p[1] for p in points)
        wide = max(p[0] for p in points) - left + 2 * _SCALE
        high = max(p[1] for p in points) - top + 2 * _SCALE
        width = width or wide
        if x and x + wide > width * 1.2:
            x, y, height = 0.0, y + height, 0.0
        for vertex, (px, py) in zip(part, points, strict=True):
            found[order[vertex]] = (round(px - left + x, 1), round(py - top + y, 1))
        x, height = x + wide, max(height, high)
    return {node: found[node] for node in order}
