"""Registers that come in pages: where the next one is, and which are there already from an earlier run."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import orjson

from kg.errors import SourceError
from kg.registers.parts import Part, Said
from kg.registers.reading import raw_bytes
from kg.registers.snapshots import read_json, write_json

MOST: Final = 20_000
"""The most pages of one snapshot."""
STALE: Final = timedelta(days=2)
"""Pages of an unfinished snapshot older than this are asked for anew: a register changes under a slow reader."""


def _by_token(url: str, page: Path, said: Said) -> str:  # noqa: ARG001
    """ClinicalTrials.gov: the page names a token, which is given back as a parameter."""
    try:
        content = orjson.loads(raw_bytes(page))
    except orjson.JSONDecodeError as error:
        raise SourceError(f"{url}: is not JSON: {error}") from error
    token = content.get("nextPageToken", "") if isinstance(content, dict) else None
    if not isinstance(token, str):
        raise SourceError(f"{url}: is no page with a nextPageToken")
    return with_parameter(url, "pageToken", token) if token else ""


def _by_link(url: str, page: Path, said: Said) -> str:  # noqa: ARG001
    """The openFDA way: the header Link names the next page."""
    if not said.following:
        return ""
    following = urljoin(url, said.following)
    if urlsplit(following)[:2] != urlsplit(url)[:2]:
        raise SourceError(f"{url}: its next page would be on another server: {following}")
    return following


FOLLOWING: Final[Mapping[str, Callable[[str, Path, Said], str]]] = {"token": _by_token, "link": _by_link}
"""How the address of the next page is told, by `Connector.paging`; "" where there is none."""


def with_parameter(url: str, name: str, value: str) -> str:
    """Return an address with a parameter set.

    >>> with_parameter("//x.org/a?p=1&q=2", "p", "a b")
    '//x.org/a?q=2&p=a+b'
    """
    parts = urlsplit(url)
    kept = [(key, old) for key, old in parse_qsl(parts.query, keep_blank_values=True) if key != name]
    return urlunsplit(parts._replace(query=urlencode([*kept, (name, value)])))


class Pages:
    """The pages of an unfinished snapshot.

    Attributes:
        folder: Where they are.
        part: The part file of the page that comes next.
        following: The address of that page, or "" where all are there.
        resumed: Whether there are pages of an earlier run.
    """

    def __init__(self, folder: Path, url: str, paging: str, now: datetime) -> None:
        self.folder = folder / "pages"
        self.part = Part(folder / "page.part")
        self.following = url
        self.resumed = False
        self._note = folder / "pages.json"
        self._url, self._paging, self._began = url, paging, now
        self._sizes: dict[str, int] = {}
        self._asked: list[str] = []
        self._take_up(now)
        self.folder.mkdir(exist_ok=True)
        for stray in self.folder.iterdir():
            if stray.name not in self._sizes:
                stray.unlink()

    @property
    def bytes(self) -> int:
        """The size of all pages together."""
        return sum(self._sizes.values())

    def _take_up(self, now: datetime) -> None:
        note = read_json(self._note)
        sizes, asked, following = note.get("pages"), note.get("asked"), note.get("following")
        if note.get("url") != self._url or not (isinstance(sizes, dict) and isinstance(asked, list) and sizes):
            return
        try:
            began = datetime.fromisoformat(str(note.get("began")))
            fresh = timedelta() <= now - began < STALE
            whole = all((self.folder / name).stat().st_size == size for name, size in sizes.items())
        except (OSError, ValueError, TypeError):
            return
        if fresh and whole and isinstance(following, str):
            self._began, self._sizes, self._asked, self.following = began, sizes, asked, following
            self.resumed = True

    def add(self, said: Said) -> None:
        """Take the part file as the next page, and find out where the one after it is.

        Raises:
            SourceError: It does not say so as it should, or leads back to a page that is there already.
        """
        asked = [*self._asked, self.following]
        try:
            following = FOLLOWING[self._paging](self.following, self.part.path, said)
            if following in asked:
                raise SourceError(f"{self._url}: page {len(asked)} leads back to one before it")
            if following and len(asked) >= MOST:
                raise SourceError(f"{self._url}: has more than {MOST:,} pages")
        except (SourceError, ValueError) as error:
            self.part.clear()
            raise SourceError(str(error)) from error
        packed = ".gz" if self.part.path.read_bytes()[:2] == b"\x1f\x8b" else ""
        name = f"page-{len(asked):05}.json{packed}"
        self._sizes[name] = self.part.size
        self.part.path.replace(self.folder / name)
        self._asked, self.following = asked, following
        began = self._began.isoformat()
        note = {"url": self._url, "began": began, "following": following, "asked": asked, "pages": self._sizes}
        write_json(self._note, note)

    def forget(self) -> None:
        """Forget that there were any, once they have been moved away."""
        self.part.clear()
        self._note.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all pages, and begin anew."""
        self.forget()
        for page in self.folder.iterdir():
            page.unlink()
        self._sizes, self._asked, self.following, self.resumed = {}, [], self._url, False
