"""The files of Health Canada's Drug Product Database: found beside each other, known by columns, not by a header.

An extract is five tables without header rows, joined on their first column, the drug code: `drug`, `comp`, `ingred`,
`status` and `ther`, each `.txt`, `.txt.gz` or a member of one ZIP. Extracts of products that are approved, dormant or
inactive end their names in `_ap`, `_dr` or `_ia`.
"""

import csv
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Final

from kg.errors import SourceError
from kg.registers.reading import Summary, clean, decoded, plain_header, raw_bytes

LARGEST_FILE: Final = 40_000_000
"""The most bytes one of the files unpacks to; the largest real one has 3 MB, all of Canada's products 12 MB."""
MOST_ROWS: Final = 200_000
"""The most rows of one file, and twice the most products; all of Canada's products are 58,000."""

_NAME: Final = re.compile(r"(?:.*/)?(drug|comp|ingred|status|ther)(|_ap|_dr|_ia)\.txt(?:\.gz|\.xz)?", re.IGNORECASE)
_DATE: Final = r"\d{1,2}-[A-Za-z]{3}-\d{4}"


@dataclass(frozen=True, slots=True)
class FileLayout:
    """The columns of one file.

    Attributes:
        name: The file's name without suffix.
        columns: The names of the columns, in order, as Health Canada's description has them.
        counts: How many of them a file may have: columns were added at the end over the years.
        marks: What the cells of some columns look like, by which the file is told from another.
    """

    name: str
    columns: Sequence[str]
    counts: Sequence[int]
    marks: Mapping[int, str]

    def fits(self, row: Sequence[str]) -> bool:
        """Whether a row looks like one of this file."""
        return len(row) in self.counts and all(
            re.fullmatch(mark, clean(row[place])) is not None for place, mark in self.marks.items()
        )


_DRUG: Final = (
    "DRUG_CODE PRODUCT_CATEGORIZATION CLASS DRUG_IDENTIFICATION_NUMBER BRAND_NAME DESCRIPTOR PEDIATRIC_FLAG "
    "ACCESSION_NUMBER NUMBER_OF_AIS LAST_UPDATE_DATE AI_GROUP_NO CLASS_F BRAND_NAME_F DESCRIPTOR_F"
)
_COMP: Final = (
    "DRUG_CODE MFR_CODE COMPANY_CODE COMPANY_NAME COMPANY_TYPE ADDRESS_MAILING_FLAG ADDRESS_BILLING_FLAG "
    "ADDRESS_NOTIFICATION_FLAG ADDRESS_OTHER SUITE_NUMBER STREET_NAME CITY_NAME PROVINCE COUNTRY POSTAL_CODE "
    "POST_OFFICE_BOX PROVINCE_F COUNTRY_F"
)
_INGRED: Final = (
    "DRUG_CODE ACTIVE_INGREDIENT_CODE INGREDIENT INGREDIENT_SUPPLIED_IND STRENGTH STRENGTH_UNIT STRENGTH_TYPE "
    "DOSAGE_VALUE BASE DOSAGE_UNIT NOTES INGREDIENT_F STRENGTH_UNIT_F STRENGTH_TYPE_F DOSAGE_UNIT_F"
)
_STATUS: Final = "DRUG_CODE CURRENT_STATUS_FLAG STATUS HISTORY_DATE STATUS_F LOT_NUMBER EXPIRATION_DATE"
_THER: Final = "DRUG_CODE TC_ATC_NUMBER TC_ATC TC_AHFS_NUMBER TC_AHFS TC_ATC_F TC_AHFS_F"
_CODE: Final = r"\d{1,9}"

