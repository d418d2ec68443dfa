"""FDA Purple Book (CSV): licensed biological products. A work of the US Government, in the public domain.

A row is a strength or presentation; a record is a licence's product under one name, and the rows that it is folded
from are skips that name the row it is read from. Three kinds of file are one layout: the monthly download (a title,
the month's changes, a second header, the whole list), its columns of 2026, and months pasted together.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kg.registers.connector import Connector, Head
from kg.registers.fda_tables import Row, day_of, differing, distinct, has_header, read_table, this_year
from kg.registers.reading import Layout, Summary, Unfit, day, items
from kg.registers.records import Day, ProductRecord

NAME: Final = "purple-book"
AGENCY: Final = "agency:us-fda"

LAYOUT: Final = Layout(
    "Purple Book",
    {
        "mark": ("n r u",),
        "applicant": ("applicant", "applicant name"),
        "bla": ("bla number", "bla no", "bla stn"),
        "proprietary": ("proprietary name",),
        "proper": ("proper name", "nonproprietary name"),
        "kind": ("license type", "bla type"),
        "strength": ("strength",),
        "presentation": ("product presentation",),
        "licensure": ("licensure", "licensure status"),
        "approval": ("approval date",),
        "supplement": ("supplement number",),
        "submission": ("submission type",),
        "product": ("product number",),
        "center": ("center", "centre"),
        "orphan": ("orphan exclusivity exp date", "orphan exclusivity expiration date"),
    },
    ("applicant", "bla", "proprietary", "proper", "licensure", "approval", "submission"),
)
TITLES: Final = re.compile(r"(purple book|newly approved products|products added|updated products)\b.*", re.IGNORECASE)
LICENSURE: Final = {
    "licensed": "Licensed",
    "revoked": "Revoked",
    "voluntarily revoked": "Voluntarily Revoked",
}
NO_NAME: Final = ("", "n/a", "na", "none", "-")

_NUMBER: Final = re.compile(r"(?:BLA\s*)?0*(\d{5,6})(?:\.0)?", re.IGNORECASE | re.ASCII)
_MONTH: Final = re.compile(r".*\b([A-Z][a-z]{2,8} (?:19|20)\d\d)\b.*")
_TWO_DIGITS: Final = re.compile(r"\d{1,2}-[A-Za-z]{3}-(\d\d)", re.ASCII)
_RECENT_NUMBER: Final = 125_000
"""Licences numbered from here on are of this century; what the register has of 1930 and later bears lower numbers."""
_RECENT_YEAR: Final = 1990


def recognise(head: Head) -> bool:
    """Whether a file has a Purple Book's header."""
    return has_header(head, LAYOUT)


def read(path: Path, summary: Summary) -> Iterator[ProductRecord]:
    """Yield each licensed product of one file.

    Raises:
        SourceError: There is no Purple Book's header, or the file is no CSV.
    """
    table = read_table(path, summary, LAYOUT, TITLES)
    newest = this_year()
    months = [month for title in table.titles if (month := _month_of(title, newest)) is not None]
    summary.seen(*months)
    pivot = _pivot([month.date.year for month in months], table.rows, newest)
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in table.rows:
        number = _NUMBER.fullmatch(row["bla"])
        name = _key_name(row)
        if number is None:
            summary.skip(row.where, "bla", row["bla"], "not the number of a licence")
        elif not name:
            summary.skip(row.where, "proper", row["proper"], "has neither a proprietary nor a proper name")
        else:
            groups.setdefault((number[1], name), []).append(row)
    for (number_, name), rows in groups.items():
        record = _record(number_, name, rows, summary, pivot)
        summary.loaded += 1
        yield record


def _month_of(title: str, newest: int) -> Day | None:
    found = _MONTH.fullmatch(title)
    try:
        return day(found[1], "month-year-words", newest=newest) if found else None
    except Unfit:
        return None  # A word before a year that is no month.


def _pivot(months: list[int], rows: tuple[Row, ...], newest: int) -> int:
    """Return the file's own year, as its titles and its recent licences tell it.

    The year in which the file is read would do only until 2030: the Purple Book has approvals of 1930.
    """
    years = set(months)
    for row in rows:
        number, written = _NUMBER.fullmatch(row["bla"]), _TWO_DIGITS.fullmatch(row["approval"])
        if number and written and int(number[1]) >= _RECENT_NUMBER:
            years.add(2000 + int(written[1]))
    return max((year for year in years if year <= newest), default=newest)


