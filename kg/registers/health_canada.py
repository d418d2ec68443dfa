"""Health Canada's Drug Product Database. Terms: Open Government Licence - Canada.

One record a product, by its Drug Identification Number (DIN). The day of approval is the first one in the product's
history; for products older than the database it is the day on which their licence was entered anew. A product that was
cancelled and is marketed again has not ended.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.registers.connector import Connector, Head
from kg.registers.dpd_files import DpdFile, holds_extract, locate, looks_like_drug, rows_of
from kg.registers.reading import Summary, Unfit, clean, day
from kg.registers.records import Day, ProductRecord

NAME: Final = "health-canada"
AGENCY: Final = "agency:ca-hc"
URL: Final = "https://www.canada.ca/content/dam/hc-sc/documents/services/drug-product-database/allfiles.zip"
PAGE: Final = (
    "https://www.canada.ca/en/health-canada/services/drugs-health-products/drug-products/drug-product-database/"
    "what-data-extract-drug-product-database.html"
)
PRODUCT_PAGE: Final = "https://health-products.canada.ca/dpd-bdpp/info?lang=eng&code="

STATUSES: Final = frozenset(
    (
        "APPROVED",
        "MARKETED",
        "DORMANT",
        "CANCELLED PRE MARKET",
        "CANCELLED POST MARKET",
        "CANCELLED (UNRETURNED ANNUAL)",
        "CANCELLED (SAFETY ISSUE)",
        "CANCELLED (TRANSITIONED TO BIOCIDES)",
        "AUTHORIZED BY INTERIM ORDER",
        "AUTHORIZATION BY INTERIM ORDER REVOKED",
        "AUTHORIZATION BY INTERIM ORDER EXPIRED",
        "RESTRICTED ACCESS",
    )
)
CLASSES: Final = frozenset(("Human", "Veterinary", "Disinfectant", "Radiopharmaceutical"))
_ATC: Final = re.compile(r"Q?[A-Z](?:\d\d(?:[A-Z](?:[A-Z](?:\d\d)?)?)?)?")


@dataclass(frozen=True, slots=True)
class _Status:
    word: str
    current: bool
    day: Day | None


@dataclass(frozen=True, slots=True)
class _Joined:
    """What the other four files say, by drug code."""

    holders: Mapping[str, str]
    ingredients: Mapping[str, tuple[str, ...]]
    statuses: Mapping[str, list[_Status]]
    classes: Mapping[str, tuple[str, str]]


def recognise(head: Head) -> bool:
    """Whether a file is the extract's drug file, or a folder or ZIP of an extract."""
    return looks_like_drug(head.text) if head.kind == "text" else holds_extract(head.members)


def read(path: Path, summary: Summary) -> Iterator[ProductRecord]:
    """Yield the products of an extract.

    Args:
        path: The file `drug.txt` or `drug.txt.gz` with the others beside it, their folder, or a ZIP of them.
        summary: Kept as records are taken.

    Raises:
        SourceError: A file is missing, cannot be read or is not of its layout.
    """
    files = locate(path, summary)
    joined = _Joined(
        _holders(files["comp"], summary),
        _ingredients(files["ingred"], summary),
        _statuses(files["status"], summary),
        _classes(files["ther"], summary),
    )
    codes: dict[str, int] = {}
    dins: dict[str, int] = {}
    for line, row in rows_of(files["drug"], summary):
        where = f"line {line}"
        code, din = clean(row[0]), clean(row[3])
        if code in codes:
            summary.skip(where, "drug code", code, f"stands on line {codes[code]} too")
            continue
        codes[code] = line
        if not re.fullmatch(r"[0-9]{8}", din):
            summary.skip(where, "DIN", din, "not a Drug Identification Number of eight digits")
        elif din in dins:
            summary.skip(where, "DIN", din, f"stands on line {dins[din]} too")
        else:
            dins[din] = line
            summary.loaded += 1
            yield _product(row, where, joined, summary)
    for file, mapping in zip(("comp", "ingred", "status", "ther"), _mappings(joined), strict=True):
        left = [code for code in mapping if code not in codes]
        if left:
            summary.warn(files[file].name, "drug code", left[0], f"{len(left)} codes are of no product here")


def _mappings(joined: _Joined) -> tuple[Mapping[str, object], ...]:
    return joined.holders, joined.ingredients, joined.statuses, joined.classes


