"""The site: addresses and formats, pages of every kind, escaping, and the whole in a browser."""

import json
import re

import pyoxigraph as ox
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kg.namespaces import BASE, KINDS, compact, expand, graph
from kg.query import library
from kg.store import DATASET, Answer, Release
from kg.web.negotiation import preferred
from kg.web.opened import Opened
from kg.web.pages.linked import FORMATS
from kg.web.refusal import RefusedError
from kg.web.site import routes
from tests.serving import Running
from tests.support import needs_chromium, watched

HOSTILE = '</script><script>document.title="hacked"</script><img src=x onerror=alert(1)>" onload="x'
QUESTIONS = sorted(library())


def client(release: Release) -> TestClient:
    return TestClient(Starlette(routes=list(routes(Opened(release)))), follow_redirects=False)


@pytest.fixture(scope="module")
def site(small: Release) -> TestClient:
    return client(small)


@pytest.fixture(scope="module")
def full(real: Release) -> TestClient:
    return client(real)


@pytest.mark.parametrize(
    ("accept", "where"),
    [
        ("", "/page/product/kymriah"),
        ("*/*", "/page/product/kymriah"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "/page/product/kymriah"),
        ("text/turtle", "/data/product/kymriah.ttl"),
        ("application/ld+json", "/data/product/kymriah.jsonld"),
        ("application/json", "/data/product/kymriah.jsonld"),
        ("application/n-triples", "/data/product/kymriah.nt"),
        ("text/plain", "/data/product/kymriah.nt"),
        ("application/rdf+xml", "/data/product/kymriah.rdf"),
        ("application/n-quads", "/data/product/kymriah.nq"),
        ("application/trig", "/data/product/kymriah.trig"),
        ("text/turtle;q=0.4, application/rdf+xml;q=0.6", "/data/product/kymriah.rdf"),
        ("text/html;q=0.1, text/turtle", "/data/product/kymriah.ttl"),
        ("text/html;q=0, */*", "/page/product/kymriah"),
        ("TEXT/TURTLE; Q=0.9", "/data/product/kymriah.ttl"),
    ],
)
def test_a_thing_leads_to_its_page_or_its_data(site: TestClient, accept: str, where: str) -> None:
    answer = site.get("/id/product/kymriah", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["location"], answer.headers["vary"]) == (303, where, "Accept")
    assert site.get(where).status_code == 200


