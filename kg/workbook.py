"""An answer as an Excel workbook: typed cells, a header that stays, filters, and a sheet that says what it is."""

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from kg.namespaces import LICENCES, WEB
from kg.query import Question
from kg.report import rows
from kg.store import Answer

MEDIA: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WIDEST: Final = 60
_LETTERS: Final = 32_767
"""The most letters that Excel keeps in a cell;"""
_LINKS: Final = 65_000
"""and the most links that it keeps on a sheet, rounded down."""
_ADDRESS: Final = 2_000
"""Longer addresses are text."""
_SHEET: Final = 31


def workbook(answer: Answer, question: Question, given: Mapping[str, str], manifest: Mapping[str, Any]) -> bytes:
    """Return an answer as the bytes of an `.xlsx` file, the same for the same answer and release.

    Args:
        answer: The rows.
        question: The question it answers.
        given: The values of the question's parameters.
        manifest: What the release says of itself.
    """
    out = io.BytesIO()
    # Without these three a text may become a formula, a link or a number, which only its cell's type may do.
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd", **plain}) as book:
        day = _date(manifest.get("modified")) or date(2000, 1, 1)
        # The day of the release, not of the download: the same answer is the same file.
        book.set_properties({"title": question.title, "created": datetime(day.year, day.month, day.day)})  # noqa: DTZ001
        bold = book.add_format({"bold": True, "bottom": 1})
        _table(book.add_worksheet(question.name[:_SHEET]), answer, bold)
        _about(book.add_worksheet("About"), question, given, manifest, bold)
    return out.getvalue()


def _table(sheet: Worksheet, answer: Answer, bold: Format) -> None:
    plain = rows(answer)
    links = 0
    for column, name in enumerate(answer.columns):
        sheet.write_string(0, column, name, bold)
        for line, row in enumerate(plain, 1):
            links += _cell(sheet, line, column, row[name], links)
        longest = max((len(str(row[name] or "")) for row in plain), default=0)
        sheet.set_column(column, column, min(max(longest, len(name) + 3), _WIDEST))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(plain), 1), max(len(answer.columns) - 1, 0))


def _cell(sheet: Worksheet, line: int, column: int, value: Any, links: int) -> bool:
    """Write one cell by its type, and say whether it became a link."""
    if value is None or value == "":
        return False
    if isinstance(value, bool):
        sheet.write_boolean(line, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(line, column, value)
    elif day := _date(value):
        sheet.write_datetime(line, column, day)
    elif value.startswith(WEB) and len(value) < _ADDRESS and links < _LINKS and " " not in value:
        sheet.write_url(line, column, value, string=value)
        return True
    else:
        sheet.write_string(line, column, value[:_LETTERS])
    return False


def _date(value: object) -> date | None:
    try:
        found = date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2017-08-30") else None
    except ValueError:
        return None
    # Excel's calendar begins in 1900.
    return found if found and found.year > 1900 else None  # noqa: PLR2004


def _about(
    sheet: Worksheet, question: Question, given: Mapping[str, str], manifest: Mapping[str, Any], bold: Format
) -> None:
    said: Sequence[tuple[str, object]] = (
        ("title", question.title),
        ("question", question.question),
        *((name, value) for name, value in sorted(given.items())),
        ("release", manifest.get("name", "unbuilt")),
        ("version", manifest.get("version", "")),
        ("as of", manifest.get("modified", "")),
        ("licence of the facts", LICENCES["facts"]),
        ("sources", "Ids in the column sources, and the milestones, are things of the graph: each has a page with its "
                    "sources, their addresses and their words."),
    )  # fmt: skip
    for line, (name, value) in enumerate(said):
        sheet.write_string(line, 0, str(name), bold)
        _cell(sheet, line, 1, value, 0)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100)
