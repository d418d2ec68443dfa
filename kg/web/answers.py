"""Answers to requests: pages with their headers, and what has not changed since it was last asked for."""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from kg import __version__
from kg.report import page
from kg.web.files import address
from kg.web.negotiation import wishes
from kg.web.opened import Opened
from kg.web.refusal import RefusedError

HTML: Final = "text/html"
SVG: Final = "image/svg+xml"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load: this server's own files and nothing else."""
STILL: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""What a picture may load, which holds its own style: nothing."""
_SAFE: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}

_WORTH_COMPRESSING: Final = 1024
_EFFORT: Final = 4
"""Of 9: more takes several times as long for a few bytes in a hundred."""

Endpoint = Callable[[Request, Opened], Response]


def compressed(app: ASGIApp) -> ASGIApp:
    """Return what answers as `app` does, compressed for clients that take it."""
    return GZipMiddleware(app, _WORTH_COMPRESSING, _EFFORT)


def html(
    opened: Opened,
    template: str,
    content: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a page made from a template of `templates/web`."""
    filled = page(f"web/{template}", {"release": opened.name, "static": address, **content})
    return Response(filled, status, {"Content-Security-Policy": POLICY, **_SAFE, **(headers or {})}, HTML)


def sent(content: str | bytes, media: str, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """Return data of a media type, which any page of any host may read."""
    return Response(content, status, {"Access-Control-Allow-Origin": "*", **_SAFE, **(headers or {})}, media)


def missing(opened: Opened, wanted: str) -> Response:
    """Return the page that says that there is no such thing, and what comes near."""
    hits = opened.index.search(wanted.replace("-", " "), 8) if wanted else []
    content = {"wanted": wanted, "hits": [(opened.cell(hit.id), hit) for hit in hits]}
    return html(opened, "missing.html", content, 404, {"Vary": "Accept"})


def known(request: Request, tag: str) -> bool:
    """Return whether a client has an answer already, whose tag it sends along; compared weakly."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or tag.removeprefix("W/") in [p.strip().removeprefix("W/") for p in given.split(",")]


def bound(endpoint: Endpoint, opened_for: Callable[[Request], Opened]) -> Callable[[Request], Response]:
    """Return an endpoint that finds the release of each request, and answers 304 to who has its answer already.

    A release never changes, so an answer depends on nothing but the release, this program with its settings, the
    address and Accept.
    """

    def answer(request: Request) -> Response:
        opened = opened_for(request)
        about = "\n".join((opened.name, __version__, opened.base, opened.tracker, str(request.url), wishes(request)))
        tag = f'W/"{blake2b(about.encode(), digest_size=12).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": "public, no-cache"}
        if known(request, tag):
            return Response(status_code=304, headers=headers | {"Vary": "Accept"})
        try:
            response = endpoint(request, opened)
        except RefusedError as error:
            kept = {"Cache-Control": "no-store", **error.headers}
            return html(opened, "refused.html", {"message": error.message}, error.status, kept)
        if response.status_code == 200 and "etag" not in response.headers:
            response.headers.update(headers)
        return response

    return answer
