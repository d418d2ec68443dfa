"""What an analyst comes back for: tables that sort and filter, pages that say what a thing is, files to take along."""

import html
import io
import re
from collections import Counter
from datetime import date
from xml.etree import ElementTree
from zipfile import ZipFile

import pyoxigraph as ox
import pytest
from python_calamine import CalamineWorkbook
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kg.errors import NotInGraphError
from kg.lookup import Index
from kg.namespaces import expand
from kg.query import library, names, resolve
from kg.store import Release
from kg.web.opened import Opened
from kg.web.site import routes
from tests.serving import Running
from tests.support import needs_chromium, watched
from tests.test_site import HOSTILE, client

ATOM = "{http://www.w3.org/2005/Atom}"
KINDS = {
    "product/kymriah", "therapy/tisagenlecleucel", "agency/us-fda", "class/car-t", "gene/cd19", "organisation/novartis",
    "milestone/us-fda-kymriah-2017", "jurisdiction/us",
}  # fmt: skip


@pytest.fixture(scope="module")
def full(real: Release) -> TestClient:
    return client(real)


@pytest.fixture(scope="module")
def hostile(small: Release) -> TestClient:
    """The small release in which everything is called by markup that wants to be run, or by a formula."""
    store, names = ox.Store(), {ox.NamedNode(expand(name)) for name in ("rdfs:label", "skos:altLabel", "skos:note")}
    for quad in small.store:
        value = quad.object
        if quad.predicate in names and isinstance(value, ox.Literal) and "/id/" in str(quad.subject):
            value = ox.Literal(f"=1+{value.value}{HOSTILE}", language=value.language or "en")
        store.add(ox.Quad(quad.subject, quad.predicate, value, quad.graph_name))
    return client(Release(small.path, small.manifest, store))


def text_of(markup: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", markup))


@pytest.mark.parametrize(
    ("thing", "sentence"),
    [
        ("product/kymriah", r"CAR-T cell therapy against CD19, of Novartis; first approved by FDA on 30 August 2017; "),
        ("product/carteyva", "first approved by NMPA in September 2021"),
        ("product/glybera", r"first approved by EMA on 25 October 2012; expired since 28 October 2017"),
        ("therapy/tisagenlecleucel", "CAR-T cell therapy against CD19, first developed by University of Pennsylvania"),
        ("agency/us-fda", r"Regulator of the United States; has approved \d+ products since 22 August 1997"),
        ("class/car-t", r"Class of gene-modified immune cell therapy; \d+ products approved by \d+ agencies, the "),
        ("gene/cd19", r"Gene; target of \d+ therapies; \d+ products approved"),
        ("organisation/novartis", r"Organisation in Switzerland; holder of \d+ products"),
        ("milestone/us-fda-kymriah-2017", "Approval of Kymriah by FDA on 30 August 2017"),
    ],
)  # fmt: skip
def test_what_a_thing_is_in_one_sentence(full: TestClient, thing: str, sentence: str) -> None:
    page = full.get(f"/page/{thing}").text
    lead = re.search(r'<p class="lead">(.*?)</p>', page, re.DOTALL)
    assert lead
    assert re.search(sentence, text_of(lead[1])), text_of(lead[1])
    about = re.search(r'<meta name="description" content="([^"]*)">', page)
    assert about
    assert re.search(sentence, about[1])


def test_how_a_product_stands_with_each_agency(full: TestClient) -> None:
    page = full.get("/page/product/kymriah").text
    rows = [text_of(row) for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", page)]
    assert rows[0].startswith("FDA2017-08-30first")
    assert rows[1].startswith("EMA2018-08-23358")
    ended = full.get("/page/product/glybera").text
    assert '<span class="warn">expired since 2017-10-28</span>' in ended
    only_the_year = full.get("/page/product/creavax-rcc").text
    assert '<span class="warn">withdrawn since 2021</span>' in only_the_year
    assert "withdrawn since 2021." in text_of(only_the_year)


def test_an_approval_that_was_converted_says_so(full: TestClient) -> None:
    page = full.get("/page/product/carvykti").text
    assert "<td>conditional, full since 2024-04-19</td>" in page
    assert "proposal not entered: about" in page, "what was not entered is not what an agency rejected"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("_is_statuss=authorised", "no column 'statuss' to sort or filter by; did you mean status?"),
        ("_sort=-nonsense", "no column 'nonsense' to sort or filter by; it has milestone"),
        ("agency=FDA&agency=EMA", "agency is given twice"),
    ],
)
def test_a_table_that_cannot_be_is_refused(full: TestClient, asked: str, said: str) -> None:
    for suffix in ("", ".csv", ".xlsx"):
        answer = full.get(f"/questions/approvals{suffix}?{asked}")
        assert answer.status_code == 400
        assert said in html.unescape(answer.text)
    assert full.get("/questions/approvals.csv?agency=FDA&agency=").status_code == 200


