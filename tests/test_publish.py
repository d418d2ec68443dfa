"""A published copy: whole, linked, strict, the same every time, and of use without a server."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyoxigraph as ox
import pytest
from starlette.responses import HTMLResponse
from starlette.routing import Route

from kg.errors import OutputError
from kg.namespaces import BASE, expand
from kg.store import DATASET, MANIFEST, STORE, Release, open_release, write_lines, write_store
from kg.web.answers import POLICY
from kg.web.publish import publish
from kg.web.publish.crawl import Crawled, Site, crawl, wanted
from kg.web.publish.folder import MARKER, replaced
from kg.web.publish.rules import rules
from tests.support import needs_chromium, watched

HOME = "https://example.org/cgt-kg/"
HOSTILE = '</script><script>document.title="hacked"</script><img src=x onerror=alert(1)>" onload="x'


@pytest.fixture(scope="module")
def copy(small: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web") / "cgt-kg"
    publish(small, folder, HOME)
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """A release as it lies on disk, of few things with the worst names."""
    folder = tmp_path_factory.mktemp("hostile")
    facts = [(f"{kind}:x", name, f'{json.dumps(HOSTILE)}@en') for kind in ("product", "agency", "milestone")
             for name in ("rdfs:label", "skos:note", "skos:altLabel")]  # fmt: skip
    facts += [
        ("product:x", "rdf:type", f"<{expand('cgt:Product')}>"),
        ("product:x", "cgt:website", '"javascript:alert(1)"'),
        ("product:index.html", "rdfs:label", '"/agency/../x"@en'),
        ("product:old", "owl:deprecated", f'"true"^^<{expand("xsd:boolean")}>'),
        ("product:old", "dcterms:isReplacedBy", f"<{expand('product:x')}>"),
    ]
    graph = f"<{BASE}graph/products>"
    write_lines(folder / DATASET, sorted(f"<{expand(s)}> <{expand(p)}> {o} {graph} ." for s, p, o in facts))
    write_store(folder / STORE, folder / DATASET)
    manifest = {"name": "2026-01-01-x", "version": "0", "modified": "2026-01-01", "dataset": {"quads": len(facts)}}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return open_release(folder)


class Page(HTMLParser):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.inline: list[str] = []
        self.policy = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.links += [said[name] for name in ("href", "src", "action", "data", "poster") if name in said]
        self.links += [part.split()[0] for part in said.get("srcset", "").split(",") if part]
        self.inline += [name for name in said if name.startswith("on") or name == "style"]
        if tag == "script" and "src" not in said and said.get("type") != "application/ld+json":
            self.inline.append(tag)
        if said.get("http-equiv") == "Content-Security-Policy":
            self.policy = said["content"]


def pages(folder: Path) -> dict[str, Page]:
    return {path.relative_to(folder).as_posix(): Page(path) for path in sorted(folder.rglob("*.html"))}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_every_link_leads_to_a_file_and_every_page_is_strict(copy: Path) -> None:
    found = pages(copy)
    assert len(found) > 500
    strict = "; ".join(part for part in POLICY.split("; ") if not part.startswith("frame-ancestors"))
    count = 0
    for name, one in found.items():
        alone = name.startswith("networks/") and not name.endswith("index.html")
        assert alone or (one.policy, one.inline) == (strict, []), name
        for link in one.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or not parts.path:
                continue
            if name == "404.html":
                assert link.startswith("/cgt-kg/"), link
                target = copy / unquote(parts.path).removeprefix("/cgt-kg/")
            else:
                assert not link.startswith("/"), (name, link)
                target = (copy / name).parent / unquote(parts.path)
            assert target.is_file(), (name, link)
            count += 1
    assert count > 5_000


def test_everything_with_a_name_has_a_page_and_data(copy: Path, small: Release) -> None:
    for (iri,) in small.select("SELECT DISTINCT ?t { ?t rdfs:label ?l }").rows:
        where = iri.value.removeprefix(f"{BASE}id/")  # type: ignore[union-attr]
        if where != iri.value:  # type: ignore[union-attr]
            assert (copy / "page" / where / "index.html").is_file(), where
            assert all((copy / "data" / f"{where}.{suffix}").is_file() for suffix in ("ttl", "jsonld", "nt")), where
    data = list(ox.parse(path=str(copy / "data/product/kymriah.ttl"), format=ox.RdfFormat.TURTLE))
    assert any(triple.object == ox.Literal("キムリア", language="ja") for triple in data)
    text = (copy / "page/product/kymriah/index.html").read_text()
    assert f'<link rel="canonical" href="{BASE}id/product/kymriah">' in text
    assert 'href="../../../data/product/kymriah.jsonld"' in text
    assert "RDF/XML" not in text
    assert not list(copy.rglob("*.rdf")) or not (copy / "data/product/kymriah.rdf").exists()


def test_questions_networks_and_descriptions(copy: Path) -> None:
    for name in (
        "questions/approvals.csv", "questions/first-by-agency/index.html", "questions/history/example/index.html",
        "questions/history/example.csv", "networks/agency-product-class/index.html",
        "networks/agency-product-class.html",
        "networks/agency-product-class.svg", "ontology/index.html", "ontology.ttl", ".well-known/void",
        ".well-known/void.jsonld", "dumps/cgt-kg.nq", "dumps/SHA256SUMS", "robots.txt", ".nojekyll",
    ):  # fmt: skip
        assert (copy / name).stat().st_size or name == ".nojekyll", name
    assert f"<loc>{HOME}page/product/kymriah/</loc>" in (copy / "sitemap.xml").read_text()
    text = (copy / "sparql/index.html").read_text()
    assert "kg serve" in text
    assert hashlib.sha256((copy / "dumps/cgt-kg.ttl").read_bytes()).hexdigest() in text
    described = ox.parse(path=str(copy / ".well-known/void.ttl"), format=ox.RdfFormat.TURTLE)
    described = list(described)
    assert any(str(triple.object).endswith("/data/cgt-kg.nq>") for triple in described)
    assert not any(triple.predicate.value.endswith("#sparqlEndpoint") for triple in described)
    assert 'href="../static/site.css"' in text


def test_checksums_cover_every_file(copy: Path) -> None:
    found = contents(copy)
    sums = dict(reversed(line.split("  ", 1)) for line in found.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}
    manifest = json.loads(found[MARKER])
    assert (manifest["base"], manifest["files"]) == (HOME, len(found) - 1)


def test_two_copies_are_the_same_bytes_and_names_are_text(hostile: Release, tmp_path: Path) -> None:
    for name, jobs in (("a", 1), ("b", 2)):
        publish(hostile, tmp_path / name, formats=["nt"], jobs=jobs)
    found = contents(tmp_path / "a")
    assert found == contents(tmp_path / "b")
    assert not {"sitemap.xml", "_redirects"} & found.keys(), "without an address there is nothing to lead to"
    for name, content in found.items():
        if name.endswith("/index.html"):
            assert b"<script>document" not in content, name
            assert b"<img src=x" not in content, name
            assert b'href="javascript' not in content, name
    assert "page/product/index.html/index.html" in found
    assert b"withdrawn" in found["page/product/old/index.html"]
    assert "data/product/x.nt" in found
    assert "data/product/x.ttl" not in found


def test_what_is_not_ours_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "thesis.doc").write_text("mine")
    with pytest.raises(OutputError, match=r"holds thesis.doc and was not made by `kg publish`"), replaced(folder):
        pass
    assert (folder / "thesis.doc").read_text() == "mine"
    with pytest.raises(OutputError, match="is not a folder"), replaced(folder / "thesis.doc"):
        pass


def test_a_copy_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "site"

    def write(*names: str) -> None:
        with replaced(folder) as work:
            for name in (*names, MARKER):
                (work / name).write_text(name)
            (work / "SHA256SUMS").write_text("".join(f"0  {name}\n" for name in names))

    folder.mkdir()
    (folder / ".git").mkdir()
    write("one", "two")
    (folder / "CNAME").write_text("example.org")
    write("two")
    assert sorted(path.name for path in folder.iterdir()) == [".git", "CNAME", "SHA256SUMS", MARKER, "two"]
    with pytest.raises(OutputError, match="written"):
        write("half", "with/a/slash")
    # Killed between the two steps of the swap.
    folder.rename(tmp_path / ".site.old")
    write("three")
    assert sorted(path.name for path in folder.iterdir()) == [".git", "CNAME", "SHA256SUMS", MARKER, "three"]
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("base", ["example.org", "ftp://example.org/", "https://", "https://example.org/?a=b", ""])
def test_a_base_must_be_an_address(small: Release, tmp_path: Path, base: str) -> None:
    with pytest.raises(OutputError, match="is not the address of a folder on the web"):
        publish(small, tmp_path / "site", base)
    assert not (tmp_path / "site").exists()


def test_a_link_to_nothing_stops_the_work() -> None:
    routes = [Route("/", lambda _: HTMLResponse('<a href="/page/gene/nope">x</a>'))]
    site, known = Site(routes, HOME), Crawled(wanted(["ttl"], feed=True))
    with pytest.raises(OutputError, match="/ leads to /page/gene/nope, which answers 404"):
        crawl(lambda addresses: map(site.ask, addresses), ["/"], known, lambda *_: None, lambda *_: None)


def followed(text: str, path: str, accept: str) -> tuple[int, str]:
    """What Apache answers by the rules of a .htaccess: as much of mod_rewrite as they use."""
    asked = ""
    fits = True
    for line in text.splitlines():
        verb, *words = line.split(" ")
        if verb == "RewriteCond":
            subject = {"%{ENV:AS}": asked, "%{HTTP_ACCEPT}": accept}[words[0]]
            fits = fits and bool(re.search(words[1], subject, re.IGNORECASE if "[NC]" in words else 0))
        elif verb == "RewriteRule":
            pattern, target, flags = words
            match = re.search(pattern, path) if fits else None
            fits = True
            if match and flags.startswith("[E=AS:"):
                asked = flags[6:-1]
            elif match:
                filled = re.sub(r"\$(\d)", lambda found, m=match: m[int(found[1])], target)
                return int(flags[3:6]), filled.replace("%{ENV:AS}", asked)
    return 404, ""


@pytest.mark.parametrize(
    ("accept", "where"),
    [
        ("", "page/product/kymriah/"),
        ("*/*", "page/product/kymriah/"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "page/product/kymriah/"),
        ("text/turtle", "data/product/kymriah.ttl"),
        ("application/ld+json", "data/product/kymriah.jsonld"),
        ("application/json", "data/product/kymriah.jsonld"),
        ("application/n-triples", "data/product/kymriah.nt"),
        ("text/plain", "data/product/kymriah.nt"),
        ("text/html;q=0.1, text/turtle", "data/product/kymriah.ttl"),
        ("text/turtle, */*;q=0.1", "data/product/kymriah.ttl"),
        ("text/turtle;q=0.5, */*", "page/product/kymriah/"),
        ("text/html;q=0, */*", "page/product/kymriah/"),
        ("TEXT/TURTLE; Q=0.9", "data/product/kymriah.ttl"),
        ("image/png", ""), ("text/turtle;q=0", ""), ("application/rdf+xml", ""),
    ],
)  # fmt: skip
def test_permanent_identifiers_lead_to_page_or_data(copy: Path, accept: str, where: str) -> None:
    text = (copy / "redirects/w3id.htaccess").read_text()
    assert followed(text, "id/product/kymriah", accept) == ((303, HOME + where) if where else (406, "-"))
    if where:
        assert (copy / where / "index.html" if where.endswith("/") else copy / where).is_file()


def test_other_permanent_identifiers(copy: Path) -> None:
    text = (copy / "redirects/w3id.htaccess").read_text()
    for path, accept, where in (
        ("ontology", "text/html", "ontology/"), ("ontology", "text/turtle", "ontology.ttl"),
        ("dataset", "text/turtle", ".well-known/void.ttl"), ("graph/products", "text/html", "sparql/"),
        ("data/cgt-kg.nq", "", "dumps/cgt-kg.nq"), ("", "", ""),
    ):  # fmt: skip
        assert followed(text, path, accept) == (303, HOME + where), path
        assert (copy / where).exists()
    assert followed(text, "id/product/../x", "")[0] == 404
    assert (copy / "_redirects").read_text().startswith("/cgt-kg/id/* /cgt-kg/page/:splat/ 302\n")
    assert "rdf" in rules(HOME, ["rdf"])["redirects/nginx.conf"]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(copy: Path) -> Iterator[str]:
    """The copy below a path of a plain server of files."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(copy.parent))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/cgt-kg/"
        server.shutdown()


