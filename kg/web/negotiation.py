"""Which of the formats that can be served a client wants most: Accept headers, read as RFC 9110 says."""

from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request

JSON: Final = "application/sparql-results+json"
HTML: Final = "text/html"
PROBLEM: Final = "application/problem+json"
_LONG: Final = 4096
"""Letters that are read of a header."""
_MANY: Final = 64
"""Ranges that are read of one header; browsers send less than ten."""

ROWS: Final[dict[str, str]] = {
    JSON: "JSON",
    "application/json": "JSON",
    "application/sparql-results+xml": "XML",
    "application/xml": "XML",
    "text/csv": "CSV",
    "text/tab-separated-values": "TSV",
    "text/xml": "XML",
}
"""Media types of SELECT and ASK, and what the engine calls them."""
GRAPHS: Final[dict[str, str]] = {
    "text/turtle": "TURTLE",
    "application/n-triples": "N_TRIPLES",
    "application/rdf+xml": "RDF_XML",
    "application/ld+json": "JSON_LD",
    "application/n-quads": "N_QUADS",
    "application/trig": "TRIG",
    "application/x-turtle": "TURTLE",
    "application/xml": "RDF_XML",
    "application/json": "JSON_LD",
    "text/plain": "N_TRIPLES",
}
"""Media types of CONSTRUCT and DESCRIBE, and what the engine calls them."""


def wishes(request: Request, name: str = "accept") -> str:
    """Return what a client wishes: its header, or all of that name as one; empty where there is none."""
    return ", ".join(request.headers.getlist(name))[:_LONG]


def preferred(accept: str, offered: Sequence[str]) -> str | None:
    """Return the offered media type that an Accept header likes best, or None where it takes none of them.

    Args:
        accept: The header's value; empty where there is none, which takes anything.
        offered: Media types, the server's own favourite first.

    >>> preferred("text/turtle;q=0.5, text/html", ["text/turtle", "text/html"])
    'text/html'
    >>> preferred("application/*", ["text/html", "application/ld+json", "application/json"])
    'application/ld+json'
    >>> preferred("image/png", ["text/html"]) is None
    True
    """
    ranges = _ranges(accept)
    if not ranges:
        return offered[0]
    # max() keeps the first of equals, and with it the server's order.
    best = max(offered, key=lambda media: _quality(media, ranges))
    return best if _quality(best, ranges) else None


def accepts(encoding: str, accept: str) -> bool:
    """Say whether an Accept-Encoding header takes a coding.

    >>> accepts("gzip", "br, gzip;q=0.5"), accepts("gzip", "gzip;q=0, *"), accepts("gzip", "")
    (True, False, False)
    """
    ranges = _ranges(accept)
    return ranges.get(encoding, ranges.get("*", 0.0)) > 0


def _quality(media: str, ranges: Mapping[str, float]) -> float:
    # The narrowest range that fits decides, whatever the others say.
    for wanted in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if wanted in ranges:
            return ranges[wanted]
    return 0.0


def _ranges(header: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in header.split(",")[:_MANY]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name:
            found[name] = max(found.get(name, 0.0), _weight(parameters))
    return found


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                # A number that is none comes out of this as 0.
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
