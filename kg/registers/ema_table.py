"""The tables that the EMA publishes twice, as a spreadsheet and as a JSON feed of the same columns.

Both are read into rows of fields by one layout: a feed's keys are the spreadsheet's column names in small letters with
underscores, and `plain_header` makes them equal.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Final

from kg.errors import SourceError
from kg.registers.connector import Head, json_of
from kg.registers.reading import (
    LONGEST,
    Layout,
    Summary,
    Unfit,
    clean,
    day,
    decoded,
    find_header,
    plain_header,
    raw_bytes,
    web_address,
    yes_no,
)
from kg.registers.records import Day
from kg.registers.spreadsheet import Cell, Sheet, is_archive, serial_day, sheets

LARGEST_FEED: Final = 20_000_000
"""The most bytes of a feed, unpacked; the largest of today has 7 million."""
MOST_BRACKETS: Final = 1_000_000
"""The most objects and arrays in a feed: each takes memory however few bytes it is written in."""
_HIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_DAY_MONTH_YEAR: Final = re.compile(r"\b\d{1,2}/\d{1,2}/\d{4}\b")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table. A value that cannot be taken is warned of and left out.

    Attributes:
        where: Its place, in the words of a reader.
        cells: Its values by field; a field that the table has no column for is not among them.
        summary: Told of what is wrong.
        made: The day on which the table was made, where it says so.
        epoch: The day from which a spreadsheet counts days; None in a feed, which has no serial numbers.
    """

    where: str
    cells: Mapping[str, object]
    summary: Summary
    made: date | None
    epoch: date | None

    def value(self, field: str) -> object:
        """Return a field as it stands, None where the table has no such column."""
        value = self.cells.get(field)
        # What is nested is not shown either: to write it out may go as deep as to read it.
        if isinstance(value, dict | list):
            kind = "an object" if isinstance(value, dict) else "a list"
            self.summary.warn(self.where, field, kind, "not one value; left out")
            return None
        if isinstance(value, float) and not math.isfinite(value):
            self.summary.warn(self.where, field, value, "not a number; left out")
            return None
        return value

    def text(self, field: str) -> str:
        """Return a field as clean text, "" where it is empty."""
        value = self.value(field)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        found = clean(value)
        if isinstance(value, str):
            if len(found) == LONGEST < len(value):
                self.summary.warn(self.where, field, found, f"longer than {LONGEST:,} characters; cut")
            if _HIDDEN.search(value):
                self.summary.warn(self.where, field, value, "control or turning characters; removed")
        return found

    def day(self, field: str) -> Day | None:
        """Return a field that holds a day in the table's past, None where it is empty."""
        value = self.value(field)
        try:
            if self.epoch is not None and isinstance(value, int | float) and not isinstance(value, bool):
                found: Day | None = Day(serial_day(value, self.epoch))
                self.summary.warn(self.where, field, value, f"a serial number; read as {found}")
            else:
                found = day(value, "day-month-year", "iso")
            if found is not None and self.made is not None and found.date > self.made:
                raise Unfit(f"later than the table, which is of {self.made}")
        except Unfit as error:
            self.summary.warn(self.where, field, value, f"{error}; left out")
            return None
        return found

    def flag(self, field: str) -> bool | None:
        """Return a field of Yes or No, None where it is empty or the table has no such column."""
        value = self.value(field)
        try:
            return yes_no(value)
        except Unfit as error:
            self.summary.warn(self.where, field, value, f"{error}; left out")
            return None

    def address(self, field: str) -> str:
        """Return a field that holds a web address, "" where it is empty."""
        value = self.value(field)
        try:
            return web_address(value)
        except Unfit as error:
            self.summary.warn(self.where, field, value, f"{error}; left out")
            return ""


def is_table(head: Head, layout: Layout) -> bool:
    """Whether a file is a spreadsheet or a feed of a layout.

    Raises:
        SourceError: It is a spreadsheet that cannot be opened.
    """
    if head.kind == "zip":
        if not any(name.casefold() == "xl/workbook.xml" for name in head.members):
            return False
        state = head.path.stat()
        return any(layout.find(row) is not None for row in _first_rows(head.path, state.st_size, state.st_mtime_ns))
    if head.kind != "text" or head.text.lstrip("\ufeff \r\n\t")[:1] not in ("{", "["):
        return False
    return layout.find(re.findall(r'"([^"\\]{1,100})"\s*:', head.text)) is not None


def rows_of(path: Path, layout: Layout, summary: Summary) -> Iterator[Row]:
    """Yield the rows of a table, whichever form it has; an item of a feed that is no object is skipped.

    Args:
        path: The file.
        layout: Its columns.
        summary: Told of skips and repairs, and of the day on which the table was made.

    Raises:
        SourceError: The file is damaged, or not of this layout.
    """
    return _of_spreadsheet(path, layout, summary) if is_archive(path) else _of_feed(path, layout, summary)


