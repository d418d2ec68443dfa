"""Every address of the site, asked for within this process and written as a file."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urljoin, urlsplit

from starlette.requests import Request
from starlette.routing import Match, Route

from kg.errors import OutputError
from kg.namespaces import WEB
from kg.query import library
from kg.web.answers import HTML
from kg.web.files import FOLDER
from kg.web.pages.linked import FORMATS
from kg.web.publish.links import links

MISSING: Final = "/404.html"
"""The address of the page that hosts show where there is nothing."""
_PAGE: Final = "_page"
_EXAMPLE: Final = "example"
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_LIVE: Final = frozenset(("explore", "explore.json", "id"))
"""The first part of addresses that need a server: what they show depends on what is asked."""
_TAKEN: Final = (".png", ".vl.json", ".small.svg")
"""What a copy has of questions' pictures, but not of each thing's: that would double the time it takes."""
_FEED: Final = "/feed.xml"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the site answered: status, headers by lower-case name, body, and where it leads if it is a page."""

    status: int
    headers: dict[str, str]
    body: bytes
    links: tuple[str, ...] = ()

    @property
    def html(self) -> bool:
        """Whether it is a page."""
        return _is_page(self.headers)


@dataclass(frozen=True, slots=True)
class Written:
    """A file made from an address: its path below the folder, and for a page the policy it is to be shown under."""

    file: str
    policy: str | None = None


@dataclass(slots=True)
class Crawled:
    """What a crawl found.

    Attributes:
        files: The file of each address.
        others: Where an address leads that only leads on.
        wanted: Says of an address whether it is published.
    """

    wanted: Callable[[str], bool]
    files: dict[str, Written] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)

    def file(self, address: str) -> str | None:
        """Return the file that stands for an address; None where it needs a server.

        Raises:
            OutputError: The address is neither written nor known to need one.
        """
        address = self.others.get(address, address)
        if address in self.files:
            return self.files[address].file
        if self.wanted(address):
            raise OutputError(f"{address} is linked but was not written")
        return None


class Site:
    """The site, asked without a network.

    Args:
        routes: What answers at which address.
        base: The address that it is to be found at, with a slash at its end.
    """

    def __init__(self, routes: Sequence[Route], base: str) -> None:
        self._routes = routes
        parts = urlsplit(base)
        self._root = parts.path.rstrip("/")
        self._scope: dict[str, Any] = {
            "type": "http", "http_version": "1.1", "method": "GET", "client": None,
            "scheme": parts.scheme, "root_path": self._root, "server": (parts.hostname, parts.port),
            "headers": [(b"host", parts.netloc.encode()), (b"accept", HTML.encode())],
        }  # fmt: skip

    def ask(self, address: str) -> Reply:
        """Return the answer to a GET of an address.

        The endpoint is called as it is: an event loop and its threads would cost more than most pages.
        """
        path, _, query = address.partition("?")
        scope = self._scope | {"path": self._root + unquote(path), "query_string": query.encode()}
        for route in self._routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                response = found["endpoint"](Request({**scope, **found}))
                body = bytes(response.body)
                headers = dict(response.headers)
                leads = tuple(links(body.decode())) if _is_page(headers) else ()
                return Reply(response.status_code, headers, body, leads)
        return Reply(404, {}, b"")


