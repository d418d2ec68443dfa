"""The links of a page: found, and turned into relative ones to files."""

import posixpath
from collections.abc import Callable, Iterator
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode, create_tag

from kg.web.files import FOLDER

SEARCH: Final = "/search"
"""The page that reads what is sought from its own address."""
NAMES: Final = "/search/names.js"
"""The names it searches,"""
SCRIPT: Final = f"{FOLDER}names.js"
"""and the script that does."""
DATA: Final = "/sparql"
"""The page that says how to ask what a copy cannot answer."""
_NOTE: Final = f'<p class="help">This copy is static: <a href="{DATA}">how to ask with values of your own</a>.</p>'
_ADDRESSES: Final = ("href", "src", "action", "data", "poster", "srcset", "xlink:href", "data-names")
"""The attributes that hold addresses."""
_LIVE: Final = "[data-live]"
"""What a template marks as of use only where a server answers,"""
_STILL: Final = "[data-still]"
"""and around what is shown in its stead where none does."""
_WHOLE: Final = ".table[data-whole]"
"""Tables that have all their rows on the page, for which the site's script does what the server else would."""
_UNFRAMED: Final = "frame-ancestors"
"""What a policy cannot say within a page."""


def links(text: str) -> list[str]:
    """Return what a page links to or loads, where a server is not needed to use it."""
    return [link for _, _, found in _found(_parsed(text)) for link in found]


def relinked(text: str, policy: str, target: Callable[[str], str | None]) -> str:
    """Return a page whose links are those of files.

    Args:
        text: The page.
        policy: The policy that the server sends with it; the page itself says it from now on.
        target: Returns for a link what takes its place; None where it needs a server.
    """
    tree = _parsed(text)
    for node, name, found in list(_found(tree)):
        places = [target(link) for link in found]
        if None in places:
            _disable(node)
        elif name == "srcset":
            sizes = [part.split()[1:] for part in (node.attrs[name] or "").split(",")]
            node.attrs[name] = ", ".join(" ".join([p or "", *s]) for p, s in zip(places, sizes, strict=True))
        else:
            node.attrs[name] = places[0]
    if policy:
        meta = create_tag("meta")
        meta.attrs["http-equiv"] = "Content-Security-Policy"
        meta.attrs["content"] = "; ".join(p for p in map(str.strip, policy.split(";")) if not p.startswith(_UNFRAMED))
        tree.css("meta[charset]")[0].insert_after(meta)
    return f"{tree.html}\n"


def relative(file: str, other: str) -> str:
    """Return how a file links to another.

    >>> relative("page/gene/CD19/index.html", "index.html")
    '../../../index.html'
    """
    return posixpath.relpath(other, posixpath.dirname(file) or ".")


def _parsed(text: str) -> LexborHTMLParser:
    """Return a page without what only a server answers, and with the search by names in its place."""
    tree = LexborHTMLParser(text)
    for node in tree.css(_LIVE):
        node.decompose()
    for node in tree.css(_STILL):
        node.unwrap()
    for table in tree.css(_WHOLE):
        # It sorts and filters in place, and has no address that says how.
        del table.attrs["data-at"]
        for node in table.css("form"):
            del node.attrs["action"]
        for node in table.css("th a"):
            node.attrs["href"] = f"#{table.id}"
    for form in tree.css("form[action]"):
        if form.attrs["action"] != SEARCH:
            form.replace_with(LexborHTMLParser(_NOTE, is_fragment=True).css("p")[0])
            continue
        script = create_tag("script")
        for name, value in (("src", SCRIPT), ("data-names", NAMES), ("defer", "")):
            script.attrs[name] = value
        tree.css("script[src]")[0].insert_before(script)
    return tree


def _found(tree: LexborHTMLParser) -> Iterator[tuple[LexborNode, str, list[str]]]:
    """Yield each node with an attribute of addresses, the attribute's name, and the addresses."""
    for name in _ADDRESSES:
        for node in tree.css(f"[{name.replace(':', chr(92) + ':')}]"):
            value = node.attrs[name] or ""
            yield node, name, [part.split()[0] for part in value.split(",")] if name == "srcset" else [value]


def _disable(node: LexborNode) -> None:
    """Take away a link that answers no more, but not its words; of a list of files, its words too."""
    if node.tag != "a":
        node.decompose()
    elif "type" in node.attrs or "download" in node.attrs:
        before, list_ = node.prev, node.parent
        if before is not None and before.is_text_node and (before.text_content or "").strip() in (",", "·"):
            before.decompose()
        node.decompose()
        if list_ is not None and list_.tag == "p" and not list_.css("a"):
            list_.decompose()
    else:
        node.unwrap()
