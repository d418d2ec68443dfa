"""Pictures of answers: what headers may say, what is drawn, the files, the addresses, and how they look on a page."""

import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click import UsageError
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kg import vega
from kg.charts import THING, milestones_of, picture, written
from kg.charts.looks import Page
from kg.charts.plots import when
from kg.cli import cli
from kg.errors import KgError, QueryError
from kg.figures import FORMS, Figure
from kg.namespaces import compact, expand
from kg.query import ask, find, library, read
from kg.report import rows
from kg.store import Release
from kg.web.opened import Opened
from kg.web.pages import figures as drawn
from kg.web.pages.facts import View
from kg.web.site import routes
from tests.serving import Running
from tests.support import needs_chromium, watched

PICTURES = [
    pytest.param(question.name, figure, id=f"{question.name}-{figure.kind}")
    for question in library().values()
    for figure in question.pictures
]
HOSTILE = '</text></svg><script>alert(1)</script><img src=x onerror=alert(1)>" onload="x'
PAGE = Page("A title", ["a release"])


def specified(name: str, figure: Figure, release: Release, page: Page = PAGE, **values: str) -> dict[str, Any] | None:
    required = {p.name: p.example for p in find(name).parameters if p.required}
    return picture(figure, rows(ask(name, release, **required | values)), release, page)


def of(name: str, kind: str) -> Figure:
    return next(figure for figure in find(name).pictures if figure.kind == kind)