def test_names_say_their_language(full: TestClient) -> None:
    assert '<dt>Japanese</dt><dd><span lang="ja">キムリア</span>' in full.get("/page/product/kymriah").text
    assert '<h1>Yikaida <span class="zh" lang="zh">奕凯达</span></h1>' in full.get("/page/product/yikaida").text
    found = full.get("/questions/approvals", params={"agency": "NMPA"}).text
    assert '<a href="/page/product/yikaida">Yikaida</a> <span class="zh" lang="zh">奕凯达</span>' in found


def test_a_fact_has_its_sources_beside_it(full: TestClient) -> None:
    page = full.get("/page/therapy/tisagenlecleucel").text
    fact = re.search(r"<dt>originator</dt><dd>(.*?)</dd>", page, re.DOTALL)
    assert fact
    assert '<details class="said">' in fact[1]
    assert "<q>" in fact[1]


@pytest.mark.parametrize("thing", sorted(KINDS))
def test_the_tables_of_a_thing_are_those_of_its_questions(full: TestClient, thing: str) -> None:
    page = full.get(f"/page/{thing}").text
    for at in re.findall(r'data-at="([^"]+)"', page):
        name = at.partition("?")[0].rpartition("/")[2]
        assert name in library()
        assert full.get(at.replace("&amp;", "&")).status_code == 200
    for href in re.findall(r'href="(/questions/[^"]+)"', page)[::7]:
        assert full.get(href.replace("&amp;", "&")).status_code == 200, href


def rows_of(page: str) -> list[str]:
    return [text_of(row) for row in re.findall(r"<tr><td.*?</tr>", page, re.DOTALL)]


def test_a_table_filters_by_the_values_of_a_column(full: TestClient) -> None:
    page = full.get("/questions/approvals", params={"_is_agency": "NMPA", "_is_status": "authorised"}).text
    assert '<option value="NMPA" selected>' in page
    found = rows_of(page)
    assert found
    assert all("NMPA" in row for row in found)
    csv = full.get("/questions/approvals.csv", params={"_is_agency": "NMPA", "_is_status": "authorised"}).text
    assert csv.count("\n") == len(found) + 1
    assert f"{len(found)} of" in page
    lists = rows_of(full.get("/questions/approvals", params={"_is_target": "CD19", "_find": "FDA"}).text)
    assert lists
    assert all("CD19" in row for row in lists), "an item of a list is enough"
    assert rows_of(full.get("/questions/approvals", params={"_find": "奕凯达"}).text), "Chinese names are found"
    assert "No rows with this" in full.get("/questions/approvals?_is_agency=nobody").text


