"""The SPARQL page: a query, its result as tables that link to pages, and what a richer editor asks for."""

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from kg.namespaces import PREFIXES
from kg.query import library
from kg.web.answers import html, sent
from kg.web.endpoint.table import shown
from kg.web.files import built
from kg.web.opened import PAGED, Opened
from kg.web.refusal import RefusedError
from kg.web.settings import Settings

_SCRIPT: Final = "editor"


def page(
    opened: Opened, settings: Settings, query: str, answer: bytes | RefusedError | None, headers: Mapping[str, str]
) -> Response:
    """Return the page with a query, and below it the result or what is wrong.

    Args:
        opened: The release.
        settings: The bounds that the page tells.
        query: The query's text.
        answer: Results in the format of `table.LEAST_FORMAT`, an error, or None where nothing was asked.
        headers: Headers that go with it.
    """
    problem = answer if isinstance(answer, RefusedError) else None
    content = {
        "query": query,
        "limits": settings,
        "problem": problem,
        "told": told(problem) if problem else None,
        "result": shown(answer, opened) if isinstance(answer, bytes) else None,
        "subjects": _examples(),
        "script": _SCRIPT if _SCRIPT in built() else "",
    }
    return html(opened, "sparql.html", content, problem.status if problem else 200, headers)


def told(error: RefusedError) -> dict[str, Any]:
    """Return an error as programs read it (RFC 9457), with the place in the query that it points at."""
    line, column = error.place or (None, None)
    content = {"status": error.status, "detail": error.message.rstrip(), "line": line, "column": column}
    return {key: value for key, value in content.items() if value is not None}


def terms(_: Request, opened: Opened) -> Response:
    """Answer with what an editor completes: the prefixes, which of them have pages, the classes and properties."""
    content = {"prefixes": PREFIXES, "paged": sorted(PAGED), "terms": opened.terms}
    return sent(json.dumps(content, ensure_ascii=False), "application/json")


def _examples() -> dict[str, list[dict[str, Any]]]:
    """The library's questions by subject, each with what it needs and what it may be given."""
    subjects: dict[str, list[dict[str, Any]]] = {}
    for question in library().values():
        needed = {p.name: p.example for p in question.parameters if p.required}
        given = {p.name: p.example for p in question.parameters}
        subjects.setdefault(question.subject, []).append({"question": question, "needed": needed, "given": given})
    return subjects