@needs_chromium
class TestInABrowser:
    """A copy below a path of a server of files, and opened from disk."""

    @pytest.fixture(params=["served", "from disk"])
    def home(self, request: pytest.FixtureRequest, address: str, copy: Path) -> str:
        return address if request.param == "served" else f"{copy.as_uri()}/"

    def test_search_and_open_a_product_by_keyboard_only(self, browser, home: str) -> None:
        with watched(browser, home) as page:
            page.goto(f"{home}questions/index.html")
            page.locator("#q").focus()
            page.keyboard.type("キムリ")
            page.wait_for_selector("#suggestions li")
            page.keyboard.press("ArrowDown")
            page.keyboard.press("Enter")
            page.wait_for_url("**/page/product/kymriah/index.html")
            assert page.text_content("h1").startswith("Kymriah")
            page.fill("#q", "yikida")
            page.click("header button")
            page.wait_for_selector("#found a")
            assert "q=yikida" in page.url
            page.click("#found a:text-is('Yikaida')")
            page.wait_for_url("**/page/product/yikaida/index.html")

    def test_the_best_name_comes_first(self, browser, home: str) -> None:
        with watched(browser, home) as page:
            page.goto(f"{home}index.html")
            for text, wanted in (
                ("kymriah", "product:kymriah"), ("Kymira", "product:kymriah"), ("cd19", "gene:cd19"),
                ("奕凯达", "product:yikaida"), ("food and drug", "agency:us-fda"), ("car t cell", "class:car-t"),
            ):  # fmt: skip
                hits = page.evaluate("text => kgSearch(text)", text)
                assert hits[0]["id"] == wanted, (text, [hit["id"] for hit in hits[:5]])
            assert page.evaluate("kgSearch('zzzzqqqq')") == page.evaluate("kgSearch('  ')") == []

    def test_a_table_sorts_and_filters_in_place(self, browser, home: str) -> None:
        with watched(browser, home) as page:
            page.goto(f"{home}questions/approvals/index.html")
            rows = page.locator("tbody tr").count()
            page.click("th a:text-is('date')")
            page.wait_for_selector("th[aria-sort=ascending]")
            page.fill("input[name=_find]", "Kymriah")
            assert 0 < page.locator("tbody tr").count() < rows

    def test_pages_read_on_a_phone_and_without_scripts(self, browser, address: str) -> None:
        phone = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}
        with watched(browser, address, **phone, java_script_enabled=False) as page:
            for path in ("", "sparql/", "search/", "questions/approvals/", "networks/agency-product-class/"):
                page.goto(address + path)
                assert page.locator("h1").count() == 1
        with watched(browser, address, **phone) as page:
            for path in ("", "sparql/", "search/?q=CAR-T", "networks/agency-product-class/", "404.html"):
                page.goto(address + path)
                assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