LAYOUTS: Final[Mapping[str, FileLayout]] = {
    layout.name: layout
    for layout in (
        FileLayout("drug", _DRUG.split(), (11, 14), {0: _CODE, 3: r"\d{8}", 9: _DATE}),
        FileLayout("comp", _COMP.split(), (16, 18), {0: _CODE, 2: r"\d{1,9}", 4: r"[A-Z_ ]+"}),
        FileLayout("ingred", _INGRED.split(), (11, 15), {0: _CODE, 1: r"\d{1,9}", 2: r".*[A-Za-z].*"}),
        FileLayout("status", _STATUS.split(), (4, 5, 7), {0: _CODE, 1: r"[YN]", 3: _DATE}),
        # Where there are 4 columns, the last is the French name and not the AHFS number; neither is taken.
        FileLayout("ther", _THER.split(), (3, 4, 5, 7), {0: _CODE, 1: r"(?:Q?[A-Z]\d\d[A-Z0-9]*\*?)?"}),
    )
}


@dataclass(frozen=True, slots=True)
class DpdFile:
    """One file of an extract: its layout, its name for messages, and where it is."""

    layout: FileLayout
    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """Its name, as a reader knows it."""
        return self.member or self.path.name


def holds_extract(names: Sequence[str]) -> bool:
    """Whether the names of a folder or archive are those of an extract."""
    found = {match[1].casefold() for match in map(_NAME.fullmatch, names) if match}
    return {"drug", "status"} <= found


def looks_like_drug(text: str) -> bool:
    """Whether a text begins as the file `drug` does."""
    # The last row may be cut off.
    rows = [row for _, row in islice(records(text[:20_000]), 6)][:5]
    return bool(rows) and sum(LAYOUTS["drug"].fits(row) for row in rows) * 2 > len(rows)


def locate(path: Path, summary: Summary) -> dict[str, DpdFile]:
    """Find the five files of an extract.

    Args:
        path: The file `drug`, the folder it is in, or a ZIP of the five.
        summary: Where a file that lies there twice is noted.

    Raises:
        SourceError: Some are missing, or the folder holds several extracts.
    """
    in_archive = path.is_file() and zipfile.is_zipfile(path)
    try:
        if in_archive:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        else:
            names = sorted(file.name for file in (path if path.is_dir() else path.parent).iterdir())
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise SourceError(f"{path}: cannot be read: {error}") from error
    found: dict[tuple[str, str], list[str]] = {}
    for name in names:
        match = _NAME.fullmatch(name)
        if match:
            found.setdefault((match[1].casefold(), match[2].casefold()), []).append(name)
    suffix = _suffix(path, in_archive, found)
    files: dict[str, DpdFile] = {}
    for kind, layout in LAYOUTS.items():
        here = found.get((kind, suffix), [])
        if kind == "drug" and path.is_file() and not in_archive:
            files[kind] = DpdFile(layout, path)
        elif here:
            if len(here) > 1:
                summary.warn(here[0], "", ", ".join(here[1:]), "the file lies there more than once; this one is read")
            files[kind] = DpdFile(layout, path, here[0]) if in_archive else DpdFile(layout, _beside(path, here[0]))
    missing = [f"{kind}{suffix}.txt" for kind in LAYOUTS if kind not in files]
    if missing:
        raise SourceError(f"{path}: {', '.join(missing)} (or .txt.gz) must lie beside it and do not")
    return files


def _beside(path: Path, name: str) -> Path:
    return (path if path.is_dir() else path.parent) / name


def _suffix(path: Path, in_archive: bool, found: Mapping[tuple[str, str], list[str]]) -> str:
    if path.is_file() and not in_archive:
        match = _NAME.fullmatch(path.name)
        if match and match[1].casefold() != "drug":
            raise SourceError(f"{path}: is one of five files joined; give drug{match[2]}.txt or the folder")
        return match[2].casefold() if match else ""
    suffixes = sorted(suffix for kind, suffix in found if kind == "drug")
    if not suffixes:
        raise SourceError(f"{path}: holds no drug.txt (or .txt.gz) of the Drug Product Database")
    if len(suffixes) > 1:
        names = ", ".join(f"drug{suffix}.txt" for suffix in suffixes)
        raise SourceError(f"{path}: holds several extracts; give one of {names}")
    return suffixes[0]


