"""Reading what others wrote: bytes, encodings, tables, dates, all of it untrusted.

Whatever is wrong with a record is a `Skip` that names the place, the field, the value and the reason; whatever was
repaired is a warning of the same form. Whatever is wrong with a file as a whole is one `SourceError`.
"""

import csv
import gzip
import io
import lzma
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import BinaryIO, Final, cast

from kg.errors import SourceError
from kg.registers.records import Day

LARGEST: Final = 400_000_000
"""The most bytes that a file may unpack to when it is read whole."""
LONGEST: Final = 20_000
"""The most characters that a text of a record keeps."""
MOST_FINDINGS: Final = 100_000
"""The most skips and warnings of one file; a file with more is not worth reading on."""
_SHOWN: Final = 80

csv.field_size_limit(1_000_000)


@dataclass(frozen=True, slots=True, order=True)
class Skip:
    """A record that was not taken, or a repair to one that was.

    Attributes:
        where: Its place: `row 14`, `line 3`, `study 7`.
        field: The field concerned, or "".
        value: The value, shortened.
        reason: What is wrong with it, or what was done.
    """

    where: str
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.field, repr(self.value) if self.value else "") if part) + (
            f": {self.reason}"
        )


@dataclass(slots=True)
class Summary:
    """What became of the records of one file; always `read == loaded + len(skips)`.

    Attributes:
        file: The file's name.
        register: The name of the register.
        newest: The newest day that the file speaks of as past; it dates the snapshot.
        loaded: How many records were taken.
        skips: Records that were not taken.
        warnings: Repairs.
    """

    file: str
    register: str
    newest: date | None = None
    loaded: int = 0
    skips: list[Skip] = field(default_factory=list)
    warnings: list[Skip] = field(default_factory=list)

    @property
    def read(self) -> int:
        """How many records the file holds."""
        return self.loaded + len(self.skips)

    def seen(self, *days: Day | None) -> None:
        """Note days on which the register was at work; the newest of them dates the snapshot."""
        for one in days:
            if one is not None and (self.newest is None or one.date > self.newest):
                self.newest = one.date

    def skip(self, where: str, field: str, value: object, reason: str) -> None:
        """Note a record that is not taken."""
        self.skips.append(Skip(where, field, shown(value), reason))

    def warn(self, where: str, field: str, value: object, reason: str) -> None:
        """Note a repair to a record that is taken."""
        self.warnings.append(Skip(where, field, shown(value), reason))

    def bounded(self, path: Path) -> None:
        """Raise SourceError at a file of which so little fits that its findings would fill the memory."""
        if len(self.skips) + len(self.warnings) > MOST_FINDINGS:
            first = (self.skips or self.warnings)[0]
            raise SourceError(f"{path}: more than {MOST_FINDINGS:,} records or values do not fit; the first: {first}")

    def __str__(self) -> str:
        return (
            f"{self.file} ({self.register}): read {self.read:,} = loaded {self.loaded:,} + skipped {len(self.skips):,}"
        )


class Unfit(ValueError):  # noqa: N818 - a value that does not fit, not an error of the program
    """A value cannot be taken; the message is the reason."""


def shown(value: object) -> str:
    """Return a value as it is shown in a message: one line, short, nothing invisible."""
    text = "".join(c if c.isprintable() else " " for c in str(value)[: _SHOWN + 1])
    return f"{text[:_SHOWN]}…" if len(text) > _SHOWN else text


def raw_bytes(path: Path, limit: int = LARGEST) -> bytes:
    """Return a file's bytes, unpacked where its first bytes say that it is gzip or xz.

    Raises:
        SourceError: It cannot be read, is cut off, or unpacks to more than the limit.
    """
    try:
        with path.open("rb") as file:
            raw = unpacked(file).read(limit + 1)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise SourceError(f"{path}: cannot be read or is cut off: {error}") from error
    if len(raw) > limit:
        raise SourceError(f"{path}: unpacks to more than {limit:,} bytes")
    if not raw.strip():
        raise SourceError(f"{path}: is empty")
    return raw


def unpacked(file: BinaryIO) -> BinaryIO:
    """Return a stream of what an open file holds, gzip or xz taken off where its first bytes say so."""
    magic = file.read(6)
    file.seek(0)
    if magic[:2] == b"\x1f\x8b":
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if magic == b"\xfd7zXZ\x00":
        return cast(BinaryIO, lzma.LZMAFile(file))
    return file


