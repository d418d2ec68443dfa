"""The dataset and its named graphs: what they are, as a page and as data, and all of it as one file."""

from difflib import get_close_matches
from typing import Any, Final

import pyoxigraph as ox
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from kg.describe import DATASET
from kg.describe import GRAPH as DESCRIPTION
from kg.export import STEM
from kg.namespaces import BASE, GRAPHS, LICENCES, graph
from kg.store import DATASET as FILE
from kg.web.answers import HTML, home, html, missing, sent
from kg.web.negotiation import preferred, wishes
from kg.web.opened import Cell, Opened, node
from kg.web.pages.linked import FORMATS, SUFFIXES, written

ADDRESS: Final = "/.well-known/void"
"""Where the dataset is described."""
DUMP: Final = f"data/{STEM}.nq"
"""Where all of it is, below the start page."""
_INSIDE: Final = ox.NamedNode(graph(DESCRIPTION))


def identify(request: Request, opened: Opened) -> Response:
    """Answer for the IRI of the dataset, of a named graph, or of who made them: 303 to the description."""
    name = request.path_params.get("name", "")
    iri = graph(name) if name else BASE + request.url.path.rpartition("/")[2]
    if iri in {quad.subject.value for quad in _stated(opened)}:
        return RedirectResponse(ADDRESS + (f"#{_anchor(iri)}" if iri != DATASET else ""), 303)
    if iri == graph(DESCRIPTION):
        return RedirectResponse(ADDRESS, 303)
    graphs = {_anchor(one["iri"]): one for one in _graphs(opened)}
    near = [(_cell(one, graphs[one]["title"]), "named graph") for one in get_close_matches(name, graphs, 3)]
    return missing(opened, name, [*near, (_cell("graphs", "All named graphs"), "description of the data")])


def describe(request: Request, opened: Opened) -> Response:
    """Answer with the description of the dataset and its graphs, and where they are asked and taken, as Accept says."""
    media = preferred(wishes(request), (*SUFFIXES, HTML))
    given = request.path_params.get("suffix", "")
    alternates = ", ".join(f'<{ADDRESS}.{s}>; rel="alternate"; type="{m}"' for s, (m, _) in FORMATS.items())
    headers = {"Vary": "Accept", "Link": f'<{DATASET}>; rel="describes", {alternates}'}
    if given and given not in FORMATS:
        return missing(opened, "dataset")
    if media == HTML and not given:
        return html(opened, "dataset.html", _content(opened), headers=headers)
    suffix = given or SUFFIXES.get(media or "", "ttl")
    quads = sorted([*_stated(opened), *_places(opened, home(request, opened))], key=str)
    return sent(written(quads, suffix), FORMATS[suffix][0], headers | {"Content-Location": f"{ADDRESS}.{suffix}"})


def dump(_: Request, opened: Opened) -> Response:
    """Answer with all statements of the release, each with its graph."""
    if not _lies(opened):
        return missing(opened, DUMP)
    headers = {"X-Content-Type-Options": "nosniff"}
    return FileResponse(opened.release.path / FILE, headers=headers, media_type=FORMATS["nq"][0])


def _lies(opened: Opened) -> bool:
    """Whether the release has its statements as a file; one in memory has not."""
    return "dataset" in opened.release.manifest and (opened.release.path / FILE).is_file()


def _stated(opened: Opened) -> list[Any]:
    return list(opened.release.store.quads_for_pattern(None, None, None, _INSIDE))


def _places(opened: Opened, host: str) -> list[ox.Quad]:
    """What is true only of this server: where the graph is asked, and where it is taken as files."""
    whole, file = ox.NamedNode(DATASET), ox.NamedNode(f"{host}{DUMP}")
    found: list[tuple[ox.NamedNode, str, ox.NamedNode | ox.Literal]] = [
        (whole, "void:sparqlEndpoint", ox.NamedNode(f"{host}sparql"))
    ]
    found += [
        (ox.NamedNode(graph("ontology")), "void:dataDump", ox.NamedNode(f"{host}ontology.{suffix}"))
        for suffix in FORMATS
    ]
    if _lies(opened):
        found += [
            (whole, "void:dataDump", file),
            (whole, "dcat:distribution", file),
            (file, "rdf:type", node("dcat:Distribution")),
            (file, "dcat:downloadURL", file),
            (file, "dcat:mediaType", ox.Literal(FORMATS["nq"][0])),
            (file, "dcterms:title", ox.Literal(f"{STEM}.nq")),
            (file, "dcterms:license", ox.NamedNode(LICENCES["facts"])),
        ]
    return [ox.Quad(subject, node(name), value, _INSIDE) for subject, name, value in found]


def _content(opened: Opened) -> dict[str, Any]:
    graphs = _graphs(opened)
    return {
        "graphs": graphs,
        "triples": sum(one["triples"] for one in graphs),
        "files": [(suffix, media, f"{ADDRESS}.{suffix}") for suffix, (media, _) in FORMATS.items()],
        "dump": f"/{DUMP}" if _lies(opened) else None,
        "size": (opened.release.path / FILE).stat().st_size if _lies(opened) else 0,
        "modified": opened.release.manifest.get("modified", ""),
        "licences": {LICENCES["facts"]: "CC0", LICENCES["ontology"]: "CC BY 4.0"},
    }


def _graphs(opened: Opened) -> list[dict[str, Any]]:
    """Every named graph as the description has it, by name."""
    said: dict[str, dict[str, str]] = {}
    for quad in _stated(opened):
        said.setdefault(quad.subject.value, {})[quad.predicate.value] = quad.object.value
    title, triples, licence, kind = (
        node(name).value for name in ("dcterms:title", "void:triples", "dcterms:license", "void:class")
    )
    return [
        {
            "iri": iri, "anchor": _anchor(iri), "title": one[title], "triples": int(one[triples]),
            "licence": one[licence], "kind": opened.titled(one[kind]) if kind in one else None,
            "asked": f"SELECT * {{ GRAPH <{iri}> {{ ?s ?p ?o }} }} LIMIT 100",
        }
        for iri, one in sorted(said.items())
        if iri.startswith(GRAPHS) and triples in one
    ]  # fmt: skip


def _anchor(iri: str) -> str:
    return iri.rpartition("/")[2]


def _cell(anchor: str, text: str) -> Cell:
    return Cell(text=text, href=f"{ADDRESS}#{anchor}", language=None, chinese="")
