"""EMA medicines table: every medicine of the centralised procedure, authorised or not.

Terms: reuse with acknowledgement of the EMA as the source. The table speaks of the state on its day: a conditional
authorisation that was converted says No, and a holder is the one of today.

Only human medicines are taken. Applications that were withdrawn or refused are records without an approval type; the
day on which an application was withdrawn is not the end of an authorisation and is left where it is.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kg.registers.connector import Connector, Head
from kg.registers.ema_table import Row, is_table, rows_of
from kg.registers.reading import Layout, Summary, clean
from kg.registers.records import ProductRecord

NAME: Final = "ema-medicines"
AGENCY: Final = "agency:eu-ema"
LAYOUT: Final = Layout(
    "EMA medicines table",
    {
        "category": ("category", "medicine category"),
        "name": ("name of medicine", "medicine name"),
        "number": ("ema product number", "product number", "emea product number"),
        "status": ("medicine status", "authorisation status"),
        "inn": (
            "international non proprietary name inn common name",
            "international non proprietary name common name",
            "inn common name",
            "international non proprietary name",
        ),
        "active": ("active substance", "active substances"),
        "atc": ("atc code human", "atc code"),
        "group": (
            "pharmacotherapeutic group human",
            "human pharmacotherapeutic group",
            "pharmacotherapeutic group",
        ),
        "indication": ("therapeutic indication", "condition indication"),
        "advanced": ("advanced therapy", "advanced therapy medicinal product"),
        "conditional": ("conditional approval", "conditional marketing authorisation"),
        "exceptional": ("exceptional circumstances", "exceptional circumstance"),
        "orphan": ("orphan medicine", "orphan medicinal product"),
        "prime": ("prime priority medicine", "prime", "priority medicine"),
        "holder": (
            "marketing authorisation developer applicant holder",
            "marketing authorisation holder developer applicant",
            "marketing authorisation holder company name",
            "marketing authorisation holder",
        ),
        "opinion": ("opinion adopted date", "date of opinion", "opinion date"),
        "authorised": (
            "marketing authorisation date",
            "date of issue of marketing authorisation valid throughout the eu",
        ),
        "ended": (
            "withdrawal expiry revocation lapse of marketing authorisation date",
            "date of withdrawal expiry revocation lapse of marketing authorisation",
        ),
        "updated": ("last updated date", "revision date", "last updated"),
        "url": ("medicine url", "url"),
    },
    ("category", "name", "number", "status"),
)

_WHOLE_NUMBER: Final = re.compile(r"EME?A/[HV]/[CW]/\d{6}")
_WITHIN: Final = re.compile(r"(?:EME?A/)?([HV]/[CW]/\d{6})(?:/.*)?")
_OTHER_NAME: Final = re.compile(
    r"(?P<now>.+?) ?\((?:(?:previously|formerly)(?: known as)?|in [A-Z][a-z]+)(?:: ?| )(?P<other>.+)\)"
)
# The states, and whether a medicine in them has or had an authorisation.
_STATES: Final = {
    "authorised": True,
    "suspended": True,
    "withdrawn": True,
    "lapsed": True,
    "expired": True,
    "revoked": True,
    "not renewed": True,
    "refused": False,
    "opinion": False,
    "opinion under re-examination": False,
    "application withdrawn": False,
    "withdrawn from rolling review": False,
}


def recognise(head: Head) -> bool:
    """Whether a file is the medicines table, as a spreadsheet or as a feed."""
    return is_table(head, LAYOUT)


def read(path: Path, summary: Summary) -> Iterator[ProductRecord]:
    """Yield the human medicines of a table.

    Args:
        path: A spreadsheet of any year's columns, or the feed.
        summary: Told of skips and repairs.

    Raises:
        SourceError: The file is damaged, or is no such table.
    """
    places: dict[str, str] = {}
    for row in rows_of(path, LAYOUT, summary):
        number = _number(row)
        if number is None or not _is_human(row, number):
            continue
        if number in places:
            summary.skip(row.where, "number", number, f"stands at {places[number]} too; that one is taken")
            continue
        names = _names(row.text("name"))
        if not names:
            summary.skip(row.where, "name", "", "has no name")
            continue
        places[number] = row.where
        summary.seen(row.day("updated"))
        summary.loaded += 1
        yield _product(row, number, names)


def _product(row: Row, number: str, names: tuple[str, ...]) -> ProductRecord:
    authorised = row.day("authorised")
    status = row.text("status")
    had_authorisation = _STATES.get(status.casefold())
    if had_authorisation is None:
        row.summary.warn(row.where, "status", status, "not a known state; no kind of approval is told from it")
    if had_authorisation is False and authorised is not None:
        row.summary.warn(row.where, "status", status, f"but authorised on {authorised}; both are taken")
    return ProductRecord(
        register=NAME,
        id=number,
        where=row.where,
        agency=AGENCY,
        names=names,
        inn=row.text("inn"),
        active=row.text("active"),
        atc=row.text("atc"),
        group=row.text("group").strip(", "),
        holder=row.text("holder"),
        status=status,
        authorised=authorised,
        ended=row.day("ended"),
        opinion=row.day("opinion"),
        application=number,
        approval_type=_approval_type(row) if had_authorisation else None,
        advanced=row.flag("advanced"),
        orphan=row.flag("orphan"),
        prime=row.flag("prime"),
        indication=row.text("indication"),
        category=row.text("category"),
        url=row.address("url"),
    )


def _number(row: Row) -> str | None:
    """Return the product's number, repaired where it stands within that of a procedure, or skip the row."""
    text = row.text("number").upper()
    if _WHOLE_NUMBER.fullmatch(text):
        return text
    within = _WITHIN.fullmatch(text)
    if within is None:
        row.summary.skip(row.where, "number", text, "not a product number")
        return None
    number = f"EMEA/{within[1]}"
    row.summary.warn(row.where, "number", text, f"not as product numbers are; read as {number}")
    return number


