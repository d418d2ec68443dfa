"""Which address is answered by what: linked data and the explorer of one release."""

from collections.abc import Callable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.routing import Route

from kg.store import Release
from kg.web import explore, figures, networks, questions, start, things
from kg.web.answers import Endpoint, bound
from kg.web.opened import Draw, Opened

_ADDRESSES: Final[tuple[tuple[str, Endpoint], ...]] = (
    ("/", start.start),
    ("/search", start.search),
    ("/id/{kind}/{name}", things.identify),
    ("/page/{kind}/{name}", things.page),
    ("/page/{kind}/{name}/network.svg", things.picture),
    ("/page/{kind}/{name}/cite.{suffix}", things.cite),
    ("/page/{kind}/{name}/timeline.{suffix}", figures.timeline),
    ("/data/{kind}/{name}", things.data),
    ("/dataset", things.dataset),
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
    ("/.well-known/void", start.void),
    ("/robots.txt", start.robots),
    ("/sitemap.xml", start.sitemap),
    ("/static/{name:path}", start.static),
)


def routes(
    release: Release | Callable[[Request], Release],
    tracker: str = "",
    before: Sequence[tuple[str, Endpoint]] = (),
    draw: Draw | None = None,
) -> list[Route]:
    """Return the routes of linked data and of the explorer.

    Endpoints are plain functions, which Starlette runs in threads: the engine lets go of the interpreter's lock.

    Args:
        release: The release they answer from, or what says for a request which release is in use.
        tracker: Where readers propose corrections, an address in which `{id}` stands for the thing's id.
        before: Further addresses, which are looked at first.
        draw: How pictures of answers are drawn, where not in processes of their own.
    """
    newest: list[Opened] = []

    def opened_for(request: Request) -> Opened:
        current = release if isinstance(release, Release) else release(request)
        if not newest or newest[0].release is not current:
            newest[:] = [Opened(current, tracker, draw)]
        return newest[0]

    return [Route(path, bound(endpoint, opened_for), methods=["GET"]) for path, endpoint in (*before, *_ADDRESSES)]
