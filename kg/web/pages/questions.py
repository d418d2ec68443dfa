"""Questions as forms made from their headers, and their answers as tables and files to take along."""

import io
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from kg.errors import QueryError
from kg.output import write
from kg.query import Parameter, Question, bind, find, library
from kg.store import Answer
from kg.web.answers import html, missing, sent
from kg.web.opened import Opened
from kg.web.pages.figures import shown
from kg.web.pages.tabular import State, Table, address, given, once
from kg.workbook import MEDIA, workbook

_DOWNLOADS: Final = {
    "csv": "text/csv", "xlsx": MEDIA, "json": "application/json", "tsv": "text/tab-separated-values",
    "rq": "application/sparql-query",
}  # fmt: skip


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
    values = given(request.query_params)
    if suffix == "rq":
        return _text(opened, question, values)
    lacks = [p.name for p in question.parameters if p.required and p.name not in values]
    problem = ""
    answer: Answer | None = None
    table: Table | None = None
    if not lacks or suffix:
        try:
            once(request.query_params)
            answer = opened.answer(name, *sorted(values.items()))
            table = Table(opened, question, answer, values, State.asked(request.query_params))
        except QueryError as error:
            problem = str(error)
    if suffix:
        return sent(f"{problem}\n", "text/plain", status=400) if table is None else _download(opened, table, suffix)
    content = {
        "question": question,
        "given": values,
        "problem": problem,
        "fields": fields(opened, question),
        "table": table,
        "pictures": shown(opened, question, answer, values) if answer and table else [],
        "sparql": bind(question, dict(values), opened.release) if table else question.text,
        "example": address(name, {p.name: p.example for p in question.parameters if p.required}),
    }
    return html(opened, "question.html", content, 400 if problem else 200)


def fields(opened: Opened, question: Question) -> list[tuple[Parameter, list[str], str]]:
    """Return a form's fields: the parameter, what to choose from, and an example as people write it."""
    return [
        (p, opened.suggested(p.kind) if p.type == "iri" and p.kind else [], opened.cell(p.example)["text"])
        for p in question.parameters
    ]


def _text(opened: Opened, question: Question, given: Mapping[str, str]) -> Response:
    """The query itself, which nobody need wait for."""
    try:
        return sent(bind(question, given, opened.release), _DOWNLOADS["rq"])
    except QueryError as error:
        return sent(f"{error}\n", "text/plain", status=400)


def _download(opened: Opened, table: Table, suffix: str) -> Response:
    name = table.question.name
    headers = {"Content-Disposition": f'attachment; filename="{name}.{suffix}"'}
    if suffix == "xlsx":
        return sent(workbook(table.chosen, table.question, _told(table), opened.release.manifest), MEDIA, headers)
    out = io.StringIO()
    write(table.chosen, suffix, out)
    return sent(out.getvalue(), f"{_DOWNLOADS[suffix]}; charset=utf-8", headers)


def _told(table: Table) -> Mapping[str, str]:
    """What the rows were chosen by, in words."""
    state = table.state
    only = {f"only where {name.replace('_', ' ')} is": value for name, value in state.only}
    return {**table.given, **only, **({"only where a cell has": state.find} if state.find else {})}