def _is_human(row: Row, number: str) -> bool:
    """Whether a row is of a human medicine; others are skipped."""
    category = row.text("category").casefold()
    by_number = {"H": "human", "V": "veterinary"}[number.split("/")[1]]
    if not category:
        row.summary.warn(row.where, "category", "", f"is empty; {by_number} by the product number")
        category = by_number
    if category not in ("human", "veterinary"):
        row.summary.skip(row.where, "category", category, "neither Human nor Veterinary")
        return False
    if category != by_number:
        row.summary.warn(row.where, "category", category, f"but the product number {number} is {by_number}")
    if category == "veterinary":
        row.summary.skip(row.where, "category", category, "a veterinary medicine; only human ones are taken")
    return category == "human"


def _names(text: str) -> tuple[str, ...]:
    """Return the name of today and the other one that the table keeps in brackets behind it.

    >>> _names("Spikevax (previously COVID-19 Vaccine Moderna)")
    ('Spikevax', 'COVID-19 Vaccine Moderna')
    """
    match = _OTHER_NAME.fullmatch(text)
    found = (match["now"], match["other"]) if match else (text,)
    return tuple(dict.fromkeys(filter(None, map(clean, found))))


def _approval_type(row: Row) -> str | None:
    """Return the kind of an authorisation; None where the flags cannot be read."""
    conditional, exceptional = row.flag("conditional"), row.flag("exceptional")
    if conditional and exceptional:
        row.summary.warn(row.where, "exceptional", "Yes", "conditional as well; taken as conditional")
    if conditional:
        return "approval-type:conditional"
    if exceptional:
        return "approval-type:exceptional-circumstances"
    return "approval-type:full" if conditional is False and exceptional is False else None


CONNECTOR: Final = Connector(
    name=NAME,
    title="EMA medicines table",
    publisher="European Medicines Agency",
    agency=AGENCY,
    licence="Reuse with acknowledgement of the EMA as the source",
    url="https://www.ema.europa.eu/en/documents/report/medicines-output-medicines_json-report_en.json",
    page="https://www.ema.europa.eu/en/medicines/download-medicine-data",
    floor=1_200,
    recognise=recognise,
    read=read,
)
