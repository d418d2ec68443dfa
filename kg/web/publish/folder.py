"""A folder that is replaced as a whole: written beside, checked to be ours, swapped in."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kg.errors import OutputError
from kg.export import CHECKSUMS

MARKER: Final = "published.json"
"""What a published folder says of itself."""


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """Give a folder to write to, which takes the place of another where no error is raised.

    What somebody else put at the top of a published folder, as a version control's own files, is kept.

    Args:
        folder: The folder; one that this function made, an empty one, or none yet.

    Raises:
        OutputError: There is something else, or it cannot be written.
    """
    if folder.name in ("", ".."):
        raise OutputError(f"{folder}: a folder is replaced as a whole; give the name of one")
    work, old = (folder.with_name(f".{folder.name}.{state}") for state in ("new", "old"))
    try:
        _settle(folder, old)
        _look(folder)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        try:
            yield work
            if folder.exists():
                folder.rename(old)
            work.rename(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        _settle(folder, old)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from error


def _look(folder: Path) -> None:
    """Refuse a folder that holds what a publication did not write."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputError(f"{folder}: is not a folder; name a new one")
    if folder.is_dir() and not (folder / MARKER).is_file():
        other = next((path.name for path in sorted(folder.iterdir()) if not path.name.startswith(".")), None)
        if other is not None:
            raise OutputError(f"{folder}: holds {other} and was not made by `kg publish`; name a new or empty folder")


def _settle(folder: Path, old: Path) -> None:
    """End a swap that was begun: keep what others put into the old folder, and remove the rest."""
    if not old.exists():
        return
    if not folder.exists():
        old.rename(folder)
        return
    ours = _written(old)
    for path in sorted(old.iterdir()):
        if path.name not in ours and not (folder / path.name).exists():
            path.rename(folder / path.name)
    shutil.rmtree(old)


def _written(folder: Path) -> set[str]:
    """Return what a publication wrote at the top of a folder."""
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return set()
    return {CHECKSUMS, MARKER} | {line.partition("  ")[2].partition("/")[0] for line in lines}