def decoded(raw: bytes, path: Path, summary: Summary | None = None) -> str:
    """Return bytes as text: by byte order mark, else UTF-8, else GB18030, else Latin-1; the latter two with a warning.

    Raises:
        SourceError: It is no text.
    """
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError as error:
            raise SourceError(f"{path}: begins like UTF-16 but is not (byte {error.start})") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start
    if raw.count(b"\x00") > len(raw) // 20:
        raise SourceError(f"{path}: is not text (byte {at})")
    try:
        text, encoding = raw.decode("gb18030"), "GB18030"
        if not re.search(r"[㐀-鿿]{2}", text):
            raise UnicodeDecodeError("gb18030", raw, at, at + 1, "no Chinese in it")
    except UnicodeDecodeError:
        text, encoding = raw.decode("latin-1"), "Latin-1"
    if summary is not None:
        summary.warn("", "", "", f"not UTF-8 at byte {at}; read as {encoding}")
    return text


def clean(value: object, limit: int = LONGEST) -> str:
    r"""Return a text on one line, without control, invisible or turning characters, and no longer than the limit.

    >>> clean(" a\n\tb\x00\u202ec ")
    'a b c'
    """
    if value is None:
        return ""
    text = str(value)
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()[:limit]
    text = unicodedata.normalize("NFC", text)
    kept = (" " if unicodedata.category(c) in _INVISIBLE or c.isspace() else c for c in text)
    return " ".join("".join(kept).split())[:limit]


_INVISIBLE: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def items(value: object, separator: str) -> tuple[str, ...]:
    """Return the items of a list in one cell: clean, none empty, each once, in order."""
    return tuple(dict.fromkeys(filter(None, (clean(part) for part in str(value or "").split(separator)))))


def rows_of_csv(text: str, path: Path, delimiter: str = ",", strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV text with the line on which each begins; empty rows are left out.

    Args:
        text: The text.
        path: Its file, for messages.
        delimiter: What stands between cells.
        strict: Whether a quotation mark out of place, or never closed, is an error; so files that a program wrote.

    Raises:
        SourceError: It is not CSV, or a cell is larger than any real one.
    """
    # NUL ends a cell for some readers and vanishes for others; it never means anything here.
    reader = csv.reader(io.StringIO(text.replace("\x00", ""), newline=""), delimiter=delimiter, strict=strict)
    line = 1
    try:
        for row in reader:
            start, line = line, reader.line_num + 1
            if any(cell.strip() for cell in row):
                yield start, row
    except csv.Error as error:
        raise SourceError(f"{path}: line {line}: is not CSV: {error}") from error


@dataclass(frozen=True, slots=True)
class Layout:
    """A register's columns: each field with the closed list of names it is known by.

    Attributes:
        name: The layout's name, for messages.
        fields: Each field's known column names, as `plain_header` writes them.
        required: Fields without which the file is of another layout.
    """

    name: str
    fields: Mapping[str, Sequence[str]]
    required: Sequence[str]

    def find(self, header: Sequence[object]) -> dict[str, int] | None:
        """Return the place of each field in a header, or None where it is another layout's header."""
        places: dict[str, int] = {}
        columns = [plain_header(column) for column in header]
        for name, known in self.fields.items():
            for alias in known:
                if alias in columns:
                    places[name] = columns.index(alias)
                    break
        return places if all(name in places for name in self.required) else None


def plain_header(column: object) -> str:
    r"""Return a column's name as it is compared.

    >>> plain_header(" Marketing\n authorisation  date* ")
    'marketing authorisation date'
    """
    return re.sub(r"[\W_]+", " ", clean(column).casefold()).strip()


def find_header(
    rows: Iterable[tuple[int, Sequence[object]]], layouts: Sequence[Layout], path: Path, within: int = 30
) -> tuple[int, Layout, dict[str, int]]:
    """Find the header among the first rows of a table, whatever preamble stands before it.

    Returns:
        Its line or row, the layout it is of, and the place of each field.

    Raises:
        SourceError: No row is a header of a known layout; the message names what the nearest one lacks.
    """
    best: tuple[int, str] = (0, "")
    for count, (line, row) in enumerate(rows):
        if count >= within:
            break
        for layout in layouts:
            places = layout.find(row)
            if places is not None:
                return line, layout, places
            have = {plain_header(column) for column in row}
            lacking = [name for name in layout.required if not have & set(layout.fields[name])]
            hits = len(layout.required) - len(lacking)
            if hits > best[0]:
                best = (hits, f"; row {line} is like a {layout.name} but lacks {', '.join(lacking)}")
    raise SourceError(f"{path}: no header of a known layout in the first {within} rows{best[1]}")


_MONTH_NAMES: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS: Final = {m: i for i, m in enumerate(_MONTH_NAMES, 1)}
_DAY_FORMS: Final = {
    "iso": re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})(?:-(?P<d>\d{1,2}))?(?:[T ].*)?"),
    "day-month-year": re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})"),
    "month-day-year": re.compile(r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})"),
    "day-mon-year": re.compile(r"(?P<d>\d{1,2})[- ](?P<mon>[A-Za-z]{3})[A-Za-z]*[- ,]+(?P<y>\d{4})"),
    "day-mon-yy": re.compile(r"(?P<d>\d{1,2})-(?P<mon>[A-Za-z]{3})-(?P<yy>\d{2})"),
    "month-year-words": re.compile(r"(?P<mon>[A-Za-z]{3})[A-Za-z]*\.? (?:(?P<d>\d{1,2}), )?(?P<y>\d{4})"),
    "year": re.compile(r"(?P<y>\d{4})"),
    "compact": re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"),
}


