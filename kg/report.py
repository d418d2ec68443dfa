"""The report of a build: what is in the release, how well it is sourced, and where sources disagree."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
import pyoxigraph as ox

from kg import resources
from kg.namespaces import compact
from kg.query import ask
from kg.store import Answer, Release

JSON: Final = "report.json"
HTML: Final = "report.html"
TEMPLATES: Final = resources.PACKAGE / "templates"

_QUESTIONS: Final = {
    "approvals_by_agency": "approvals-by-agency",
    "approvals_by_class": "approvals-by-class",
    "corroboration": "corroboration-by-agency",
    "conflicts": "conflicts",
}


def rows(answer: Answer) -> list[dict[str, Any]]:
    """Return an answer's rows as dictionaries of plain values: ids compact, numbers as numbers.

    >>> rows(Answer(("n",), ((ox.Literal(2),),)))
    [{'n': 2}]
    """
    return [dict(zip(answer.columns, map(plain, row), strict=True)) for row in answer.rows]


def plain(term: object) -> str | int | float | bool | None:
    """Return a term as a plain value.

    >>> plain(ox.NamedNode("https://w3id.org/cgt-kg/id/product/kymriah"))
    'product:kymriah'
    """
    if isinstance(term, ox.NamedNode):
        return compact(term.value)
    if isinstance(term, ox.Literal):
        kind = term.datatype.value.rpartition("#")[2]
        try:
            if kind == "integer":
                return int(term.value)
            if kind in ("decimal", "double", "float"):
                return float(term.value) if "." in term.value or "E" in term.value else int(term.value)
        except ValueError:
            return term.value
        return term.value == "true" if kind == "boolean" else term.value
    return None if term is None else str(term)


def write(release: Release, registers: dict[str, Any]) -> None:
    """Write the report of a release beside it, as JSON and as one HTML page.

    Args:
        release: The release, its manifest complete.
        registers: What came of registers; empty where none were given.
    """
    content: dict[str, Any] = {
        "manifest": release.manifest,
        "validation": "no findings",
        "registers": registers,
    }
    content |= {key: rows(ask(name, release)) for key, name in _QUESTIONS.items()}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (release.path / JSON).write_text(text + "\n", encoding="utf-8")
    (release.path / HTML).write_text(page("report.html", content), encoding="utf-8")


def page(template: str, content: dict[str, Any], folder: Path = TEMPLATES) -> str:
    """Return a template filled with content, every value escaped."""
    return _environment(folder).get_template(template).render(content)


@cache
def _environment(folder: Path) -> jinja2.Environment:
    # Kept, because compiling a template takes longer than filling it.
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
