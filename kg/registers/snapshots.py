"""The cache of fetched snapshots: files named by register and checksum, each with a note of where it came from.

A snapshot `ema-medicines-<sha256>.xlsx` lies beside its note `ema-medicines-<sha256>.xlsx.note.json`; a register that
comes in pages is a folder `clinicaltrials-gov-<sha256>` of them. What is not whole yet lies below `.unfinished`; a
snapshot and then its note are moved into place in one step each, so what has a note is whole.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from kg.errors import SourceError
from kg.writing import alone, writing

NOTE: Final = ".note.json"
"""How the names of notes end."""
_UNFINISHED: Final = ".unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A fetched snapshot of a register, as its note has it.

    Attributes:
        register: The register's short name.
        name: The name of the file, or of the folder of pages.
        url: The address that it came from.
        etag: The server's tag of this version, or "".
        last_modified: The server's date of this version, as it wrote it, or "".
        sha256: The checksum; of pages, that of their names and checksums.
        bytes: The size.
        fetched: When it was fetched, in UTC.
    """

    register: str
    name: str
    url: str
    etag: str
    last_modified: str
    sha256: str
    bytes: int
    fetched: str


def user_cache() -> Path:
    """Return the folder for fetched registers in the user's cache, where XDG says it is."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or "")
    return (base if base.is_absolute() else Path.home() / ".cache") / "cgt-kg" / "registers"


def newest(cache: Path, register: str) -> Path | None:
    """Return the snapshot of a register that was fetched last, or None where there is none."""
    snapshot = newest_snapshot(cache, register)
    return cache / snapshot.name if snapshot else None


def newest_snapshot(cache: Path, register: str) -> Snapshot | None:
    """Return the note of the snapshot that was fetched last, or None; notes without their snapshot do not count."""
    found = [note for path in cache.glob(f"{register}-*{NOTE}") if (note := _read(path, register)) is not None]
    return max(found, key=lambda note: (note.fetched, note.name), default=None)


def _read(path: Path, register: str) -> Snapshot | None:
    # A note is ours, but a cache is a folder that anybody may tidy or break: what cannot be used is not there.
    try:
        note = Snapshot(**json.loads(path.read_text(encoding="utf-8")))
        there = path.with_name(note.name)
        whole = there.is_dir() or there.stat().st_size == note.bytes
        written = isinstance(note.etag + note.last_modified + note.fetched + note.url + note.sha256, str)
    except (OSError, ValueError, TypeError):
        return None
    named = re.fullmatch(rf"{re.escape(register)}-[0-9a-f]{{64}}(\.[a-z0-9.]+)?", note.name)
    return (
        note
        if named and note.register == register and f"{note.name}{NOTE}" == path.name and whole and written
        else None
    )


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def unfinished(cache: Path, register: str) -> Iterator[Path]:
    """Give the folder for what is not whole yet, to one process at a time.

    Raises:
        SourceError: Another process is fetching the same register into the same cache.
        OutputError: The cache cannot be written.
    """
    folder = cache / _UNFINISHED / register
    busy = SourceError(f"{register} is being fetched into {cache} by another process")
    with alone(folder, busy), writing(folder):
        yield folder


def keep(part: Path, cache: Path, suffix: str, source: Mapping[str, str], now: datetime) -> tuple[Snapshot, bool]:
    """Move a whole file or folder of pages into the cache, under its name, and write its note.

    Args:
        part: The file, or the folder.
        cache: The cache.
        suffix: How the name ends, after the checksum.
        source: The register and what its server said: `register`, `url`, `etag`, `last_modified`.
        now: When it was fetched.

    Returns:
        Its note, and whether the cache did not have the same bytes already.
    """
    if part.is_dir():
        pages = sorted(part.iterdir())
        sums = "".join(f"{checksum(page)}  {page.name}\n" for page in pages)
        sha256, size = hashlib.sha256(sums.encode()).hexdigest(), sum(page.stat().st_size for page in pages)
    else:
        sha256, size = checksum(part), part.stat().st_size
    name = f"{source['register']}-{sha256}{suffix}"
    there = cache / name
    # A file of that name may have been damaged since; a folder cannot be replaced in one step and is kept.
    new = not (there.is_dir() or (there.is_file() and checksum(there) == sha256))
    if new:
        part.replace(there)
    elif part.is_dir():
        shutil.rmtree(part)
    else:
        part.unlink()
    note = Snapshot(name=name, sha256=sha256, bytes=size, fetched=now.isoformat(timespec="seconds"), **source)
    write_json(cache / f"{name}{NOTE}", asdict(note))
    return note, new


def write_json(path: Path, content: object) -> None:
    """Write JSON so that a reader sees the old file or the new one, never half of it."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_json(path: Path) -> dict[str, object]:
    """Return the object that `write_json` wrote, or an empty one where there is none that can be used."""
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}
