"""Networks: what they hold, the files they are written to, and the page in a browser with the network cut."""

import json
import re
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

import networkx as nx
import pytest

from kg.errors import OutputError, QueryError
from kg.network import multigraph, network, positions
from kg.pictures import SUFFIXES, draw
from kg.query import library
from kg.store import Release
from tests.support import needs_chromium, watched

NETWORKS = [name for name, question in library().items() if question.network]
HOSTILE = '</script><script>document.title="hacked"</script><img src=x onerror=document.title="hacked">'


def test_there_are_four() -> None:
    assert {"agency-product-class", "product-milestones", "holder-product-target", "agencies-shared"} <= set(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_nodes_and_edges_are_those_of_the_question(name: str, small: Release) -> None:
    graph = network(name, small)
    assert graph.number_of_nodes() > 3
    for _, facts in graph.nodes(data=True):
        assert facts["label"]
        assert facts["kind"] in {"agency", "product", "class", "milestone", "organisation", "gene"}
    assert all(facts["relation"] for _, _, facts in graph.edges(data=True))


def test_a_known_edge_with_its_date_and_sources(small: Release) -> None:
    graph = network("agency-product-class", small, agency="FDA")
    facts = graph.get_edge_data("agency:us-fda", "product:kymriah")[0]
    assert (facts["relation"], facts["date"], facts["detail"]) == ("approved", "2017-08-30", "full")
    assert "source:" in facts["sources"]


def test_a_question_that_is_no_network_is_refused(small: Release) -> None:
    with pytest.raises(QueryError, match="not a network"):
        network("approvals", small)


def test_places_are_the_same_every_time_and_apart(small: Release) -> None:
    graph = network("agency-product-class", small)
    assert positions(graph) == positions(graph)
    assert len(set(positions(graph).values())) == graph.number_of_nodes()
    assert positions(nx.MultiDiGraph()) == {}


def test_the_whole_release_as_a_graph(small: Release) -> None:
    graph = multigraph(small)
    assert graph.nodes["product:kymriah"]["label"] == "Kymriah"
    relations = {
        facts["relation"] for facts in graph.get_edge_data("product:kymriah", "therapy:tisagenlecleucel").values()
    }
    assert relations == {"cgt:therapy"}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_format_twice_the_same(name: str, suffix: str, small: Release, tmp_path: Path) -> None:
    graph = network(name, small)
    one, two = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
    draw(graph, one, "A title")
    draw(graph, two, "A title")
    assert one.read_bytes() == two.read_bytes()
    if suffix == ".graphml":
        assert set(nx.read_graphml(one)) == set(graph)
    elif suffix == ".gexf":
        assert set(nx.read_gexf(one)) == set(graph)
    elif suffix == ".json":
        assert set(nx.node_link_graph(json.loads(one.read_text(encoding="utf-8")), edges="edges")) == set(graph)
    assert sorted(p.name for p in tmp_path.iterdir()) == [one.name, two.name], "nothing beside the file"


def test_the_page_names_no_other_host(small: Release, tmp_path: Path) -> None:
    path = tmp_path / "x.html"
    draw(network("agency-product-class", small), path, "A title")
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=[\"']?(https?:)?//", text)
    assert "default-src 'none'" in text


def hostile() -> "nx.MultiDiGraph[str]":
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_node("product:a", label=HOSTILE, kind="product")
    graph.add_node("agency:b", label="B & <b>b</b>", kind="agency")
    graph.add_edge("agency:b", "product:a", relation=HOSTILE, detail=HOSTILE)
    return graph


def test_markup_in_names_is_text_in_every_format(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"x{suffix}"
        draw(hostile(), path, HOSTILE)
        text = path.read_text(encoding="utf-8")
        if suffix != ".json":
            assert HOSTILE not in text, suffix


@pytest.mark.parametrize("name", NETWORKS)
def test_a_picture_can_be_read_and_its_legend_has_the_shapes_it_uses(name: str, small: Release) -> None:
    graph = network(name, small)
    root = ET.fromstring(SUFFIXES[".svg"](graph, "A title"))
    looked = [(mark.tag, mark.get("fill")) for mark in root.iter() if mark.tag.endswith(("polygon", "circle"))]
    kinds = {facts["kind"] for _, facts in graph.nodes(data=True)}
    assert len(looked) == len(graph) + len(kinds)
    assert len(set(looked[: len(graph)])) == len(kinds)
    assert set(looked[: len(graph)]) == set(looked[len(graph) :])
    boxes = []
    for text in root.findall(".//{*}text[@text-anchor]"):
        x, y, wide = float(text.get("x", "")), float(text.get("y", "")), 8 * len(text.text or "")
        left = x - wide * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor", "")]
        boxes.append((left, left + wide, y - 12, y))
    assert len(boxes) > len(graph) / 2
    for (left, right, top, bottom), other in combinations(boxes, 2):
        assert right <= other[0] or other[1] <= left or bottom <= other[2] or other[3] <= top


def test_bad_files_are_named(small: Release, tmp_path: Path) -> None:
    graph = network("agencies-shared", small)
    with pytest.raises(OutputError, match=r"\.html, \.svg"):
        draw(graph, tmp_path / "x.docx", "t")
    with pytest.raises(OutputError, match="empty"):
        draw(nx.MultiDiGraph(), tmp_path / "x.html", "t")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot be written"):
        draw(graph, tmp_path / "file" / "x.html", "t")


@needs_chromium
class TestInABrowser:
    """The page, opened by Chromium with the network cut."""

    @contextmanager
    def opened(self, browser, path: Path):
        with watched(browser, path.as_uri(), offline=True) as page:
            page.goto(path.as_uri())
            page.wait_for_selector("body[data-settled=true]", timeout=60_000)
            # What is settled is drawn in the next frame.
            page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
            yield page

    def colours(self, page) -> int:
        # Counted in the page: how many different pixels its canvas has.
        return page.evaluate(
            """() => { const canvas = document.querySelector("canvas");
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            const seen = new Set();
            for (let i = 0; i < data.length; i += 4)
                if (data[i + 3]) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
            return seen.size; }"""
        )

    @pytest.mark.parametrize("name", NETWORKS)
    def test_it_opens_silently_and_draws(self, name: str, browser, real: Release, tmp_path: Path) -> None:
        path = tmp_path / "x.html"
        values = {"product": "Kymriah"} if name == "product-milestones" else {}
        draw(network(name, real, **values), path, library()[name].title)
        with self.opened(browser, path) as page:
            assert self.colours(page) > 10

    def test_search_and_legend_work(self, browser, real: Release, tmp_path: Path) -> None:
        path = tmp_path / "x.html"
        draw(network("agency-product-class", real), path, "t")
        with self.opened(browser, path) as page:
            page.fill("#search", "kymriah")
            assert page.text_content("#found") == "1 found"
            assert self.colours(page)
            page.click("button[data-kind=product]")
            page.wait_for_timeout(300)
            assert page.get_attribute("button[data-kind=product]", "aria-pressed") == "false"
            page.fill("#search", "kymriah ")
            page.fill("#search", "kymriah")
            assert page.text_content("#found") == "0 found"

    def test_markup_in_names_stays_text(self, browser, tmp_path: Path) -> None:
        path = tmp_path / "x.html"
        draw(hostile(), path, HOSTILE)
        with self.opened(browser, path) as page:
            page.wait_for_timeout(300)
            assert page.title() == HOSTILE
            assert page.query_selector("h1 img, h1 script, header script") is None
