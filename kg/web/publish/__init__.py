"""A release as a folder of files that any host can serve, or a browser open from disk: `kg serve` without a server."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pyoxigraph as ox

from kg import __version__
from kg.errors import OutputError
from kg.export import CHECKSUMS, export
from kg.namespaces import WEB, compact
from kg.report import page
from kg.store import Release
from kg.web.files import FOLDER, files
from kg.web.opened import Opened, node
from kg.web.publish.asking import Order, asking
from kg.web.publish.crawl import MISSING, Crawled, Written, crawl, resolve, wanted
from kg.web.publish.folder import MARKER, replaced
from kg.web.publish.links import NAMES, SCRIPT, SEARCH, relative, relinked
from kg.web.publish.pages import VOID, dumped
from kg.web.publish.rules import rules

DEFAULT: Final = ("ttl", "jsonld", "nt")
"""The formats of data that are published where nothing else is said."""
Progress = Callable[[str, int, int], None]
"""Is told what is done, how much of it is done already, and of how much known so far."""
_DUMPS: Final = "dumps"
_NOWHERE: Final = f"{WEB[0]}localhost/"


@dataclass(frozen=True, slots=True)
class Published:
    """What was published.

    Attributes:
        release: The release's name.
        pages: How many of the files are pages.
        files: How many there are.
        bytes: Their bytes.
    """

    release: str
    pages: int
    files: int
    bytes: int


def publish(
    release: Release,
    folder: Path,
    base: str | None = None,
    formats: Sequence[str] = DEFAULT,
    tracker: str = "",
    progress: Progress = lambda *_: None,
    jobs: int = 1,
) -> Published:
    """Write a release as a static site.

    Args:
        release: The release.
        folder: Where to; a new folder, an empty one, or one that was published before, which is replaced.
        base: The address that the folder is to be found at. Where it is given, there is a site map, and rules by
            which permanent identifiers lead there.
        formats: The suffixes of the formats in which the data of each thing is written.
        tracker: Where readers propose corrections, as `kg serve` takes it.
        progress: Told of each step.
        jobs: How many processes make pages; what they make is the same.

    Raises:
        OutputError: The folder holds something else or cannot be written, the base is not an address, or a page
            links to what is neither published nor known to need a server.
    """
    host = _address(base)
    with replaced(folder) as work:
        progress("Exporting", 0, 1)
        dumps = export(release, work / _DUMPS)
        sums: dict[str, tuple[str, int]] = {}

        def write(name: str, content: bytes) -> None:
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            sums[name] = (hashlib.sha256(content).hexdigest(), len(content))

        done = Crawled(wanted(formats, feed=host is not None))
        for path in dumps:
            name = path.relative_to(work).as_posix()
            done.files[f"/{name}"] = Written(name)
            sums[name] = (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
        order = Order(release.path, tracker, dumped(dumps), host or _NOWHERE)
        with asking(order, jobs) as ask:
            crawl(ask, _seeds(Opened(release)), done, write, lambda n, of: progress("Writing pages and data", n, of))
        pages = {address: one.file for address, one in done.files.items() if one.policy is not None}
        for count, (address, file) in enumerate(pages.items()):
            progress("Linking pages", count, len(pages))
            write(file, _linked(work / file, address, done, host).encode())
        for name, text in _beside(release, pages, host, formats).items():
            write(name, text.encode())
        content = {
            "program": "cgt-kg", "version": __version__, "release": str(release.manifest.get("name", "")),
            "base": host, "formats": list(formats), "files": len(sums), "bytes": sum(size for _, size in sums.values()),
        }  # fmt: skip
        write(MARKER, (json.dumps(content, indent=1) + "\n").encode())
        lines = "".join(f"{digest}  {name}\n" for name, (digest, _) in sorted(sums.items()))
        (work / CHECKSUMS).write_text(lines, encoding="utf-8")
    return Published(str(content["release"]), len(pages), len(sums), sum(size for _, size in sums.values()))


def _address(base: str | None) -> str | None:
    """Return an address with a slash at its end."""
    if base is None:
        return None
    parts = urlsplit(base)
    if not base.startswith(WEB) or not parts.hostname or parts.query or parts.fragment:
        raise OutputError(f"'{base}' is not the address of a folder on the web: a scheme (https), a host and a path")
    return base.rstrip("/") + "/"


def _seeds(opened: Opened) -> list[str]:
    """Return the addresses that nothing else needs to lead to: all things, those withdrawn too."""
    gone = opened.release.store.quads_for_pattern(None, node("owl:deprecated"), None, None)
    paths = {opened.path(iri) or "" for iri in opened.labels}
    paths |= {
        "/page/" + compact(q.subject.value).replace(":", "/", 1) for q in gone if isinstance(q.subject, ox.NamedNode)
    }
    things = sorted(path for path in paths if path.startswith("/page/"))
    licences = [f"{FOLDER}{name}" for name in files() if name.endswith(".txt")]
    return ["/", MISSING, SEARCH, NAMES, SCRIPT, VOID, *licences, *things]


def _linked(path: Path, address: str, done: Crawled, host: str | None) -> str:
    """Return a written page with its links turned to files."""
    file, policy = done.files[address].file, done.files[address].policy or ""

    def target(link: str) -> str | None:
        there = resolve(address, link)
        if there is None or link.startswith("#"):
            return link
        words, fragment = there.partition("?")[2], link.partition("#")[2]
        sought = there.startswith(f"{SEARCH}?")
        other = done.file(SEARCH if sought else there)
        if other is None:
            return None
        # Hosts show the page for what is missing at any depth.
        where = urlsplit(host).path + other if address == MISSING and host else relative(file, other)
        return where + (f"?{words}" if sought else "") + (f"#{fragment}" if fragment else "")

    return relinked(path.read_text(encoding="utf-8"), policy, target)


def _beside(release: Release, pages: dict[str, str], host: str | None, formats: Sequence[str]) -> dict[str, str]:
    """Return what is not a page of the site: what robots read, and rules."""
    # Without this file, one well-known host leaves out what begins with a dot or an underscore.
    found = {".nojekyll": ""}
    if host is None:
        return found | {"robots.txt": "User-agent: *\nAllow: /\n"}
    paths = sorted(file.removesuffix("index.html") for address, file in pages.items() if address != MISSING)
    content = {"host": host, "paths": paths, "modified": release.manifest.get("modified", "")}
    robots = f"User-agent: *\nAllow: /\nSitemap: {host}sitemap.xml\n"
    return found | {"robots.txt": robots, "sitemap.xml": page("web/sitemap.xml", content)} | rules(host, formats)
