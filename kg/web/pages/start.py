"""The start page, the search, the ontology's page, and what robots read."""

import json
from collections import Counter
from typing import Any, Final

import pyoxigraph as ox
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from kg.feed import atom
from kg.namespaces import ONTOLOGY, compact, expand, graph
from kg.neighbours import kind as kind_of
from kg.query import library
from kg.report import page, rows
from kg.web.answers import HTML, home, html, known, missing, sent
from kg.web.files import content, digest, files
from kg.web.negotiation import preferred, wishes
from kg.web.opened import Opened
from kg.web.pages.facts import View
from kg.web.pages.linked import FORMATS, SUFFIXES, written
from kg.web.pages.twins import apart

BESIDE: Final = ("source:", "milestone:", "rejection:", "observation:", "distinction:", "second-entry:")
"""Ids of what is named after other things."""
_SUGGESTED: Final = 8
_HITS: Final = 40
_MEANT: Final = 3
_SURE: Final = 95
"""From this score on a name is what was written, and not merely like it."""
_LONG: Final = 200
"""Letters of a search that are looked at."""
_FOREVER: Final = "public, max-age=31536000, immutable"
_ATOM: Final = "application/atom+xml"
_NEWS: Final = 12
_PUBLISHERS: Final = 8
_COUNTS: Final = """
SELECT ?kind (COUNT(DISTINCT ?thing) AS ?count) WHERE {
  VALUES (?class ?kind) { (cgt:Therapy "therapies") (cgt:Product "products") (cgt:Milestone "milestones")
    (cgt:Approval "approvals") (cgt:Agency "agencies") (cgt:Organisation "organisations") (cgt:Disease "diseases")
    (cgt:Trial "trials") (cgt:Source "sources") (cgt:Claim "claims") }
  ?thing a ?class
} GROUP BY ?kind ORDER BY DESC(?count)
"""
_NEWEST: Final = """
SELECT ?milestone WHERE {
  ?milestone a cgt:Milestone ; cgt:date ?date ; cgt:datePrecision "day" ; cgt:agency ?agency ; cgt:about ?about .
} ORDER BY DESC(?date) ?milestone LIMIT %s
"""
_SOURCES: Final = """
SELECT ?kind (COUNT(DISTINCT ?source) AS ?count) WHERE { ?source a cgt:Source ; cgt:kind/rdfs:label ?kind }
GROUP BY ?kind ORDER BY DESC(?count) ?kind
"""
_PUBLISHING: Final = """
SELECT ?publisher (COUNT(DISTINCT ?source) AS ?count) WHERE {
  ?source a cgt:Source ; cgt:publisher ?publisher ; cgt:kind ?kind .
  VALUES ?kind { <%s> <%s> }
} GROUP BY ?publisher ORDER BY DESC(?count) ?publisher LIMIT %s
"""


def start(_: Request, opened: Opened) -> Response:
    """Answer with the start page."""
    select, official = opened.release.select, [expand(f"source-kind:{kind}") for kind in ("agency-page", "register")]
    newest = [iri.value for (iri,) in select(_NEWEST % _NEWS).rows if isinstance(iri, ox.NamedNode)]
    content = {
        "counts": rows(select(_COUNTS)),
        "listed": library(),
        "newest": [View(opened, iri).milestone(iri) for iri in newest],
        "sources": rows(select(_SOURCES)),
        "publishers": rows(select(_PUBLISHING % (*official, _PUBLISHERS))),
        "modified": opened.release.manifest.get("modified", ""),
        "questions": len(library()),
    }
    return html(opened, "start.html", content, headers={"Link": '</.well-known/void>; rel="describedby"'})


def feed(request: Request, opened: Opened) -> Response:
    """Answer with the newest milestones as a feed, whose links lead to this server's pages."""
    host = home(request, opened)
    return sent(atom(opened.release, lambda thing: f"{host}page/{thing.replace(':', '/', 1)}"), _ATOM)


def search(request: Request, opened: Opened) -> Response:
    """Answer with what has a name like the one given: a page for browsers' own navigation, JSON for all else."""
    text, kind = (request.query_params.get(name, "").strip()[:_LONG] for name in ("q", "kind"))
    media = preferred(wishes(request), ("application/json", HTML))
    near = opened.index.search(text, _HITS) if text else []
    # Sorting is stable: the best name comes first among things, and after them among what only speaks of things.
    hits = sorted(near, key=lambda hit: hit.id.startswith(BESIDE))
    kinds = Counter(kind_of(hit.id) for hit in hits)
    shown = [hit for hit in hits if kind in ("", kind_of(hit.id))][: _HITS if media == HTML else _SUGGESTED]
    twins = apart(opened, shown)
    found = [
        {"id": h.id, "label": h.label, "kind": h.kind, "matched": h.matched, "score": h.score,
         "apart": twins.get(h.id),
         "language": opened.languages.get(h.matched), **{k: opened.cell(h.id)[k] for k in ("href", "chinese")}}
        for h in shown
    ]  # fmt: skip
    if media == HTML:
        things = [] if any(hit.score >= _SURE for hit in hits) else [h for h in hits if not h.id.startswith(BESIDE)]
        meant = [(hit.matched, opened.cell(hit.id)["href"]) for hit in things[:_MEANT]]
        content = {"text": text, "hits": found, "kinds": kinds, "kind": kind, "meant": meant}
        return html(opened, "search.html", content, headers={"Vary": "Accept"})
    return sent(json.dumps({"query": text, "hits": found}, ensure_ascii=False), "application/json", {"Vary": "Accept"})


def ontology(request: Request, opened: Opened) -> Response:
    """Answer for the ontology's IRI: its terms as a page, or its statements as Accept says."""
    media = preferred(wishes(request), (HTML, *SUFFIXES))
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


def robots(request: Request, opened: Opened) -> Response:
    """Answer with what robots are asked to leave alone: what costs much and says nothing new."""
    host = home(request, opened)
    text = f"User-agent: *\nDisallow: /sparql\nDisallow: /search\nDisallow: /*?\nSitemap: {host}sitemap.xml\n"
    return PlainTextResponse(text)


def sitemap(request: Request, opened: Opened) -> Response:
    """Answer with the addresses of all pages."""
    fixed = ["", "questions", "networks", "explore", "ontology", *(f"questions/{name}" for name in library())]
    things = sorted(path[1:] for iri in opened.labels if (path := opened.path(iri) or "").startswith("/page/"))
    content: dict[str, Any] = {"host": home(request, opened), "paths": fixed + things}
    content["modified"] = opened.release.manifest.get("modified", "")
    return sent(page("web/sitemap.xml", content), "application/xml")


def static(request: Request, opened: Opened) -> Response:
    """Answer with one of the package's own files."""
    return _file(request, opened, request.path_params["name"])


def icon(request: Request, opened: Opened) -> Response:
    """Answer with the icon, where browsers look for it that were not told by a page."""
    return _file(request, opened, "icon.svg")


def _file(request: Request, opened: Opened, name: str) -> Response:
    if name not in files():
        return missing(opened, name)
    same = request.query_params.get("v") == digest(name)
    tag = f'W/"{digest(name)}"'
    kept = _FOREVER if same else "public, no-cache"
    headers = {"ETag": tag, "Cache-Control": kept, "X-Content-Type-Options": "nosniff"}
    if known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(content(name), media_type=files()[name][1], headers=headers)
