"""The endpoint `/sparql`."""

import asyncio
import hashlib
from collections.abc import Mapping
from functools import cache, lru_cache, partial
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from kg.errors import MistakeError, QueryError
from kg.mistakes import mistake
from kg.namespaces import PREFIXES
from kg.syntax import inspect
from kg.web.answers import compressed, known
from kg.web.endpoint import editor
from kg.web.endpoint.description import describe
from kg.web.endpoint.protocol import Asked, asked
from kg.web.endpoint.sending import Whole
from kg.web.endpoint.table import LEAST_FORMAT
from kg.web.negotiation import GRAPHS, HTML, JSON, PROBLEM, ROWS, accepts, preferred, wishes
from kg.web.pool.asking import evaluated
from kg.web.pool.worker import Job, Reply
from kg.web.refusal import RefusedError
from kg.web.served import Served, served

METHODS: Final = ("GET", "HEAD", "POST", "OPTIONS")
_TEXT: Final = "text/plain; charset=utf-8"
_KEPT: Final = "public, max-age=60"
_UNKEPT: Final = "no-store"
_DECIDING: Final = (b"accept", b"accept-encoding", b"if-none-match")
"""The headers that an answer depends on."""
_VARIED: Final = "Accept, Accept-Encoding"
_ANSWER: Final = 2048
"""Bytes that an answer takes beside its body and the query, about."""


async def sparql(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request of the SPARQL 1.1 Protocol."""
    request = Request(scope, receive)
    state = served(scope["app"])
    key = _same(scope, state.name)
    response: Response | None = state.answers.get(key)
    if response is None:
        try:
            response = await _answer(request, state)
        except RefusedError as error:
            response = await _refusal(request, state, error)
        if not isinstance(response, Whole):
            # What compresses a body here says itself that it does.
            response.raw_headers += _common(state.settings.limits, "Accept" if response.body else _VARIED)
            await compressed(response)(scope, receive, send)
            return
        response.raw_headers += _common(state.settings.limits, _VARIED)
        # Between two releases the answer may be of the next one already.
        if key and response.release == key[0] and (same := response.again()):
            state.answers.put(key, same, _ANSWER + len(same.body) + sum(map(len, key)))
    await response(scope, receive, send)


def _same(scope: Scope, release: str) -> tuple[str, bytes, bytes] | tuple[()]:
    """What two requests have in common that are answered with the same bytes; nothing where there may be none."""
    deciding = [pair for pair in scope["headers"] if pair[0] in _DECIDING]
    if scope["method"] != "GET" or any(name == b"if-none-match" for name, _ in deciding):
        return ()
    # As one text, whose length tells what it takes to keep.
    return release, scope["query_string"], b"\n".join(b": ".join(pair) for pair in deciding)


@cache
def _common(limits: str, varied: str) -> list[tuple[bytes, bytes]]:
    """The headers that every answer has, as they go out."""
    headers = {
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "ETag, Retry-After, X-Query-Limits, X-Release",
        "vary": varied,
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
        return await _bare(request, state)
    return await _evaluated(request, state, wish, wish.query)


async def _bare(request: Request, state: Served) -> Response:
    media = preferred(wishes(request), [*GRAPHS, HTML])
    if media is None:
        raise RefusedError(406, f"The description comes as {', '.join(list(GRAPHS)[:6])}; the editor as {HTML}.")
    if media == HTML:
        return await _page(state, "", None, {})
    body = describe(state, f"{state.settings.base or request.base_url}sparql", GRAPHS[media])
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": _KEPT, "X-Release": state.name}
    if known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, _typed(media))


async def _evaluated(request: Request, state: Served, wish: Asked, query: str) -> Response:
    settings = state.settings
    try:
        seen = inspect(query, settings.query)
    except QueryError as error:
        raise RefusedError(400, f"{error}.") from error
    if seen.refused:
        raise RefusedError(403, f"{seen.refused}.")
    offers = ROWS if seen.form in ("SELECT", "ASK") else GRAPHS
    accept = wishes(request)
    media = _chosen(accept, (*offers, HTML))
    if media is None and not seen.form:
        # It will be told what is wrong with it, whatever it takes.
        media = next(iter(offers))
    if media is None:
        raise RefusedError(406, f"The answer comes as one of: {', '.join(offers)}; not as {accept[:200]}.")
    compressed = media != HTML and _takes_gzip(wishes(request, "accept-encoding"))
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
    reply = await _reply(request, state, job, wish.seconds)
    name = reply.release
    headers = {"X-Release": name, "Cache-Control": _KEPT if kept else _UNKEPT}
    if kept:
        headers["ETag"] = _tag(name, wish, media, compressed)
    if media == HTML:
        return await _page(state, query, reply.body, headers)
    if reply.gzip:
        headers["Content-Encoding"] = "gzip"
    return Whole(reply, settings.stalled, kept, headers, _typed(media))


# Clients are few kinds of programs, and each sends the same headers always.
_chosen = lru_cache(maxsize=256)(preferred)
_takes_gzip = lru_cache(maxsize=256)(partial(accepts, "gzip"))


async def _reply(request: Request, state: Served, job: Job, seconds: float) -> Reply:
    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    reply = await evaluated(state.pool, job, seconds, state.settings, left)
    if reply.status == "form":
        raise RefusedError(400, "A query is SELECT, ASK, CONSTRUCT or DESCRIBE.")
    if reply.status != "whole":
        raise _refused(mistake(reply.message, job.query))
    return reply


def _refused(error: QueryError) -> RefusedError:
    said = f"{str(error)[0].upper()}{str(error)[1:]}"
    if isinstance(error, MistakeError):
        return RefusedError(400, f"{said}\n\n{error.shown}", place=error.place)
    return RefusedError(400, f"{said}.")


async def _refusal(request: Request, state: Served, error: RefusedError) -> Response:
    headers = {"Cache-Control": _UNKEPT} | error.headers
    media = preferred(wishes(request), [_TEXT.partition(";")[0], PROBLEM, JSON, *GRAPHS, HTML])
    if media == HTML:
        query = request.query_params.get("query", "")[: state.settings.query]
        return await _page(state, query, error, headers)
    if media == PROBLEM:
        return JSONResponse(editor.told(error), error.status, headers, PROBLEM)
    body = error.message if error.message.endswith("\n") else f"{error.message}\n"
    return Response(body, error.status, headers, _TEXT)


async def _page(state: Served, query: str, answer: bytes | RefusedError | None, headers: Mapping[str, str]) -> Response:
    # In a thread: a large result takes a while to read.
    headers = {"Cache-Control": _KEPT, "X-Release": state.name} | dict(headers)
    return await asyncio.to_thread(editor.page, state.opened, state.settings, query, answer, headers)


def _tag(release: str, wish: Asked, media: str, compressed: bool) -> str:
    key = repr((release, wish.query, wish.default, wish.named, media, compressed))
    return f'"{hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:24]}"'


def _typed(media: str) -> str:
    return f"{media}; charset=utf-8" if media.startswith("text/") else media