def day(value: object, *forms: str, newest: int = 2100, pivot: int = 2026) -> Day | None:
    """Read a date that is written in one of some forms; an empty cell is None.

    Args:
        value: A cell: text, a date, or whatever a spreadsheet had.
        forms: Names of `_DAY_FORMS`, in the order in which they are tried.
        newest: The latest year that can be meant.
        pivot: Two-digit years are read as the latest such year not after this one.

    Raises:
        Unfit: It is none of these forms, or no such day exists, or its year cannot be meant.

    >>> str(day("30-Aug-17", "day-mon-yy"))
    '2017-08-30'
    >>> str(day("2-Dec-87", "day-mon-yy"))
    '1987-12-02'
    >>> day("30/02/2020", "day-month-year")
    Traceback (most recent call last):
        ...
    kg.registers.reading.Unfit: no such day
    """
    if isinstance(value, date):
        return _in_range(date(value.year, value.month, value.day), "day", newest)
    text = clean(value)
    if not text:
        return None
    for form in forms:
        match = _DAY_FORMS[form].fullmatch(text)
        if match:
            found = match.groupdict()
            year = int(found.get("y") or _century(int(found["yy"]), pivot))
            month = _MONTHS.get(found["mon"].casefold(), 0) if found.get("mon") else int(found.get("m") or 1)
            precision = "day" if found.get("d") else "month" if found.get("m") or found.get("mon") else "year"
            try:
                return _in_range(date(year, month, int(found.get("d") or 1)), precision, newest)
            except ValueError as error:
                if isinstance(error, Unfit):
                    raise
                raise Unfit("no such day") from None
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        raise Unfit("a spreadsheet's serial number, not a date")
    raise Unfit(f"not a date written as {' or '.join(forms)}")


def _century(two_digits: int, pivot: int) -> int:
    year = pivot // 100 * 100 + two_digits
    return year if year <= pivot else year - 100


def _in_range(found: date, precision: str, newest: int) -> Day:
    if not 1900 <= found.year <= newest:
        raise Unfit("a year that cannot be meant")
    return Day(found, precision)


def whole_number(value: object, most: int = 100_000_000) -> int | None:
    """Read a whole number that is not negative; an empty cell is None.

    Raises:
        Unfit: It is none, or absurdly large.
    """
    text = clean(value).replace(",", "")
    if not text:
        return None
    if text.endswith(".0"):
        text = text[:-2]
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) <= most):
        raise Unfit("not a whole number that can be meant")
    return int(text)


def yes_no(value: object) -> bool | None:
    """Read Yes or No, in the spellings registers use; an empty cell is None.

    Raises:
        Unfit: It is something else.
    """
    text = clean(value).casefold()
    if text in ("yes", "y", "true", "1"):
        return True
    if text in ("no", "n", "false", "0"):
        return False
    if not text:
        return None
    raise Unfit("neither Yes nor No")


_SCHEMES: Final = re.compile(r"https?://[^\s<>\"'{}|\\^`]+")


def web_address(value: object) -> str:
    """Return an address that can be linked to, or "" where the cell is empty.

    Raises:
        Unfit: It is no plain http or https address.
    """
    text = clean(value)
    if text and not _SCHEMES.fullmatch(text):
        raise Unfit("not a plain web address")
    return text
