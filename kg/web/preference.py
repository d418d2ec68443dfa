"""What a client would rather have: the Accept header, read as RFC 9110 says."""

from collections.abc import Sequence
from typing import Final

_MANY: Final = 64
"""Ranges that are read of one header; browsers send less than ten."""


def preferred(accept: str, offered: Sequence[str]) -> str | None:
    """Return the offered media type that an Accept header likes best, or None where it takes none of them.

    Args:
        accept: The header's value; empty where there is none, which takes anything.
        offered: Media types, the server's own favourite first.

    >>> preferred("text/turtle;q=0.5, text/html", ["text/html", "text/turtle"])
    'text/html'
    >>> preferred("application/*", ["text/html", "application/ld+json"])
    'application/ld+json'
    >>> preferred("image/png", ["text/html"]) is None
    True
    """
    if not accept.strip():
        return offered[0]
    ranges = [_range(part) for part in accept.split(",")[:_MANY]]
    # max() keeps the first of equals, and with it the server's order.
    quality, best = max(((_quality(media, ranges), media) for media in offered), key=lambda pair: pair[0])
    return best if quality else None


def _range(part: str) -> tuple[str, float]:
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = min(1.0, max(0.0, float(value)))
            except ValueError:
                quality = 0.0
    return media, quality


def _quality(media: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The quality of the narrowest range that a media type falls in."""
    family = media.partition("/")[0] + "/*"
    for wanted in (media, family, "*/*"):
        found = [quality for name, quality in ranges if name == wanted]
        if found:
            return max(found)
    return 0.0
