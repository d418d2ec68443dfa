"""Vega-Lite specifications as pictures.

It is also a program of its own, which a server runs for each picture: the engine holds the interpreter's lock while it
draws, and what runs in a process of its own can be stopped. So this module imports nothing else of the project.
"""

import re
import sys
from collections.abc import Callable
from typing import Final

import vl_convert

_VERSION: Final = "5.21"
INK: Final = "#1b2126"
SOFT: Final = "#55606a"
LINE: Final = "#d5dbe1"
TINT: Final = "#f3f6f8"
PAPER: Final = "#ffffff"
LAND: Final = "#e1e6ea"
_ID: Final = re.compile(r"(?<=[\"#])(clip|gradient_)\d+(?=[\")])")
_DARK: Final = {
    INK: "#e8edf1", SOFT: "#a9b4bd", LINE: "#3a434b", TINT: "#1d2328", PAPER: "#14181c", LAND: "#2b333a",
}  # fmt: skip
"""What the colours of everything but data become on a dark page."""
_RULES: Final = "".join(
    f'[{where}="{light}"]{{{where}:{dark}}}' for light, dark in _DARK.items() for where in ("fill", "stroke")
)
STYLE: Final = f"@media (prefers-color-scheme:dark){{{_RULES}}}"
"""The only style of a picture: one file serves light and dark pages."""


def svg(spec: str) -> str:
    """Return a specification drawn as SVG that follows the reader's choice of light or dark.

    Args:
        spec: Vega-Lite as JSON.

    Raises:
        ValueError: It cannot be drawn.
    """
    return _adaptive(vl_convert.vegalite_to_svg(spec, vl_version=_VERSION, allowed_base_urls=[]))


def _adaptive(drawing: str) -> str:
    """Add the style that turns colours on dark pages; number ids anew, for the engine counts on between pictures."""
    head, end, rest = drawing.partition(">")
    ids: dict[str, str] = {}
    rest = _ID.sub(lambda match: ids.setdefault(match[0], f"{match[1]}{len(ids)}"), rest)
    return f"{head}{end}<style>{STYLE}</style>{rest}\n"


def png(drawing: str, scale: float = 2) -> bytes:
    """Return an SVG as a PNG picture, light.

    Raises:
        ValueError: It cannot be drawn.
    """
    return vl_convert.svg_to_png(drawing.replace(f"<style>{STYLE}</style>", "", 1), scale=scale)


FORMS: Final[dict[str, Callable[[str], bytes]]] = {
    "svg": lambda spec: svg(spec).encode(),
    "png": lambda spec: png(svg(spec)),
}
"""What a specification can be drawn as, by the file's suffix."""

if __name__ == "__main__":
    sys.stdout.buffer.write(FORMS[sys.argv[1]](sys.stdin.buffer.read().decode()))
