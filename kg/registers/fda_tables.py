"""What the FDA's two tables, the Purple Book and the orphan designations, have in common: how their rows are found.

Both are CSV exports that people paste together and that the FDA itself repeats in parts, so the same row stands in a
file several times, headers come again in the middle, and one record is spread over several rows.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from kg.errors import SourceError
from kg.registers.connector import Head
from kg.registers.reading import (
    Layout,
    Summary,
    Unfit,
    clean,
    day,
    decoded,
    find_header,
    raw_bytes,
    rows_of_csv,
    shown,
)
from kg.registers.records import Day

LARGEST: Final = 20_000_000
"""The most bytes of a table: more than ten times the largest real one."""
MOST_ROWS: Final = 100_000
"""The most rows of a table, for the same reason."""
DAY_FORMS: Final = ("day-mon-yy", "month-year-words", "iso", "month-day-year", "day-mon-year")
"""The ways in which the FDA's exports write a day, over the years; US order wherever it is all digits."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row below a header.

    Attributes:
        line: The line on which it begins.
        cells: The clean cell of each field that the header has.
    """

    line: int
    cells: dict[str, str]

    @property
    def where(self) -> str:
        """Its place, in the words of a reader."""
        return f"line {self.line}"

    def __getitem__(self, field: str) -> str:
        return self.cells.get(field, "")


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows, each distinct one once, and the titles that stood above and among them."""

    titles: tuple[str, ...]
    rows: tuple[Row, ...]


def has_header(head: Head, layout: Layout) -> bool:
    """Whether one of a file's first lines is a header of this layout."""
    if head.kind != "text":
        return False
    try:
        return any(layout.find(row) is not None for line in head.lines for row in csv.reader([line]))
    except csv.Error:
        return False


def read_table(path: Path, summary: Summary, layout: Layout, titles: re.Pattern[str]) -> Table:
    """Read a table whole.

    Args:
        path: The file.
        summary: Takes a skip for each row that repeats another or is cut off.
        layout: The table's columns.
        titles: What a lone cell says that is a title and no record.

    Raises:
        SourceError: There is no header of this layout, or it is no CSV, or larger than any such table.
    """
    found = list(_capped(rows_of_csv(decoded(raw_bytes(path, LARGEST), path, summary), path), path))
    first, _, places = find_header(found, (layout,), path)
    said = [cell for line, row in found if line < first for cell in map(clean, row) if cell]
    known = {alias for name in layout.required for alias in layout.fields[name]}
    rows: dict[tuple[str, ...], Row] = {}
    columns = 0
    for line, row in found:
        if line <= first:
            columns = len(row)
            continue
        cells = tuple(map(clean, row))
        filled = [cell for cell in cells if cell]
        # Looking for a header in every row would take most of the time.
        again = None if known.isdisjoint(map(str.casefold, filled)) else layout.find(row)
        if again is not None:
            places, columns = again, len(row)
        elif len(filled) == 1 and titles.fullmatch(filled[0]):
            said.append(filled[0])
        elif not filled:
            summary.skip(f"line {line}", "", "", "nothing that can be read stands in the row")
        elif len(cells) <= (needed := max(places[name] for name in layout.required)):
            summary.skip(f"line {line}", "", filled[0], f"is cut off: {len(cells)} cells of at least {needed + 1}")
        elif any(cells[columns:]):
            summary.skip(f"line {line}", "", filled[0], f"has {len(cells)} cells below a header of {columns}")
        else:
            earlier = rows.pop(cells, None)
            if earlier is not None:
                summary.skip(earlier.where, "", filled[0], f"the same row as on line {line}")
            # The later one stays, at its place: in months pasted together it is the newer one.
            rows[cells] = Row(line, {name: cells[at] for name, at in places.items() if at < len(cells)})
    return Table(tuple(said), tuple(rows.values()))


def _capped(rows: Iterator[tuple[int, list[str]]], path: Path) -> Iterator[tuple[int, list[str]]]:
    for count, row in enumerate(rows):
        if count == MOST_ROWS:
            raise SourceError(f"{path}: has more than {MOST_ROWS:,} rows, more than any such table")
        yield row


def day_of(row: Row, field: str, summary: Summary, pivot: int) -> Day | None:
    """Return the day in a cell that may be empty; what is no day is left out with a warning.

    Args:
        row: The row.
        field: The field.
        summary: Takes the warning.
        pivot: The latest year that can be meant.
    """
    try:
        return day(row[field], *DAY_FORMS, newest=pivot, pivot=pivot)
    except Unfit as reason:
        summary.warn(row.where, field, row[field], f"{reason}; left out")
        return None


def this_year() -> int:
    """Return the year that no past act can lie after."""
    return date.today().year


def differing(rows: Sequence[Row], field: str, kept: str, summary: Summary) -> None:
    """Warn of rows of one record that disagree in a field of which one value is kept; capitals do not count."""
    for row in {row[field].casefold(): row for row in rows if row[field]}.values():
        if row[field].casefold() != kept.casefold():
            summary.warn(row.where, field, row[field], f"other rows of the record say {shown(kept)!r}, which is kept")


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return names, each once whatever its capitals, in order."""
    kept: dict[str, str] = {}
    for name in names:
        kept.setdefault(name.casefold(), name)
    return tuple(kept.values())
