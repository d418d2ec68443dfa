"""The endpoint `/sparql`."""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kg.errors import QueryError
from kg.syntax import inspect
from kg.web import editor
from kg.web.description import describe
from kg.web.mistakes import mistake
from kg.web.negotiation import GRAPHS, HTML, JSON, PROBLEM, ROWS, accepts, choose
from kg.web.protocol import Asked, RefusedError, asked
from kg.web.served import Served, served
from kg.web.table import LEAST_FORMAT
from kg.web.worker import Gone, Job, Reply
from kg.web.workers import Late, Left, Overloaded

METHODS: Final = ("GET", "HEAD", "POST", "OPTIONS")
_RETRY: Final = "2"
_TEXT: Final = "text/plain; charset=utf-8"
_KEPT: Final = "public, max-age=60"
_UNKEPT: Final = "no-store"


async def sparql(request: Request) -> Response:
    """Answer one request of the SPARQL 1.1 Protocol."""
    state = served(request.app)
    try:
        response = await _answer(request, state)
    except RefusedError as error:
        response = await _refusal(request, state, error)
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
        return await _bare(request, state)
    return await _evaluated(request, state, wish, wish.query)


async def _bare(request: Request, state: Served) -> Response:
    media = choose(request.headers.get("accept", ""), [*GRAPHS, HTML])
    if media is None:
        raise RefusedError(406, f"The description comes as {', '.join(list(GRAPHS)[:6])}; the editor as {HTML}.")
    if media == HTML:
        return await _page(state, "", None, {})
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
    media = choose(accept, [*offers, HTML])
    if media is None:
        raise RefusedError(406, f"The answer comes as one of: {', '.join(offers)}; not as {accept[:200]}.")
    compressed = accepts("gzip", request.headers.get("accept-encoding", "")) and media != HTML
    kept = request.method in ("GET", "HEAD") and not seen.volatile
    if kept and _matches(request, tag := _tag(state.name, wish, media, compressed)):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": _KEPT, "X-Release": state.name})
    job = Job(
        query, "rows" if offers is ROWS else "graph", LEAST_FORMAT[offers is ROWS] if media == HTML else offers[media],
        wish.default, wish.named, seen.dataset, bool(seen.borrows), compressed, settings.rows, settings.size,
        wish.seconds,
    )  # fmt: skip
    reply = await _reply(request, state, job)
    name = state.name_of(reply.store)
    headers = {"X-Release": name, "Cache-Control": _KEPT if kept else _UNKEPT}
    if kept:
        headers["ETag"] = _tag(name, wish, media, compressed)
    if media == HTML:
        return await _page(state, query, reply.body, headers)
    if reply.gzip:
        headers["Content-Encoding"] = "gzip"
    if request.method == "HEAD":
        headers["Content-Length"] = str(len(reply.body))
        return Response(b"", 200, headers, _typed(media))
    return Response(reply.body, 200, headers, _typed(media))


async def _reply(request: Request, state: Served, job: Job) -> Reply:
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
        raise _unanswered(reply, job, state)
    return reply


def _unanswered(reply: Reply, job: Job, state: Served) -> RefusedError:
    if reply.status == "memory":
        return RefusedError(503, "The query was stopped: it took more memory than a query may.")
    if reply.status == "large":
        return RefusedError(
            422, f"The result has more than {state.settings.rows:,} rows or {state.settings.size:,} bytes, and is not "
            "sent in part: add LIMIT, or page with ORDER BY, LIMIT and OFFSET.",
        )  # fmt: skip
    return mistake(reply.message, job.query)


async def _refusal(request: Request, state: Served, error: RefusedError) -> Response:
    headers = {"Cache-Control": _UNKEPT} | error.headers
    media = choose(request.headers.get("accept", ""), [_TEXT.partition(";")[0], PROBLEM, JSON, *GRAPHS, HTML])
    if media == HTML:
        query = request.query_params.get("query", "")[: state.settings.query]
        return await _page(state, query, error, headers)
    if media == PROBLEM:
        return JSONResponse(editor.told(error), error.status, headers, PROBLEM)
    body = error.message if error.message.endswith("\n") else f"{error.message}\n"
    return Response("" if request.method == "HEAD" else body, error.status, headers, _TEXT)


async def _page(state: Served, query: str, answer: bytes | RefusedError | None, headers: Mapping[str, str]) -> Response:
    # In a thread: a large result takes a while to read.
    headers = {"Cache-Control": _KEPT, "X-Release": state.name} | dict(headers)
    return await asyncio.to_thread(editor.page, state.opened, state.settings, query, answer, headers)


def _tag(release: str, wish: Asked, media: str, compressed: bool) -> str:
    key = repr((release, wish.query, wish.default, wish.named, media, compressed))
    return f'"{hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:24]}"'


def _matches(request: Request, tag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    return tag in [part.strip().removeprefix("W/") for part in given.split(",")]


def _typed(media: str) -> str:
    return f"{media}; charset=utf-8" if media.startswith("text/") else media