def _key_name(row: Row) -> str:
    # The first of several names: the list grows with the years (Fluad, Fluad Quadrivalent), the product stays.
    for text in (*_names(row)[:1], row["proper"]):
        if key := re.sub(r"[\W_]+", "-", text.casefold()).strip("-"):
            return key
    return ""


def _names(row: Row) -> tuple[str, ...]:
    return tuple(name for name in items(row["proprietary"], ",") if name.casefold() not in NO_NAME)


def _record(number: str, name: str, rows: list[Row], summary: Summary, pivot: int) -> ProductRecord:
    # Months are pasted in their order and a month's changes stand above its list: the last row is the newest.
    base = rows[-1]
    for row in rows[:-1]:
        what = "the same product" if row["product"] == base["product"] else "a strength or presentation"
        summary.skip(
            row.where,
            "product",
            ", ".join(filter(None, (row["mark"], row["product"], row["strength"], row["presentation"]))),
            f"folded into {base.where}: {what} of BLA {number}, {name}",
        )
    for field in ("applicant", "proper"):
        differing(rows, field, base[field], summary)
    days = {row.line: _approval(row, int(number), summary, pivot) for row in rows}
    summary.seen(*days.values())
    # Exclusivity runs into the future; only whether there is one is kept.
    protected = [row for row in rows if day_of(row, "orphan", summary, 2100) is not None]
    return ProductRecord(
        register=NAME,
        id=f"{number}:{name}",
        where=base.where,
        agency=AGENCY,
        names=distinct([one for row in reversed(rows) for one in _names(row)]),
        inn=base["proper"],
        holder=base["applicant"],
        status=_status(rows, summary),
        authorised=_authorised(rows, days, summary),
        application=f"BLA {number}",
        orphan=True if protected else None,
        category="; ".join(filter(None, (base["center"], base["kind"]))),
    )


def _approval(row: Row, number: int, summary: Summary, pivot: int) -> Day | None:
    found = day_of(row, "approval", summary, pivot)
    if found is not None and number >= _RECENT_NUMBER and found.date.year < _RECENT_YEAR:
        summary.warn(row.where, "approval", row["approval"], "long before licences had such numbers; left out")
        return None
    return found


def _authorised(rows: list[Row], days: dict[int, Day | None], summary: Summary) -> Day | None:
    base = rows[-1]
    originals = [row for row in rows if _is_original(row)]
    # By the day: a pasted file says the same thing in several rows.
    found = {one.date: one for row in originals if (one := days[row.line]) is not None}
    if not found:
        instead = " ".join(filter(None, (base["submission"], base["supplement"], base["approval"])))
        reason = "no row of an original submission has a day; the day of the authorisation is left out"
        summary.warn(base.where, "submission", instead, reason)
        return None
    if len(found) > 1:
        listed = ", ".join(str(found[one]) for one in sorted(found))
        summary.warn(base.where, "approval", listed, "days of original submissions differ; the first is taken")
    return found[min(found)]


def _is_original(row: Row) -> bool:
    return row["submission"].casefold() == "original" and row["supplement"].lstrip("0") in ("", ".0")


def _status(rows: list[Row], summary: Summary) -> str:
    # A presentation's last row is its newest; a product is licensed while one of its presentations is.
    newest: dict[str, str] = {}
    for row in rows:
        known = LICENSURE.get(row["licensure"].casefold())
        if known is not None:
            newest[row["product"]] = known
        elif row["licensure"]:
            summary.warn(row.where, "licensure", row["licensure"], "not a word the Purple Book is known to use")
    if len(set(newest.values())) > 1:
        listed = ", ".join(f"{product}: {said}" for product, said in newest.items())
        summary.warn(rows[-1].where, "licensure", listed, "presentations differ; Licensed wins, else the newest")
    return "Licensed" if "Licensed" in newest.values() else next(reversed(newest.values()), "")


CONNECTOR: Final = Connector(
    name=NAME,
    title="FDA Purple Book",
    publisher="US Food and Drug Administration",
    agency=AGENCY,
    licence="work of the US Government, public domain",
    url="https://www.accessdata.fda.gov/drugsatfda_docs/PurpleBook/{year}/purplebook-search-{month}-data-download.csv",
    page="https://purplebooksearch.fda.gov/downloads",
    floor=700,
    recognise=recognise,
    read=read,
)
