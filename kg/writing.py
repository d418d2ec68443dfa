"""Files written whole or not at all, in folders that one process at a time writes into."""

import fcntl
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from kg.errors import KgError, OutputError

WORK: Final = ".work-"
"""How the names of files and folders begin that are not whole yet."""
_LOCK: Final = ".lock"


def suffix_of(path: Path, known: Collection[str], what: str) -> str:
    """Return the suffix of a file that is to be written, in small letters.

    Args:
        path: The file.
        known: The suffixes that there are formats for.
        what: What is to be written, with its verb: `a picture is`.

    Raises:
        OutputError: It is none of these.
    """
    suffix = path.suffix.lower()
    if suffix in known:
        return suffix
    found = "is a folder" if path.is_dir() else f"ends in {path.suffix}" if suffix else "has no suffix"
    raise OutputError(f"{path}: {found}; {what} written as {', '.join(known)}")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into one error.

    Raises:
        OutputError: A file could not be written.
    """
    try:
        yield
    except OSError as error:
        named = str(error.filename or path)
        # Nobody has asked for the name that a file has while it is not whole.
        said = path if WORK in named else named
        blocked = isinstance(error, FileExistsError | NotADirectoryError)
        reason = "a file is where a folder is needed" if blocked else error.strerror or error
        raise OutputError(f"{said}: cannot be written: {reason}") from error


@contextmanager
def alone(folder: Path, busy: KgError) -> Iterator[None]:
    """Keep other processes out of a folder, made where it is not there, and clear away what a killed one left.

    Args:
        folder: The folder.
        busy: What to raise where another process is at work in it.

    Raises:
        OutputError: The folder cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise busy from None
        for left in folder.glob(f"{WORK}*"):
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        yield


def in_work(path: Path) -> Path:
    """Return where a file or folder is written before it is whole: beside its place, by this process alone."""
    return path.with_name(f"{WORK}{os.getpid()}-{path.name}")


def put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, in a folder that is made where it is not there.

    Raises:
        OutputError: It cannot be written.
    """
    part = in_work(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