def test_hits_of_the_same_name_are_told_apart(real: Release, full: TestClient) -> None:
    labels = Counter(label for _, label in {(iri, label) for iri, _, label in names(real)})
    twins = [label for label, count in labels.items() if count > 1]
    assert len(twins) > 10
    told = 0
    for label in twins:
        hits = full.get("/search", params={"q": label}).json()["hits"]
        texts = [(hit["label"], hit["kind"], hit["apart"]) for hit in hits]
        assert len(set(texts)) == len(texts), texts
        told += sum(bool(hit["apart"]) for hit in hits)
    assert told > 10
    browser = {"Accept": "text/html"}
    page = full.get("/search", params={"q": "Casgevy HTA CDA-AMC"}, headers=browser).text
    assert "2025-01-06, Transfusion-dependent beta thalassaemia" in page
    slip = full.get("/search", params={"q": "Casgevi HTA CDA-AMC"}, headers=browser).text
    meant = slip.partition("Did you mean")[2].partition("</p>")[0]
    assert meant
    assert "Second entry" not in meant


def test_a_table_says_what_a_thing_is_called_once(full: TestClient) -> None:
    page = full.get("/page/product/kymriah").text
    trials = page[page.index('id="t-trials-of-product"') :]
    trials = trials[: trials.index("</table>")]
    assert re.findall(r'data-column="(\w+)"', trials)[0] == "trial"
    assert '<a href="/page/trial/NCT02445248">NCT02445248</a>' in trials
    assert trials.count("Study of Efficacy and Safety of CTL019 in Adult DLBCL Patients") == 1
    listing = full.get("/questions/therapies").text
    assert 'data-column="therapy"' in listing
    assert 'data-column="label"' not in listing
    assert "label" in full.get("/questions/therapies.csv").text.partition("\n")[0]


def test_a_table_sorts_by_what_is_seen_and_pages(full: TestClient) -> None:
    page = full.get("/questions/approvals?_sort=brand_name").text
    names = [html.unescape(name).casefold() for name in re.findall(r'<tr><td[^>]*><a href="[^"]+">([^<]+)<', page)]
    assert names == sorted(names)
    assert len(names) > 200
    first, second = (full.get(f"/questions/milestones?_page={n}&_sort=-date").text for n in (1, 2))
    assert "page 2 of" in second
    assert "data-whole" not in first, "what a script cannot see, it does not sort"
    assert not set(rows_of(first)) & set(rows_of(second))
    assert 'rel="prev"' in second


def workbook(site: TestClient, address: str) -> CalamineWorkbook:
    answer = site.get(address)
    assert answer.headers["content-type"].startswith("application/vnd.openxmlformats")
    return CalamineWorkbook.from_filelike(io.BytesIO(answer.content))


def test_a_workbook_has_typed_cells_and_says_what_it_is(full: TestClient, real: Release) -> None:
    address = "/questions/approvals.xlsx?agency=FDA&_sort=date&_is_status=authorised"
    book = workbook(full, address)
    head, *rows = book.get_sheet_by_name("approvals").to_python()
    assert head == list(library()["approvals"].result)
    csv = full.get(address.replace("xlsx", "csv")).text
    assert len(rows) == len(csv.splitlines()) - 1
    assert rows[0][head.index("date")] == date(2010, 4, 29)
    about = {row[0]: row[1] for row in book.get_sheet_by_name("About").to_python()}
    assert about["agency"] == "FDA"
    assert about["release"] == real.manifest["name"]
    assert about["only where status is"] == "authorised"
    assert "creativecommons.org/publicdomain/zero" in about["licence of the facts"]
    counts = workbook(full, "/questions/approvals-by-year.xlsx").get_sheet_by_index(0).to_python()
    assert isinstance(counts[1][-1], float | int)
    assert full.get(address).content == client(real).get(address).content, "the same bytes"


def test_no_text_becomes_a_formula(hostile: TestClient) -> None:
    content = io.BytesIO(hostile.get("/questions/approvals.xlsx").content)
    cells = [cell for row in CalamineWorkbook.from_filelike(content).get_sheet_by_index(0).to_python() for cell in row]
    assert any(str(cell).startswith("=1+") for cell in cells)
    with ZipFile(content) as parts:
        assert all(b"<f>" not in parts.read(name) for name in parts.namelist())


