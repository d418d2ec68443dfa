"""A SPARQL 1.1 Protocol request, read from HTTP."""

import asyncio
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from kg.syntax import READ_ONLY
from kg.web.refusal import RefusedError
from kg.web.settings import Settings

FORM: Final = "application/x-www-form-urlencoded"
QUERY: Final = "application/sparql-query"
UPDATE: Final = "application/sparql-update"
_IRI = re.compile(r"""[A-Za-z][A-Za-z0-9+.-]*:[^<>"{}|^`\\\x00-\x20]+""")
_FIELDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks.

    Attributes:
        query: The query's text; None for a bare GET.
        default: Its default-graph-uri parameters; None where neither kind of graph is named.
        named: Its named-graph-uri parameters, likewise.
        seconds: How long the query may take.
    """

    query: str | None
    default: tuple[str, ...] | None
    named: tuple[str, ...] | None
    seconds: float


async def asked(request: Request, settings: Settings) -> Asked:
    """Read a protocol request.

    Raises:
        RefusedError: It is not one.
    """
    fields = _fields(request.scope["query_string"])
    query: str | None = None
    if request.method == "POST":
        kind, _, parameters = request.headers.get("content-type", "").partition(";")
        kind = kind.strip().lower()
        charset = re.search(r"charset=\"?([\w-]+)", parameters, re.IGNORECASE)
        if charset is not None and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
            raise RefusedError(415, f"The charset {charset[1]} is not taken: send UTF-8.")
        if (packed := request.headers.get("content-encoding", "identity").strip().lower()) != "identity":
            raise RefusedError(415, f"The content coding {packed[:40]} is not taken: send the query as it is.")
        if kind == UPDATE:
            raise RefusedError(403, f"{READ_ONLY}.")
        if kind not in (FORM, QUERY):
            raise RefusedError(415, f"POST a query as {QUERY} or {FORM}.", {"Accept-Post": f"{QUERY}, {FORM}"})
        body = await _body(request, settings)
        if kind == FORM:
            fields += _fields(body)
        else:
            try:
                query = body.decode()
            except UnicodeDecodeError as error:
                raise RefusedError(400, f"The query is not UTF-8 text (byte {error.start}).") from error
    return _understood(request.method, fields, query, settings)


def _understood(method: str, fields: list[tuple[str, str]], direct: str | None, settings: Settings) -> Asked:
    given: dict[str, list[str]] = {}
    for name, value in fields:
        given.setdefault(name, []).append(value)
    if "update" in given or "using-graph-uri" in given or "using-named-graph-uri" in given:
        raise RefusedError(403, f"{READ_ONLY}.")
    queries = [*given.get("query", ()), *(() if direct is None else (direct,))]
    if len(queries) > 1:
        raise RefusedError(400, "Exactly one query is taken at a time.")
    if not queries and (method == "POST" or given.keys() & {"default-graph-uri", "named-graph-uri"}):
        raise RefusedError(400, "There is no query: the parameter `query` holds it.")
    default, named = given.get("default-graph-uri"), given.get("named-graph-uri")
    for iri in (*(default or ()), *(named or ())):
        if not _IRI.fullmatch(iri):
            raise RefusedError(400, f"Not an absolute IRI of a graph: {iri[:200]!r}.")
    return Asked(
        queries[0] if queries else None,
        None if default is None else tuple(default),
        None if named is None else tuple(named),
        _seconds(given.get("timeout", [""])[0], settings),
    )


def _seconds(text: str, settings: Settings) -> float:
    if not text:
        return settings.deadline
    try:
        wanted = float(text)
    except ValueError:
        wanted = 0.0
    if not 0 < wanted < float("inf"):
        raise RefusedError(400, f"timeout must be seconds, more than 0, at most {settings.longest:g}.")
    return min(wanted, settings.longest)


def _fields(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    except ValueError as error:
        raise RefusedError(400, "The parameters are not percent-encoded UTF-8, or too many.") from error


async def _body(request: Request, settings: Settings) -> bytes:
    too_large = RefusedError(413, f"The body is larger than {settings.body:,} bytes.", {"Connection": "close"})
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > settings.body:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(settings.slow):
            async for part in request.stream():
                body += part
                if len(body) > settings.body:
                    raise too_large
    except TimeoutError:
        raise RefusedError(408, "The body did not come in time.", {"Connection": "close"}) from None
    except ClientDisconnect:
        raise RefusedError(400, "The body is not whole.") from None
    return bytes(body)