def shapes(svg: str, role: str) -> list[ET.Element]:
    """The marks of a kind, which say of themselves what they are."""
    return [node for node in ET.fromstring(svg).iter() if node.get("aria-roledescription") == role]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("bars: {category: name}", "bars without number"),
        ("bars: {category: name, number: size}", "number of bars: size is not among the result's columns"),
        ("bars: {category: name, number: n, hue: name}", "'hue' of bars, which has category, number, colour, against"),
        ("pie: {category: name, number: n}", "the picture 'pie'; there are bars"),
        ("timeline: name", "the columns of timeline: start, lane"),
        ("map: {place: [name], number: n}", "is not among the result's columns"),
        ("bars: {category: name, number: []}", "nothing is not among"),
        ("[bars]", "pictures by kind"),
    ],
)
def test_a_header_that_misspells_a_picture(said: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.rq"
    path.write_text(
        f"#+ title: T\n#+ question: Q\n#+ result: [name, n]\n#+ pictures:\n#+   {said}\nSELECT ?name ?n {{}}\n"
    )
    with pytest.raises(QueryError, match=re.escape(message)):
        read(path)


@pytest.mark.parametrize(("name", "figure"), PICTURES)
def test_every_picture_has_something_to_show_and_the_same_each_time(name: str, figure: Figure, real: Release) -> None:
    if find(name).registers:
        return
    spec = specified(name, figure, real)
    assert spec is not None
    assert spec == specified(name, figure, real)
    assert spec["description"].startswith("A title. ")


@pytest.mark.parametrize(("name", "figure"), PICTURES)
def test_every_picture_is_drawn_and_stands_alone(name: str, figure: Figure, small: Release) -> None:
    spec = specified(name, figure, small, Page("奕凯达", small=True))
    if spec is None:
        return
    svg = vega.svg(written(spec))
    assert {node.tag.rpartition("}")[2] for node in ET.fromstring(svg).iter()} <= {
        "svg", "style", "g", "path", "line", "rect", "text", "circle", "defs", "clipPath", "linearGradient", "stop",
    }  # fmt: skip
    assert not re.search(r"(href|src|url)\s*[=(]\s*[\"']?(https?:|//)", svg.replace("url(#", ""))
    assert svg.count("style=") == 0, "the policy of the file allows its one style element"
    assert "奕凯达" in svg


@pytest.mark.parametrize("kind", FORMS)
def test_drawing_twice_gives_the_same_bytes(kind: str, small: Release) -> None:
    name, figure = next(
        (question.name, figure)
        for question in library().values()
        for figure in question.pictures
        if figure.kind == kind and specified(question.name, figure, small)
    )
    spec = written(specified(name, figure, small) or {})
    assert vega.svg(spec) == vega.svg(spec)
    again = subprocess.run(
        [sys.executable, "-I", vega.__file__, "svg"], input=spec.encode(), capture_output=True, check=True
    )
    assert again.stdout.decode() == vega.svg(spec)


def test_bars_are_the_rows(small: Release) -> None:
    found = rows(ask("approvals-by-agency", small))
    svg = vega.svg(written(specified("approvals-by-agency", of("approvals-by-agency", "bars"), small) or {}))
    said = [bar.get("aria-label", "") for bar in shapes(svg, "bar")]
    assert len(said) == len(found)
    assert any(f"category: {found[0]['agency']}" in text and f": {found[0]['approvals']}" in text for text in said)


def test_a_timeline_has_a_dot_for_each_row_and_none_covers_another(real: Release) -> None:
    spec = specified("approvals", of("approvals", "timeline"), real, therapy_class="CAR-T")
    assert spec is not None
    items = spec["data"]["values"]
    assert len(items) == len(rows(ask("approvals", real, therapy_class="CAR-T")))
    taken: dict[str, list[int]] = {}
    for item in items:
        taken.setdefault(item["row"], []).append(item["at"])
    low, high = spec["layer"][1]["encoding"]["x"]["scale"]["domain"]
    for days in taken.values():
        places = [(day - low) / (high - low) * spec["width"] for day in sorted(days)]
        assert all(later - earlier >= 8.9 for earlier, later in pairwise(places))


@pytest.mark.parametrize("small_page", [True, False])
@pytest.mark.parametrize("days", [["2019-02-18"], ["2015-09-18", "2023-12-31"], ["1987-01-01", "2026-11-01"]])
def test_years_stand_apart_below_a_timeline(days: list[str], small_page: bool, small: Release) -> None:
    history = [{"date": day, "agency": "An agency of a long name", "kind": "k", "about": "x"} for day in days]
    svg = vega.svg(written(picture(of(THING, "timeline"), history, small, Page("T", small=small_page)) or {}))
    labels = re.findall(r'translate\(([\d.]+),[-\d.]+\)"[^>]*>(\d{4})<', svg)
    places = [float(place) for place, _ in labels]
    assert len(places) > 1, svg
    # Four digits are 27 pixels wide.
    assert all(later - earlier > 32 for earlier, later in pairwise(places)), labels


def test_a_map_shows_the_union_over_its_members_and_small_states_as_dots(real: Release) -> None:
    spec = specified("approvals-by-agency", of("approvals-by-agency", "map"), real)
    assert spec is not None
    shown = {row["id"]: row["number"] for row in spec["layer"][1]["transform"][0]["from"]["data"]["values"]}
    totals = {row["agency"]: row["approvals"] for row in rows(ask("approvals-by-agency", real))}
    assert shown["FR"] == shown["MT"] == totals["EMA"]
    assert shown["ES"] == totals["EMA"] + totals["AEMPS"]
    assert shown["US"] == totals["FDA"]
    known = {shape.get("id"): shape["type"] for shape in spec["data"]["values"]["objects"]["countries"]["geometries"]}
    assert set(shown) <= set(known)
    assert known["SG"] == "Point"
    assert "AD" not in known, "a state without a number needs no dot"


def test_periods_as_sources_write_them() -> None:
    assert [when(text) for text in ("2017/2025-Q2", "2024-H2", "2024-07-01", "2024-07", None)] == [
        2025.25, 2024.5, 2024.5, 2024.5, None,
    ]  # fmt: skip


def test_what_is_left_out_is_said(small: Release) -> None:
    many = [{"agency": f"agency {number}", "approvals": number} for number in range(1, 80)]
    spec = picture(of("approvals-by-agency", "bars"), many, small, PAGE)
    assert spec is not None
    assert "The 30 largest of 79" in spec["title"]["subtitle"]
    wide = [{"date": "2020-01-01", "agency": f"a {n}", "kind": "k", "about": "x", "d": n} for n in range(50)]
    spec = picture(of(THING, "timeline"), wide, small, PAGE)
    assert spec is not None
    assert "The first 40 of 50 lanes" in spec["title"]["subtitle"]


@pytest.mark.parametrize("kind", FORMS)
def test_hostile_names_are_text(kind: str, small: Release) -> None:
    numbers = {"number", "cell", "against"}
    said = {"start": "2020-01-01", "end": "2021-01-01", "period": "2020", "place": "United States"}
    roles = (*FORMS[kind].needs, *FORMS[kind].may)
    row = {role: 3 if role in numbers else said.get(role, HOSTILE) for role in roles}
    figure = Figure(kind, {role: (role,) for role in roles})
    other = {role: value if role in numbers or role in said else "b" for role, value in row.items()}
    svg = vega.svg(written(picture(figure, [row, other], small, Page(HOSTILE, [HOSTILE])) or {}))
    tags = {node.tag.rpartition("}")[2] for node in ET.fromstring(svg).iter()}
    assert not {"script", "img"} & tags
    assert "&lt;script&gt;" in svg


@pytest.mark.parametrize(
    "thing", ["product:kymriah", "agency:us-fda", "organisation:novartis", "class:car-t", "gene:cd19"]
)
def test_the_timeline_of_a_thing_has_the_milestones_of_its_page(thing: str, real: Release) -> None:
    found = {row["milestone"] for row in rows(ask(THING, real, thing=thing))}
    assert found == {compact(iri) for iri in View(Opened(real), expand(thing)).milestone_iris}
    assert len(found) > 10


def test_several_things_have_lanes_of_their_own(real: Release) -> None:
    one, two = (milestones_of(things, real, []) for things in (["Kymriah"], ["Kymriah", "product:yescarta"]))
    assert one is not None
    assert two is not None
    assert two["title"]["text"] == "Milestones of Kymriah, Yescarta"
    assert {"FDA · Kymriah", "FDA · Yescarta"} <= {item["lane"] for item in two["data"]["values"]}
    assert {"FDA", "EMA"} <= {item["lane"] for item in one["data"]["values"]}


def opened_png(content: bytes) -> tuple[int, int]:
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", content[16:24])


@pytest.fixture(scope="module")
def site(small: Release) -> TestClient:
    return TestClient(Starlette(routes=list(routes(Opened(small)))), follow_redirects=False)


def test_addresses_of_pictures(site: TestClient) -> None:
    base = "/questions/approvals-by-agency/bars"
    svg = site.get(f"{base}.svg?therapy_class=class:car-t")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert svg.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "CAR-T" in svg.text
    assert len(site.get(f"{base}.small.svg").text) != len(svg.text)
    assert opened_png(site.get(f"{base}.png").content)[0] > 500
    spec = site.get(f"{base}.vl.json").json()
    assert spec["$schema"].endswith("v5.json")
    assert site.get("/page/product/kymriah/timeline.svg").status_code == 200


@pytest.mark.parametrize(
    ("path", "code", "text"),
    [
        ("/questions/nope/bars.svg", 404, "nope"),
        ("/questions/approvals-by-agency/pie.svg", 404, ""),
        ("/questions/approvals-by-agency/bars.exe", 404, ""),
        ("/questions/approvals-by-agency/bars", 404, ""),
        ("/page/product/nope/timeline.svg", 404, ""),
        ("/page/nope/x/timeline.svg", 404, ""),
        ("/page/product/kymriah/timeline.exe", 404, ""),
        ("/questions/approvals-by-agency/bars.svg?as_of=x", 400, "as_of must be a date"),
        ("/questions/approvals-by-agency/bars.svg?as_of=1900-01-01", 400, "nothing to draw"),
        ("/questions/history/timeline.svg", 400, "needs product"),
    ],
)
def test_addresses_that_have_no_picture(site: TestClient, path: str, code: int, text: str) -> None:
    answer = site.get(path)
    assert answer.status_code == code
    assert text in answer.text


def test_when_too_many_are_drawn_the_next_is_told_to_wait(site: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "_PATIENCE", 0.01)
    with drawn._AT_ONCE, drawn._AT_ONCE:
        answer = site.get("/questions/approvals-by-class/bars.png")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_pages_have_their_pictures(site: TestClient) -> None:
    page = site.get("/questions/approvals-by-agency?therapy_class=class:car-t").text
    assert 'src="/questions/approvals-by-agency/bars.svg?therapy_class=class%3Acar-t"' in page
    assert 'alt="Approvals by agency. Bars: approvals by agency: ' in page
    assert page.index("map.svg") < page.index("<table")
    assert "timeline.svg" in site.get("/page/product/kymriah").text
    assert "timeline.svg" not in site.get("/page/jurisdiction/us").text
    assert "<picture" not in site.get("/questions/approvals-by-agency?as_of=1900-01-01").text


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_is_light_or_dark_as_its_page_and_fits_a_phone(browser, served: Running, scheme: str) -> None:
    corner = """async image => {
        await image.decode();
        const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
        pen.drawImage(image, 0, 0);
        return [image.naturalWidth, ...pen.getImageData(2, 2, 1, 1).data.slice(0, 3)];
    }"""
    for path in ("/questions/approvals-by-agency", "/page/product/kymriah"):
        with watched(browser, served.url, color_scheme=scheme, viewport={"width": 360, "height": 800}) as page:
            page.goto(f"{served.url}{path}")
            image = page.locator("details.picture[open] img").first
            image.scroll_into_view_if_needed()
            assert image.get_attribute("alt")
            wide, *colour = image.evaluate(corner)
            assert wide <= 360
            assert (sum(colour) > 700) == (scheme == "light"), colour
            assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("chart approvals-by-year --agency FDA", "a.svg"),
        ("chart approvals-by-agency --as map", "b.png"),
        ("chart milestones --kind cgt:Approval --since 2017-01-01", "f.svg"),
        ("timeline Kymriah 奕凯达", "c.json"),
        ("matrix --therapy-class CAR-T", "new/d.svg"),
        ("network agency-product-class", "e.png"),
    ],
)
def test_the_verbs_that_draw(words: str, name: str, small: Release, tmp_path: Path, capsys) -> None:
    out = tmp_path / name
    cli.main([*words.split(), "--build", str(small.path), "--out", str(out)], standalone_mode=False)
    assert capsys.readouterr().out == f"{out}\n"
    assert out.stat().st_size > 1000
    assert [path.name for path in out.parent.iterdir()] == [out.name], "nothing beside the file"
    if out.suffix == ".png":
        assert min(opened_png(out.read_bytes())) > 200


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("chart agencies --out x.svg", "has no picture"),
        ("chart approvals-by-agency --as points --out x.svg", "is drawn as bars or map, not as points"),
        ("chart approvals-by-year --out x.gif", "written as .svg, .png, .json"),
        ("timeline Kymriha --out x.svg", "did you mean Kymriah"),
        ("timeline jurisdiction:us --out x.svg", "nothing to draw"),
        ("chart approvals-by-year --out /dev/null/x.svg", "cannot be written"),
        ("network agency-product-class --out x.gif", "x.gif: ends in .gif; a network is written as"),
    ],
)
def test_what_cannot_be_drawn(words: str, message: str, small: Release) -> None:
    with pytest.raises((KgError, UsageError), match=re.escape(message)):
        cli.main([*words.split(), "--build", str(small.path)], standalone_mode=False)
