"""The SPARQL page: read without scripts, and in a browser with its editor, its completion and its three views."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from kg.namespaces import PREFIXES
from kg.query import library
from kg.web.files import built
from tests.serving import Running
from tests.support import ROOT, needs_chromium, watched

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SCRIPT = {"Accept": "application/sparql-results+json, application/n-triples, application/problem+json"}
APPROVALS = """SELECT ?product ?agency ?date WHERE {
  ?act a cgt:Approval ; cgt:about ?product ; cgt:agency ?agency ; cgt:date ?date
} ORDER BY ?date ?product ?agency LIMIT 120"""
AXE = ROOT / "kg" / "web" / "front" / "node_modules" / "axe-core" / "axe.min.js"
needs_script = pytest.mark.skipif("editor" not in built(), reason="the pages' scripts are not built (make front)")


@pytest.fixture(scope="module")
def client(served: Running) -> Iterator[httpx.Client]:
    with served.client() as client:
        yield client


def test_the_page_reads_without_scripts(client: httpx.Client) -> None:
    page = client.get("/sparql", params={"query": APPROVALS}, headers=BROWSER)
    assert '<a href="/page/agency/us-fda">FDA</a> <small>agency:us-fda</small>' in page.text
    assert "120 rows." in page.text
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|style=|\son[a-z]+=|<script(?![^>]*(src=|json))", page.text)
    empty = client.get("/sparql", headers=BROWSER).text
    for name, question in library().items():
        assert f'<a href="/questions/{name}" data-query="/questions/{name}.rq?' in empty, question.title


def test_every_example_opens(client: httpx.Client) -> None:
    page = client.get("/sparql", headers=BROWSER).text
    found = [address.replace("&amp;", "&") for address in re.findall(r'data-query="([^"]+)"', page)]
    assert len(found) > len(library())
    # The last of a question has all the values, the one before only those it needs.
    for address in {address.partition("?")[0]: address for address in found}.values():
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.text)


def test_a_mistake_has_its_place_for_programs_and_people(client: httpx.Client) -> None:
    query = 'SELECT ?x {\n  ?x rdfs:label "𝒳药"@ }'
    told = client.get("/sparql", params={"query": query}, headers=SCRIPT)
    assert told.headers["content-type"] == "application/problem+json"
    assert (told.status_code, told.json()["status"]) == (400, 400)
    assert (told.json()["line"], told.json()["column"]) == (2, len(query.splitlines()[1]) + 1)
    page = client.get("/sparql", params={"query": query}, headers=BROWSER)
    assert page.status_code == 400
    assert f"line 2, column {told.json()['column']}" in page.text
    unknown = client.get(
        "/sparql", params={"query": "# nope:a\nASK { _:b cgt:x 'nope:b' ; nope:c ?o }"}, headers=SCRIPT
    )
    assert "prefix nope: is neither declared" in unknown.json()["detail"]
    assert (unknown.json()["line"], unknown.json()["column"]) == (2, 28)
    plain = client.get("/sparql", params={"query": query}, headers={"Accept": "*/*"})
    assert plain.headers["content-type"].startswith("text/plain")
    update = client.post("/sparql", data={"update": "CLEAR ALL"}, headers=SCRIPT).json()
    assert update.keys() == {"status", "detail"}


def test_the_names_that_are_completed(client: httpx.Client) -> None:
    answer = client.get("/sparql/terms.json")
    found = answer.json()
    assert found["prefixes"] == PREFIXES
    terms = {(term["id"], term["kind"]): term for term in found["terms"]}
    approval = terms["cgt:Approval", "class"]
    assert approval["label"] == "approval"
    assert "批准上市" in approval["names"]
    assert approval["definition"].endswith(".")
    assert approval["uses"] > 200
    assert terms["cgt:about", "property"]["uses"] > terms["rdfs:subPropertyOf", "property"]["uses"]
    assert len(terms) == len(found["terms"])
    again = client.get("/sparql/terms.json", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def content(page: Any) -> str:
    return page.input_value("#query")


def write(page: Any, text: str) -> None:
    """Type a query as it is: brackets that the editor closes are typed over."""
    page.click("#editor")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(text)


def accept(page: Any, text: str, key: str) -> None:
    page.wait_for_selector(f".cm-tooltip-autocomplete li[aria-selected]:has-text('{text}')")
    # A list that has only just come up takes no key, lest it take one that was meant for the text.
    page.wait_for_timeout(150)
    page.keyboard.press(key)


def ran(page: Any) -> None:
    page.wait_for_selector("#state:has-text(' s · release ')")


@needs_chromium
@needs_script
class TestInABrowser:
    """Each test ends without a message on the console or a request elsewhere."""

    def test_a_query_is_written_completed_and_run_by_keyboard_only(self, page) -> None:
        page.goto("/sparql")
        page.evaluate("document.getElementById('content').focus()")
        page.keyboard.press("Tab")
        page.keyboard.type("SELECT ?name { ?p a prod")
        accept(page, "cgt:Product", "Enter")
        page.keyboard.type(" ; cgt:therapy ?t ; rdfs:label ?nam")
        accept(page, "?name", "Tab")
        page.keyboard.press("Control+Enter")
        ran(page)
        assert content(page) == "SELECT ?name { ?p a cgt:Product ; cgt:therapy ?t ; rdfs:label ?name}"
        assert page.locator("tbody tr").count() == 100
        page.keyboard.press("Control+z")
        assert content(page) != "SELECT ?name { ?p a cgt:Product ; cgt:therapy ?t ; rdfs:label ?name}"
        page.keyboard.press("Escape")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "run"

    def test_a_thing_is_found_by_any_of_its_names(self, page) -> None:
        page.goto("/sparql")
        for typed in ("SELECT * { ?act cgt:about kymri", "SELECT * { ?act cgt:about キムリ"):
            write(page, typed[:-1])
            page.keyboard.insert_text(typed[-1])
            accept(page, "Kymriah", "Enter")
            assert content(page) == "SELECT * { ?act cgt:about product:kymriah"

    def test_prefixes_are_written_out(self, page) -> None:
        page.goto("/sparql")
        write(page, "# mine\nPREFIX cgt: <x:>\nASK { product:kymriah a cgt:P ; rdfs:label 'skos:no' } # prov:no")
        page.click("#declare")
        assert page.text_content("#state") == "Declared: product, rdfs."
        lines = content(page).splitlines()
        assert lines[0] == "# mine"
        assert lines[1] == f"PREFIX product: <{PREFIXES['product']}>"
        page.click("#declare")
        assert page.text_content("#state") == "Every prefix that is used is declared."

    def test_the_link_shows_the_same_again(self, page) -> None:
        page.goto("/sparql")
        write(page, APPROVALS)
        page.click("#run")
        ran(page)
        # Names come a moment after the rows.
        page.wait_for_selector("tbody small")
        rows = page.inner_text("tbody")
        page.goto(page.url)
        ran(page)
        page.wait_for_selector("tbody small")
        assert page.inner_text("tbody") == rows
        assert content(page) == APPROVALS
        write(page, "ASK {}")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector(".truth")
        assert page.text_content(".truth") == "true"
        page.go_back()
        page.wait_for_selector("tbody tr")
        assert content(page) == APPROVALS

    def test_the_table_sorts_filters_pages_and_links(self, page) -> None:
        page.goto(f"/sparql?query={APPROVALS.replace(chr(10), ' ')}")
        page.wait_for_selector("nav.pages")
        assert page.locator("tbody tr").count() == 100
        page.click("nav.pages button:text-is('Next')")
        assert page.locator("tbody tr").count() == 20
        page.click("thead button:text-is('agency')")
        page.wait_for_selector("tbody tr:first-child td:nth-child(2):has-text('AEMPS')")
        agencies = page.locator("tbody td:nth-child(2)").all_inner_texts()
        assert agencies == sorted(agencies, key=str.casefold)
        page.click("thead button:text-is('date')")
        page.click("thead button:has-text('date')")
        assert page.get_attribute("thead th:nth-child(3)", "aria-sort") == "descending"
        dates = page.locator("tbody td:nth-child(3)").all_inner_texts()
        assert dates == sorted(dates, reverse=True)
        page.fill("#find", "kymriah")
        page.wait_for_selector("tbody a[href='/page/product/kymriah']")
        assert page.text_content("tbody tr:first-child").startswith("Kymriah product:kymriah")
        assert "of 120" in page.text_content(".tools .help")

    def test_markup_in_values_stays_text(self, page) -> None:
        values = '(<javascript:alert(1)> AS ?a) ("<img src=x onerror=alert(1)>" AS ?b)'
        for query in (f"SELECT {values} {{}}", "CONSTRUCT { <javascript:a> <x:b> '<b>c</b>' } {}"):
            page.goto(f"/sparql?{urlencode({'query': query})}")
            ran(page)
            assert page.locator("#shown :is(a[href^=javascript], img, b)").count() == 0
            assert "javascript:a" in page.inner_text("tbody")
            page.click("#tab-raw")
            page.wait_for_selector("#view pre:has-text('javascript')")

    def test_raw_and_downloads(self, page, tmp_path: Path) -> None:
        page.goto("/sparql?query=SELECT ?d { ?a cgt:date ?d } ORDER BY ?d LIMIT 2")
        ran(page)
        page.click("#tab-raw")
        assert json.loads(page.text_content("#view pre"))["head"]["vars"] == ["d"]
        page.select_option("#format", label="CSV")
        page.wait_for_selector("#view pre:not(:has-text('vars'))")
        with page.expect_download() as got:
            page.click("#shown .bar button:text-is('TSV')")
        got.value.save_as(tmp_path / "result.tsv")
        assert (tmp_path / "result.tsv").read_text().splitlines()[0] == "?d"
        assert got.value.suggested_filename == "result.tsv"

    def test_a_graph_is_a_table_a_text_and_a_network(self, page) -> None:
        page.goto("/sparql?query=CONSTRUCT WHERE { product:kymriah ?p ?o }")
        ran(page)
        assert "Kymriah" in page.inner_text("tbody")
        page.click("#tab-raw")
        page.wait_for_selector("#view pre:has-text('wasDerivedFrom')")
        page.press("#tab-raw", "ArrowRight")
        page.wait_for_selector(".drawing canvas")
        assert re.match(r"\d+ things, \d+ links\.", page.text_content("#view .help"))
        assert "product" in page.inner_text(".legend")
        assert "links" in page.get_attribute(".drawing", "aria-label")

    def test_an_example_is_found_and_opened(self, page) -> None:
        page.goto("/sparql")
        page.fill("#example", "authorised on a day")
        assert page.locator("#examples li:visible").count() == 1
        page.click("#examples li:visible .given")
        ran(page)
        text = content(page)
        assert text.startswith("# Products authorised on a day: ")
        assert "#+" not in text
        assert "UNDEF" not in text.partition("WHERE")[2].partition("?")[0]
        page.reload()
        page.click("#history summary")
        assert "Products authorised on a day" in page.inner_text("#history ol")
        page.click("#forget")
        assert page.is_hidden("#history")

    def test_a_long_query_is_cancelled(self, page) -> None:
        page.goto("/sparql")
        write(page, "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }")
        page.keyboard.press("Control+Enter")
        page.click("#cancel")
        page.wait_for_selector("#state:has-text('Cancelled')")
        assert page.is_hidden("#cancel")

    def test_a_mistake_is_underlined_at_its_place(self, browser, served: Running) -> None:
        # A refused request is a message on the console; nothing else may be.
        context = browser.new_context(base_url=served.url)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto("/sparql")
        write(page, "SELECT *\nWHERE { ?s ?p '药' ; nope:x ?o }")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector(".cm-lintRange-error")
        assert page.text_content("[role=alert]").startswith("The prefix nope: is neither declared nor")
        assert page.inner_text(".cm-lintRange-error") == "nope:x"
        page.keyboard.press("Control+Delete")
        assert content(page).endswith("'药' ; :x ?o }")
        context.close()
        assert all("status of 400" in text for text in said), said

    def test_overload_and_deadline_are_said_with_a_way_on(self, browser, served: Running) -> None:
        context = browser.new_context(base_url=served.url)
        page = context.new_page()
        page.goto("/sparql")
        answers = [(503, "Stopped after 10 seconds."), (429, "Too many queries at once.")]

        def refuse(route: Any) -> None:
            status, text = answers.pop()
            route.fulfill(status=status, content_type="text/plain", body=text)

        page.route("/sparql", refuse)
        write(page, "ASK {}")
        page.click("#run")
        page.wait_for_selector("[role=alert]:has-text('Too many')")
        page.click("text=Try again")
        page.wait_for_selector("[role=alert]:has-text('Stopped')")
        page.unroute("/sparql")
        with page.expect_request("/sparql") as sent:
            page.click("text=Try with up to 30 seconds")
        assert "timeout=30" in sent.value.post_data
        page.wait_for_selector(".truth")
        context.close()

    def test_without_scripts_on_a_phone(self, browser, served: Running) -> None:
        with watched(
            browser, served.url, base_url=served.url, java_script_enabled=False, viewport={"width": 360, "height": 740}
        ) as page:
            page.goto("/sparql")
            page.fill("#query", APPROVALS)
            page.click("#run")
            assert page.text_content("#state") == "120 rows."
            page.click("tbody a[href='/page/product/carticel']")
            assert page.text_content("h1") == "Carticel"

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_nothing_stands_in_the_way_of_anybody(self, browser, served: Running, scheme: str) -> None:
        context = browser.new_context(
            base_url=served.url, color_scheme=scheme, bypass_csp=True, viewport={"width": 360, "height": 740}
        )
        page = context.new_page()
        page.goto(f"/sparql?query={APPROVALS.replace(chr(10), ' ')}")
        ran(page)
        page.click("#examples summary")
        page.add_script_tag(path=AXE)
        for tab in ("table", "raw", "network"):
            page.click(f"#tab-{tab}")
            page.wait_for_timeout(300)
            found = page.evaluate("axe.run().then(({ violations }) => violations)")
            serious = [
                (one["id"], [node["html"] for node in one["nodes"]])
                for one in found
                if one["impact"] in ("serious", "critical")
            ]
            assert serious == [], tab
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
        context.close()
