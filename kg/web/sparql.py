"""The endpoint `/sparql`."""

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache, lru_cache, partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kg.errors import QueryError
from kg.namespaces import PREFIXES
from kg.report import page
from kg.syntax import Inspection, inspect
from kg.web.answers import known
from kg.web.asking import evaluated
from kg.web.description import describe
from kg.web.negotiation import GRAPHS, HTML, JSON, ROWS, accepts, choose
from kg.web.protocol import Asked, RefusedError, asked
from kg.web.sending import Whole
from kg.web.served import Served, served
from kg.web.table import LEAST_FORMAT, shown
from kg.web.worker import Job, Reply

METHODS: Final = ("GET", "HEAD", "POST", "OPTIONS")
POLICY: Final = "default-src 'none'; style-src '{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_TEXT: Final = "text/plain; charset=utf-8"
_KEPT: Final = "public, max-age=60"
_UNKEPT: Final = "no-store"
_PLACE = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
_HELPFUL = re.compile(r"[A-Z ]{1,30}|[A-Z]\w+(?: \w+){1,3}|\".{1,3}\"")


async def sparql(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request of the SPARQL 1.1 Protocol."""
    request = Request(scope, receive)
    state = served(scope["app"])
    try:
        response = await _answer(request, state)
    except RefusedError as error:
        response = _refusal(request, state, error)
    response.raw_headers += _common(state.settings.limits)
    await response(scope, receive, send)


@cache
def _common(limits: str) -> list[tuple[bytes, bytes]]:
    """The headers that every answer has, as they go out."""
    headers = {
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "ETag, Retry-After, X-Query-Limits, X-Release",
        "vary": "Accept, Accept-Encoding",
        "x-query-limits": limits,
        "x-content-type-options": "nosniff",
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]


async def _answer(request: Request, state: Served) -> Response:
    if request.method == "OPTIONS":
        headers = {
            "Allow": ", ".join(METHODS),
            "Access-Control-Allow-Methods": ", ".join(METHODS),
            "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
            "Access-Control-Max-Age": "86400",
        }
        return Response(status_code=204, headers=headers)
    if request.method not in METHODS:
        raise RefusedError(405, f"Take one of {', '.join(METHODS)}.", {"Allow": ", ".join(METHODS)})
    wish = await asked(request, state.settings)
    if wish.query is None:
        return _bare(request, state)
    return await _evaluated(request, state, wish, wish.query)


def _bare(request: Request, state: Served) -> Response:
    media = choose(request.headers.get("accept", ""), [*GRAPHS, HTML])
    if media is None:
        raise RefusedError(406, f"The description comes as {', '.join(list(GRAPHS)[:6])}; the editor as {HTML}.")
    if media == HTML:
        return _page(state, "", None, "", 200)
    body = describe(state, str(request.url.replace(query="")), GRAPHS[media])
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": _KEPT, "X-Release": state.name}
    if known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(b"" if request.method == "HEAD" else body, 200, headers, _typed(media))


async def _evaluated(request: Request, state: Served, wish: Asked, query: str) -> Response:
    settings = state.settings
    try:
        seen = inspect(query, settings.query)
    except QueryError as error:
        raise RefusedError(400, f"{error}.") from error
    if seen.refused:
        raise RefusedError(403, f"{seen.refused}.")
    offers = ROWS if seen.form in ("SELECT", "ASK") else GRAPHS
    accept = request.headers.get("accept", "")
    media = _chosen(accept, (*offers, HTML))
    if media is None:
        raise RefusedError(406, f"The answer comes as one of: {', '.join(offers)}; not as {accept[:200]}.")
    compressed = media != HTML and _takes_gzip(request.headers.get("accept-encoding", ""))
    kept = request.method in ("GET", "HEAD") and not seen.volatile
    if kept and "if-none-match" in request.headers:
        tag = _tag(state.name, wish, media, compressed)
        if known(request, tag):
            return Response(status_code=304, headers={"ETag": tag, "Cache-Control": _KEPT, "X-Release": state.name})
    job = Job(
        query, "rows" if offers is ROWS else "graph", LEAST_FORMAT[offers is ROWS] if media == HTML else offers[media],
        wish.default, wish.named, seen.dataset, {name: PREFIXES[name] for name in seen.borrows if name in PREFIXES},
        compressed, settings.rows, settings.size,
    )  # fmt: skip
    reply = await _reply(request, state, job, wish.seconds, seen)
    name = reply.release
    headers = {"X-Release": name, "Cache-Control": _KEPT if kept else _UNKEPT}
    if kept:
        headers["ETag"] = _tag(name, wish, media, compressed)
    if media == HTML:
        return _page(state, query, reply, "", 200, headers)
    if reply.gzip:
        headers["Content-Encoding"] = "gzip"
    if request.method == "HEAD":
        headers["Content-Length"] = str(sum(map(len, reply.parts)))
        return Response(b"", 200, headers, _typed(media))
    return Whole(reply, settings.stalled, headers, _typed(media))


# Clients are few kinds of programs, and each sends the same headers always.
_chosen = lru_cache(maxsize=256)(choose)
_takes_gzip = lru_cache(maxsize=256)(partial(accepts, "gzip"))


async def _reply(request: Request, state: Served, job: Job, seconds: float, seen: Inspection) -> Reply:
    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    reply = await evaluated(state.pool, job, seconds, state.settings, left)
    if reply.status == "form" or (reply.status != "whole" and not seen.form):
        message = _placed(reply.message, job.query) or "A query is SELECT, ASK, CONSTRUCT or DESCRIBE."
        raise RefusedError(400, message)
    if reply.status != "whole":
        raise RefusedError(400, _placed(reply.message, job.query))
    return reply


def _placed(message: str, query: str) -> str:
    """Return the engine's message with the line it points at, without its list of characters."""
    found = _PLACE.match(message)
    if found is None:
        return f"The query cannot be evaluated: {message[:500]}" if message else ""
    line, column = int(found[1]), int(found[2])
    lines = query.splitlines()
    text = lines[line - 1] if line <= len(lines) else ""
    start = max(0, column - 60)
    wanted = [part.strip() for part in found[3].removeprefix("expected ").removeprefix("one of ").split(",")]
    # Of what the parser would take here, words and signs help a person; ranges of characters do not.
    wanted = [part for part in wanted if _HELPFUL.fullmatch(part) and part not in ("LATERAL", "SERVICE")]
    expected = f" (expected here: {' '.join(dict.fromkeys(wanted))})" if wanted else ""
    return (
        f"Not a SPARQL 1.1 query: line {line}, column {column}{expected}\n\n"
        f"{text[start : column + 40]}\n{' ' * (column - 1 - start)}^\n"
    )


def _refusal(request: Request, state: Served, error: RefusedError) -> Response:
    headers = {"Cache-Control": _UNKEPT} | error.headers
    if choose(request.headers.get("accept", ""), [_TEXT.partition(";")[0], JSON, *GRAPHS, HTML]) == HTML:
        query = request.query_params.get("query", "")[: state.settings.query]
        return _page(state, query, None, error.message, error.status, headers)
    body = error.message if error.message.endswith("\n") else f"{error.message}\n"
    return Response("" if request.method == "HEAD" else body, error.status, headers, _TEXT)


def _page(
    state: Served, query: str, reply: Reply | None, message: str, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    content = {
        "query": query, "message": message, "release": state.name, "limits": state.settings,
        "result": None if reply is None else shown(reply.body),
    }  # fmt: skip
    html = page("sparql.html", content)
    policy = POLICY.format(style=_style(html))
    kept = {"Content-Security-Policy": policy, "Cache-Control": _KEPT, "X-Release": state.name} | dict(headers or {})
    return Response(html, status, kept, "text/html; charset=utf-8")


def _style(html: str) -> str:
    """Return the source expression that allows a page's own style and no other."""
    text = html.partition("<style>")[2].partition("</style>")[0]
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _tag(release: str, wish: Asked, media: str, compressed: bool) -> str:
    key = repr((release, wish.query, wish.default, wish.named, media, compressed))
    return f'"{hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:24]}"'


def _typed(media: str) -> str:
    return f"{media}; charset=utf-8" if media.startswith("text/") else media
