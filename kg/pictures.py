"""Networks as files: a page that anyone can open, a picture, and the formats of network programs."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import networkx as nx
import pyvis
from markupsafe import Markup
from pyvis.network import Network

from kg import resources
from kg.charts.looks import cut, width
from kg.errors import OutputError
from kg.network import Graph, positions
from kg.report import page
from kg.vega import png
from kg.writing import put, suffix_of

_VIS: Final = Path(pyvis.__file__).parent / "templates" / "lib" / "vis-9.1.2" / "vis-network.min.js"
_LOOKS: Final = resources.PACKAGE / "looks.json"
_SIZES: Final = (10, 34)
_LETTERS: Final = 16
"""Pixels of the letters of a picture."""
_WIDER: Final = _LETTERS / 12 * 1.08
"""How much wider they are than those that `width` measures, in the widest of the fonts that pages are read in."""
_LONGEST: Final = 200
"""Pixels that a name takes at most, as `width` measures it."""
_BESIDE: Final = 5
_MARGIN: Final = 24.0
_PART: Final = 64
"""Pixels of the squares by which what is near is found."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a kind of node is drawn: colour (that tells apart for the colour-blind too) and shape."""

    colour: str
    shape: str

    def corners(self, x: float, y: float, size: float) -> str:
        """Return where the corners of the shape are, as SVG says it; nothing for a dot."""
        found = _drawn()["corners"].get(self.shape, ())
        return " ".join(f"{x + dx * size:.1f},{y - dy * size:.1f}" for dx, dy in found)


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
    return {kind: Look(**each) for kind, each in _drawn()["kinds"].items()}


@cache
def _drawn() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_LOOKS.read_text(encoding="utf-8"))
    return found


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


@dataclass(frozen=True, slots=True)
class _Mark:
    """A node on a picture."""

    x: float
    y: float
    size: float
    look: Look
    name: str

    @property
    def box(self) -> "_Box":
        return self.x - self.size, self.y - self.size, self.x + self.size, self.y + self.size


@dataclass(frozen=True, slots=True)
class _Name:
    """A name on a picture: where it is written, and what it takes."""

    x: float
    y: float
    anchor: str
    text: str
    box: "_Box"


_Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""


class _Room:
    """What is taken of a picture."""

    def __init__(self) -> None:
        self._parts: dict[tuple[int, int], list[_Box]] = defaultdict(list)

    def take(self, box: _Box) -> None:
        """Take a place, free or not."""
        for part in self._near(box):
            self._parts[part].append(box)

    def free(self, box: _Box) -> bool:
        """Return whether nothing is there."""
        left, top, right, bottom = box
        return not any(
            left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
            for part in self._near(box)
            for other in self._parts.get(part, ())
        )

    @staticmethod
    def _near(box: _Box) -> Iterator[tuple[int, int]]:
        left, top, right, bottom = (int(edge // _PART) for edge in box)
        return ((x, y) for x in range(left, right + 1) for y in range(top, bottom + 1))


def _named(marks: Iterable[_Mark]) -> list[_Name]:
    """Write names beside their nodes, those of the largest first, where they cover no node and no other name."""
    room = _Room()
    ordered = sorted(marks, key=lambda mark: (-mark.size, mark.name, mark.x, mark.y))
    for mark in ordered:
        room.take(mark.box)
    found = []
    for mark in ordered:
        free = next((name for name in _beside(mark) if room.free(name.box)), None)
        if free:
            room.take(free.box)
            found.append(free)
    return found


def _wide(text: str) -> float:
    return width(text) * _WIDER


def _beside(mark: _Mark) -> Iterator[_Name]:
    text = cut(mark.name, _LONGEST)
    wide, away = _wide(text), mark.size + _BESIDE
    for anchor, x, middle in (
        ("start", mark.x + away, mark.y), ("end", mark.x - away, mark.y),
        ("middle", mark.x, mark.y + away + _LETTERS / 2), ("middle", mark.x, mark.y - away - _LETTERS / 2),
    ):  # fmt: skip
        left = x - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
        box = (left, middle - _LETTERS * 0.55, left + wide, middle + _LETTERS * 0.55)
        yield _Name(round(x, 1), round(middle + _LETTERS * 0.35, 1), anchor, text, box)


def _svg(graph: Graph, title: str) -> str:
    places = positions(graph)
    most = max((degree for _, degree in graph.degree()), default=1)
    marks = [
        _Mark(*places[node], _size(graph.degree(node), most) / 2, look(facts["kind"]), facts["label"])
        for node, facts in graph.nodes(data=True)
    ]
    names = _named(marks)
    boxes = [*(mark.box for mark in marks), *(name.box for name in names)]
    left, top, right, bottom = (
        round(pick(box[side] for box in boxes) + room, 1)
        for side, (pick, room) in enumerate([(min, -_MARGIN), (min, -_MARGIN), (max, _MARGIN), (max, _MARGIN)])
    )
    kinds = sorted({facts["kind"] for _, facts in graph.nodes(data=True)})
    legend, x, y = [], left + _MARGIN, bottom + _LETTERS
    for kind in kinds:
        wide = _wide(kind) + 3 * _LETTERS
        if x > left + _MARGIN and x + wide > right:
            x, y = left + _MARGIN, y + 1.6 * _LETTERS
        legend.append(_Mark(round(x, 1), round(y, 1), _LETTERS * 0.45, look(kind), kind))
        x += wide
    unnamed = len(marks) - len(names)
    if unnamed:
        y += 1.6 * _LETTERS
    content = {
        "title": title, "marks": marks, "names": names, "legend": legend, "unnamed": unnamed, "letters": _LETTERS,
        "lines": [(*places[one], *places[other]) for one, other in dict.fromkeys(graph.edges())],
        "left": left, "top": top, "width": round(right - left, 1), "height": round(y + _LETTERS - top, 1),
    }  # fmt: skip
    return page("network.svg", content)


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
