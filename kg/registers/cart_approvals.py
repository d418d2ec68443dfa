"""A republisher's list of approvals of CAR-T therapies, made by hand, years only. Terms: MIT.

Some of its rows are wrong. It is read as what it is, a source that may conflict: every record's status is `doubtful`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kg.errors import SourceError
from kg.registers.connector import Connector, Head, json_of, looks_like_json
from kg.registers.reading import Summary, Unfit, clean, day, decoded, raw_bytes
from kg.registers.records import Day, ProductRecord

NAME: Final = "cart-approvals-list"
URL: Final = "https://github.com/ptjeong/ONC-CAR-T-Trials-Monitor"
STATUS: Final = "doubtful"
LARGEST: Final = 1_000_000

REGULATORS: Final = {
    "ANVISA": "agency:br-anvisa",
    "CDSCO": "agency:in-cdsco",
    "EMA": "agency:eu-ema",
    "FDA": "agency:us-fda",
    "HSA": "agency:sg-hsa",
    "Health Canada": "agency:ca-hc",
    "MFDS": "agency:kr-mfds",
    "MHRA": "agency:gb-mhra",
    "NMPA": "agency:cn-nmpa",
    "PMDA": "agency:jp-pmda",
    "Swissmedic": "agency:ch-swissmedic",
    "TFDA": "agency:tw-tfda",
    "TGA": "agency:au-tga",
}
_FIELDS: Final = ("year", "name", "regulator")
# "tisa-cel (Kymriah)": the substance's short name, then the brand.
_SUBSTANCE_AND_BRAND: Final = re.compile(r"(?P<substance>[^()]+) \((?P<brand>[^()]+)\)")


def recognise(head: Head) -> bool:
    """Whether a file is such a list: an array of objects with year, name and regulator."""
    first = head.text.partition("}")[0]
    return (
        head.kind == "text"
        and looks_like_json(head.text)
        and first.lstrip("\ufeff \r\n\t").startswith("[")
        and all(re.search(rf'"{field}"\s*:', first) is not None for field in _FIELDS)
    )


def read(path: Path, summary: Summary) -> Iterator[ProductRecord]:
    """Yield the approvals of a list.

    Raises:
        SourceError: It is no JSON array, or none of its objects has a name and a regulator.
    """
    rows = json_of(decoded(raw_bytes(path, LARGEST), path, summary), path, summary)
    if not isinstance(rows, list):
        raise SourceError(f"{path}: is no list of approvals: an array is due")
    if rows and not any(isinstance(row, dict) and "name" in row and "regulator" in row for row in rows):
        raise SourceError(f"{path}: is no list of approvals: no object has a name and a regulator")
    places: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        where = f"record {number}"
        summary.bounded(path)
        try:
            record = _approval(row, where, summary)
        except _Unusable as error:
            summary.skip(where, error.field, error.value, str(error))
            continue
        if record.id in places:
            summary.skip(where, "", record.id, f"the same as {places[record.id]}")
            continue
        places[record.id] = where
        summary.seen(record.authorised)
        summary.loaded += 1
        yield record


class _Unusable(ValueError):  # noqa: N818 - a record that is skipped, not an error of the program
    def __init__(self, field: str, value: object, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.value = value


def _approval(row: object, where: str, summary: Summary) -> ProductRecord:
    if not isinstance(row, dict):
        raise _Unusable("", type(row).__name__, "an object is due")
    for field in row:
        if field not in (*_FIELDS, "target", "disease"):
            summary.warn(where, clean(field, 80), "", "a field not known here; left out")
    name, regulator = _text(row, "name"), _text(row, "regulator")
    if not name:
        raise _Unusable("name", "", "is empty")
    if regulator not in REGULATORS:
        raise _Unusable("regulator", regulator, f"not one of {', '.join(REGULATORS)}")
    year = _year(row.get("year"), where, summary)
    match = _SUBSTANCE_AND_BRAND.fullmatch(name)
    try:
        disease = _text(row, "disease")
    except _Unusable as error:
        summary.warn(where, error.field, error.value, f"{error}; left out")
        disease = ""
    # One product may stand there once for each indication of one year.
    parts = (regulator, name, str(year or ""), disease)
    return ProductRecord(
        register=NAME,
        id="/".join(parts),
        where=where,
        agency=REGULATORS[regulator],
        names=(match["brand"].strip(),) if match else (),
        active=match["substance"].strip() if match else name,
        status=STATUS,
        authorised=year,
        indication=disease,
    )


def _text(row: dict[str, object], field: str) -> str:
    value = row.get(field)
    if value is not None and not isinstance(value, str):
        raise _Unusable(field, type(value).__name__, "a text is due")
    return clean(value)


def _year(value: object, where: str, summary: Summary) -> Day | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
        summary.warn(where, "year", type(value).__name__, "a year is due; left out")
        return None
    try:
        return day(value, "year")
    except Unfit as error:
        summary.warn(where, "year", value, f"{error}; left out")
        return None


CONNECTOR: Final = Connector(
    name=NAME,
    title="A republisher's list of CAR-T approvals (doubtful)",
    publisher="ONC-CAR-T-Trials-Monitor",
    agency="",
    licence="MIT",
    url=URL,
    page=URL,
    floor=10,
    recognise=recognise,
    read=read,
)
