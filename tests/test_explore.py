"""Networks on the site: what the server tells of them, and drawing, filtering, growing and saving them in a browser."""

import io
import os
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import pytest
from starlette.testclient import TestClient

from kg.errors import QueryError
from kg.neighbours import MOST, Step
from kg.pictures import looks
from kg.query import library
from kg.store import Release
from kg.web.files import built
from kg.web.networks import library as networks
from tests.serving import Running
from tests.support import needs_chromium, watched
from tests.test_site import HOSTILE, client, hostile

NETWORKS = sorted(name for name, question in library().items() if question.network)
needs_scripts = pytest.mark.skipif(
    "explore" not in built() and not os.environ.get("KG_NO_SKIPS"), reason="the scripts are not built (make front)"
)


@pytest.fixture(scope="module")
def site(small: Release) -> TestClient:
    return client(small)


def explored(site: TestClient, *steps: str, **words: str) -> dict:
    answer = site.get("/explore.json", params=[*(("thing", step) for step in steps), *words.items()])
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(found: dict) -> set[str]:
    return {node["id"] for node in found["nodes"]}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_the_library(site: TestClient, name: str) -> None:
    page = site.get(f"/networks/{name}").text
    assert f'src="/networks/{name}.svg"' in page
    assert "<iframe" not in page
    policy = site.get(f"/networks/{name}.html").headers["content-security-policy"]
    assert policy.count("'sha256-") == 2
    assert "script-src 'sha256-" in policy
    plain = site.get(f"/networks/{name}.json").json()
    placed = site.get(f"/networks/{name}.places.json").json()
    assert [n["id"] for n in placed["nodes"]] == [n["id"] for n in plain["nodes"]]
    assert len({(n["x"], n["y"]) for n in placed["nodes"]}) == len(placed["nodes"])
    assert all(n["label"] and n["kind"] and n["href"] for n in placed["nodes"])
    assert len(placed["edges"]) == len(plain["edges"])
    assert {one for edge in placed["edges"] for one in edge.get("sources", [])} <= set(placed["names"])
    assert site.get(f"/networks/{name}.gexf").status_code == 200
    assert site.get(f"/networks/{name}.html?agency=nobody").status_code in (200, 400)


def test_a_network_that_cannot_be_drawn_says_why(site: TestClient) -> None:
    answer = site.get("/networks/agency-product-class?agency=nobody<b>")
    assert answer.status_code == 400
    assert "nobody&lt;b&gt;" in answer.text


def test_without_the_scripts_a_picture_is_shown(site: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "built", frozenset)
    text = site.get("/networks/agency-product-class").text
    assert 'img src="/networks/agency-product-class.svg"' in text
    assert "built/explore.js" not in text
    assert "<noscript>" not in text


def test_the_neighbours_of_a_product(site: TestClient) -> None:
    found = explored(site, "product:kymriah")
    assert {"product:kymriah", "therapy:tisagenlecleucel", "organisation:novartis", "agency:us-fda"} <= ids(found)
    assert not {one for one in ids(found) if one.startswith(("claim:", "source:", "milestone:"))}
    lines = [e for e in found["edges"] if e.get("milestone")]
    first = min(
        (e for e in lines if e["source"] == "agency:us-fda" and "approval" in e["label"]), key=lambda e: e["date"]
    )
    assert first["date"] == "2017-08-30"
    assert first["sources"]
    kymriah = next(node for node in found["nodes"] if node["id"] == "product:kymriah")
    assert "キムリア" in kymriah["names"]
    assert "class:car-t" in kymriah["classes"]
    assert "agency:us-fda" in kymriah["agencies"]


def test_every_relation_between_two_things_shown_is_shown(site: TestClient) -> None:
    found = explored(site, "product:kymriah", "class:car-t")
    pairs = {(e["source"], e["target"]) for e in found["edges"]}
    assert ("therapy:tisagenlecleucel", "class:car-t") in pairs
    assert ("product:kymriah", "therapy:tisagenlecleucel") in pairs
    assert {end for pair in pairs for end in pair} <= ids(found)
    assert explored(site, "product:kymriah", "class:car-t") == found


def test_milestones_and_evidence_are_things_when_asked_for(site: TestClient) -> None:
    milestones = explored(site, "product:kymriah", show="milestones")
    assert any(one.startswith("milestone:") for one in ids(milestones))
    assert not any(edge.get("milestone") for edge in milestones["edges"])
    assert any(one.startswith("source:") for one in ids(explored(site, "product:kymriah", show="evidence")))


def test_a_step_is_bounded_and_says_how_many_more_there_are(site: TestClient) -> None:
    found = explored(site, "agency:us-fda~in~cgt:Milestone~3")
    assert len(found["nodes"]) == 4
    (group,) = [g for g in found["expanded"]["agency:us-fda"] if g["property"] == "cgt:Milestone"]
    assert (group["shown"], group["label"]) == (3, "milestone")
    assert group["count"] > 3
    whole = explored(site, "agency:us-fda~in~cgt:Milestone~400")
    assert len(whole["nodes"]) == group["count"] + 1
    assert len(explored(site, *[f"agency:us-fda~in~cgt:Milestone~{n}" for n in range(300)])["nodes"]) <= MOST


