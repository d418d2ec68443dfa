"""Which address is answered by what: linked data and the explorer of one release."""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.routing import Route

from kg.store import Release
from kg.web import editor, networks, questions, start, things
from kg.web.answers import Endpoint, bound
from kg.web.opened import Opened

_ADDRESSES: Final[tuple[tuple[str, Endpoint], ...]] = (
    ("/", start.start),
    ("/search", start.search),
    ("/id/{kind}/{name}", things.identify),
    ("/page/{kind}/{name}", things.page),
    ("/data/{kind}/{name}", things.data),
    ("/dataset", things.dataset),
    ("/ontology", start.ontology),
    ("/ontology.{suffix}", start.ontology),
    ("/questions", questions.listing),
    ("/questions/{name}", questions.ask),
    ("/networks", networks.listing),
    ("/networks/{name}", networks.show),
    ("/sparql/terms.json", editor.terms),
    ("/.well-known/void", start.void),
    ("/robots.txt", start.robots),
    ("/sitemap.xml", start.sitemap),
    ("/static/{name:path}", start.static),
)


def routes(release: Release | Callable[[Request], Opened]) -> list[Route]:
    """Return the routes of linked data and of the explorer.

    Endpoints are plain functions, which Starlette runs in threads: the engine lets go of the interpreter's lock.

    Args:
        release: The release they answer from, or what says for a request what is in use.
    """
    if isinstance(release, Release):
        fixed = Opened(release)
        return routes(lambda _: fixed)
    return [Route(path, bound(endpoint, release), methods=["GET"]) for path, endpoint in _ADDRESSES]