@lru_cache(maxsize=1)
def _first_rows(path: Path, size: int, changed: int) -> list[list[Cell]]:  # noqa: ARG001 - a changed file is another
    """Return the first rows of every sheet: several registers ask for those of the same file, one after another."""
    return [row for sheet in sheets(path) for _, row in sheet.first_rows()]


def _has_header(sheet: Sheet, layout: Layout) -> bool:
    return any(layout.find(row) is not None for _, row in sheet.first_rows())


def _of_spreadsheet(path: Path, layout: Layout, summary: Summary) -> Iterator[Row]:
    found = sheets(path, summary)
    fitting = [sheet for sheet in found if _has_header(sheet, layout)]
    if not fitting:
        # Raises the error that says what the first sheet lacks.
        find_header(chain.from_iterable(sheet.first_rows() for sheet in found), [layout], path)
    for sheet in found:
        if sheet not in fitting and sheet.first_rows(1):
            summary.warn(f"sheet {sheet.name!r}", "", "", "has no header of this table; it is not read")
    for sheet in fitting:
        preamble = sheet.first_rows()
        header, _, places = find_header(preamble, [layout], path)
        columns = next(row for number, row in preamble if number == header)
        _note_columns(columns, layout, places, summary, f"row {header}")
        before = " ".join(str(cell) for number, row in preamble if number < header for cell in row)
        made = _made(before if "generated" in before.casefold() else "", summary)
        label = f"sheet {sheet.name!r}, " if len(fitting) > 1 else ""
        for number, row in sheet.rows(summary):
            if number > header:
                cells = {name: row[at] for name, at in places.items()}
                yield Row(f"{label}row {number}", cells, summary, made, sheet.epoch)


def _of_feed(path: Path, layout: Layout, summary: Summary) -> Iterator[Row]:
    records, made = _records(path, summary)
    layouts: dict[tuple[str, ...], dict[str, int] | None] = {}
    for record in records:
        if isinstance(record, dict) and tuple(record) not in layouts:
            keys = tuple(record)
            layouts[keys] = places = layout.find(keys)
            if places is not None:
                _note_columns(keys, layout, places, summary, "")
    if not any(layouts.values()):
        raise SourceError(f"{path}: no record has the keys of the {layout.name}: {', '.join(layout.required)}")
    for number, record in enumerate(records, 1):
        where = f"record {number}"
        if not isinstance(record, dict):
            kind = "a list" if isinstance(record, list) else record
            summary.skip(where, "", kind, "not an object")
            continue
        keys = tuple(record)
        places = layouts[keys]
        if places is None:
            have = {plain_header(key) for key in keys}
            lacking = ", ".join(name for name in layout.required if not have & set(layout.fields[name]))
            summary.skip(where, lacking, "", "has no such key")
            continue
        yield Row(where, {name: record[keys[at]] for name, at in places.items()}, summary, made, None)


def _records(path: Path, summary: Summary) -> tuple[list[object], date | None]:
    """Return a feed's records, and the day on which it was made, where it says so."""
    raw = raw_bytes(path, LARGEST_FEED)
    if raw.count(b"{") + raw.count(b"[") > MOST_BRACKETS:
        raise SourceError(f"{path}: holds more than {MOST_BRACKETS:,} objects and arrays")
    found = json_of(decoded(raw, path, summary), path, summary)
    made = None
    if isinstance(found, dict):
        meta = found.get("meta")
        found = found.get("data")
        made = _note_meta(meta, found, summary) if isinstance(meta, dict) else None
    if not isinstance(found, list):
        raise SourceError(f"{path}: is neither an array of records nor an object with an array `data`")
    return found, made


def _note_columns(
    columns: Sequence[object], layout: Layout, places: Mapping[str, int], summary: Summary, where: str
) -> None:
    """Warn of columns that are not there, and of columns that are there twice."""
    lacking = [name for name in layout.fields if name not in places]
    if lacking:
        summary.warn(where, "", ", ".join(lacking), "has no column for these")
    plain = [plain_header(column) for column in columns]
    for name, at in places.items():
        if plain.count(plain[at]) > 1:
            summary.warn(where, name, columns[at], "the column is given twice; the first one is taken")


def _note_meta(meta: Mapping[str, object], data: object, summary: Summary) -> date | None:
    """Compare a feed's own count with what it holds, and return its day."""
    total = meta.get("total_records")
    if isinstance(data, list) and total is not None and str(total) != str(len(data)):
        summary.warn("", "total_records", total, f"the feed holds {len(data):,} records; it may be cut off")
    return _made(str(meta.get("timestamp") or ""), summary)


def _made(text: str, summary: Summary) -> date | None:
    """Return the day on which a table was made, and let it date the snapshot."""
    found = _DAY_MONTH_YEAR.search(text)
    try:
        made = day(found[0] if found else text[:40], "day-month-year", "iso") if text else None
    except Unfit as error:
        summary.warn("", "generated", text, f"{error}; the table is dated by its records")
        return None
    summary.seen(made)
    return made.date if made else None
