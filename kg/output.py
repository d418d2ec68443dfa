"""Answers on paper: aligned tables that fit the terminal, CSV, TSV, JSON, Markdown; and files of these."""

import csv
import json
from collections.abc import Sequence
from typing import Any, Final, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kg.report import rows
from kg.store import Answer

FORMATS: Final = ("table", "csv", "tsv", "json", "md")
SUFFIXES: Final = {".csv": "csv", ".tsv": "tsv", ".json": "json", ".md": "md", ".txt": "table"}
"""The suffixes of files of text, and the formats that they are written in."""
_SCREEN: Final = 100


class Paper(Console):
    """A console that leaves it to the command to end where whoever reads has enough."""

    def on_broken_pipe(self) -> None:
        """Go on with the error that the library would make an exit of."""
        # It is called while the error is handled.
        raise


def write(answer: Answer, form: str, stream: TextIO, width: int | None = None, screen: Sequence[str] = ()) -> None:
    """Write an answer in one of `FORMATS`.

    A table on a screen leaves out what does not fit and says so below; every other format is whole.

    Args:
        answer: The rows.
        form: One of `FORMATS`.
        stream: Where to.
        width: How many columns a table may take; the terminal's, or as many as it needs where None.
        screen: The columns that a table shows first, where not all fit.
    """
    plain = rows(answer)
    if form == "json":
        stream.write(json.dumps(plain, ensure_ascii=False, indent=2) + "\n")
    elif form in ("csv", "tsv"):
        writer = csv.writer(stream, delimiter="," if form == "csv" else "\t", lineterminator="\n")
        writer.writerow(answer.columns)
        writer.writerows([["" if v is None else v for v in row.values()] for row in plain])
    elif form == "md":
        _markdown(answer.columns, plain, stream)
    else:
        _table([*screen, *(c for c in answer.columns if c not in screen)], plain, stream, width)


def _markdown(columns: Sequence[str], plain: list[dict[str, Any]], stream: TextIO) -> None:
    def cell(value: object) -> str:
        text = "" if value is None else str(value)
        return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")

    stream.write(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n")
    for row in plain:
        stream.write(f"| {' | '.join(cell(value) for value in row.values())} |\n")


def _table(columns: Sequence[str], plain: list[dict[str, Any]], stream: TextIO, width: int | None) -> None:
    # Without a terminal nothing is cut: a table in a file or a pipe takes the room it needs.
    console = Paper(file=stream, width=width or (None if stream.isatty() else 10_000), highlight=False)
    shown, hidden = _fitting(columns, plain, console.width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in shown:
        number = all(isinstance(row[column], int | float | None) for row in plain) and bool(plain)
        table.add_column(column, overflow="fold", justify="right" if number else "left")
    for row in plain:
        table.add_row(*(Text("" if row[c] is None else str(row[c])) for c in shown))
    console.print(table)
    count = f"{len(plain):,} row{'' if len(plain) == 1 else 's'}"
    if hidden:
        count += f"; not shown for want of room: {', '.join(hidden)} (--format csv gives all)"
    if stream.isatty() or width:
        console.print(Text(count, style="dim"))


def _fitting(columns: Sequence[str], plain: list[dict[str, Any]], width: int) -> tuple[list[str], list[str]]:
    """The columns that fit side by side, each with the room for its longest word or twelve letters."""
    shown: list[str] = []
    hidden: list[str] = []
    used = 0
    for column in columns:
        longest = max((len(str(row[column])) for row in plain if row[column] is not None), default=0)
        need = max(len(column), min(longest, 28 if width > _SCREEN else 20)) + 2
        empty = bool(plain) and longest == 0
        if empty or (used + need > width and shown):
            hidden.append(column)
        else:
            shown.append(column)
            used += need
    return shown, hidden
