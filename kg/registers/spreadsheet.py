"""Spreadsheets (XLSX): rows of cells with their row numbers, nothing else of what a spreadsheet may hold.

Formulas are never computed: the last value that was computed and stored is taken, and where there is none the cell is
empty; both are warned of. The value of a cell merged downwards is taken for each of its rows, in its first column.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from kg.errors import SourceError
from kg.registers.reading import Summary, Unfit
from kg.registers.spreadsheet_parts import is_archive, vetted

Cell = int | float | str | bool | time | date | datetime | timedelta
"""A cell's value; an empty cell is ""."""

_MOST_MERGED: Final = 200_000
"""The most rows that merged cells may cover, a row counted for each cell that covers it."""
_FROM_1900, _FROM_1904 = date(1899, 12, 30), date(1904, 1, 1)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet.

    Attributes:
        path: The file that it is of.
        name: Its name.
        epoch: The day that serial numbers count from.
        sheet: The sheet as the library has it.
    """

    path: Path
    name: str
    epoch: date
    sheet: CalamineSheet

    def rows(self, summary: Summary | None = None) -> Iterator[tuple[int, list[Cell]]]:
        """Yield the rows that are not empty, each with its number from 1, from the first used column on.

        Args:
            summary: Told of values taken from merged cells.

        Raises:
            SourceError: Merged cells cover more than any sheet has.
        """
        if self.sheet.start is None:
            return
        merged = self._merged_downwards()
        held: dict[tuple[int, int], Cell] = {}
        for number, row in enumerate(self.sheet.iter_rows(), 1):
            for column, top in merged.get(number, ()):
                if top == number:
                    held[top, column] = row[column]
                elif row[column] == "" and held.get((top, column), "") != "":
                    row[column] = held[top, column]
                    if summary is not None:
                        summary.warn(f"row {number}", "", row[column], f"taken from the merged cell of row {top}")
            if any(value != "" and not (isinstance(value, str) and not value.strip()) for value in row):
                yield number, row

    def _merged_downwards(self) -> dict[int, list[tuple[int, int]]]:
        """Return for each row the columns that a cell merged downwards covers, each with the row of its value."""
        found: dict[int, list[tuple[int, int]]] = {}
        if self.sheet.start is None or self.sheet.end is None:
            return found
        # The library's rows begin in the first row of all but in the first used column.
        first_column, (last_row, last_column) = self.sheet.start[1], self.sheet.end
        covered = 0
        for (top, left), (bottom, _) in self.sheet.merged_cell_ranges or ():
            if not first_column <= left <= last_column or not top < bottom:
                continue
            covered += max(min(bottom, last_row) - top + 1, 0)
            if covered > _MOST_MERGED:
                raise SourceError(f"{self.path}: merged cells of sheet {self.name!r} cover over {_MOST_MERGED:,} rows")
            for row in range(top, min(bottom, last_row) + 1):
                found.setdefault(row + 1, []).append((left - first_column, top + 1))
        return found

    def first_rows(self, count: int = 30) -> list[tuple[int, list[Cell]]]:
        """Return the first rows that are not empty."""
        return list(islice(self.rows(), count))


def sheets(path: Path, summary: Summary | None = None) -> list[Sheet]:
    """Open an XLSX file and return its sheets in order.

    Args:
        path: The file.
        summary: Told of formulas.

    Raises:
        SourceError: It is no XLSX file, is damaged, or is larger than any register's table.
    """
    parts = vetted(path)
    for found, what in (
        (parts.formulas, "cells with formulas; their stored values are taken"),
        (parts.unvalued, "formulas without a stored value; the cells are taken as empty"),
        (parts.errors, "cells whose value is an error; they are taken as empty"),
    ):
        if summary is not None and found.count:
            summary.warn("", "", found, f"{found.count:,} {what}")
    epoch = _FROM_1904 if parts.from_1904 else _FROM_1900
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(parts.packed))
        names = [sheet.name for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
        return [Sheet(path, name, epoch, workbook.get_sheet_by_name(name)) for name in names]
    except (CalamineError, OSError, ValueError) as error:
        raise SourceError(f"{path}: is a damaged spreadsheet: {error}") from error


def serial_day(number: float, epoch: date) -> date:
    """Return the day that a spreadsheet's serial number means.

    Raises:
        Unfit: It is no day within a hundred years.

    >>> serial_day(43101, date(1899, 12, 30)).isoformat()
    '2018-01-01'
    """
    # From the 1920s on: smaller numbers are years or counts in a column of days.
    if not 10_000 < number < 80_000:
        raise Unfit("a number, and no day's serial number")
    return epoch + timedelta(days=int(number))


__all__ = ["Cell", "Sheet", "is_archive", "serial_day", "sheets"]
