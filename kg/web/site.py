"""Which address is answered by what: linked data and the explorer of one release."""

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kg.web.answers import Endpoint, bound
from kg.web.endpoint import editor
from kg.web.networks import explore
from kg.web.networks import library as networks
from kg.web.opened import Opened
from kg.web.pages import dataset, figures, questions, start, things

_ADDRESSES: Final[tuple[tuple[str, Endpoint], ...]] = (
    ("/", start.start),
    ("/search", start.search),
    ("/id/{kind}/{name}", things.identify),
    ("/page/{kind}/{name}", things.page),
    ("/page/{kind}/{name}/network.svg", things.picture),
    ("/page/{kind}/{name}/cite.{suffix}", things.cite),
    ("/page/{kind}/{name}/timeline.{suffix}", figures.timeline),
    ("/data/{kind}/{name}", things.data),
    (f"/{dataset.DUMP}", dataset.dump),
    ("/dataset", dataset.identify),
    ("/graph/{name}", dataset.identify),
    ("/curators", dataset.identify),
    ("/ontology", start.ontology),
    ("/ontology.{suffix}", start.ontology),
    ("/questions", questions.listing),
    ("/questions/{name}", questions.ask),
    ("/questions/{name}/{file}", figures.of_question),
    ("/networks", networks.listing),
    ("/networks/{name}", networks.show),
    ("/explore", explore.page),
    ("/explore.json", explore.data),
    ("/feed.xml", start.feed),
    ("/sparql/terms.json", editor.terms),
    (dataset.ADDRESS, dataset.describe),
    (f"{dataset.ADDRESS}.{{suffix}}", dataset.describe),
    ("/robots.txt", start.robots),
    ("/sitemap.xml", start.sitemap),
    ("/favicon.ico", start.icon),
    ("/static/{name:path}", start.static),
)


def routes(opened: Opened | Callable[[Request], Opened], before: Sequence[tuple[str, Endpoint]] = ()) -> list[Route]:
    """Return the routes of linked data and of the explorer.

    Endpoints are plain functions, which Starlette runs in threads: the engine lets go of the interpreter's lock.

    Args:
        opened: What they answer from, or what says for a request what is in use.
        before: Further addresses, which are looked at first.
    """
    if isinstance(opened, Opened):
        return routes(lambda _: opened, before)
    asked = [*before, *_ADDRESSES]
    asked += [(f"{path}/", _shorter) for path, _ in (*_ADDRESSES, ("/sparql", _shorter)) if path != "/"]
    return [Route(path, bound(endpoint, opened), methods=["GET", "OPTIONS"]) for path, endpoint in asked]


def _shorter(request: Request, _: Opened) -> Response:
    """Lead on to the address without the slash at its end; from the root, since readers may know another host."""
    path, words = quote(request.scope["path"].rstrip("/")), request.url.query
    return RedirectResponse(f"{path}?{words}" if words else path, 308)