def _product(row: list[str], where: str, joined: _Joined, summary: Summary) -> ProductRecord:
    code, din = clean(row[0]), clean(row[3])
    summary.seen(_day(row[9], where, "last update", summary))
    kind = clean(row[2])
    if kind not in CLASSES:
        summary.warn(where, "class", kind, "not a class known here; kept as it is")
    history = joined.statuses.get(code, [])
    current = _current(history, where, summary)
    approved = [status.day for status in history if status.word == "APPROVED" and status.day]
    atc, group = joined.classes.get(code, ("", ""))
    brands = (clean(row[4]), clean(row[12]) if len(row) > 12 else "")
    return ProductRecord(
        register=NAME,
        id=din,
        where=where,
        agency=AGENCY,
        names=tuple(dict.fromkeys(filter(None, brands))),
        active="; ".join(joined.ingredients.get(code, ())),
        atc=atc,
        group=group,
        holder=joined.holders.get(code, ""),
        status=current.word if current else "",
        authorised=min(approved, key=lambda found: found.date) if approved else None,
        ended=current.day if current and _is_end(current.word) else None,
        application=f"DIN {din}",
        category=kind,
        url=PRODUCT_PAGE + code,
    )


def _is_end(status: str) -> bool:
    return status.startswith("CANCELLED") or status.endswith((" REVOKED", " EXPIRED"))


def _current(history: list[_Status], where: str, summary: Summary) -> _Status | None:
    marked = [status for status in history if status.current]
    if len(marked) == 1:
        return marked[0]
    dated = [(status.day.date, status) for status in marked or history if status.day]
    newest = max(dated, key=lambda pair: pair[0])[1] if dated else None
    found = "the newest is taken" if newest else "none is taken"
    summary.warn(where, "status", newest.word if newest else "", f"{len(marked)} statuses are current; {found}")
    return newest


def _day(cell: str, where: str, field: str, summary: Summary) -> Day | None:
    try:
        return day(cell, "day-mon-year", "iso")
    except Unfit as error:
        summary.warn(where, field, cell, f"{error}; left out")
        return None


def _holders(file: DpdFile, summary: Summary) -> dict[str, str]:
    found: dict[str, str] = {}
    for line, row in rows_of(file, summary):
        code, company, kind = clean(row[0]), clean(row[3]), clean(row[4])
        if kind != "DIN_OWNER" or not company:
            continue
        if found.setdefault(code, company) != company:
            summary.warn(
                f"{file.name} line {line}", "company", company, f"a second owner beside {found[code]!r}; left out"
            )
    return found


def _ingredients(file: DpdFile, summary: Summary) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for _, row in rows_of(file, summary):
        name = clean(row[2])
        if name:
            # One substance stands once for each strength.
            found.setdefault(clean(row[0]), {})[name] = None
    return {code: tuple(names) for code, names in found.items()}


def _statuses(file: DpdFile, summary: Summary) -> dict[str, list[_Status]]:
    found: dict[str, list[_Status]] = {}
    for line, row in rows_of(file, summary):
        where, flag, word = f"{file.name} line {line}", clean(row[1]), clean(row[2]).upper()
        if flag not in ("Y", "N"):
            summary.warn(where, "current status flag", flag, "neither Y nor N; taken as N")
        if word not in STATUSES:
            summary.warn(where, "status", word, "not a status known here; kept as it is")
        found.setdefault(clean(row[0]), []).append(_Status(word, flag == "Y", _day(row[3], where, "date", summary)))
    return found


def _classes(file: DpdFile, summary: Summary) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for line, row in rows_of(file, summary):
        where, code, atc = f"{file.name} line {line}", clean(row[0]), clean(row[1])
        if not atc:
            continue
        if not _ATC.fullmatch(atc):
            mended = atc.rstrip("*")
            if not _ATC.fullmatch(mended):
                summary.warn(where, "ATC code", atc, "not an ATC code; left out")
                continue
            summary.warn(where, "ATC code", atc, f"read as {mended}")
            atc = mended
        if found.setdefault(code, (atc, clean(row[2])))[0] != atc:
            summary.warn(where, "ATC code", atc, f"a second code beside {found[code][0]}; left out")
    return found


CONNECTOR: Final = Connector(
    name=NAME,
    title="Health Canada Drug Product Database",
    publisher="Health Canada",
    agency=AGENCY,
    licence="Open Government Licence - Canada",
    url=URL,
    page=PAGE,
    floor=10_000,
    recognise=recognise,
    read=read,
)
