"""What is inside an XLSX file, looked at with suspicion before any spreadsheet library sees it.

An XLSX file is a zip of XML parts, and a small one may unpack to gigabytes, name one long text a million times, or put
a cell so far away that the table between would not fit in memory. So the parts are unpacked here within bounds,
counted, and packed anew without compression: the library is given only bytes that were looked at.
"""

import io
import re
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.parsers import expat

from kg.errors import SourceError

MOST_BYTES: Final = 64_000_000
"""The most bytes that the XML parts may have together; today's largest register has 6 million."""
MOST_PARTS: Final = 1_000
MOST_ELEMENTS: Final = 2_000_000
MOST_CELLS: Final = 2_000_000
"""The most cells that the sheets' used rectangles may have together."""
MOST_CHARACTERS: Final = 64_000_000
"""The most characters that all cells may have together, texts used by many cells counted for each."""
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
_PLACE: Final = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")
_KEPT: Final = re.compile(r"\[Content_Types\]\.xml|_rels/[^/]*\.rels|xl/.+\.(xml|rels)", re.IGNORECASE)


@dataclass(slots=True)
class Places:
    """Cells of one kind: how many, and the places of the first few."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def note(self, place: str) -> None:
        """Count one."""
        self.count += 1
        if len(self.first) < 3:
            self.first.append(place)

    def __str__(self) -> str:
        return ", ".join(self.first)


@dataclass(slots=True)
class Parts:
    """The parts of an XLSX file that were looked at.

    Attributes:
        packed: A zip of them, uncompressed.
        from_1904: Whether serial numbers of days count from 1904.
        formulas: Cells that hold a formula.
        unvalued: Those of them that have no computed value.
        errors: Cells whose value is an error.
    """

    packed: bytes = b""
    from_1904: bool = False
    formulas: Places = field(default_factory=Places)
    unvalued: Places = field(default_factory=Places)
    errors: Places = field(default_factory=Places)


def is_archive(path: Path) -> bool:
    """Whether a file begins as a zip does.

    Raises:
        SourceError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error}") from error


def vetted(path: Path) -> Parts:
    """Look at the parts of an XLSX file, and pack them anew.

    Raises:
        SourceError: It is damaged or no XLSX, or larger than any register's table in one of several ways.
    """
    parts = Parts()
    seen = _Seen(path, parts)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as made:
        for name, content in _unpacked(path).items():
            if name.casefold().startswith("xl/") and name.casefold().endswith(".xml"):
                seen.part(name, content)
            made.writestr(zipfile.ZipInfo(name), content)
    seen.total()
    parts.packed = packed.getvalue()
    return parts


