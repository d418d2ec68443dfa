"""The start page, the search, the ontology's page, and what robots read."""

import json
from typing import Any, Final

import pyoxigraph as ox
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from kg.describe import DATASET
from kg.describe import GRAPH as DESCRIPTION
from kg.namespaces import ONTOLOGY, compact, graph
from kg.query import library
from kg.report import page, rows
from kg.web.answers import HTML, html, known, missing, sent
from kg.web.facts import View
from kg.web.files import digest, files
from kg.web.linked import FORMATS, SUFFIXES, written
from kg.web.opened import Opened
from kg.web.preference import preferred

_BESIDE: Final = ("source:", "milestone:", "rejection:", "observation:", "distinction:")
"""Ids of what is named after other things."""
_SUGGESTED: Final = 8
_LONG: Final = 200
"""Letters of a search that are looked at."""
_COUNTS: Final = """
SELECT ?kind (COUNT(DISTINCT ?thing) AS ?count) WHERE {
  VALUES (?class ?kind) { (cgt:Therapy "therapies") (cgt:Product "products") (cgt:Milestone "milestones")
    (cgt:Approval "approvals") (cgt:Agency "agencies") (cgt:Organisation "organisations") (cgt:Disease "diseases")
    (cgt:Trial "trials") (cgt:Source "sources") (cgt:Claim "claims") }
  ?thing a ?class
} GROUP BY ?kind ORDER BY DESC(?count)
"""
_NEWEST: Final = """
SELECT ?milestone ?date ?precision ?agency ?about WHERE {
  ?milestone a cgt:Milestone ; cgt:date ?date ; cgt:datePrecision ?precision ; cgt:agency ?agency ; cgt:about ?about .
  FILTER(?precision = "day")
} ORDER BY DESC(?date) ?milestone LIMIT 12
"""


def start(_: Request, opened: Opened) -> Response:
    """Answer with the start page."""
    newest = [
        {"date": row["date"], "milestone": opened.cell(row["milestone"]), "agency": opened.cell(row["agency"])}
        for row in rows(opened.release.select(_NEWEST))
    ]
    content = {
        "counts": rows(opened.release.select(_COUNTS)),
        "newest": newest,
        "modified": opened.release.manifest.get("modified", ""),
        "questions": len(library()),
    }
    return html(opened, "start.html", content, headers={"Link": '</.well-known/void>; rel="describedby"'})


def search(request: Request, opened: Opened) -> Response:
    """Answer with what has a name like the one given: a page for browsers' own navigation, JSON for all else."""
    text = request.query_params.get("q", "").strip()[:_LONG]
    media = preferred(request.headers.get("accept", ""), ("application/json", HTML))
    near = opened.index.search(text, 40) if text else []
    # Sorting is stable: the best name comes first among things, and after them among what only speaks of things.
    hits = sorted(near, key=lambda hit: hit.id.startswith(_BESIDE))[: len(near) if media == HTML else _SUGGESTED]
    found = [
        {"id": h.id, "label": h.label, "kind": h.kind, "matched": h.matched, "score": h.score,
         "href": opened.cell(h.id)["href"]}
        for h in hits
    ]  # fmt: skip
    if media == HTML:
        return html(opened, "search.html", {"text": text, "hits": found}, headers={"Vary": "Accept"})
    return sent(json.dumps({"query": text, "hits": found}, ensure_ascii=False), "application/json", {"Vary": "Accept"})


def ontology(request: Request, opened: Opened) -> Response:
    """Answer for the ontology's IRI: its terms as a page, or its statements as Accept says."""
    media = preferred(request.headers.get("accept", ""), (HTML, *SUFFIXES))
    name = request.path_params.get("suffix", "")
    suffix = name or SUFFIXES.get(media or "", "")
    alternates = ", ".join(f'</ontology.{s}>; rel="alternate"; type="{m}"' for s, (m, _) in FORMATS.items())
    headers = {"Vary": "Accept", "Link": f'<{ONTOLOGY}>; rel="canonical", {alternates}'}
    if suffix:
        if suffix not in FORMATS:
            return missing(opened, "ontology")
        quads = opened.release.store.quads_for_pattern(None, None, None, ox.NamedNode(graph("ontology")))
        located = headers | {"Content-Location": f"/ontology.{suffix}"}
        return sent(written(sorted(quads, key=str), suffix), FORMATS[suffix][0], located)
    if media is None:
        return sent(f"offered as {HTML}, {', '.join(SUFFIXES)}\n", "text/plain", headers, 406)
    return html(opened, "ontology.html", {"groups": _terms(opened)}, headers=headers)


def _terms(opened: Opened) -> list[tuple[str, list[View]]]:
    """The ontology's terms by what they are, each in the order of its label."""
    inside = ox.NamedNode(graph("ontology"))
    groups = []
    for kind, title in (
        ("owl:Class", "Classes"),
        ("owl:ObjectProperty", "Properties between things"),
        ("owl:DatatypeProperty", "Properties with plain values"),
        ("owl:AnnotationProperty", "Annotations"),
    ):
        text = f"SELECT DISTINCT ?term WHERE {{ GRAPH <{inside.value}> {{ ?term a {kind} }} }} ORDER BY ?term"
        terms = [t.value for (t,) in opened.release.select(text).rows if isinstance(t, ox.NamedNode)]
        own = [View(opened, iri) for iri in terms if compact(iri).startswith("cgt:")]
        groups.append((title, sorted(own, key=lambda view: view.label.casefold())))
    return groups


def void(request: Request, opened: Opened) -> Response:
    """Answer with the description of the dataset and its graphs, as Accept says."""
    media = preferred(request.headers.get("accept", ""), (*SUFFIXES, HTML))
    suffix = SUFFIXES.get(media or "", "ttl")
    store = opened.release.store
    quads = store.quads_for_pattern(None, None, None, ox.NamedNode(graph(DESCRIPTION)))
    headers = {"Vary": "Accept", "Link": f'<{DATASET}>; rel="describes"'}
    return sent(written(sorted(quads, key=str), suffix), FORMATS[suffix][0], headers)


def robots(request: Request, _: Opened) -> Response:
    """Answer with what robots are asked to leave alone: what costs much and says nothing new."""
    text = f"User-agent: *\nDisallow: /sparql\nDisallow: /search\nDisallow: /*?\nSitemap: {_host(request)}sitemap.xml\n"
    return PlainTextResponse(text)


def sitemap(request: Request, opened: Opened) -> Response:
    """Answer with the addresses of all pages."""
    fixed = ["", "questions", "networks", "ontology", *(f"questions/{name}" for name in library())]
    things = sorted(path[1:] for iri in opened.labels if (path := opened.path(iri) or "").startswith("/page/"))
    content: dict[str, Any] = {"host": _host(request), "paths": fixed + things}
    content["modified"] = opened.release.manifest.get("modified", "")
    return sent(page("web/sitemap.xml", content), "application/xml")


def _host(request: Request) -> str:
    return str(request.base_url)


def static(request: Request, opened: Opened) -> Response:
    """Answer with one of the package's own files."""
    name = request.path_params["name"]
    if name not in files():
        return missing(opened, name)
    path, media = files()[name]
    tag = f'"{digest(name)}"'
    headers = {"ETag": tag, "Cache-Control": "public, no-cache", "X-Content-Type-Options": "nosniff"}
    if known(request, tag):
        return Response(status_code=304, headers=headers)
    return FileResponse(path, media_type=media, headers=headers)