@pytest.mark.parametrize(
    "text",
    ["", "agency:us-fda~in", "a~b~c", "a~in~", "a~in~b~x", "a~in~b~-1", "a~in~b~99999", "a~in~b~²", "~~~~~"],
)
def test_odd_steps_are_refused(site: TestClient, text: str) -> None:
    if text:
        with pytest.raises(QueryError, match="not a step"):
            Step.read(text)
        assert site.get("/explore.json", params={"expand": text}).status_code == 400
        assert site.get("/explore", params={"thing": text}).status_code == 400
    else:
        assert site.get("/explore.json", params={"thing": ""}).status_code == 404


@pytest.mark.parametrize("text", ["product:nope", "nope:x", "product:<script>", "product:" + "x" * 5000, "x", "\x00"])
def test_unknown_things_are_not_found(site: TestClient, text: str) -> None:
    assert site.get("/explore.json", params={"thing": text}).status_code == 404
    answer = site.get("/explore", params={"thing": text})
    assert answer.status_code == 404
    assert "<script>" not in answer.text
    assert explored(site, "product:kymriah", text)["unknown"] == [text.strip()]


def test_the_page_reads_as_lists(site: TestClient) -> None:
    text = site.get("/explore?thing=product:kymriah").text
    assert 'href="/page/therapy/tisagenlecleucel"' in text
    further = "/explore?expand=product:kymriah&amp;expand=therapy:tisagenlecleucel"
    assert f'href="{further}"' in text
    assert "CAR-T cell therapy" in site.get(further.replace("&amp;", "&")).text
    assert "explore?expand=product:kymriah" in site.get("/explore?find=キムリア").text
    assert "Nothing in the graph" in site.get("/explore?find=qqqqqqqq").text
    few = site.get("/explore?thing=agency:us-fda~in~cgt:Milestone~2").text
    assert "cgt:Milestone~202" in few


def test_markup_in_names_is_text() -> None:
    site = client(hostile())
    for path in ("/explore?thing=product:x", "/explore?thing=agency:x&show=evidence", f"/explore?find={HOSTILE}"):
        text = site.get(path).text
        assert "<script>document" not in text
        assert "<img src=x" not in text
    answer = site.get("/explore.json?thing=product:x&show=evidence&show=milestones")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert HOSTILE in {node["label"] for node in answer.json()["nodes"]}


def settled(page) -> None:
    page.wait_for_selector("#drawing:not([hidden])[data-settled=true]", timeout=60_000)


def count(page) -> int:
    return int(page.text_content("#status").split()[0].replace(",", ""))


def saved(page, form: str) -> bytes:
    with page.expect_download() as download:
        page.click(f"[data-save={form}]")
    return Path(download.value.path()).read_bytes()