@pytest.mark.parametrize(
    "path",
    ["/", "/search?q=hacked", "/search?q=hacked&kind=product", "/questions/approvals", "/questions/genes",
     "/questions/approvals?_find=kymriah&_is_agency=x&_sort=-agency", "/feed.xml", "/page/product/kymriah/network.svg",
     *(f"/page/{thing}" for thing in sorted(KINDS))],
)  # fmt: skip
def test_markup_in_every_name_stays_text(hostile: TestClient, path: str) -> None:
    answer = hostile.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "<script>document" not in answer.text
    assert "<img src=x" not in answer.text
    assert '" onload="x' not in answer.text
    assert "hacked" in answer.text, "the names are there, as text"


def test_a_thing_is_cited(full: TestClient, hostile: TestClient, real: Release) -> None:
    tex = full.get("/page/product/kymriah/cite.bib")
    assert tex.text.startswith("@misc{product-kymriah-")
    assert f"Release {real.manifest['name']}" in tex.text
    ris = full.get("/page/product/kymriah/cite.ris").text.splitlines()
    assert (ris[0], ris[-1].strip()) == ("TY  - DATA", "ER  -")
    (csl,) = full.get("/page/product/kymriah/cite.json").json()
    assert (csl["title"], csl["URL"]) == ("Kymriah", expand("product:kymriah"))
    assert full.get("/page/product/kymriah/cite.exe").status_code == 404
    assert full.get("/page/product/nope/cite.bib").status_code == 404
    odd = hostile.get("/page/product/kymriah/cite.bib").text
    assert odd.count("{") == odd.count("}")


def test_where_corrections_go(small: Release) -> None:
    site = TestClient(Starlette(routes=list(routes(Opened(small, "https://example.org/new?title={id}")))))
    page = site.get("/page/product/kymriah").text
    assert 'href="https://example.org/new?title=product%3Akymriah"' in page
    assert "kg/curated/products.csv" in page


def test_a_feed_leads_to_pages(full: TestClient) -> None:
    assert '<link rel="alternate" type="application/atom+xml"' in full.get("/").text
    answer = full.get("/feed.xml")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    entries = ElementTree.fromstring(answer.content).findall(f"{ATOM}entry")
    dates = [entry.findtext(f"{ATOM}updated") for entry in entries]
    assert len(dates) > 10
    assert dates == sorted(dates, reverse=True)
    link = entries[0].find(f"{ATOM}link")
    assert link is not None
    assert full.get(link.attrib["href"]).status_code == 200


