"""Curated tables: one CSV file a record class, one row a fact, edited by hand.

UTF-8, a header, `|` between the values of a list. `read` reads every table of one or more folders and
loses nothing: a row that cannot become a record becomes a finding that names file, line and column.
"""

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from kg.errors import CurationError, Finding, KgError
from kg.mapping import LANGUAGE, lexical
from kg.namespaces import expand
from kg.records import RECORDS, Record
from kg.shapes import ID, Field, Shape, shapes

LIST_SEPARATOR: Final = "|"
LABEL_SUFFIX: Final = "_label"
"""A column `<field>_label` may stand beside a column of ids; it is checked and never stated."""

RULE: Final = "table"
CELL_LIMIT: Final = 5_000
"""The most characters a cell may have."""

csv.field_size_limit(1_000_000)


@dataclass(slots=True)
class Tables:
    """The records of all tables, and where each one stands.

    Attributes:
        records: The records by table name, each table's in the order of their ids.
        places: The file, by its name, and the line from 1 of each record by its id.
        findings: What was wrong; the rows concerned are not among the records.
        rows: How many rows were read, by table name.
        labels: Labels that rows state of the things they refer to, as (id, field, label).
    """

    records: dict[str, list[Record]] = field(default_factory=dict)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    labels: list[tuple[str, str, str]] = field(default_factory=list)

    def __iter__(self) -> Iterator[Record]:
        for records in self.records.values():
            yield from records

    def raise_findings(self) -> None:
        """Raise CurationError if anything was wrong."""
        if self.findings:
            raise CurationError(self.findings)


def read(folders: Sequence[Path]) -> Tables:
    """Read every table of some folders; a row of a later folder replaces one with the same id.

    Args:
        folders: Folders of `<table>.csv` files, named as the shapes name their tables.

    Returns:
        The records, their places, and the findings.

    Raises:
        KgError: A folder is not there, or holds no table.
    """
    tables = Tables()
    by_table = {shape.table: shape for shape in shapes().values()}
    merged: dict[str, dict[str, Record]] = {name: {} for name in by_table}
    for folder in folders:
        _read_folder(Path(folder), by_table, merged, tables)
    tables.records = {name: [rows[key] for key in sorted(rows)] for name, rows in merged.items()}
    _check_labels(tables)
    return tables


def _read_folder(
    folder: Path,
    by_table: dict[str, Shape],
    merged: dict[str, dict[str, Record]],
    tables: Tables,
) -> None:
    if not folder.is_dir():
        raise KgError(f"{folder}: no such folder of tables")
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise KgError(f"{folder}: no tables (*.csv) in this folder")
    seen: dict[str, tuple[str, int]] = {}
    for path in paths:
        if path.stem not in by_table:
            known = ", ".join(sorted(by_table))
            tables.findings.append(
                Finding(
                    path.name,
                    0,
                    "",
                    "",
                    "not a table of this graph",
                    f"tables are {known}",
                    RULE,
                )
            )
            continue
        shape = by_table[path.stem]
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise KgError(f"{path}: cannot be read: {error.strerror}") from error
        for record, line in parse(raw, path.name, shape, tables):
            if record.id in seen:
                other, at = seen[record.id]
                tables.findings.append(
                    Finding(
                        path.name,
                        line,
                        ID,
                        record.id,
                        f"the id stands at {other}:{at} too",
                        "give one of the two another id, or merge them",
                        RULE,
                    )
                )
                continue
            seen[record.id] = tables.places[record.id] = (path.name, line)
            merged[path.stem][record.id] = record


def parse(raw: bytes, name: str, shape: Shape, tables: Tables) -> Iterator[tuple[Record, int]]:
    """Yield the records of one table's bytes with their lines; findings go to `tables`."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        mend = "save the file as UTF-8"
        tables.findings.append(Finding(name, line, "", "", "is not UTF-8 text", mend, RULE))
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: list[str] | None = None
    line = 1
    try:
        for row in reader:
            start, line = line, reader.line_num + 1
            if columns is None:
                columns = _header(row, name, shape, tables)
                if columns is None:
                    return
                continue
            tables.rows[shape.table] = tables.rows.get(shape.table, 0) + 1
            record = _record(row, columns, name, start, shape, tables)
            if record is not None:
                yield record, start
    except csv.Error as error:
        tables.findings.append(
            Finding(
                name,
                line,
                "",
                "",
                f"is not CSV: {error}",
                "close every quotation mark",
                RULE,
            )
        )
    if columns is None:
        mend = f"the header is {','.join(shape.columns)}"
        tables.findings.append(Finding(name, 1, "", "", "the table is empty", mend, RULE))


def _header(row: list[str], name: str, shape: Shape, tables: Tables) -> list[str] | None:
    known = set(shape.columns)
    extra = [c for c in row if c not in known and c.removesuffix(LABEL_SUFFIX) not in known]
    missing = [c for c in shape.columns if c not in row]
    twice = sorted({c for c in row if row.count(c) > 1})
    mend = f"the header is {','.join(shape.columns)}"
    for problem, found in (
        ("unknown column", extra),
        ("missing column", missing),
        ("column given twice", twice),
    ):
        for column in found:
            tables.findings.append(Finding(name, 1, column, "", problem, mend, RULE))
    return None if extra or missing or twice else row


def _record(row: list[str], columns: list[str], name: str, line: int, shape: Shape, tables: Tables) -> Record | None:
    before = len(tables.findings)
    if len(row) != len(columns):
        problem = f"{len(row)} cells, not {len(columns)}"
        tables.findings.append(Finding(name, line, "", "", problem, "quote cells that hold commas", RULE))
        return None
    cells: dict[str, Any] = {}
    for column, cell in zip(columns, row, strict=True):
        try:
            if column in shape.columns:
                _take(shape.field(column), column, cell, cells)
            elif cell:
                tables.labels.append((row[columns.index(ID)], column.removesuffix(LABEL_SUFFIX), cell))
        except _Unfit as error:
            tables.findings.append(Finding(name, line, column, cell[:80], error.problem, error.mend, RULE))
    return RECORDS[shape.name](**cells) if len(tables.findings) == before else None


class _Unfit(Exception):  # noqa: N818 - never leaves this module
    """A cell that cannot be taken, and the mend."""

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.mend = mend


def _take(field: Field | None, column: str, cell: str, cells: dict[str, Any]) -> None:
    """Put the value of one cell among a record's; `field` is None for the id."""
    problem = _untidy(cell)
    if problem:
        raise _Unfit(problem, "remove them, or run kg tidy")
    try:
        if field is None:
            expand(cell)
            cells[column] = cell
        elif cell:
            cells[column] = (
                tuple(_value(field, v) for v in cell.split(LIST_SEPARATOR)) if field.many else _value(field, cell)
            )
        elif field.required:
            raise _Unfit("is empty but required", "fill it from a source that was opened")
    except (ValueError, InvalidOperation) as error:
        problem = str(error) if isinstance(error, ValueError) else "not a plain decimal number"
        raise _Unfit(problem, _hint(field)) from error


