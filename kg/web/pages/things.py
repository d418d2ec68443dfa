"""A thing's address, its page and its data."""

from typing import Final
from urllib.parse import quote

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kg.errors import IdentifierError
from kg.namespaces import BASE, THINGS, expand
from kg.web.answers import HTML, STILL, SVG, html, missing, sent
from kg.web.negotiation import preferred, wishes
from kg.web.opened import PAGED, Opened
from kg.web.pages import figures
from kg.web.pages.citing import CITATIONS, citation
from kg.web.pages.facts import View
from kg.web.pages.linked import FORMATS, SUFFIXES, about, described, written
from kg.web.pages.sections import others, tables
from kg.web.pages.summary import Summary
from kg.web.pages.wording import day

_OFFERED: Final = (HTML, "application/xhtml+xml", *SUFFIXES, "application/json", "text/plain")
SAME: Final = {"application/json": "jsonld", "text/plain": "nt"}
"""Media types that many say where they mean a format of `FORMATS`."""
_TABLED: Final = ("agency", "class")
"""Kinds of thing with so many milestones that a table serves better than a list."""
_VARY: Final = {"Vary": "Accept"}


def _view(opened: Opened, kind: str, name: str) -> View | None:
    if kind not in PAGED:
        return None
    try:
        view = View(opened, expand(f"{kind}:{name}"))
    except IdentifierError:
        return None
    return view if view.there else None


def _gone(view: View, suffix: str = "") -> Response:
    """Answer for an id that was withdrawn: when, why, and what stands in its place; as data with a format's suffix."""
    said = [view.values(view.iri, name) for name in ("dcterms:isReplacedBy", "cgt:givenUp", "cgt:explanation")]
    instead, when, why = (next((v.value for v in found), "") for found in said)
    headers = _VARY | ({"Link": f'<{instead}>; rel="successor-version"'} if instead else {})
    if suffix:
        return sent(written(about(view.opened.release, view.iri), suffix), FORMATS[suffix][0], headers, 410)
    content = {
        "id": view.id,
        "instead": view.opened.titled(instead) if instead else None,
        "when": day(when),
        "why": why,
    }
    return html(view.opened, "gone.html", content, 410, headers)


def look_up(opened: Opened, kind: str, name: str) -> View | Response:
    """Return the thing of an address, or the answer that it is not here or was withdrawn."""
    view = _view(opened, kind, name)
    if view is None:
        return missing(opened, name)
    return _gone(view) if view.gone else view


def identify(request: Request, opened: Opened) -> Response:
    """Answer for a thing's IRI: 303 to its page or its data, as Accept says."""
    kind, name = request.path_params["kind"], request.path_params["name"]
    view = _view(opened, kind, name)
    if view is None:
        return missing(opened, name)
    media = preferred(wishes(request), _OFFERED)
    suffix = SUFFIXES.get(media or "") or SAME.get(media or "", "")
    if view.gone:
        return _gone(view, suffix)
    if media is None:
        offers = ", ".join(_OFFERED)
        return sent(f"{kind}:{name} is offered as {offers}\n", "text/plain", _VARY, 406)
    where = f"/data/{kind}/{name}.{suffix}" if suffix else f"/page/{kind}/{name}"
    return RedirectResponse(where, 303, _VARY)


def data(request: Request, opened: Opened) -> Response:
    """Answer with the statements about a thing, in the format of the suffix."""
    name, _, suffix = request.path_params["name"].rpartition(".")
    view = _view(opened, request.path_params["kind"], name)
    if view is None or suffix not in FORMATS:
        return missing(opened, name or suffix)
    if view.gone:
        return _gone(view, suffix)
    headers = {"Link": f'<{view.iri}>; rel="describes", <{_page(view)}>; rel="alternate"; type="{HTML}"'}
    return sent(written(about(opened.release, view.iri), suffix), FORMATS[suffix][0], headers)


def page(request: Request, opened: Opened) -> Response:
    """Answer with a thing's page."""
    kind, name = request.path_params["kind"], request.path_params["name"]
    view = look_up(opened, kind, name)
    if isinstance(view, Response):
        return view
    files = [(suffix, media, f"/data/{kind}/{name}.{suffix}") for suffix, (media, _) in FORMATS.items()]
    alternates = [f'<{href}>; rel="alternate"; type="{media}"' for _, media, href in files]
    links = [f'<{view.iri}>; rel="canonical"', f'<{view.iri}>; rel="describes"', *alternates]
    summary = Summary(view)
    content = {
        "view": view,
        "summary": summary,
        "tables": tables(view),
        "others": others(view),
        "groups": [] if kind in _TABLED else view.milestones(),
        "timeline": figures.of_thing(view.id, view.label) if view.milestone_iris else None,
        "files": files,
        "citation": citation(view),
        "citations": [(words, f"/page/{kind}/{name}/cite.{suffix}") for suffix, (words, *_) in CITATIONS.items()],
        "tracker": opened.tracker.replace("{id}", quote(view.id)),
        "json_ld": Markup(described(view)),  # noqa: S704 - escaped by described
    }
    return html(opened, "thing.html", content, headers={"Link": ", ".join(links)})


def cite(request: Request, opened: Opened) -> Response:
    """Answer with the citation of a thing, in the format of the suffix."""
    kind, name, suffix = (request.path_params[key] for key in ("kind", "name", "suffix"))
    view = look_up(opened, kind, name)
    if isinstance(view, Response):
        return view
    if suffix not in CITATIONS:
        return missing(opened, name)
    _, media, write = CITATIONS[suffix]
    headers = {"Content-Disposition": f'attachment; filename="{kind}-{name}.{suffix}"'}
    return sent(write(citation(view)), f"{media}; charset=utf-8", headers)


def picture(request: Request, opened: Opened) -> Response:
    """Answer with a thing and its closest neighbours as a picture."""
    view = _view(opened, request.path_params["kind"], request.path_params["name"])
    if view is None or not view.label:
        return missing(opened, request.path_params["name"])
    return sent(opened.pictured(view.id), SVG, {"Content-Security-Policy": STILL})


def _page(view: View) -> str:
    return "/page/" + view.iri.removeprefix(THINGS).removeprefix(BASE) if view.iri.startswith(THINGS) else view.iri
