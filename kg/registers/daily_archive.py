"""A tar archive of daily tables, `<day>/trials.csv`: read member by member, nothing unpacked, nothing believed.

An archive that names paths outside itself, or holds links, devices or members larger than any real table, is refused
as a whole before anything of it is read.
"""

import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import BinaryIO, Final

from kg.errors import SourceError
from kg.registers.reading import Summary, shown, unpacked

LARGEST_TABLE: Final = 25_000_000
"""The most bytes of one day's table; real ones have 2.6 MB."""
LARGEST_ARCHIVE: Final = 2_000_000_000
"""The most bytes an archive unpacks to: two years of days."""
MOST_MEMBERS: Final = 20_000
_PIECE: Final = 256_000

_TABLE: Final = re.compile(r"(?:.*/)?(\d{4}-\d{2}-\d{2})/trials\.csv")
# A member's header can be wrong in more ways than tarfile has errors for.
_DAMAGE: Final = (
    OSError,
    EOFError,
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
    ValueError,
    OverflowError,
    RecursionError,
    KeyError,
    IndexError,
)


class _Bounded:
    """A stream that is not read further, or in larger pieces, than an archive worth reading needs.

    A member's extended header is read into memory whole, whatever size it states.
    """

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._path = path

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _PIECE:
            raise SourceError(f"{self._path}: has a member whose header is larger than any real one")
        self._check(self._stream.tell() + size)
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._check(offset)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def _check(self, place: int) -> None:
        if place > LARGEST_ARCHIVE:
            raise SourceError(f"{self._path}: unpacks to more than {LARGEST_ARCHIVE:,} bytes")


def tables(path: Path, summary: Summary, newest_only: bool = False) -> Iterator[tuple[date, str, bytes]]:
    """Yield the daily tables of an archive in the order of their days, one in memory at a time.

    Args:
        path: The archive, as it is or in gzip or xz.
        summary: Where members that are no daily tables are noted.
        newest_only: Whether the newest day is all that is wanted.

    Returns:
        Each day, its member's name and its bytes.

    Raises:
        SourceError: It is damaged, cut off, refused for what it holds, or holds no daily table.
    """
    with _opened(path) as (archive, stream):
        try:
            found = _members(archive, path, summary)
            _check_end(archive, stream)
        except _DAMAGE as error:
            raise SourceError(f"{path}: is a damaged archive: {error}") from error
        days = sorted(found)
        if not days:
            raise SourceError(f"{path}: holds no daily table (<day>/trials.csv)")
        for day in days[-1:] if newest_only else days:
            try:
                raw = _contents(archive, found[day])
            except _DAMAGE as error:
                raise SourceError(f"{path}: {found[day].name} is damaged: {error}") from error
            yield day, found[day].name, raw


@contextmanager
def _opened(path: Path) -> Iterator[tuple[tarfile.TarFile, _Bounded]]:
    try:
        with path.open("rb") as file:
            bounded = _Bounded(unpacked(file), path)
            with tarfile.open(fileobj=bounded, mode="r:") as archive:  # type: ignore[call-overload]
                yield archive, bounded
    except _DAMAGE as error:
        raise SourceError(f"{path}: is a damaged archive: {error}") from error


def _check_end(archive: tarfile.TarFile, stream: _Bounded) -> None:
    """Raise EOFError where the list of members ends without the end of an archive: tarfile takes that for the end."""
    stream.seek(archive.offset)
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise EOFError(f"cut off, or a damaged header at byte {archive.offset:,}")
    # To the end, where gzip and xz keep their checksums.
    while stream.read(_PIECE):
        pass


def _members(archive: tarfile.TarFile, path: Path, summary: Summary) -> dict[date, tarfile.TarInfo]:
    found: dict[date, tarfile.TarInfo] = {}
    for number, member in enumerate(archive):
        reason = _refusal(member)
        if reason or number >= MOST_MEMBERS:
            raise SourceError(f"{path}: refused: {shown(member.name)!r} {reason or 'is one member too many'}")
        if member.isdir():
            continue
        match = _TABLE.fullmatch(member.name)
        if match is None:
            summary.warn(shown(member.name), "", "", "not a daily table; passed over")
            continue
        try:
            day = date.fromisoformat(match[1])
        except ValueError:
            summary.skip(shown(member.name), "day", match[1], "no such day; the whole table is not taken")
            continue
        if day in found:
            summary.warn(shown(member.name), "day", match[1], "the day is there twice; the last one is taken")
        found[day] = member
    return found


def _refusal(member: tarfile.TarInfo) -> str:
    """Why an archive with this member is not to be read, or an empty string."""
    name = member.name
    if name.startswith(("/", "~")) or re.match(r"[A-Za-z]:", name):
        return "is an absolute path"
    if ".." in name.split("/"):
        return "leads out of the archive"
    if not name.isprintable() or "\\" in name:
        return "is an odd path"
    if not (member.isdir() or member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)) or member.issparse():
        return "is a link, a device or another thing that is no plain file"
    if not 0 <= member.size <= LARGEST_TABLE:
        return f"has {member.size:,} bytes, more than any real table"
    return ""


def _contents(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    assert stream is not None
    pieces = []
    with stream:
        while piece := stream.read(_PIECE):
            pieces.append(piece)
    raw = b"".join(pieces)
    if len(raw) != member.size:
        raise EOFError(f"{member.size:,} bytes are due, {len(raw):,} are there")
    return raw
