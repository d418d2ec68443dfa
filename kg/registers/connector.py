"""What a connector is: a register's name, terms and address, how its files are known, and how they are read."""

import io
import json
import lzma
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.errors import SourceError
from kg.registers.reading import Summary, decoded
from kg.registers.records import RegisterRecord

_HEAD: Final = 65_536


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file, enough to say which register it is of.

    Attributes:
        path: The file.
        kind: `text`, `zip` (a spreadsheet, too) or `tar`, after gzip or xz is taken off; `folder`.
        text: Its first characters; "" for an archive or folder.
        members: The names of an archive's first members, or of a folder's files.
    """

    path: Path
    kind: str
    text: str
    members: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """The first lines, whole ones."""
        return self.text.splitlines()[:40]


@dataclass(frozen=True, slots=True)
class Connector:
    """One register.

    Attributes:
        name: Its short name, as in `--register`.
        title: Its name for people.
        publisher: Who publishes it.
        agency: The id of the agency that keeps it, or "" for none.
        licence: Its terms.
        url: Where its newest snapshot is fetched from; "" where only a person can. `{year}` and `{month}` (its English
            name, in small letters) stand for the newest month that there is.
        page: The page on which a reader finds it.
        floor: A whole snapshot has at least so many records; fewer stop a build.
        recognise: Whether a file is of this register, by its content.
        read: Yields the records of a file and keeps the summary.
        accept: The media type to ask for, where an address has several.
        paging: How a snapshot in pages tells where the next one is: `token` (a page's `nextPageToken` is given back
            as `pageToken`) or `link` (the header Link); "" where a snapshot is one file.
    """

    name: str
    title: str
    publisher: str
    agency: str
    licence: str
    url: str
    page: str
    floor: int
    recognise: Callable[[Head], bool]
    read: Callable[[Path, Summary], Iterator[RegisterRecord]]
    accept: str = "*/*"
    paging: str = ""


def head_of(path: Path) -> Head:
    """Look at the beginning of a file.

    Raises:
        SourceError: It cannot be read, is empty, or is not text and no archive.
    """
    if path.is_dir():
        return Head(path, "folder", "", tuple(sorted(file.name for file in path.iterdir() if file.is_file())))
    raw = _beginning(path)
    if not raw.strip(b"\x00 \r\n\t\xef\xbb\xbf"):
        raise SourceError(f"{path}: is empty")
    if raw[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(path) as archive:
                return Head(path, "zip", "", tuple(archive.namelist()[:50]))
        except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
            raise SourceError(f"{path}: is a damaged archive: {error}") from error
    if raw[257:262] == b"ustar":
        try:
            with tarfile.open(path) as archive:
                first = [member.name for member, _ in zip(archive, range(5), strict=False)]
        except (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error) as error:
            raise SourceError(f"{path}: is a damaged archive: {error}") from error
        return Head(path, "tar", "", tuple(first))
    # The cut may fall within a character.
    return Head(path, "text", decoded(raw[:-4] if len(raw) == _HEAD else raw, path), ())


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            magic = file.read(6)
            file.seek(0)
            if magic[:2] == b"\x1f\x8b":
                # A stream, not gzip.open: only the beginning is wanted, whatever follows.
                return zlib.decompressobj(31).decompress(file.read(_HEAD), _HEAD)
            if magic == b"\xfd7zXZ\x00":
                return lzma.LZMADecompressor().decompress(file.read(), _HEAD)
            return file.read(_HEAD)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise SourceError(f"{path}: cannot be read: {error}") from error


def looks_like_json(text: str) -> bool:
    """Whether a text begins as JSON does."""
    return text.lstrip("\ufeff \r\n\t")[:1] in ("{", "[")


def json_of(text: str, path: Path, summary: Summary | None = None) -> object:
    """Read JSON strictly: no NaN, no absurd depth; keys given twice are warned of and the last one is taken.

    Raises:
        SourceError: It is no JSON, or nested too deep; the message points at the place.
    """

    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        made = dict(found)
        if len(made) < len(found) and summary is not None:
            counts = Counter(key for key, _ in found)
            twice = min(key for key, count in counts.items() if count > 1)
            summary.warn("", twice, "", "the key is given twice; the last one is taken")
        return made

    def constant(name: str) -> object:
        raise ValueError(f"{name} is not JSON")

    try:
        return json.load(io.StringIO(text.lstrip("\ufeff")), object_pairs_hook=pairs, parse_constant=constant)
    except RecursionError:
        raise SourceError(f"{path}: is nested too deep") from None
    except ValueError as error:
        raise SourceError(f"{path}: is not JSON: {error}") from error