def test_a_format_that_is_not_offered(site: TestClient) -> None:
    answer = site.get("/id/product/kymriah", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert "text/turtle" in answer.text
    assert preferred("text/turtle;q=nonsense", ["text/turtle"]) is None


@pytest.mark.parametrize("path", ["/id/product/kimriah", "/page/product/kimriah", "/data/product/kimriah.ttl"])
def test_what_is_not_there_has_suggestions(site: TestClient, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 404
    assert 'href="/page/product/kymriah"' in answer.text


@pytest.mark.parametrize(
    "path",
    ["/id/nope/x", "/page/cgt/Approval", "/id/product/%3Cscript%3E",
     "/data/product/kymriah.exe", "/data/product/kymriah",
     "/questions/nope", "/questions/approvals.exe", "/networks/approvals", "/networks/nope.svg", "/static/../site.py",
     "/static/%2e%2e%2fsite.py", "/ontology.exe", "/page/product/..%2f..%2fagency"],
)  # fmt: skip
def test_other_addresses_are_not_found(site: TestClient, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 404
    assert "<script>" not in answer.text


def test_a_withdrawn_id_names_its_replacement() -> None:
    old, new = (ox.NamedNode(expand(f"product:{name}")) for name in ("old", "new"))
    store = ox.Store()
    label = ox.NamedNode(expand("rdfs:label"))
    store.extend([
        ox.Quad(old, ox.NamedNode(expand("owl:deprecated")), ox.Literal(True)),
        ox.Quad(old, ox.NamedNode(expand("dcterms:isReplacedBy")), new),
        ox.Quad(new, label, ox.Literal("The new one", language="en")),
    ])  # fmt: skip
    site = client(Release.in_memory(store))
    link = f'<{new.value}>; rel="successor-version"'
    for path in ("/id/product/old", "/page/product/old", "/page/product/old/cite.bib"):
        answer = site.get(path)
        assert (answer.status_code, answer.headers["link"]) == (410, link)
        assert '<a href="/page/product/new">The new one</a>' in answer.text
    turtle = {"Accept": "text/turtle"}
    for answer in (site.get("/id/product/old", headers=turtle), site.get("/data/product/old.ttl")):
        assert (answer.status_code, answer.headers["link"]) == (410, link)
        said = list(ox.parse(answer.content, format=ox.RdfFormat.TURTLE))
        assert any((q.subject, q.object) == (old, new) for q in said)


@pytest.mark.parametrize("suffix", FORMATS)
def test_data_of_a_thing_in_every_format(site: TestClient, suffix: str) -> None:
    answer = site.get(f"/data/product/kymriah.{suffix}")
    media, form = FORMATS[suffix]
    assert answer.headers["content-type"].startswith(media)
    assert f'<{BASE}id/product/kymriah>; rel="describes"' in answer.headers["link"]
    found = {quad.triple for quad in ox.parse(answer.content, format=form)}
    kymriah = ox.NamedNode(expand("product:kymriah"))
    assert ox.Triple(kymriah, ox.NamedNode(expand("rdfs:label")), ox.Literal("Kymriah", language="en")) in found
    assert any(triple.object == kymriah for triple in found), "what refers to it"


def test_every_format_says_the_same(site: TestClient) -> None:
    said = []
    for suffix, (_, form) in FORMATS.items():
        content = site.get(f"/data/product/kymriah.{suffix}").content
        said.append({quad.triple for quad in ox.parse(content, format=form)})
    assert all(one == said[0] for one in said)


def test_the_page_of_a_product(full: TestClient) -> None:
    answer = full.get("/page/product/kymriah")
    text = answer.text
    assert '<span lang="ja">キムリア</span>' in text
    assert 'href="/page/class/car-t">CAR-T cell therapy</a>' in text
    agencies = re.findall(r'<ol class="timeline">(.*?)</ol>', text, re.DOTALL)
    dates = [re.findall(r'<time datetime="([^"]+)"', agency) for agency in agencies]
    assert len(dates) > 5
    assert all(found == sorted(found) for found in dates), "milestones in order, per agency"
    assert "Where sources disagree" in text
    assert "Cite this" in text
    assert "kg/curated/products.csv" in text
    assert f'<link rel="canonical" href="{BASE}id/product/kymriah">' in text
    assert 'rel="alternate"; type="text/turtle"' in answer.headers["link"]
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    assert block
    document = json.loads(block[1])
    assert document["@id"] == expand("product:kymriah")
    assert {"Drug", "cgt:Product"} <= set(document["@type"])
    triples = {q.triple for q in ox.parse(block[1], format=ox.RdfFormat.JSON_LD)}
    kymriah, holder = ox.NamedNode(expand("product:kymriah")), ox.NamedNode(expand("organisation:novartis"))
    assert {
        ox.Triple(kymriah, ox.NamedNode(expand(p)), holder) for p in ("schema:manufacturer", "cgt:holder")
    } <= triples


def things(release: Release) -> dict[str, str]:
    """One thing of each kind."""
    found: dict[str, str] = {}
    for (subject,) in release.select("SELECT DISTINCT ?thing WHERE { ?thing rdfs:label ?label } ORDER BY ?thing").rows:
        prefix, _, name = compact(subject.value).partition(":") if isinstance(subject, ox.NamedNode) else ("", "", "")
        if prefix in KINDS or prefix == "MONDO":
            found.setdefault(prefix, f"/page/{prefix}/{name}")
    return found


def test_a_page_of_every_kind(full: TestClient, real: Release) -> None:
    pages = things(real)
    assert {"agency", "product", "therapy", "milestone", "class", "source", "MONDO", "trial", "observation"} <= set(
        pages
    )
    for path in pages.values():
        answer = full.get(path)
        assert answer.status_code == 200, path
        assert answer.text.count("<h1>") == 1
        assert "style=" not in answer.text
        for address in set(re.findall(r'href="(/(?:page|data|questions|networks)/[^"?#]*)', answer.text)) - {path}:
            if len(address) % 7 == 0:  # a sample
                assert full.get(address).status_code == 200, (path, address)


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_page_of_every_question(full: TestClient, name: str) -> None:
    question = library()[name]
    assert full.get(f"/questions/{name}").status_code == 200
    given = {p.name: p.example for p in question.parameters if p.required}
    answer = full.get(f"/questions/{name}", params=given)
    assert answer.status_code == 200
    for parameter in question.parameters:
        assert f'name="{parameter.name}"' in answer.text
    assert ('aria-sort="none"' in answer.text) != ("No rows" in answer.text)
    table = full.get(f"/questions/{name}.csv", params=given).text
    assert table.splitlines()[0].split(",") == list(question.result)
    assert len(full.get(f"/questions/{name}.json", params=given).json()) == table.count("\n") - 1 or '"' in table
    assert "VALUES ?given_" in full.get(f"/questions/{name}.rq", params=given).text or not question.parameters


def test_a_question_sorts_filters_and_says_what_is_wrong(full: TestClient) -> None:
    up = full.get("/questions/approvals", params={"agency": "FDA", "_sort": "date"}).text
    down = full.get("/questions/approvals", params={"agency": "FDA", "_sort": "-date"}).text
    assert up.index("1997-08-22") < up.index("2017-08-30")
    assert down.index("2017-08-30") < down.index("1997-08-22")
    assert 'aria-sort="descending"' in down
    assert "1 of" in full.get("/questions/approvals", params={"agency": "FDA", "_find": "2017-08-30"}).text
    assert full.get("/questions/milestones", params={"_page": "2"}).text.count("<tr>") > 2
    wrong = full.get("/questions/approvals", params={"agency": "FDAA<b>"})
    assert wrong.status_code == 400
    assert "no agency &#39;FDAA&lt;b&gt;&#39;" in wrong.text
    assert full.get("/questions/approvals.csv", params={"since": "x"}).status_code == 400


def test_the_start_says_what_and_as_of_when(site: TestClient, small: Release) -> None:
    text = site.get("/").text
    assert str(small.manifest["modified"]) in text
    assert str(small.manifest["name"]) in text
    for door in ("therapies", "agencies", "classes", "approvals"):
        assert f'href="/questions/{door}"' in text


def test_search_answers_programs_and_people(full: TestClient) -> None:
    for text in ("Kymria", "キムリア"):
        hits = full.get("/search", params={"q": text}).json()["hits"]
        assert (hits[0]["id"], hits[0]["href"]) == ("product:kymriah", "/page/product/kymriah")
    answer = full.get("/search", params={"q": HOSTILE}, headers={"Accept": "text/html,*/*;q=0.8"})
    assert "<script>" not in answer.text
    assert answer.headers["vary"] == "Accept"
    assert full.get("/search").json()["hits"] == []


def test_the_ontology_as_page_and_data(site: TestClient) -> None:
    page = site.get("/ontology", headers={"Accept": "text/html"})
    assert '<article id="Approval">' in page.text
    assert '<span lang="zh">批准上市</span>' in page.text
    turtle = site.get("/ontology", headers={"Accept": "text/turtle"})
    assert turtle.headers["content-location"] == "/ontology.ttl"
    assert turtle.headers["vary"] == "Accept"
    assert site.get("/ontology.ttl").content == turtle.content
    approval = ox.NamedNode(expand("cgt:Approval"))
    assert any(q.subject == approval for q in ox.parse(turtle.content, format=ox.RdfFormat.TURTLE))


@pytest.mark.parametrize("text", ["product:kymriah", f"{BASE}id/product/kymriah"])
def test_an_id_finds_what_it_names_and_nothing_like_it(site: TestClient, text: str) -> None:
    assert [hit["id"] for hit in site.get("/search", params={"q": text}).json()["hits"]] == ["product:kymriah"]


def test_descriptions_for_machines(site: TestClient) -> None:
    void = site.get("/.well-known/void")
    assert void.headers["content-type"].startswith("text/turtle")
    assert any("void#Dataset" in str(q.object) for q in ox.parse(void.content, format=ox.RdfFormat.TURTLE))
    robots = site.get("/robots.txt").text
    assert "Disallow: /sparql" in robots
    assert "Sitemap: http://testserver/sitemap.xml" in robots
    assert "<loc>http://testserver/page/product/kymriah</loc>" in site.get("/sitemap.xml").text


@pytest.mark.parametrize(
    "path",
    ["/", "/page/product/kymriah", "/questions", "/ontology", "/id/product/nope", "/search?q=x", "/.well-known/void"],
)
def test_every_page_has_a_strict_policy_and_nothing_inline(site: TestClient, path: str) -> None:
    answer = site.get(path, headers={"Accept": "text/html"})
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=\"(https?:)?//(?!w3id\.org/cgt-kg/)", answer.text)
    assert not re.search(r"<script(?![^>]*(src=|ld\+json))|\son[a-z]+=|<style|style=", answer.text)


def test_what_has_not_changed_is_not_sent_again(site: TestClient) -> None:
    for path in ("/", "/page/product/kymriah", "/ontology"):
        tag = site.get(path).headers["etag"]
        again = site.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
    html, turtle = (site.get("/ontology", headers={"Accept": a}).headers["etag"] for a in ("text/html", "text/turtle"))
    assert html != turtle
    assert again.headers["vary"] == "Accept, Accept-Encoding"
    assert site.head("/page/product/kymriah").status_code == 200
    assert site.post("/page/product/kymriah").status_code == 405


def test_a_page_is_sent_again_where_the_program_is_another(small: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    before = client(small).get("/").headers["etag"]
    assert client(small).get("/").headers["etag"] == before
    monkeypatch.setattr("kg.web.answers.program", lambda: "other")
    assert client(small).get("/", headers={"If-None-Match": before}).status_code == 200


def test_pages_of_other_hosts_may_ask(site: TestClient) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Headers": "if-none-match"}
    for path in ("/id/product/kymriah", "/data/product/kymriah.ttl", "/page/product/kymriah", "/dataset"):
        answer = site.options(path, headers=asked)
        assert (answer.status_code, answer.content, answer.headers["allow"]) == (204, b"", "GET, HEAD, OPTIONS")
        assert "If-None-Match" in answer.headers["access-control-allow-headers"]
        assert answer.headers["access-control-allow-origin"] == site.get(path).headers["access-control-allow-origin"]
    icon = site.get("/favicon.ico")
    assert icon.headers["content-type"] == "image/svg+xml"
    assert icon.content == site.get("/static/icon.svg").content


def test_every_address_of_ours_in_the_description_answers(site: TestClient, small: Release) -> None:
    void = list(ox.parse(site.get("/.well-known/void").content, format=ox.RdfFormat.TURTLE))
    ends = {end.value for q in void for end in (q.subject, q.object) if isinstance(end, ox.NamedNode)}
    roots = (BASE, "http://testserver/")
    paths = {iri.partition("#")[0].removeprefix(root) for iri in ends for root in roots if iri.startswith(root)}
    assert {"dataset", "curators", "ontology", "graph/products", "data/cgt-kg.nq", "sparql"} <= paths
    for path in sorted(paths - {"sparql"}):
        answer = site.get(f"/{path}")
        # What one table holds is withdrawn ids.
        assert answer.status_code in (200, 303, 410), path
        if answer.status_code == 303:
            assert site.get(answer.headers["location"]).status_code == 200, path
    assert site.get("/data/cgt-kg.nq").content == (small.path / DATASET).read_bytes()


def test_the_description_as_a_page(site: TestClient, small: Release) -> None:
    page = site.get("/.well-known/void", headers={"Accept": "text/html"}).text
    where = site.get("/graph/products").headers["location"]
    assert (where, page.count('<tr id="products">')) == ("/.well-known/void#products", 1)
    assert site.get("/curators").headers["location"] == "/.well-known/void#curators"
    count = len(list(small.store.quads_for_pattern(None, None, None, ox.NamedNode(graph("products")))))
    assert f'<td class="n">{count:,}</td>' in page.partition('<tr id="products">')[2].partition("</tr>")[0]
    assert site.get("/.well-known/void.ttl").content == site.get("/.well-known/void").content
    unknown = site.get("/graph/product")
    assert unknown.status_code == 404
    assert '<a href="/.well-known/void#products">Curated table: products</a>' in unknown.text
    assert site.get("/graph/%3Cscript%3E%20").status_code == site.get("/.well-known/void.exe").status_code == 404
    assert client(hostile()).get("/data/cgt-kg.nq").status_code == 404


def test_a_new_release_is_answered_from_at_once(small: Release) -> None:
    in_use = [Opened(hostile())]
    site = TestClient(Starlette(routes=list(routes(lambda _: in_use[0]))), follow_redirects=False)
    before = site.get("/").headers["etag"]
    assert site.get("/id/product/kymriah").status_code == 404
    in_use[0] = Opened(small)
    assert site.get("/id/product/kymriah").status_code == 303
    assert site.get("/", headers={"If-None-Match": before}).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "_page=" + "9" * 5000,
        "_page=-1",
        "_sort=nope",
        "agency=%00",
        "agency=%ff",
        "agency=" + "x" * 5000,
        "_find=%F0%9F%98%80",
    ],
)
def test_odd_values_are_answered(site: TestClient, query: str) -> None:
    assert site.get(f"/questions/approvals?{query}").status_code in (200, 400)


def hostile() -> Release:
    store = ox.Store()
    label, note, alt = (ox.NamedNode(expand(name)) for name in ("rdfs:label", "skos:note", "skos:altLabel"))
    product, agency, act = (ox.NamedNode(expand(name)) for name in ("product:x", "agency:x", "milestone:x"))
    quads = [
        ox.Quad(thing, predicate, ox.Literal(HOSTILE, language="en"))
        for thing in (product, agency, act, ox.NamedNode(expand("source:x")))
        for predicate in (label, note, alt)
    ]
    facts = [
        (product, "rdf:type", ox.NamedNode(expand("cgt:Product"))),
        (act, "rdf:type", ox.NamedNode(expand("cgt:Milestone"))),
        (act, "cgt:about", product), (act, "cgt:agency", agency), (act, "cgt:datePrecision", ox.Literal("day")),
        (act, "cgt:date", ox.Literal("2020-01-01", datatype=ox.NamedNode(expand("xsd:date")))),
        (act, "prov:wasDerivedFrom", ox.NamedNode(expand("source:x"))),
        (ox.NamedNode(expand("source:x")), "cgt:url", ox.Literal("javascript:alert(1)")),
        (product, "cgt:website", ox.Literal("javascript:alert(1)")),
    ]  # fmt: skip
    store.extend([*quads, *(ox.Quad(s, ox.NamedNode(expand(p)), o) for s, p, o in facts)])
    return Release.in_memory(store)


@pytest.mark.parametrize(
    "path",
    ["/", "/page/product/x", "/page/agency/x", "/page/milestone/x", "/page/source/x", "/search?q=script",
     "/id/product/nope",
     "/questions/milestones", "/questions/names"],
)  # fmt: skip
def test_markup_in_names_is_text_on_every_page(path: str) -> None:
    text = client(hostile()).get(path, headers={"Accept": "text/html"}).text
    assert "hacked" not in text or "&lt;/script&gt;" in text or "\\u003c/script" in text
    assert "<script>document" not in text
    assert "<img src=x" not in text
    assert 'href="javascript' not in text


@needs_chromium
class TestInABrowser:
    """The site, used in Chromium; every test ends without a message on the console or a request elsewhere."""

    def test_search_and_open_a_product_by_keyboard_only(self, page) -> None:
        page.goto("/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.type("kymr")
        page.wait_for_selector("#suggestions li")
        assert page.get_attribute("#q", "aria-expanded") == "true"
        page.keyboard.press("ArrowDown")
        assert page.get_attribute("#q", "aria-activedescendant") == "suggestion-0"
        page.keyboard.press("Enter")
        page.wait_for_url("**/page/product/kymriah")
        assert page.text_content("h1") == "Kymriah"

    def test_suggestions_close(self, page) -> None:
        page.goto("/")
        page.fill("#q", "奕凯")
        page.wait_for_selector("#suggestions li")
        page.keyboard.press("Escape")
        assert page.is_hidden("#suggestions")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?q=*")
        assert page.text_content(".hits a") == "Yikaida"

    def test_sources_are_one_click_away(self, page) -> None:
        page.goto("/page/product/kymriah")
        sources = page.locator(".timeline details").first
        sources.locator("summary").click()
        assert sources.locator("a.out").first.is_visible()

    def test_a_question_is_asked_sorted_and_linked(self, page) -> None:
        page.goto("/questions/approvals")
        page.fill("#p-agency", "FDA")
        page.fill("#p-therapy_class", "CAR-T")
        page.click(".ask button")
        page.wait_for_selector("tbody tr")
        page.click("th a:text-is('date')")
        page.wait_for_selector("th[aria-sort=ascending]")
        assert "2017-08-30" in page.text_content("tbody tr")
        assert "agency=FDA" in page.url
        page.click("details.sparql summary")
        assert "SELECT" in page.text_content("details.sparql code")

    def test_on_a_phone_nothing_is_wider_than_the_screen(self, browser, served: Running) -> None:
        phone = {"viewport": {"width": 360, "height": 740}, "base_url": served.url, "color_scheme": "dark"}
        with watched(browser, served.url, **phone) as page:
            for path in ("/", "/page/product/kymriah", "/questions/approvals?agency=FDA", "/ontology", "/networks"):
                page.goto(path)
                assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 28)"

    def test_without_scripts_everything_reads(self, browser, served: Running) -> None:
        with watched(browser, served.url, base_url=served.url, java_script_enabled=False) as page:
            page.goto("/")
            page.fill("#q", "Kymriah")
            page.click("header button")
            page.click(".hits a")
            assert page.text_content("h1") == "Kymriah"


def test_a_file_is_known_by_its_content(site: TestClient) -> None:
    other = client(Release.in_memory(ox.Store()))
    first = site.get("/static/site.css")
    tag = first.headers["etag"]
    assert other.get("/static/site.css").headers["etag"] == tag
    assert site.get("/static/site.js").headers["etag"] != tag
    again = other.get("/static/site.css", headers={"If-None-Match": f'"x", {tag.removeprefix("W/")}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


def test_browsers_keep_a_file_from_the_address_that_has_its_digest(site: TestClient) -> None:
    loaded = re.findall(r'(?:href|src)="(/static/[^"]+)"', site.get("/").text)
    assert len(loaded) == 4
    kept = {
        where: site.get(where).headers["cache-control"]
        for where in [*loaded, "/static/site.css?v=0", "/static/site.css"]
    }
    forever = "public, max-age=31536000, immutable"
    assert kept == dict.fromkeys(loaded, forever) | dict.fromkeys(list(kept)[4:], "public, no-cache")


def test_a_question_that_finds_no_worker_says_so(small: Release) -> None:
    def busy(_: str) -> Answer:
        raise RefusedError(503, "The query was stopped after 10 seconds.", {"Retry-After": "2"})

    site = TestClient(Starlette(routes=list(routes(Opened(small, select=busy)))))
    for path in ("/questions/approvals", "/questions/approvals.csv", "/networks/agency-product-class.svg"):
        answer = site.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2"), path
        assert "stopped after 10 seconds" in answer.text
        assert "etag" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"


def test_behind_a_proxy_addresses_are_the_readers(small: Release) -> None:
    site = TestClient(Starlette(routes=list(routes(Opened(small, base="https://example.org/")))))
    assert "<loc>https://example.org/page/product/kymriah</loc>" in site.get("/sitemap.xml").text
    assert "Sitemap: https://example.org/sitemap.xml" in site.get("/robots.txt").text
    assert "https://example.org/page/" in site.get("/feed.xml").text
    quads = ox.parse(site.get("/.well-known/void").content, format=ox.RdfFormat.TURTLE)
    places = {(compact(q.predicate.value), str(q.object)) for q in quads}
    assert ("void:sparqlEndpoint", "<https://example.org/sparql>") in places
    assert ("void:dataDump", "<https://example.org/ontology.ttl>") in places
    assert ("void:dataDump", "<https://example.org/data/cgt-kg.nq>") in places


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/page/product/kymriah/", "/page/product/kymriah"),
        ("/questions/approvals/?agency=agency%3Aus-fda", "/questions/approvals?agency=agency%3Aus-fda"),
        ("/sparql/", "/sparql"),
        ("/page/product/%E5%A5%95/", "/page/product/%E5%A5%95"),
    ],
)
def test_a_slash_too_many_leads_on_from_the_root_of_whatever_host(site: TestClient, path: str, where: str) -> None:
    answer = site.get(path, headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.headers["location"]) == (308, where)