@needs_chromium
@needs_scripts
class TestInABrowser:
    """Drawings in Chromium; every test ends without a message on the console or a request elsewhere."""

    def test_a_network_is_drawn_filtered_and_restored_from_its_address(self, page, browser, served: Running) -> None:
        page.goto("/networks/agency-product-class")
        settled(page)
        drawn, whole = len(page.locator(".canvas").screenshot()), count(page)
        page.click(".legend [data-kind=class]")
        assert page.get_attribute(".legend [data-kind=class]", "aria-pressed") == "false"
        fewer = count(page)
        assert fewer == whole - int(page.text_content(".legend [data-kind=class] .help"))
        page.select_option("#by-agency", "agency:us-fda")
        ours = count(page)
        assert ours < fewer
        assert page.locator(".nodes li", has_text="agency").count() == 1
        page.focus("#to")
        for _ in range(4):
            page.keyboard.press("ArrowLeft")
        years = count(page)
        assert years < ours
        page.fill("#find", "キムリア")
        page.keyboard.press("Enter")
        assert page.text_content(".chosen h3") == "Kymriah"
        assert "2017-08-30" in page.text_content(".chosen")
        with watched(browser, served.url) as other:
            other.goto(page.url)
            settled(other)
            assert count(other) == years
            assert other.text_content(".chosen h3") == "Kymriah"
            other.click(".chosen .doing button:text-is('Hide')")
            assert count(other) < years
            assert "_hide=product:kymriah" in other.url
        for kind in ("agency", "product"):
            page.click(f".legend [data-kind={kind}]")
        assert count(page) == 0
        assert len(page.locator(".canvas").screenshot()) < drawn / 4

    def test_a_network_grows_from_a_product_by_keyboard_only(self, page) -> None:
        page.goto("/explore")
        page.focus("#thing")
        page.keyboard.type("キムリア")
        page.keyboard.press("Enter")
        settled(page)
        assert page.url.endswith("/explore?thing=product:kymriah")
        before = count(page)
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.className") == "nodes":
                break
        page.keyboard.press("End")
        assert page.text_content(".nodes [aria-selected=true]").startswith("tisagenlecleucel")
        assert page.get_attribute(".nodes", "aria-activedescendant")
        page.keyboard.press("Enter")
        page.wait_for_url("**expand=therapy:tisagenlecleucel*")
        settled(page)
        assert count(page) > before
        assert "CD19" in page.text_content(".chosen")
        after = count(page)
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Delete")
        assert count(page) == after - 1
        page.go_back()
        page.locator("#status", has_text=f"{before} nodes").wait_for()
        assert f"; {after - before} taken away." in page.text_content("#status")
        page.go_forward()
        page.locator("#status", has_text=f"; {after - before} added.").wait_for()
        page.go_back()
        page.go_back()
        page.locator("#examples").wait_for()
        assert page.locator("#drawing").is_hidden()

    def test_pointing_clicking_and_double_clicking(self, page) -> None:
        page.goto("/explore?thing=product:kymriah&_at=therapy:tisagenlecleucel")
        settled(page)
        page.locator(".field").evaluate("(field) => field.scrollIntoView()")
        page.wait_for_timeout(600)
        # The ring round what was chosen is the leftmost that lies on the canvas of what is pointed at.
        x, y = page.evaluate(
            """() => { const c = document.querySelector(".sigma-hovers"), box = c.getBoundingClientRect();
            const data = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
            for (let x = 0; x < c.width; x++) for (let y = 0; y < c.height; y++)
              if (data[4 * (y * c.width + x) + 3] > 128)
                return [box.left + x * box.width / c.width, box.top + y * box.height / c.height]; }"""
        )
        page.mouse.click(5 + page.locator(".canvas").bounding_box()["x"], y)
        page.wait_for_selector(".chosen h3", state="detached")
        page.wait_for_timeout(400)  # Else two clicks would be a double click.
        page.mouse.move(x + 10, y)
        page.wait_for_selector(".tip:not([hidden])")
        assert "tisagenlecleucel" in page.text_content(".tip")
        before = count(page)
        page.mouse.dblclick(x + 10, y)
        page.wait_for_url("**expand=therapy:tisagenlecleucel*")
        settled(page)
        assert count(page) > before

    def test_more_of_a_relation_on_demand(self, page) -> None:
        page.goto("/explore?thing=agency:us-fda~in~cgt:Milestone~5&_at=agency:us-fda")
        settled(page)
        assert count(page) == 6
        page.locator(".chosen p", has_text="milestone: 5 of").locator("button").click()
        page.wait_for_url("**expand=agency:us-fda~in~cgt:Milestone~*")
        settled(page)
        assert count(page) > 40
        page.check("input[value=milestones]")
        page.wait_for_url("**show=milestones*")

    def test_what_is_shown_is_saved(self, page) -> None:
        page.goto("/explore?thing=product:kymriah&_off=agency")
        settled(page)
        graph = nx.read_graphml(io.BytesIO(saved(page, "graphml")))
        assert graph.number_of_nodes() == count(page)
        assert graph.nodes["product:kymriah"]["label"] == "Kymriah"
        assert not any(facts["kind"] == "agency" for _, facts in graph.nodes(data=True))
        picture = ElementTree.fromstring(saved(page, "svg"))
        texts = {element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")}
        assert {"Kymriah", "Novartis", "organisation"} <= texts
        assert saved(page, "png").startswith(b"\x89PNG")

    def test_on_a_phone_in_the_dark_without_motion(self, browser, served: Running) -> None:
        phone = {"viewport": {"width": 360, "height": 740}, "base_url": served.url, "color_scheme": "dark"}
        with watched(browser, served.url, reduced_motion="reduce", has_touch=True, **phone) as page:
            for path in ("/explore?thing=product:kymriah", "/networks/holder-product-target"):
                page.goto(path)
                settled(page)
                assert page.evaluate("document.documentElement.scrollWidth") <= 360, path

    def test_without_scripts_networks_read(self, browser, served: Running) -> None:
        with watched(browser, served.url, java_script_enabled=False, base_url=served.url) as page:
            page.goto("/networks/holder-product-target")
            assert page.locator(".picture img").is_visible()
            page.goto("/explore")
            page.fill("#thing", "Kymriah")
            page.click("#add button")
            page.locator("#hits a").first.click()
            page.locator("a[aria-label='expand tisagenlecleucel']").click()
            assert page.locator("#lists h2", has_text="tisagenlecleucel").is_visible()


def test_the_looks_of_kinds_are_whole() -> None:
    found = looks()
    assert "" in found
    assert {look.shape for look in found.values()} <= {"dot", "square", "diamond", "triangle", "hexagon", "star"}
    assert len(set(found.values())) == len(found), "no two kinds look the same"
