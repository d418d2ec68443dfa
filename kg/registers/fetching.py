"""Fetch registers' newest snapshots, politely and so that nothing half or foreign ever reaches the cache.

This is the only module that speaks HTTP. A register is asked at most once a second; what fails in passing (time-outs,
broken connections, 429, 5xx, bodies cut off) is asked again after growing pauses; a transfer that broke off is taken up
where it ended, in a later run too; what is cached and unchanged is not sent again. Whatever arrives must be recognised
as that register's before it is moved into the cache.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx

from kg import __version__
from kg.errors import SourceError
from kg.namespaces import BASE
from kg.registers.connector import Connector, looks_like_json
from kg.registers.pace import Pace
from kg.registers.pages import Pages
from kg.registers.parts import Part, Said, plain
from kg.registers.snapshots import Snapshot, checksum, keep, newest, newest_snapshot, unfinished
from kg.registers.wholeness import fault_of

Progress = Callable[[int, int | None], None]
"""Told the bytes done and, where it is known, their total."""
Addresses = Callable[[str], list[str]]
"""Gives the numerical addresses of a host's name."""

LARGEST: Final = 4_000_000_000
"""The most bytes that one fetched file may have, and may unpack to."""
REDIRECTS: Final = 5
USER_AGENT: Final = f"cgt-kg/{__version__} (+{BASE})"
_PASSING: Final = (408, 425, 429)
_MISSING: Final = (200, 404, 410)
_FORGOTTEN: Final = (400, 404, 410)
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_BACK: Final = 6
"""How many months back a monthly file is looked for."""
_ENDING: Final = re.compile(r"(\.(csv|json|txt|tsv|xlsx|zip|tar|gz|xz))+$")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch came to.

    Attributes:
        path: The snapshot in the cache: a file, or a folder of pages.
        files: The file, or the pages in order.
        snapshot: Its note.
        new: Whether the cache did not have it before.
    """

    path: Path
    files: tuple[Path, ...]
    snapshot: Snapshot
    new: bool


def fetch(
    connector: Connector,
    client: httpx.Client,
    cache: Path,
    progress: Progress | None = None,
    *,
    pace: Pace | None = None,
    largest: int = LARGEST,
    addresses: Addresses | None = None,
) -> Fetched:
    """Fetch a register's newest snapshot into a cache, unless the one there is its newest.

    Args:
        connector: The register.
        client: What sends requests; its time limits hold.
        cache: The folder; made where there is none. Older snapshots in it stay.
        progress: Told of every piece that arrives.
        pace: How often and how long to ask; give the same one for several registers.
        largest: The most bytes of one file.
        addresses: Gives the addresses of a host's name, by which redirects are checked.

    Raises:
        SourceError: The snapshot cannot be had, or what arrives is not this register's; the cache is as it was.
        OutputError: The cache cannot be written.
    """
    if not connector.url:
        raise SourceError(f"{connector.name} has no address to fetch from; download it by hand: {connector.page}")
    asker = Asker(
        connector=connector, client=client, pace=pace or Pace(), progress=progress or (lambda _done, _total: None),
        largest=largest, addresses=addresses or addresses_of,
    )  # fmt: skip
    with unfinished(cache, connector.name) as folder:
        if connector.paging:
            return _fetch_pages(asker, cache, folder)
        urls = _monthly(connector.url, asker.pace.now())
        for url in urls[:-1]:
            try:
                return _fetch_file(asker, url, cache, folder)
            except Refused as error:
                # A new month's file comes some days into the month.
                if error.status not in _MISSING:
                    raise
        return _fetch_file(asker, urls[-1], cache, folder)


def _monthly(url: str, now: datetime) -> list[str]:
    months = [divmod(now.year * 12 + now.month - 1 - back, 12) for back in range(_BACK)]
    filled = [url.replace("{year}", str(year)).replace("{month}", _MONTHS[month]) for year, month in months]
    return list(dict.fromkeys(filled))


def _fetch_file(asker: "Asker", url: str, cache: Path, folder: Path) -> Fetched:
    register = asker.connector.name
    known = newest_snapshot(cache, register)
    if known and not (known.url == url and _intact(cache / known.name, known.sha256)):
        known = None
    part = Part(folder / "file.part")
    said = asker.obtain(url, part, known)
    if said is None:
        assert known is not None
        return Fetched(cache / known.name, (cache / known.name,), known, new=False)
    ending = _ENDING.search(httpx.URL(url).path.lower())
    suffix = ending[0] if ending else ".json" if looks_like_json(part.head(url).text) else ""
    source = {"register": register, "url": url, "etag": said.etag, "last_modified": said.last_modified}
    snapshot, new = keep(part.path, cache, suffix, source, asker.pace.now())
    part.clear()
    return Fetched(cache / snapshot.name, (cache / snapshot.name,), snapshot, new)


def _intact(path: Path, sha256: str) -> bool:
    return path.is_file() and checksum(path) == sha256


def _fetch_pages(asker: "Asker", cache: Path, folder: Path) -> Fetched:
    connector = asker.connector
    pages = Pages(folder, connector.url, connector.paging, asker.pace.now())

    def progress(done: int, _total: int | None) -> None:
        asker.progress(pages.bytes + done, None)

    one_page = replace(asker, progress=progress)
    while pages.following:
        try:
            said = one_page.obtain(pages.following, pages.part)
        except Refused as error:
            if not (pages.resumed and error.status in _FORGOTTEN):
                raise
            # The server has forgotten where the earlier run was.
            pages.clear()
            continue
        assert said is not None
        pages.add(said)
    source = {"register": connector.name, "url": connector.url, "etag": "", "last_modified": ""}
    snapshot, new = keep(pages.folder, cache, "", source, asker.pace.now())
    pages.forget()
    path = cache / snapshot.name
    return Fetched(path, tuple(sorted(path.iterdir())), snapshot, new)


def open_client() -> httpx.Client:
    """Return a client with the time limits that registers need."""
    return httpx.Client(timeout=httpx.Timeout(60.0, connect=20.0))


def addresses_of(host: str) -> list[str]:
    """Return the addresses that a host's name stands for; none where the name is not known here."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None)]
    except (OSError, UnicodeError):
        return []