def test_the_picture_of_a_thing_and_its_neighbours(full: TestClient) -> None:
    answer = full.get("/page/product/kymriah/network.svg")
    tree = ElementTree.fromstring(answer.content)
    names = [element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Kymriah", "Novartis", "tisagenlecleucel"} <= set(names)
    assert len(names) <= 21 + 8
    assert "http" not in answer.text.replace("http://www.w3.org/2000/svg", "")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert full.get("/page/product/nope/network.svg").status_code == 404


def test_search_by_kind_and_with_a_slip(full: TestClient) -> None:
    browser = {"Accept": "text/html"}
    page = full.get("/search", params={"q": "kimriah"}, headers=browser).text
    assert re.search(r'Did you mean <a href="/page/product/kymriah">Kymriah</a>', page)
    assert "Did you mean" not in full.get("/search", params={"q": "Kymriah"}, headers=browser).text
    only = full.get("/search", params={"q": "novartis", "kind": "organisation"}, headers=browser).text
    assert set(re.findall(r'<li><a href="/page/([^/]+)/', only)) == {"organisation"}
    hit = full.get("/search", params={"q": "奕凯达"}).json()["hits"][0]
    assert (hit["id"], hit["language"], hit["chinese"]) == ("product:yikaida", "zh", "奕凯达")


def test_names_that_have_every_word_come_first_in_any_order(real: Release) -> None:
    index = Index(real)
    for text in ("Yescarta HTA G-BA 2023", "2023 g-ba yescarta"):
        hits = index.search(text)
        full = [hit for hit in hits if {"yescarta", "ba", "2023"} <= set(re.findall(r"\w+", hit.matched.lower()))]
        assert full
        assert hits[: len(full)] == full
        assert hits[len(full)].score < min(hit.score for hit in full)
    for text, first in (
        ("novartis ag", "organisation:novartis"),  # no longer word that begins so: "agreement"
        ("CAR-T cell therapy", "class:car-t"),
        ("spinal musclar atrophy", "indication:spinal-muscular-atrophy"),
        ("奕凯达", "product:yikaida"),
    ):
        assert index.search(text)[0].id == first


def test_a_withdrawn_id_is_gone_everywhere(full: TestClient, real: Release) -> None:
    for path in ("/id/product/durveqtix", "/page/product/durveqtix"):
        answer = full.get(path)
        assert answer.status_code == 410
        assert '<a href="/page/product/beqvez">Beqvez</a>' in answer.text
    with pytest.raises(NotInGraphError, match="was withdrawn; it is replaced by product:beqvez"):
        resolve("product:durveqtix", real)
    with pytest.raises(NotInGraphError, match="was withdrawn; nothing replaces it"):
        resolve("claim:us-breakthrough-corresponds-to-1", real)


@needs_chromium
class TestInABrowser:
    """Tables in Chromium; every test ends without a message on the console or a request elsewhere."""

    def test_a_table_filters_and_sorts_in_place(self, page) -> None:
        page.goto("/questions/approvals")
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.select_option("select[name=_is_agency]", "NMPA")
        shown = page.locator(".table tbody tr")
        assert 5 < shown.count() < 60
        page.fill(".table input[type=search]", "奕凯达")
        assert shown.count() == 1
        assert "_is_agency=NMPA" in page.url
        assert page.text_content(".table .count") == "1 of 239"
        page.fill(".table input[type=search]", "")
        page.locator("th[data-column=date] a").focus()
        page.keyboard.press("Enter")
        assert page.get_attribute("th[data-column=date]", "aria-sort") == "ascending"
        page.keyboard.press("Enter")
        assert page.get_attribute("th[data-column=date]", "aria-sort") == "descending"
        assert "_sort=-date" in page.get_attribute(".files a >> nth=1", "href")
        assert [url for url in asked if "/questions/approvals" in url and ".svg" not in url] == []
        seen = shown.all_text_contents()
        page.goto(page.url)
        assert shown.all_text_contents() == seen, "the address says what was seen"

    def test_a_table_on_a_thing_keeps_the_address(self, page) -> None:
        page.goto("/page/agency/us-fda")
        page.click("#t-refusals th[data-column=product] a")
        assert page.url.endswith("/page/agency/us-fda")
        names = page.locator("#t-refusals tbody tr td:nth-child(2)").all_text_contents()
        assert names == sorted(names, key=str.lower)

    def test_a_table_without_scripts(self, browser, served: Running) -> None:
        with watched(browser, served.url, base_url=served.url, java_script_enabled=False) as page:
            page.goto("/page/agency/us-fda")
            page.select_option("#t-approvals select[name=_is_status]", "authorised")
            page.click("#t-approvals button")
            assert "/questions/approvals" in page.url
            assert "_is_status=authorised" in page.url
            assert page.locator(".table tbody tr").count() > 10
            page.click("th[data-column=product] a")
            assert page.get_attribute("th[data-column=product]", "aria-sort") == "ascending"

    def test_on_a_phone_pages_of_things_fit(self, browser, served: Running) -> None:
        small = {"width": 360, "height": 740}
        with watched(browser, served.url, base_url=served.url, viewport=small, color_scheme="dark") as page:
            for path in ("/", "/search?q=kimriah", "/page/agency/us-fda", "/page/class/car-t", "/page/product/yikaida"):
                page.goto(path)
                assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
