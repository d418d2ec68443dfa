"""Which of the formats that can be served a client wants most."""

from collections.abc import Sequence
from typing import Final

JSON: Final = "application/sparql-results+json"
HTML: Final = "text/html"
PROBLEM: Final = "application/problem+json"

ROWS: Final[dict[str, str]] = {
    JSON: "JSON",
    "application/json": "JSON",
    "application/sparql-results+xml": "XML",
    "application/xml": "XML",
    "text/xml": "XML",
    "text/csv": "CSV",
    "text/tab-separated-values": "TSV",
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


def choose(accept: str, offers: Sequence[str]) -> str | None:
    """Return the offer that an Accept header prefers; None where it takes none of them.

    Args:
        accept: The header's value; empty means anything.
        offers: Media types, the server's own favourite first.

    >>> choose("text/csv;q=0.5, application/*", ["application/json", "text/csv"])
    'application/json'
    >>> choose("image/png", ["text/csv"])
    """
    ranges = _ranges(accept)
    if not ranges:
        return offers[0]
    best, chosen = 0.0, None
    for offer in offers:
        quality = _quality(offer, ranges)
        if quality > best:
            best, chosen = quality, offer
    return chosen


def accepts(encoding: str, accept: str) -> bool:
    """Say whether an Accept-Encoding header takes a coding.

    >>> accepts("gzip", "br, gzip;q=0.5"), accepts("gzip", "gzip;q=0, *"), accepts("gzip", "")
    (True, False, False)
    """
    ranges = _ranges(accept)
    return ranges.get(encoding, ranges.get("*", 0.0)) > 0


def _quality(offer: str, ranges: dict[str, float]) -> float:
    # The narrowest range that fits decides, whatever the others say.
    for wanted in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        if wanted in ranges:
            return ranges[wanted]
    return 0.0


def _ranges(header: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in header.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if not name:
            continue
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        found[name] = max(found.get(name, 0.0), quality if 0 <= quality <= 1 else 0.0)
    return found