def _untidy(cell: str) -> str:
    """Why a cell cannot be taken as it is, or an empty string."""
    if cell != cell.strip():
        return "has spaces at its ends"
    if len(cell) > CELL_LIMIT:
        return f"has more than {CELL_LIMIT} characters"
    for character in cell:
        # Cc: control characters; Cf: invisible format characters, among them those that turn text around.
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn"):
            return f"has an invisible or unassigned character U+{ord(character):04X}"
    return ""


def _value(field: Field, text: str) -> Any:
    """Read one value of a field; ValueError where it does not fit."""
    if not text or text != text.strip():
        raise ValueError("an empty or padded item in a list")
    if field.datatype is None:
        expand(text)
        return text
    kind = field.datatype.rpartition("#")[2]
    if kind == "date":
        if len(text) != len("2017-08-30"):
            raise ValueError("not a date")
        return date.fromisoformat(text)
    if kind == "decimal":
        number = Decimal(text)
        if not number.is_finite() or lexical(number) != text:
            raise ValueError("not a plain decimal number")
        return number
    if kind == "integer":
        if str(int(text)) != text:
            raise ValueError("not a plain whole number")
        return int(text)
    if kind == "langString" and field.language is None and not LANGUAGE.fullmatch(text):
        raise ValueError("a name without its language")
    return text


def _hint(field: Field | None) -> str:
    kind = field.datatype.rpartition("#")[2] if field is not None and field.datatype else "id"
    return {
        "date": "write YYYY-MM-DD; with a coarser precision the first day of the month or year",
        "decimal": "write a plain number with a point, without thousands marks or idle zeros",
        "integer": "write a whole number",
        "langString": "end each name in @ and its language, as in 奕凯达@zh",
        "id": "write an id such as product:kymriah",
    }.get(kind, "see ontology/shapes.ttl")


def _check_labels(tables: Tables) -> None:
    labels = {record.id: getattr(record, "label", "") for record in tables}
    by_id = {record.id: record for record in tables}
    for owner, column, label in tables.labels:
        record = by_id.get(owner)
        target = getattr(record, column, None)
        found = labels.get(target, "") if isinstance(target, str) else ""
        if record is not None and found and found != label:
            file, line = tables.places[owner]
            tables.findings.append(
                Finding(
                    file,
                    line,
                    column + LABEL_SUFFIX,
                    label,
                    f"{target} is labelled {found!r}",
                    "correct the id or the label beside it",
                    RULE,
                )
            )


def tidy(raw: bytes, shape: Shape) -> bytes:
    """Return a table's bytes as the repository keeps it.

    Columns in the shape's order, rows by id, cells stripped, minimal quotes, LF; nothing else is changed.
    Claims without an id get one made of their fact, field and place among that field's claims.

    Raises:
        CurationError: The header is not the table's, or the text cannot be read; nothing is changed.
    """
    tables = Tables()
    name = f"{shape.table}.csv"
    try:
        rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CurationError([Finding(name, 0, "", "", f"cannot be read: {error}", "", RULE)]) from error
    columns = _header(rows[0], name, shape, tables) if rows else None
    if columns is None or any(len(row) != len(columns) for row in rows):
        tables.findings.append(Finding(name, 1, "", "", "rows and header differ", "mend the header first", RULE))
        raise CurationError(tables.findings)
    extra = [column for column in columns if column not in shape.columns]
    order = [column for known in shape.columns for column in (known, f"{known}{LABEL_SUFFIX}") if column in columns]
    assert len(order) == len(shape.columns) + len(extra)
    cells = [{c: v.strip() for c, v in zip(columns, row, strict=True)} for row in rows[1:]]
    _number_claims(cells, shape)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(order)
    writer.writerows([row[c] for c in order] for row in sorted(cells, key=lambda row: row[ID]))
    return out.getvalue().encode()


def _number_claims(cells: list[dict[str, str]], shape: Shape) -> None:
    if shape.name != "Claim":
        return
    taken = {row[ID] for row in cells}
    for row in cells:
        if row[ID]:
            continue
        stem = f"claim:{row['fact'].partition(':')[2]}-{row['field'].replace('_', '-')}".lower()
        number = next(n for n in range(1, len(cells) + 2) if f"{stem}-{n}" not in taken)
        row[ID] = f"{stem}-{number}"
        taken.add(row[ID])