def rows_of(file: DpdFile, summary: Summary) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of one file with their lines; those that do not fit are skipped, or warned of in a joined file.

    Raises:
        SourceError: The file cannot be read, or is not of its layout.
    """
    scratch = Summary(file.name, summary.register)
    text = decoded(_bytes(file), file.path, scratch)
    for warning in scratch.warnings:
        summary.warn(file.name, warning.field, warning.value, warning.reason)
    found = records(text)
    first = list(islice(found, 50))
    if first and plain_header(first[0][1][0] if first[0][1] else "") == "drug code":
        _check_header(first.pop(0)[1], file)
    fitting = Counter(len(row) for _, row in first if file.layout.fits(row))
    if sum(fitting.values()) * 2 <= len(first):
        lengths = Counter(len(row) for _, row in first).most_common(1)
        counts = " or ".join(map(str, file.layout.counts))
        like = [name for name, other in LAYOUTS.items() if sum(other.fits(row) for _, row in first) * 2 > len(first)]
        raise SourceError(
            f"{file.path}: {file.member or file.name} is not the {file.layout.name} file of the Drug Product Database: "
            f"rows of {counts} cells are due, most have {lengths[0][0] if lengths else 0}"
            + (f"; it looks like the {like[0]} file" if like else "")
        )
    width = fitting.most_common(1)[0][0]
    note = summary.skip if file.layout.name == "drug" else summary.warn
    most = MOST_ROWS // 2 if file.layout.name == "drug" else MOST_ROWS
    for number, (line, row) in enumerate(chain(first, found)):
        if number >= most:
            raise SourceError(f"{file.path}: {file.name} has more than {most:,} rows")
        summary.bounded(file.path)
        where = f"{file.name} line {line}"
        if len(row) != width:
            reason = f"{len(row)} cells, not {width}; the row is left out" if row else "quotation marks out of place"
            note(where, "", row[0] if row else "", reason)
        elif not re.fullmatch(_CODE, clean(row[0])):
            note(where, "drug code", row[0], "not a drug code; the row is left out")
        else:
            yield line, row


def _check_header(header: Sequence[str], file: DpdFile) -> None:
    due = [plain_header(column) for column in file.layout.columns]
    if [plain_header(column) for column in header] != due[: len(header)] or len(header) not in file.layout.counts:
        raise SourceError(f"{file.path}: {file.name} has a header whose columns are not those of {file.layout.name}")


def records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a text with their lines; a row whose quotation marks are out of place is empty.

    Every row begins a line with its drug code, so that a broken one does not take its neighbours along.
    """
    text = text.replace("\x00", "")
    quoted = re.compile(r'^"\d{1,9}",', re.MULTILINE)
    begin = quoted if quoted.search(text[:20_000]) else re.compile(r"^\d{1,9},", re.MULTILINE)
    line, start = 1, 0
    for end in chain((match.start() for match in begin.finditer(text)), (len(text),)):
        if end == start:
            continue
        part = text[start:end]
        row = _row(part)
        if row or not part.strip():
            if row:
                yield line, row
        else:
            # Rows of which one is broken: each line by itself.
            for number, piece in enumerate(re.finditer(r"[^\n]*\n?", part)):
                if piece[0].strip():
                    yield line + number, _row(piece[0])
        line += part.count("\n")
        start = end


def _row(part: str) -> list[str]:
    try:
        rows = list(csv.reader([part.rstrip("\r\n")], strict=True))
    except csv.Error:
        return []
    return rows[0] if len(rows) == 1 else []


def _bytes(file: DpdFile) -> bytes:
    if not file.member:
        return raw_bytes(file.path, LARGEST_FILE)
    try:
        with zipfile.ZipFile(file.path) as archive, archive.open(file.member) as member:
            raw = member.read(LARGEST_FILE + 1)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, ValueError) as error:
        raise SourceError(f"{file.path}: {file.member} cannot be read: {error}") from error
    if len(raw) > LARGEST_FILE:
        raise SourceError(f"{file.path}: {file.member} unpacks to more than {LARGEST_FILE:,} bytes")
    if not raw.strip():
        raise SourceError(f"{file.path}: {file.member} is empty")
    return raw
