"""Which questions of the library stand as tables on the page of a thing, and which are a click away."""

from collections.abc import Iterator
from typing import Final

from kg.query import Question, find, library
from kg.web.pages.facts import View
from kg.web.pages.tabular import State, Table, address

_ROWS: Final = 100
"""Rows of a table that is one of several on a page; its question has them all."""

_SECTIONS: Final[dict[str, tuple[tuple[str, str, str, str], ...]]] = {
    "agency": (
        ("Approvals", "approvals", "agency", "-date"),
        ("First approval of each class", "first-by-class", "agency", ""),
        ("Approvals by year and class", "approvals-by-year", "agency", "-year"),
        ("Refusals", "refusals", "agency", "-date"),
        ("Safety acts", "safety-acts", "agency", "-date"),
        ("Withdrawals", "withdrawn", "agency", "-date"),
        ("Pathways", "pathways", "agency", ""),
        ("Its classification of advanced therapies", "classification", "agency", ""),
        ("All its milestones, the newest first", "milestones", "agency", "-date"),
    ),
    "class": (
        ("Products", "products", "therapy_class", ""),
        ("Approvals", "approvals", "therapy_class", "-date"),
        ("Approvals by agency", "approvals-by-agency", "therapy_class", "-approvals"),
        ("First approval by each agency", "first-by-agency", "therapy_class", "date"),
        ("First approval against each target", "first-by-target", "therapy_class", ""),
        ("Trials by phase", "trials-by-class", "therapy_class", ""),
    ),
    "gene": (
        ("Therapies against it", "therapies", "target", ""),
        ("Therapies that deliver or edit it", "for-gene", "gene", ""),
        ("First approval against it in each market", "first-by-target", "target", "date"),
    ),
    "organisation": (
        ("Products", "products", "holder", ""),
        ("What happened to its products", "company-history", "organisation", "-date"),
    ),
    "product": (
        ("Trials behind it", "trials-of-product", "product", ""),
        ("Prices", "prices", "product", "-date"),
    ),
    "therapy": (("Trials", "trials", "therapy", "-start"),),
    "jurisdiction": (
        ("Agencies", "agencies", "jurisdiction", ""),
        ("Organisations", "organisations", "jurisdiction", ""),
        ("Payment after approval", "reimbursed-after", "jurisdiction", ""),
    ),
    "MONDO": (("Approved for it", "for-disease", "disease", "date"),),
    "source": (("What it states", "from-source", "source", ""),),
}
"""By the prefix of ids: heading, question, the parameter that the thing is, and the column to sort by."""


def tables(view: View) -> list[tuple[str, Table]]:
    """Return the tables of a thing's page that have rows, each with its heading."""
    found = []
    for heading, name, parameter, sort in _SECTIONS.get(view.prefix, ()):
        answer = view.asked(name, parameter)
        if answer is not None and answer.rows:
            given, state = {parameter: view.id}, State(sort=sort)
            found.append((heading, Table(view.opened, find(name), answer, given, state, _ROWS, beside=True)))
    return found


def others(view: View) -> list[tuple[Question, str]]:
    """Return the other questions that can be asked of a thing, each with its address."""
    shown = {name for _, name, *_ in _SECTIONS.get(view.prefix, ())}
    return [
        (question, address(question.name, {parameter: view.id}))
        for question, parameter in _asking(view)
        if question.name not in shown and (not question.registers or view.opened.release.manifest.get("registers"))
    ]


def _asking(view: View) -> Iterator[tuple[Question, str]]:
    kinds = view.classes
    for question in library().values():
        for parameter in question.parameters:
            if parameter.type == "iri" and parameter.kind in kinds:
                yield question, parameter.name
                break