def _unpacked(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            wanted = [info for info in archive.infolist() if _KEPT.fullmatch(info.filename)]
            size = sum(info.file_size for info in wanted)
            if len(archive.infolist()) > MOST_PARTS or size > MOST_BYTES:
                raise SourceError(f"{path}: would unpack to {size:,} bytes in {len(archive.infolist()):,} parts")
            for info in wanted:
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
                    raise SourceError(f"{path}: {info.filename!r} is encrypted or packed in an unknown way")
                # `open` never gives more than the declared size, whatever the part unpacks to.
                with archive.open(info) as part:
                    found[info.filename] = part.read(MOST_BYTES)
    except (OSError, EOFError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise SourceError(f"{path}: is a damaged archive: {error}") from error
    if not any(name.casefold() == "xl/workbook.xml" for name in found):
        raise SourceError(f"{path}: is an archive, but no XLSX spreadsheet")
    return found


class _TooMuch(Exception):  # noqa: N818 - leaves an expat handler, and never this module
    """The part holds more than any register's table."""


class _Seen:
    """Counts what the parts hold, one part after another."""

    def __init__(self, path: Path, parts: Parts) -> None:
        self.path = path
        self.parts = parts
        self.elements = 0
        self.lengths: list[int] = []
        self.uses: Counter[int] = Counter()
        self.cells = 0
        self._start_part("")

    def _start_part(self, name: str) -> None:
        self.name = name
        # Where a cell does not say its place, the library counts; so both what is said and what is counted is kept.
        self.row = self.said_row = 0
        self.column = self.counted_column = 0
        self.place = ""
        self.kind = ""
        self.has_formula = self.has_value = False
        self.text: list[str] | None = None
        self.is_shared = False
        self.rows: tuple[int, int] | None = None
        self.columns = (_LAST_COLUMN, 0)

    def part(self, name: str, content: bytes) -> None:
        """Look at one part."""
        self._start_part(name)
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(content, True)
        except _TooMuch as error:
            raise SourceError(f"{self.path}: {name!r} {error}") from None
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise SourceError(f"{self.path}: {name!r} is not XML: {error}") from error
        self.cells += self._rectangle()

    def total(self) -> None:
        """Check what all parts hold together."""
        known = len(self.lengths)
        characters = sum(self.lengths[at] * times for at, times in self.uses.items() if at < known)
        if characters > MOST_CHARACTERS:
            raise SourceError(f"{self.path}: its cells hold {characters:,} characters")

    def _doctype(self, *_: object) -> None:
        raise _TooMuch("declares a document type, which no spreadsheet does")

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > MOST_ELEMENTS:
            raise _TooMuch(f"is one of parts with more than {MOST_ELEMENTS:,} elements")
        element = name.rpartition(" ")[2]
        if element == "c":
            self._open_cell(attributes)
        elif element == "row":
            self.row = self.said_row = _number(attributes.get("r", str(self.row + 1)))
            self.column = self.counted_column = 0
        elif element in ("v", "is"):
            self.has_value = True
            self._use_place()
            self.text = [] if element == "v" and self.kind == "s" else None
        elif element == "f":
            self.has_formula = True
        elif element == "si":
            self.lengths.append(0)
            self.is_shared = True
        elif element == "t" and self.is_shared:
            self.text = []
        elif element == "workbookPr":
            self.parts.from_1904 = attributes.get("date1904", "0").casefold() in ("1", "true", "on")

    def _open_cell(self, attributes: dict[str, str]) -> None:
        self.place = attributes.get("r", "")
        self.kind = attributes.get("t", "")
        self.has_formula = self.has_value = False
        self.counted_column += 1
        if not self.place:
            self.column += 1
            self.said_row = self.row
            return
        match = _PLACE.fullmatch(self.place)
        if match is None:
            raise _TooMuch(f"names a cell {self.place[:20]!r}")
        self.column = 0
        for letter in match[1]:
            self.column = self.column * 26 + ord(letter) - 64
        self.said_row = _number(match[2])

    def _use_place(self) -> None:
        """Stretch the rectangle of used cells to the present one."""
        first, last = self.rows or (self.said_row, self.said_row)
        self.rows = first, last = min(first, self.row, self.said_row), max(last, self.row, self.said_row)
        left = min(self.columns[0], self.column, self.counted_column)
        right = max(self.columns[1], self.column, self.counted_column)
        self.columns = left, right
        if right > _LAST_COLUMN or self.cells + self._rectangle() > MOST_CELLS:
            raise _TooMuch(f"spreads over {last - first + 1:,} rows and {right - left + 1:,} columns")

    def _rectangle(self) -> int:
        """Return how many cells the rectangle of used cells has, so far."""
        if self.rows is None:
            return 0
        return (self.rows[1] - self.rows[0] + 1) * (self.columns[1] - self.columns[0] + 1)

    def _characters(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)

    def _close(self, name: str) -> None:
        element = name.rpartition(" ")[2]
        if element == "v" and self.text is not None:
            index = "".join(self.text).strip()
            if index.isascii() and index.isdigit() and len(index) < 10:
                self.uses[int(index)] += 1
            self.text = None
        elif element == "t" and self.text is not None:
            self.lengths[-1] += sum(map(len, self.text))
            self.text = None
        elif element == "si":
            self.is_shared = False
        elif element == "c":
            self._close_cell()

    def _close_cell(self) -> None:
        place = f"{self.name} {self.place or f'row {self.row}'}"
        if self.has_formula:
            self.parts.formulas.note(place)
            if not self.has_value:
                self.parts.unvalued.note(place)
        if self.kind == "e":
            self.parts.errors.note(place)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 8 and 1 <= int(text) <= _LAST_ROW):
        raise _TooMuch(f"names a row {text[:20]!r}")
    return int(text)
