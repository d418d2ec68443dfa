"""A list of the advanced therapies authorised in the EU, with the kind of each: gene therapy, somatic cell, tissue.

The list has no numbers: a product is known by its name. The state of an authorisation is told in a comment, and its end
is read from those comments whose words are known here.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kg.registers.connector import Connector, Head
from kg.registers.ema_table import Row, is_table, rows_of
from kg.registers.reading import Layout, Summary, Unfit, day
from kg.registers.records import Day, ProductRecord

NAME: Final = "ema-atmp-list"
AGENCY: Final = "agency:eu-ema"
LAYOUT: Final = Layout(
    "list of advanced therapies",
    {
        "name": ("name", "product", "product name", "medicine name", "name of medicine"),
        "type": ("type", "atmp type", "subtype", "atmp classification", "classification"),
        "authorised": ("date", "marketing authorisation date", "authorisation date", "ma date"),
        "orphan": ("orphan", "orphan medicine"),
        "prime": ("prime", "prime priority medicine"),
        "comment": ("comment", "comments", "remarks"),
    },
    ("name", "type", "authorised", "orphan", "prime"),
)

KINDS: Final = {
    "gtmp": "GTMP",
    "gene therapy medicinal product": "GTMP",
    "ctmp": "CTMP",
    "sctmp": "CTMP",
    "somatic cell therapy medicinal product": "CTMP",
    "tep": "TEP",
    "tissue engineered product": "TEP",
}
"""The kinds, by the words that lists use for them."""
_END: Final = re.compile(r"\b(?:MA )?(?:withdrawn|ended|expired|revoked)(?: in| on)? (?P<month>[A-Z][a-z]+\.? \d{4})\b")


def recognise(head: Head) -> bool:
    """Whether a file is a list of advanced therapies with their kinds."""
    return is_table(head, LAYOUT)


def read(path: Path, summary: Summary) -> Iterator[ProductRecord]:
    """Yield the products of a list.

    Args:
        path: A spreadsheet.
        summary: Told of skips and repairs.

    Raises:
        SourceError: The file is damaged, or is no such list.
    """
    places: dict[str, str] = {}
    for row in rows_of(path, LAYOUT, summary):
        name = row.text("name")
        if not name:
            summary.skip(row.where, "name", "", "has no name")
            continue
        if name.casefold() in places:
            summary.skip(row.where, "name", name, f"stands at {places[name.casefold()]} too; that one is taken")
            continue
        places[name.casefold()] = row.where
        authorised = row.day("authorised")
        ended = _end(row, authorised)
        summary.seen(authorised, ended)
        summary.loaded += 1
        yield ProductRecord(
            register=NAME,
            id=name,
            where=row.where,
            agency=AGENCY,
            names=(name,),
            status=row.text("comment"),
            authorised=authorised,
            ended=ended,
            advanced=True,
            orphan=row.flag("orphan"),
            prime=row.flag("prime"),
            category=_kind(row),
        )


def _kind(row: Row) -> str:
    text = row.text("type")
    kind = KINDS.get(re.sub(r"[\W_]+", " ", text.casefold()).strip(), "")
    if not kind:
        row.summary.warn(row.where, "type", text, f"none of {', '.join(dict.fromkeys(KINDS.values()))}; left out")
    return kind


def _end(row: Row, authorised: Day | None) -> Day | None:
    """Return the month in which an authorisation ended, as the comment tells it."""
    comment = row.text("comment")
    match = _END.search(comment)
    if match is None:
        if comment:
            row.summary.warn(row.where, "comment", comment, "tells of no end in words known here; kept as the status")
        return None
    try:
        found = day(match["month"], "month-year-words")
        if found is not None and authorised is not None and found.date < authorised.date.replace(day=1):
            raise Unfit(f"before the authorisation of {authorised}")
    except Unfit as error:
        row.summary.warn(row.where, "comment", comment, f"{error}; no end is taken from it")
        return None
    return found


CONNECTOR: Final = Connector(
    name=NAME,
    title="Advanced therapies authorised in the EU, with their kinds",
    publisher="European Medicines Agency",
    agency=AGENCY,
    licence="Reuse with acknowledgement of the EMA as the source",
    url="",
    page="https://www.ema.europa.eu/en/human-regulatory-overview/advanced-therapy-medicinal-products-overview",
    floor=20,
    recognise=recognise,
    read=read,
)
