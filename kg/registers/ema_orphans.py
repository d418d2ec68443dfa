"""EU orphan designations, as the EMA publishes them.

Terms: reuse with acknowledgement of the EMA as the source. Refusals are not designations and are skipped. The day of a
designation may be years after the year in its number, where a later decision on it is dated.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kg.registers.connector import Connector, Head
from kg.registers.ema_table import Row, is_table, rows_of
from kg.registers.reading import Layout, Summary, items
from kg.registers.records import DesignationRecord

NAME: Final = "ema-orphans"
AGENCY: Final = "agency:eu-ema"
PATHWAY: Final = "pathway:eu-orphan"
LAYOUT: Final = Layout(
    "table of EU orphan designations",
    {
        "number": ("eu designation number", "designation number", "orphan designation number"),
        "substance": ("active substance", "active substances"),
        "condition": ("intended use", "orphan condition", "condition"),
        "status": ("status", "designation status"),
        "designated": (
            "date of designation or refusal",
            "date of designation refusal",
            "date of designation",
            "designation date",
        ),
        "names": ("medicine name", "name of medicine"),
        "product": ("related ema product number", "ema product number"),
        "published": ("first published date", "first published"),
        "updated": ("last updated date", "last updated"),
        "url": ("orphan designation url", "url"),
    },
    ("number", "substance", "condition", "status"),
)

_NUMBER: Final = re.compile(r"EU/3/(?P<year>\d{2})/\d{1,4}|EMA/OD/\d{4,12}")
_STATES: Final = ("positive", "withdrawn", "expired")
_REFUSED: Final = ("negative", "refused")
_PRODUCT: Final = re.compile(r"EME?A/[HV]/[CW]/\d{6}")


def recognise(head: Head) -> bool:
    """Whether a file is the table of designations, as a feed or as a spreadsheet."""
    return is_table(head, LAYOUT)


def read(path: Path, summary: Summary) -> Iterator[DesignationRecord]:
    """Yield the designations of a table; of several records of one number, the one that says most.

    Args:
        path: The feed, or the spreadsheet of the same columns.
        summary: Told of skips and repairs.

    Raises:
        SourceError: The file is damaged, or is no such table.
    """
    # A number given twice is one designation with two pages, so all are seen before one of them is chosen.
    by_number: dict[str, list[Row]] = {}
    for row in rows_of(path, LAYOUT, summary):
        if row.text("status").casefold() in _REFUSED:
            summary.skip(row.where, "status", row.text("status"), "a refusal; only designations are taken")
            continue
        number = _number(row)
        if number is not None:
            by_number.setdefault(number, []).append(row)
    for number, rows in by_number.items():
        best = max(rows, key=_worth) if len(rows) > 1 else rows[0]
        for row in rows:
            if row is not best:
                summary.skip(row.where, "number", number, f"stands at {best.where} too; that one says more")
        yield _designation(best, number)


def _designation(row: Row, number: str) -> DesignationRecord:
    status = row.text("status")
    if status.casefold() not in _STATES:
        row.summary.warn(row.where, "status", status, "not a known state of a designation")
    row.summary.seen(row.day("published"), row.day("updated"))
    row.summary.loaded += 1
    return DesignationRecord(
        register=NAME,
        id=number,
        where=row.where,
        agency=AGENCY,
        pathway=PATHWAY,
        substance=row.text("substance"),
        names=items(row.text("names"), ";"),
        product_number=_products(row),
        condition=row.text("condition"),
        status=status,
        designated=row.day("designated"),
        url=row.address("url"),
    )


def _number(row: Row) -> str | None:
    """Return the designation's number without what clings to it, or skip the row."""
    text = row.text("number").upper()
    number = text.strip(" ().,;*")
    if not _NUMBER.fullmatch(number):
        row.summary.skip(row.where, "number", text, "not the number of a designation")
        return None
    if number != text:
        row.summary.warn(row.where, "number", text, f"read as {number}")
    return number


def _products(row: Row) -> str:
    """Return the numbers of the products that a designation led to, each once."""
    found = items(row.text("product"), ";")
    for number in found:
        if not _PRODUCT.fullmatch(number):
            row.summary.warn(row.where, "product", number, "not a product number; kept as it is")
    return "; ".join(found)


def _worth(row: Row) -> tuple[bool, int, str]:
    """Rank the records of one number: of the number's own year, then with most fields, then updated last."""
    match = _NUMBER.search(row.text("number"))
    designated = row.day("designated")
    own_year = match is not None and designated is not None and f"{designated.date:%y}" == match["year"]
    filled = sum(bool(row.text(name)) for name in ("substance", "condition", "names", "product", "updated"))
    return own_year, filled, str(row.day("updated") or row.day("published") or "")


CONNECTOR: Final = Connector(
    name=NAME,
    title="EU orphan designations",
    publisher="European Medicines Agency",
    agency=AGENCY,
    licence="Reuse with acknowledgement of the EMA as the source",
    url="https://www.ema.europa.eu/en/documents/report/medicines-output-orphan_designations-json-report_en.json",
    page="https://www.ema.europa.eu/en/medicines/download-medicine-data",
    floor=2_500,
    recognise=recognise,
    read=read,
)