class Refused(SourceError):  # noqa: N818 - an answer, if not the wished one
    """A server has no data at an address: a status that says so, or a page for people in place of it.

    Attributes:
        status: The status of HTTP.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _Passing(Exception):  # noqa: N818 - a failure that may be over when the server is asked again
    def __init__(self, reason: str, retry_after: str = "") -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Asks one register's server.

    Attributes:
        connector: The register.
        client: What sends requests; its own time limits hold.
        pace: How often and how long.
        progress: Told of every piece that arrives.
        largest: The most bytes of one file.
        addresses: Gives the addresses of a host's name; redirects are checked by them.
    """

    connector: Connector
    client: httpx.Client
    pace: Pace
    progress: Progress
    largest: int = LARGEST
    addresses: Addresses = addresses_of

    def obtain(self, url: str, part: Part, known: Snapshot | None = None) -> Said | None:
        """Bring what is at an address into a part file, whole and recognised.

        Args:
            url: The address.
            part: Where to; what it holds of the same version already is not asked for again.
            known: The cached snapshot from this address, if there is one.

        Returns:
            What the server said of it, or None where the cached snapshot is still its newest.

        Raises:
            SourceError: It cannot be had, or is not this register's.
        """
        failing_since: float | None = None
        for failures in range(1, self.pace.attempts + 1):
            try:
                return self._ask_once(url, part, known)
            except _Passing as error:
                reason, retry_after = str(error), error.retry_after
            except httpx.TransportError as error:
                reason, retry_after = str(error) or type(error).__name__, ""
                if "CERTIFICATE_VERIFY_FAILED" in reason:
                    raise SourceError(f"{url}: {reason}") from error
            except httpx.InvalidURL as error:
                raise SourceError(f"{url}: leads to what is no address: {error}") from error
            now = self.pace.clock()
            failing_since = now if failing_since is None else failing_since
            pause = self.pace.pause(failures, retry_after)
            if now - failing_since + pause > self.pace.patience:
                reason += f"; it would be {pause:,.0f} s until the next attempt"
                break
            if failures < self.pace.attempts:
                self.pace.sleep(pause)
        times = "1 attempt" if failures == 1 else f"{failures} attempts"
        raise SourceError(f"{url}: given up after {times}: {reason}")

    def _ask_once(self, url: str, part: Part, known: Snapshot | None) -> Said | None:
        rest = part.rest(url)
        # What is sent is what is kept: a page packed as every reader unpacks it, a file as its publisher made it.
        headers = {
            "User-Agent": USER_AGENT,
            "Accept": self.connector.accept,
            "Accept-Encoding": "gzip" if self.connector.paging else "identity",
        }
        with self._answer(url, headers | (rest or _conditions(known))) as response:
            code = response.status_code
            if code == 304 and known and not rest:
                return None
            if code in _PASSING or code >= 500:
                raise _Passing(f"{code} {response.reason_phrase}", response.headers.get("Retry-After", ""))
            if code == 416 or (code == 206 and not (rest and part.continued(response.headers))):
                part.clear()
                raise _Passing(f"{code}: another part was sent than was asked for")
            if code not in (200, 206):
                raise Refused(f"{url}: answers {code} {response.reason_phrase}", code)
            if response.headers.get("Content-Encoding", "identity") not in ("identity", "gzip"):
                raise SourceError(f"{url}: comes in an encoding that was not asked for")
            if code == 200:
                part.begin(url, response.headers)
            try:
                self._pour(url, response, part)
                self._examine(url, part)
            except SourceError:
                part.clear()
                raise
            return part.said(following=response.links.get("next", {}).get("url", ""))

    def _pour(self, url: str, response: httpx.Response, part: Part) -> None:
        done, total = part.size, part.total
        if (total or 0) > self.largest:
            raise SourceError(f"{url}: has {total:,} bytes, more than the {self.largest:,} that are taken")
        since, before = self.pace.clock(), done
        with part.adding() as file:
            for piece in response.iter_raw():
                file.write(piece)
                done += len(piece)
                if done > self.largest:
                    raise SourceError(f"{url}: has more than the {self.largest:,} bytes that are taken")
                self.progress(done, total)
                if (spent := self.pace.clock() - since) >= self.pace.window:
                    if done - before < self.pace.slowest * spent:
                        raise _Passing(f"stalled: {done - before:,} bytes in {spent:,.0f} s")
                    since, before = self.pace.clock(), done
        if total is not None and done != total:
            raise _Passing(f"broke off after {done:,} of {total:,} bytes")

    def _examine(self, url: str, part: Part) -> None:
        if fault := fault_of(part.path, self.largest):
            part.clear()
            raise _Passing(fault)
        head = part.head(url)
        if not self.connector.recognise(head):
            begins = " ".join(head.text[:80].split()) or ", ".join(head.members[:3])
            message = f"{url}: is not {self.connector.title} in a layout known here (it begins with {begins!r})"
            if head.text.lstrip()[:1] == "<":
                raise Refused(message, 200)
            raise SourceError(message)

    @contextmanager
    def _answer(self, url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        start = here = httpx.URL(url)
        for _ in range(REDIRECTS + 1):
            self.pace.take_turn(here.host)
            request = self.client.build_request("GET", here, headers=headers)
            response = self.client.send(request, stream=True, follow_redirects=False)
            try:
                if not response.has_redirect_location:
                    yield response
                    return
            finally:
                response.close()
            here = self._redirected(start, here, response.headers["Location"])
        raise SourceError(f"{url}: is redirected more than {REDIRECTS} times, at last to {here}")

    def _redirected(self, start: httpx.URL, here: httpx.URL, location: str) -> httpx.URL:
        there = here.join(location)
        if there.scheme not in ("http", "https") or not there.host or (there.port or 80) > 65_535:
            raise SourceError(f"{start}: is redirected to {there}, which is no web address")
        if here.scheme == "https" and there.scheme != "https":
            raise SourceError(f"{start}: is redirected to {there}, which is not encrypted")
        # A register on the web has no business within; one that is within (a mirror, a test) has.
        if there.host != start.host and self._within(there.host) and not self._within(start.host):
            raise SourceError(f"{start}: is redirected to {there}, an address within a private network")
        return there

    def _within(self, host: str) -> bool:
        if host == "localhost" or host.endswith(".localhost"):
            return True
        return any(_private(address) for address in ([host] if _numerical(host) else self.addresses(host)))


def _conditions(known: Snapshot | None) -> dict[str, str]:
    said = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified} if known else {}
    return {name: value for name, value in said.items() if plain(value)}


def _numerical(host: str) -> bool:
    return ":" in host or re.fullmatch(r"\d+(\.\d+){3}", host) is not None


def _private(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        # A number that is no address stays outside.
        return True
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return not (mapped or found).is_global or found.is_multicast


__all__ = ["Fetched", "fetch", "newest", "open_client"]
