"""The endpoint `/sparql`."""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from kg.errors import QueryError
from kg.report import page
from kg.syntax import Inspection, inspect
from kg.web.description import describe
from kg.web.negotiation import GRAPHS, HTML, JSON, ROWS, accepts, preferred
from kg.web.protocol import Asked, RefusedError, asked
from kg.web.served import Served, served
from kg.web.table import LEAST_FORMAT, shown
from kg.web.worker import Gone, Job, Reply
from kg.web.workers import Late, Left, Overloaded

METHODS: Final = ("GET", "HEAD", "POST", "OPTIONS")
POLICY: Final = "default-src 'none'; style-src '{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_RETRY: Final = "2"
_TEXT: Final = "text/plain; charset=utf-8"
_KEPT: Final = "public, max-age=60"
_UNKEPT: Final = "no-store"
_PLACE = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
_HELPFUL = re.compile(r"[A-Z ]{1,30}|[A-Z]\w+(?: \w+){1,3}|\".{1,3}\"")


async def sparql(request: Request) -> Response:
    """Answer one request of the SPARQL 1.1 Protocol."""
    state = served(request.app)
    try:
        response = await _answer(request, state)
    except RefusedError as error:
        response = _refusal(request, state, error)
    headers = response.headers
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Expose-Headers"] = "ETag, Retry-After, X-Query-Limits, X-Release"
    headers["Vary"] = "Accept, Accept-Encoding"
    headers["X-Query-Limits"] = state.settings.limits
    headers["X-Content-Type-Options"] = "nosniff"
    return response


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
    media = preferred(request.headers.get("accept", ""), [*GRAPHS, HTML])
    if media is None:
        raise RefusedError(406, f"The description comes as {', '.join(list(GRAPHS)[:6])}; the editor as {HTML}.")
    if media == HTML:
        return _page(state, "", None, "", 200)
    body = describe(state, str(request.url.replace(query="")), GRAPHS[media])
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": _KEPT, "X-Release": state.name}
    if _matches(request, tag):
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
    media = preferred(accept, [*offers, HTML])
    if media is None:
        raise RefusedError(406, f"The answer comes as one of: {', '.join(offers)}; not as {accept[:200]}.")
    compressed = accepts("gzip", request.headers.get("accept-encoding", "")) and media != HTML
    kept = request.method in ("GET", "HEAD") and not seen.volatile
    if kept and _matches(request, tag := _tag(state.name, wish, media, compressed)):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": _KEPT, "X-Release": state.name})
    job = Job(
        query, "rows" if offers is ROWS else "graph", LEAST_FORMAT[offers is ROWS] if media == HTML else offers[media],
        wish.default, wish.named, seen.dataset, seen.borrows, compressed, settings.rows, settings.size, wish.seconds,
    )  # fmt: skip
    reply = await _reply(request, state, job, seen)
    name = state.name_of(reply.store)
    headers = {"X-Release": name, "Cache-Control": _KEPT if kept else _UNKEPT}
    if kept:
        headers["ETag"] = _tag(name, wish, media, compressed)
    if media == HTML:
        return _page(state, query, reply, "", 200, headers)
    if reply.gzip:
        headers["Content-Encoding"] = "gzip"
    if request.method == "HEAD":
        headers["Content-Length"] = str(len(reply.body))
        return Response(b"", 200, headers, _typed(media))
    return Response(reply.body, 200, headers, _typed(media))


async def _reply(request: Request, state: Served, job: Job, seen: Inspection) -> Reply:
    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    try:
        reply = await state.pool.evaluate(job, job.seconds, left)
    except Overloaded:
        raise RefusedError(429, "Too many queries at once: try again in a moment.", {"Retry-After": _RETRY}) from None
    except Late:
        raise RefusedError(503, f"The query was stopped after {job.seconds:g} seconds: narrow it down.") from None
    except Left:
        raise RefusedError(499, "The client left.") from None
    except Gone:
        raise RefusedError(503, "The query was stopped: it took more memory or depth than a query may.") from None
    if reply.status != "whole":
        raise _unanswered(reply, job, state, seen)
    return reply


def _unanswered(reply: Reply, job: Job, state: Served, seen: Inspection) -> RefusedError:
    if reply.status == "memory":
        return RefusedError(503, "The query was stopped: it took more memory than a query may.")
    if reply.status == "large":
        return RefusedError(
            422, f"The result has more than {state.settings.rows:,} rows or {state.settings.size:,} bytes, and is not "
            "sent in part: add LIMIT, or page with ORDER BY, LIMIT and OFFSET.",
        )  # fmt: skip
    if reply.status == "form" or not seen.form:
        return RefusedError(400, _placed(reply.message, job.query) or "A query is SELECT, ASK, CONSTRUCT or DESCRIBE.")
    return RefusedError(400, _placed(reply.message, job.query))


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
    if preferred(request.headers.get("accept", ""), [_TEXT.partition(";")[0], JSON, *GRAPHS, HTML]) == HTML:
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


def _matches(request: Request, tag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    return tag in [part.strip().removeprefix("W/") for part in given.split(",")]


def _typed(media: str) -> str:
    return f"{media}; charset=utf-8" if media.startswith("text/") else media
