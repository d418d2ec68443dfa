"""Networks as files: a page that anyone can open, a picture, and the formats of network programs."""

import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import networkx as nx
import pyvis
from markupsafe import Markup
from pyvis.network import Network

from kg import resources
from kg.errors import OutputError
from kg.network import Graph, positions
from kg.report import page
from kg.vega import png
from kg.writing import put, suffix_of

_VIS: Final = Path(pyvis.__file__).parent / "templates" / "lib" / "vis-9.1.2" / "vis-network.min.js"
_LOOKS: Final = resources.PACKAGE / "looks.json"
_SIZES: Final = (10, 34)


@dataclass(frozen=True, slots=True)
class Look:
    """How a kind of node is drawn: colour (that tells apart for the colour-blind too) and shape."""

    colour: str
    shape: str


def draw(graph: Graph, out: Path, title: str) -> None:
    """Write a network to a file, in the format of its suffix.

    Args:
        graph: As `kg.network.network` makes it.
        out: The file; one of `FILES`.
        title: What the picture shows.

    Raises:
        OutputError: The suffix is not known, the network is empty, or the file cannot be written.
    """
    suffix = suffix_of(out, FILES, "a network is")
    if not graph:
        raise OutputError(f"{out}: the network is empty; widen the question")
    content = png(_svg(graph, title), 1) if suffix == ".png" else SUFFIXES[suffix](graph, title).encode()
    put(out, content)


@cache
def looks() -> dict[str, Look]:
    """Return how each kind is drawn, here and by the served pages' scripts; the kind "" stands for all others."""
    return {kind: Look(**each) for kind, each in json.loads(_LOOKS.read_text(encoding="utf-8")).items()}


def look(kind: str) -> Look:
    """Return how a kind is drawn."""
    return looks().get(kind, looks()[""])


def _tooltip(node: str, graph: Graph) -> str:
    facts = graph.nodes[node]
    lines = [facts["label"], f"{facts['kind']} · {node}"]
    for one, other, edge in [*graph.in_edges(node, data=True), *graph.out_edges(node, data=True)][:12]:
        neighbour = graph.nodes[other if one == node else one]["label"]
        lines.append(" · ".join(filter(None, (edge["relation"], neighbour, edge.get("date"), edge.get("detail")))))
    if graph.degree(node) > 12:
        lines.append(f"… and {graph.degree(node) - 12} more")
    cited = sorted({s for *_, e in graph.in_edges(node, data=True) for s in e.get("sources", "").split("|") if s})
    if cited:
        lines.append(f"sources: {', '.join(cited[:4])}{' …' if len(cited) > 4 else ''}")
    return "\n".join(lines)


def _size(degree: int, most: int) -> float:
    low, high = _SIZES
    return round(low + (high - low) * math.sqrt(degree / max(most, 1)), 1)


def _page(graph: Graph, title: str) -> str:
    net = Network(directed=True)
    places = positions(graph)
    most = max((degree for _, degree in graph.degree()), default=1)
    for node, facts in graph.nodes(data=True):
        style = look(facts["kind"])
        x, y = places[node]
        net.add_node(
            node, label=facts["label"], title=_tooltip(node, graph), color=style.colour, shape=style.shape,
            size=_size(graph.degree(node), most), x=x, y=y, kind=facts["kind"],
        )  # fmt: skip
    for one, other, facts in graph.edges(data=True):
        about = filter(None, (facts["relation"], facts.get("date"), facts.get("detail"), facts.get("sources")))
        net.add_edge(one, other, title="\n".join(about))
    nodes, edges, *_ = net.get_network_data()
    kinds = Counter(facts["kind"] for _, facts in graph.nodes(data=True))
    data = {"nodes": nodes, "edges": edges}
    return page(
        "network.html",
        {
            "title": title,
            "kinds": [(kind, look(kind), count) for kind, count in sorted(kinds.items())],
            "data": Markup(_inline(data)),  # noqa: S704 - escaped by _inline
            "script": Markup(_script()),  # noqa: S704 - a file of the installed package
            "nodes": graph.number_of_nodes(),
            "edges": graph.number_of_edges(),
        },
    )


def _script() -> str:
    """The drawing library as pyvis installs it, fit to stand inside a script element."""
    return _VIS.read_text(encoding="utf-8").replace("</script", "<\\/script")


def _inline(data: Any) -> str:
    """JSON that can stand inside a script element whatever its strings hold."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").replace("\u2028", "\\u2028")


def _svg(graph: Graph, title: str) -> str:
    places = positions(graph)
    most = max((degree for _, degree in graph.degree()), default=1)
    margin = 90.0
    left, top = min(x for x, _ in places.values()) - margin, min(y for _, y in places.values()) - margin
    lines = [(*places[a], *places[b]) for a, b in dict.fromkeys(graph.edges())]
    nodes = [
        (*places[node], _size(graph.degree(node), most) / 2, look(facts["kind"]), facts["label"])
        for node, facts in graph.nodes(data=True)
    ]
    return page(
        "network.svg",
        {
            "title": title, "lines": lines, "nodes": nodes, "left": round(left, 1), "top": round(top, 1),
            "width": round(max(x for x, _ in places.values()) - left + margin, 1),
            "height": round(max(y for _, y in places.values()) - top + margin + 30, 1),
            "kinds": [(kind, look(kind)) for kind in sorted({f["kind"] for _, f in graph.nodes(data=True)})],
        },
    )  # fmt: skip


def _graphml(graph: Graph, _: str) -> str:
    return "\n".join(nx.generate_graphml(graph)) + "\n"


def _gexf(graph: Graph, title: str) -> str:
    text = "\n".join(nx.generate_gexf(nx.MultiDiGraph(graph, name=title))) + "\n"
    # networkx writes the day of writing into the header; the same network must give the same bytes.
    head, _, rest = text.partition("<meta")
    _, _, body = rest.partition("</meta>")
    return head + "<meta><creator>cgt-kg</creator></meta>" + body


def _json(graph: Graph, _: str) -> str:
    return json.dumps(nx.node_link_data(graph, edges="edges"), ensure_ascii=False, indent=1) + "\n"


SUFFIXES: Final[dict[str, Callable[[Graph, str], str]]] = {
    ".html": _page,
    ".svg": _svg,
    ".graphml": _graphml,
    ".gexf": _gexf,
    ".json": _json,
}
"""The formats a network can be written in, by the file's suffix."""
FILES: Final = (*SUFFIXES, ".png")
"""The suffixes of files a network can be written to: a PNG picture is its SVG, drawn."""
