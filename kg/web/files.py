"""The package's own files that pages load: plain ones, and those built from npm packages where that was done."""

from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from kg import resources

_STATIC: Final = resources.PACKAGE / "web" / "static"
_BUILT: Final = _STATIC / "built"
_MEDIA: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}


@cache
def built() -> frozenset[str]:
    """Return the names of the scripts that were built, without their suffix; none where Node.js was not there."""
    return frozenset(path.stem for path in _BUILT.glob("*.js"))


@cache
def files() -> dict[str, tuple[Path, str]]:
    """Return every file by its address below `/static/`, with its path and media type."""
    found = [*_STATIC.glob("*.*"), *_BUILT.glob("*.*")]
    return {str(path.relative_to(_STATIC).as_posix()): (path, _MEDIA[path.suffix]) for path in sorted(found)}


@cache
def digest(name: str) -> str:
    """Return what tells a file's content from any other."""
    return blake2b(files()[name][0].read_bytes(), digest_size=12).hexdigest()
