"""Files that are not whole yet, and what servers said of them, so that a later run can take up a transfer."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from kg.errors import SourceError
from kg.registers.connector import Head, head_of
from kg.registers.snapshots import read_json, write_json

_RANGE: Final = re.compile(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15}|\*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a server said of a file that is whole now.

    Attributes:
        etag: Its tag of this version, or "".
        last_modified: Its date of this version, or "".
        following: The address of the page after this one that it linked to, or "".
    """

    etag: str
    last_modified: str
    following: str = ""


def plain(value: object) -> str:
    """Return a header's value that can be sent back, or "" in place of any other."""
    return value if isinstance(value, str) and value.isascii() and value.isprintable() else ""


class Part:
    """A part file and its note.

    Attributes:
        path: The part file.
        total: How many bytes the whole has, where the server said so.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.total: int | None = None
        self._note = path.with_name(f"{path.name}.json")

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def rest(self, url: str) -> dict[str, str] | None:
        """Return the headers that ask for what is lacking, or None where the file can only be asked for whole."""
        note = read_json(self._note)
        etag, modified = plain(note.get("etag")), plain(note.get("last_modified"))
        # A weak tag does not promise the same bytes.
        validator = etag if etag and not etag.startswith("W/") else modified
        if note.get("url") != url or not validator or not self.size:
            return None
        return {"Range": f"bytes={self.size}-", "If-Range": validator}

    def begin(self, url: str, headers: Mapping[str, str]) -> None:
        """Empty the file, for what a server sends from its beginning."""
        self.path.write_bytes(b"")
        length = headers.get("Content-Length", "")
        self.total = int(length) if re.fullmatch(r"\d{1,15}", length) else None
        note = {"etag": plain(headers.get("ETag")), "last_modified": plain(headers.get("Last-Modified"))}
        write_json(self._note, note | {"url": url, "total": self.total})

    def continued(self, headers: Mapping[str, str]) -> bool:
        """Whether what a server sends begins where the file ends, and is of the same version."""
        note = read_json(self._note)
        match = _RANGE.fullmatch(headers.get("Content-Range", ""))
        if match is None or int(match[1]) != self.size or plain(headers.get("ETag")) not in ("", note.get("etag")):
            return False
        total = None if match[2] == "*" else int(match[2])
        known = note.get("total")
        self.total = total if total is not None else known if isinstance(known, int) else None
        return known is None or self.total == known

    @contextmanager
    def adding(self) -> Iterator[BinaryIO]:
        """Open the file for more; what was added is on the disk afterwards, whatever happens."""
        with self.path.open("ab") as file:
            try:
                yield file
            finally:
                file.flush()
                os.fsync(file.fileno())

    def said(self, following: str) -> Said:
        """Return what the server said of the file."""
        note = read_json(self._note)
        return Said(etag=str(note["etag"]), last_modified=str(note["last_modified"]), following=following)

    def head(self, url: str) -> Head:
        """Look at the beginning of the file.

        Raises:
            SourceError: It is empty, or neither text nor an archive; the message names the address.
        """
        try:
            return head_of(self.path)
        except SourceError as error:
            raise SourceError(str(error).replace(str(self.path), url)) from error

    def clear(self) -> None:
        """Remove the file and its note."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