def _is_page(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").startswith(HTML)


def wanted(formats: Collection[str], feed: bool) -> Callable[[str], bool]:
    """Return what says of an address whether it is published.

    A question is published as asked of everything, or of its example where it must be given something; data in
    some formats, and the pictures of a thing as its page shows them. All else with a query needs a server.

    Args:
        formats: Suffixes of formats.
        feed: Whether the feed is too: its links are whole addresses.
    """
    needs = {name: {p.name: p.example for p in q.parameters if p.required} for name, q in library().items()}
    examples = {name: _canonical(given) for name, given in needs.items()}

    def judge(address: str) -> bool:
        path, _, query = address.partition("?")
        first, _, rest = path.strip("/").partition("/")
        if (
            first in _LIVE
            or (path == _FEED and not feed)
            or (first == "data" and path.rpartition(".")[2] in FORMATS.keys() - set(formats))
        ):
            return False
        if first == "page" and path.endswith(_TAKEN):
            return False
        given = dict(parse_qsl(query))
        given.pop(_PAGE, None)
        name = rest.partition("/")[0].partition(".")[0]
        return not query or (first in ("questions", "networks") and _canonical(given) in ("", examples.get(name)))

    return judge


def resolve(address: str, link: str) -> str | None:
    """Return the address of this site that a link on a page leads to, without its fragment; None for other links.

    >>> resolve("/page/gene/CD19", "/questions/trials?b=2&a=1#top")
    '/questions/trials?a=1&b=2'
    >>> resolve("/", "https://example.org/")
    """
    link = link.strip()
    if link.startswith(WEB):
        return None
    return _plain(link if link.startswith("/") else urljoin(address, link))


@lru_cache(maxsize=65_536)
def _plain(link: str) -> str | None:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    # The files that pages load have a digest in their address, which says nothing of which file it is.
    given = {} if parts.path.startswith(FOLDER) else dict(parse_qsl(parts.query, keep_blank_values=True))
    query = _canonical(given)
    return parts.path + (f"?{query}" if query else "")


def crawl(
    ask: Callable[[Sequence[str]], Iterable[Reply]],
    seeds: Iterable[str],
    known: Crawled,
    write: Callable[[str, bytes], None],
    progress: Callable[[int, int], None],
) -> None:
    """Ask for the seeds and all that they lead to, and write each answer to its file.

    Args:
        ask: Returns the site's replies to addresses, in their order.
        seeds: The addresses to begin with.
        known: What is written already; what is found is added.
        write: Writes a file.
        progress: Told how many addresses are done, of how many known so far.

    Raises:
        OutputError: A link leads to what is neither there nor known to need a server.
    """
    origin = dict.fromkeys(seeds, "the list of pages")
    files = {one.file: address for address, one in known.files.items()}
    found = list(origin)
    done = 0

    def seen(address: str | None, by: str) -> None:
        if address and address not in origin and address not in known.files and known.wanted(address):
            origin[address] = by
            found.append(address)

    while found:
        asked = found.copy()
        found.clear()
        for address, reply in zip(asked, ask(asked), strict=True):
            if reply.status in _REDIRECTS:
                target = resolve(address, reply.headers["location"])
                known.others[address] = target or ""
                seen(target, address)
            # A page may say that an id was withdrawn (410), or that there is nothing to draw (400).
            elif reply.status not in ((200, 400, 410) if reply.html else (200,)) and address != MISSING:
                raise OutputError(f"{origin[address]} leads to {address}, which answers {reply.status}")
            else:
                file = place(address, reply.html)
                if files.setdefault(file, address) != address:
                    raise OutputError(f"{address} and {files[file]} would both be {file}")
                policy = reply.headers.get("content-security-policy", "") if reply.html else None
                known.files[address] = Written(file, policy)
                write(file, reply.body)
                for link in reply.links:
                    seen(resolve(address, link), address)
            done += 1
            progress(done, len(origin))


def place(address: str, html: bool) -> str:
    """Return the file of an address: a page is the index of a folder, so that every host finds it.

    >>> place("/page/product/kymriah", True), place("/questions/trials.csv", False)
    ('page/product/kymriah/index.html', 'questions/trials.csv')
    >>> place("/questions/trials?_page=2&agency=x", True)
    'questions/trials/example/page-2/index.html'
    """
    path, _, query = address.partition("?")
    stem = PurePosixPath(unquote(path).strip("/"))
    if ".." in stem.parts:
        raise OutputError(f"{address}: not an address that can be a file")
    given = dict(parse_qsl(query))
    page = given.pop(_PAGE, "")
    words = [*([_EXAMPLE] if given else []), *([f"page-{page}"] if page else [])]
    if not html:
        return str(stem.with_suffix("") / ("-".join(words) + stem.suffix) if words else stem)
    # The page of a thing may have any name; other pages with a suffix are files to take along.
    alone = stem.suffix == ".html" and stem.parts[0] != "page"
    return str(stem if alone else stem.joinpath(*words, "index.html"))


def _canonical(given: dict[str, Any]) -> str:
    return urlencode(sorted(given.items()))
