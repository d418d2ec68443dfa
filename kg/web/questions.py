"""Questions as forms made from their headers, and their answers as tables that sort, filter, page and download."""

import io
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from kg.errors import QueryError
from kg.output import write
from kg.query import LIST_SEPARATOR, Parameter, Question, bind, find, library
from kg.report import rows
from kg.store import Answer
from kg.web.answers import html, missing, sent
from kg.web.opened import Opened

_DOWNLOADS: Final = {
    "csv": "text/csv", "json": "application/json", "tsv": "text/tab-separated-values", "rq": "application/sparql-query",
}  # fmt: skip
_ROWS: Final = 200
"""Rows a page of a table."""
_DIGITS: Final = 7
"""Fewer digits than this has the number of a page."""
_LONG: Final = 2000
"""Letters that a value of a form may have."""


def listing(_: Request, opened: Opened) -> Response:
    """Answer with every question, by subject."""
    subjects: dict[str, list[Question]] = {}
    for question in library().values():
        subjects.setdefault(question.subject, []).append(question)
    return html(opened, "questions.html", {"subjects": subjects})


def ask(request: Request, opened: Opened) -> Response:
    """Answer with a question's form, and where it can be asked its answer; with a suffix, the answer to download."""
    name, _, suffix = request.path_params["name"].partition(".")
    if name not in library() or (suffix and suffix not in _DOWNLOADS):
        return missing(opened, name)
    question = find(name)
    given = {k: v.strip()[:_LONG] for k, v in request.query_params.items() if not k.startswith("_") and v.strip()}
    if suffix == "rq":
        return _text(opened, question, given)
    lacks = [p.name for p in question.parameters if p.required and p.name not in given]
    problem = ""
    answer: Answer | None = None
    if not lacks or suffix:
        try:
            answer = opened.answer(name, *sorted(given.items()))
        except QueryError as error:
            problem = str(error)
    if suffix:
        return _download(opened, question, given, suffix, answer, problem)
    content = {
        "question": question,
        "given": given,
        "problem": problem,
        "fields": fields(opened, question),
        "table": None if answer is None else _table(question, answer, request.query_params, given, opened),
        "sparql": bind(question, dict(given), opened.release) if answer is not None else question.text,
        "downloads": [(s, _address(name, given, s)) for s in ("csv", "tsv", "json", "rq")] if answer else [],
        "example": _address(name, {p.name: p.example for p in question.parameters if p.required}),
    }
    return html(opened, "question.html", content, 400 if problem else 200)


def fields(opened: Opened, question: Question) -> list[tuple[Parameter, list[str], str]]:
    """Return a form's fields: the parameter, what to choose from, and an example as people write it."""
    return [
        (p, opened.suggested(p.kind) if p.type == "iri" and p.kind else [], str(opened.cell(p.example)["text"]))
        for p in question.parameters
    ]


def _text(opened: Opened, question: Question, given: Mapping[str, str]) -> Response:
    """The query itself, which nobody need wait for."""
    try:
        return sent(bind(question, given, opened.release), _DOWNLOADS["rq"])
    except QueryError as error:
        return sent(f"{error}\n", "text/plain", status=400)


def _download(
    opened: Opened, question: Question, given: Mapping[str, str], suffix: str, answer: Answer | None, problem: str
) -> Response:
    if answer is None:
        return sent(problem + "\n", "text/plain", status=400)
    out = io.StringIO()
    write(answer, suffix, out)
    headers = {"Content-Disposition": f'attachment; filename="{question.name}.{suffix}"'}
    return sent(out.getvalue(), f"{_DOWNLOADS[suffix]}; charset=utf-8", headers)


def _address(name: str, given: Mapping[str, Any], suffix: str = "", **more: Any) -> str:
    words = urlencode({**given, **{k: v for k, v in more.items() if v not in ("", None, 1)}})
    return f"/questions/{name}{'.' + suffix if suffix else ''}{'?' + words if words else ''}"


def _table(
    question: Question, answer: Answer, asked: Mapping[str, str], given: Mapping[str, str], opened: Opened
) -> dict[str, Any]:
    """The part of an answer that one page shows: filtered, sorted and cut as the address says."""
    plain = rows(answer)
    sought, sort = asked.get("_find", "").strip()[:_LONG], asked.get("_sort", "")
    if sought:
        plain = [row for row in plain if any(sought.casefold() in str(v).casefold() for v in row.values())]
    column = sort.removeprefix("-")
    if column in answer.columns:
        there = [row for row in plain if row[column] is not None]
        there.sort(key=lambda row: _rank(row[column]), reverse=sort.startswith("-"))
        plain = there + [row for row in plain if row[column] is None]
    pages = max(1, -(-len(plain) // _ROWS))
    wanted = asked.get("_page", "1")
    number = max(1, min(int(wanted), pages)) if wanted.isdecimal() and len(wanted) < _DIGITS else 1
    columns = [*question.screen, *(name for name in answer.columns if name not in question.screen)]
    shown = plain[(number - 1) * _ROWS : number * _ROWS]

    def cells(row: Mapping[str, Any]) -> list[list[dict[str, str | None]]]:
        return [
            [opened.cell(part) for part in str(value).split(LIST_SEPARATOR)]
            if value is not None and name in question.lists
            else [opened.cell(value)]
            for name, value in ((name, row[name]) for name in columns)
        ]

    def head(name: str) -> tuple[str, str, str]:
        turned = f"-{name}" if sort == name else name
        state = "ascending" if sort == name else "descending" if sort == f"-{name}" else "none"
        return name.replace("_", " "), _address(question.name, given, _sort=turned, _find=sought), state

    return {
        "heads": [head(name) for name in columns],
        "rows": [cells(row) for row in shown],
        "count": len(plain), "all": len(answer.rows), "find": sought, "sort": sort, "page": number, "pages": pages,
        "numbers": [bool(plain) and all(isinstance(r[c], int | float | None) for r in plain) for c in columns],
        "first": (number - 1) * _ROWS + 1,
        "before": _address(question.name, given, _sort=sort, _find=sought, _page=number - 1) if number > 1 else "",
        "after": _address(question.name, given, _sort=sort, _find=sought, _page=number + 1) if number < pages else "",
    }  # fmt: skip


def _rank(value: Any) -> tuple[bool, Any]:
    number = isinstance(value, int | float)
    return (not number, value if number else str(value).casefold())
