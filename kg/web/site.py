"""Which address is answered by what: linked data and the explorer of one release."""

from typing import Final

from starlette.routing import Route

from kg.store import Release
from kg.web import networks, questions, start, things
from kg.web.answers import Endpoint, bound
from kg.web.served import Served

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
    ("/.well-known/void", start.void),
    ("/robots.txt", start.robots),
    ("/sitemap.xml", start.sitemap),
    ("/static/{name}", start.static),
)


def routes(release: Release) -> list[Route]:
    """Return the routes of linked data and of the explorer.

    Endpoints are plain functions, which Starlette runs in threads: the engine lets go of the interpreter's lock.

    Args:
        release: The release they answer from.
    """
    served = Served(release)
    return [Route(path, bound(endpoint, served), methods=["GET"]) for path, endpoint in _ADDRESSES]
