"""Answers to requests: pages with their headers, and what has not changed since it was last asked for."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from kg.report import page
from kg.web.files import address, program
from kg.web.negotiation import wishes
from kg.web.opened import Cell, Opened
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
_METHODS: Final = "GET, HEAD, OPTIONS"
_OPEN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Content-Location, ETag, Link",
}
"""All is public: any page of any host may read it, ..."""
_PREFLIGHT: Final = {
    "Allow": _METHODS,
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": "Accept, If-None-Match",
    "Access-Control-Max-Age": "86400",
}
"""... with these methods and headers."""

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
    """Return data of a media type."""
    return Response(content, status, {**_SAFE, **(headers or {})}, media)


def home(request: Request, opened: Opened) -> str:
    """Return the address of the start page, as readers reach it."""
    return opened.base or str(request.base_url)


def missing(opened: Opened, wanted: str, near: Sequence[tuple[Cell, str]] = ()) -> Response:
    """Return the page that says that there is no such thing, and what comes near.

    Args:
        opened: What is looked through.
        wanted: What was asked for.
        near: What comes near, each with its kind; where empty, the things of such a name.
    """
    if wanted and not near:
        near = [(opened.cell(hit.id), hit.kind) for hit in opened.index.search(wanted.replace("-", " "), 8)]
    return html(opened, "missing.html", {"wanted": wanted, "hits": near}, 404, {"Vary": "Accept"})


def known(request: Request, tag: str) -> bool:
    """Return whether a client has an answer already, whose tag it sends along; compared weakly."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or tag.removeprefix("W/") in [p.strip().removeprefix("W/") for p in given.split(",")]


def bound(endpoint: Endpoint, opened_for: Callable[[Request], Opened]) -> Callable[[Request], Response]:
    """Return an endpoint that finds the release of each request, and answers 304 to who has its answer already.

    A release never changes, so an answer depends on nothing but the release, this program with its settings, the
    address and Accept. Pages of other hosts may ask too, and are told so.
    """
    made_by = program()

    def answer(request: Request) -> Response:
        response = Response(status_code=204, headers=_PREFLIGHT) if request.method == "OPTIONS" else asked(request)
        response.headers.update(_OPEN)
        return response

    def asked(request: Request) -> Response:
        opened = opened_for(request)
        about = "\n".join((opened.name, made_by, opened.base, opened.tracker, str(request.url), wishes(request)))
        tag = f'W/"{blake2b(about.encode(), digest_size=12).hexdigest()}"'
        if known(request, tag):
            # What is sent whole is compressed, and says so, only after this.
            return _kept(Response(status_code=304, headers={"Vary": "Accept, Accept-Encoding"}), tag)
        try:
            response = endpoint(request, opened)
        except RefusedError as error:
            kept = {"Cache-Control": "no-store", **error.headers}
            return html(opened, "refused.html", {"message": error.message}, error.status, kept)
        return _kept(response, tag) if response.status_code == 200 and "etag" not in response.headers else response

    return answer


def _kept(response: Response, tag: str) -> Response:
    """Return an answer with what tells a client when to ask for it anew."""
    response.headers.update({"ETag": tag, "Cache-Control": "public, no-cache"})
    response.headers.setdefault("Vary", "Accept")
    return response
