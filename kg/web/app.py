"""The application that serves a release."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kg.web.answers import compressed, missing
from kg.web.endpoint.sparql import sparql
from kg.web.hosts import KnownHosts
from kg.web.pool.worker import Gone, Job
from kg.web.pool.workers import Late, Left, Overloaded
from kg.web.served import Served, served
from kg.web.settings import Settings

_PULSE: Final = "ASK { ?s ?p ?o }"
_PULSE_SECONDS: Final = 5.0


def application(
    folder: Path | None = None, settings: Settings | None = None, routes: Sequence[BaseRoute] = ()
) -> Starlette:
    """Return the application that serves the release in use of a build folder.

    Args:
        folder: The build folder; `KG_BUILD` or `build` where None.
        settings: The bounds within which it serves.
        routes: Further pages, which are asked first; `kg.web.served.served(request.app)` has the release.

    Raises:
        ReleaseError: There is no release.
    """
    state = Served(folder, settings or Settings())

    @asynccontextmanager
    async def living(_: Starlette) -> AsyncIterator[None]:
        await state.start()
        try:
            yield
        finally:
            await state.stop()

    app = Starlette(
        routes=[*routes, Route("/health", _health, methods=["GET"])],
        middleware=[
            Middleware(KnownHosts, hosts=state.settings.hosts),
            Middleware(_Endpoint),
            # The endpoint's workers compress what they find; this is for all else.
            Middleware(compressed),
        ],
        exception_handlers={404: _nowhere},
        lifespan=living,
    )
    app.state.served = state
    return app


class _Endpoint:
    """Middleware that takes the endpoint's requests before all routes are looked through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        here = scope["type"] == "http" and scope["path"] == "/sparql"
        await (sparql if here else self._app)(scope, receive, send)


def _nowhere(request: Request, _: Exception) -> Response:
    return missing(served(request.app).opened, request.url.path.strip("/").rpartition("/")[2])


async def _health(request: Request) -> Response:
    """Answer a real query, and say which release is served."""
    state = served(request.app)

    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    job = Job(_PULSE, "rows", "JSON", None, None, False, {}, False, 1, 1024)
    try:
        reply = await state.pool.evaluate(job, _PULSE_SECONDS, left)
        well = reply.status == "whole" and b"true" in reply.body
    except (Gone, Late, Left, Overloaded):
        well = False
    content = {"status": "ok" if well else "failing", "release": state.name, "quads": state.quads}
    return JSONResponse(content, 200 if well else 503, {"Cache-Control": "no-store"})
