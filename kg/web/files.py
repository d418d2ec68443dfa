"""The package's own files that pages load: plain ones, and those built from npm packages where that was done.

Each is read once, so that what is sent is always what its digest says.
"""

import os
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from kg import resources

FOLDER: Final = "/static/"
"""Where the site has them."""
_STATIC: Final = resources.PACKAGE / "web" / "static"
_BUILT: Final = _STATIC / "built"
_MEDIA: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}

_APART: Final = frozenset(("__pycache__", "curated", "front"))
"""Folders of what no answer is made by: a release has the tables' facts, and of the scripts' sources only what is built
from them is sent."""


@cache
def built() -> frozenset[str]:
    """Return the names of the scripts that were built, without their suffix; none where Node.js was not there."""
    return frozenset(path.stem for path in _BUILT.glob("*.js"))


@cache
def files() -> dict[str, tuple[Path, str]]:
    """Return every file by its address below `FOLDER`, with its path and media type."""
    found = [*_STATIC.glob("*.*"), *_BUILT.glob("*.*")]
    return {str(path.relative_to(_STATIC).as_posix()): (path, _MEDIA[path.suffix]) for path in sorted(found)}


@cache
def content(name: str) -> bytes:
    """Return what is in a file."""
    return files()[name][0].read_bytes()


@cache
def digest(name: str) -> str:
    """Return what tells a file's content from any other."""
    return blake2b(content(name), digest_size=12).hexdigest()


@cache
def program() -> str:
    """Return what tells the program's files from those of any other: its code, templates, questions and scripts."""
    told = blake2b(digest_size=12)
    for top in (resources.PACKAGE, resources.QUERIES):
        for folder, inside, names in os.walk(top):
            inside[:] = sorted(set(inside) - _APART)
            for path in (Path(folder, name) for name in sorted(names)):
                held = path.read_bytes()
                told.update(f"{path.relative_to(top).as_posix()} {len(held)} ".encode() + held)
    return told.hexdigest()


def address(name: str) -> str:
    """Return the address of a file, which is another once its content is: browsers keep what they have from it."""
    return f"{FOLDER}{name}?v={digest(name)}"
