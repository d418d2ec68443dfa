"""How pictures look: sizes, colours that the colour-blind tell apart, and the frame around a drawing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kg.namespaces import VEGA_LITE
from kg.vega import INK, LINE, PAPER, SOFT

FONT: Final = "Liberation Sans, Arial, Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"
COLOURS: Final = ("#0072b2", "#d98200", "#009e73", "#c2608f", "#2f9bd8", "#d5501e", "#7d6fd0")
OTHER: Final = "#8b949c"
"""The colour of what has none of its own."""
RAMP: Final = ("#cfe3f2", "#5aa5d6", "#05467a")
"""From few to many."""
_WIDTHS: Final = {False: 960, True: 308}
_SIZE: Final = 12
_WIDE: Final = 0x2E7F
_ENTRY: Final = 190
"""The least width of an entry of a legend that stands beside others."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The part of a specification that shows the data.

    Attributes:
        body: Data, marks and encodings.
        said: What it shows, for whoever does not see it.
        note: What is left out, where something is.
    """

    body: dict[str, Any]
    said: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What a picture is drawn for.

    Attributes:
        title: What it shows.
        about: What it was narrowed to, and of which release it is.
        small: Whether it is for a phone.
    """

    title: str
    about: Sequence[str] = field(default_factory=tuple)
    small: bool = False

    @property
    def width(self) -> int:
        """The width of the whole in pixels."""
        return _WIDTHS[self.small]


def width(text: str) -> float:
    """Return about how wide a text is in pixels; letters of East Asia are as wide as they are high."""
    return sum(_SIZE * (1 if ord(letter) > _WIDE else 0.7 if letter.isupper() else 0.53) for letter in text)


def cut(text: object, pixels: float) -> str:
    """Return a text, or as much of it as fits."""
    whole = " ".join(str(text).split())
    shown = whole
    while width(shown) > pixels:
        shown = shown[:-1]
    return whole if shown == whole else f"{shown[:-1].rstrip()}…"


def words(column: str) -> str:
    """Return a column's name in words."""
    return column.replace("_", " ")


def scale(groups: Iterable[str], order: Sequence[str] = ()) -> tuple[dict[str, str], dict[str, Any]]:
    """Give groups colours: the most frequent theirs, the rest one together.

    Args:
        groups: The group of each row.
        order: The groups in order, where the frequency does not matter.

    Returns:
        What each group is shown as, and the scale of a colour channel.
    """
    counted = Counter(groups)
    ranked = list(order) or sorted(counted, key=lambda group: (-counted[group], group))
    own = ranked if len(ranked) <= len(COLOURS) else ranked[: len(COLOURS) - 1]
    shown = {group: group if group in own else "other" for group in ranked}
    domain = [*own, *(["other"] if len(own) < len(ranked) else [])]
    return shown, {"domain": domain, "range": [*COLOURS[: len(own)], OTHER][: len(domain)]}


def colour(colours: Mapping[str, Any], room: float, title: str, field_name: str = "part") -> dict[str, Any]:
    """Return a colour channel with its legend above the picture.

    Args:
        colours: The scale.
        room: How wide the legend may be in pixels.
        title: The column that the colours tell apart.
        field_name: Where the data has it.
    """
    beside = max(1, int(room // _ENTRY))
    legend = {
        "orient": "top", "direction": "horizontal", "columns": beside,
        "title": words(title) or None, "titleOrient": "top", "symbolType": "circle",
        "labelLimit": int(room // beside) - 34,
    }  # fmt: skip
    return {"field": field_name, "type": "nominal", "scale": dict(colours), "legend": legend}


def framed(drawing: Drawing, page: Page) -> dict[str, Any]:
    """Return a whole specification: a drawing with its title, its description and how it looks."""
    about = [*page.about, *([drawing.note] if drawing.note else [])]
    fits = [cut(line, page.width) for line in about]
    axis = {
        "labelColor": INK, "titleColor": SOFT, "gridColor": LINE, "domainColor": LINE, "tickColor": LINE,
        "labelFontSize": _SIZE, "titleFontSize": _SIZE, "titleFontWeight": "normal", "labelLimit": page.width // 3,
    }  # fmt: skip
    apart = {"labelOverlap": "greedy", "labelSeparation": 8}
    return {
        "$schema": VEGA_LITE,
        "description": f"{page.title}. {drawing.said}",
        "title": {
            "text": cut(page.title, page.width * 0.8), "subtitle": fits, "anchor": "start", "frame": "bounds",
            "color": INK, "subtitleColor": SOFT, "fontSize": 15, "subtitleFontSize": _SIZE, "offset": 12,
        },
        "background": PAPER,
        "padding": 8,
        **drawing.body,
        "config": {
            "font": FONT, "axis": axis, "axisXQuantitative": apart, "axisXTemporal": apart, "aria": True,
            "view": {"stroke": None},
            "legend": {"labelColor": INK, "titleColor": SOFT, "labelFontSize": _SIZE, "titleFontSize": _SIZE,
                       "titleFontWeight": "normal"},
            "text": {"fill": INK, "fontSize": _SIZE - 1},
            "header": {"labelColor": INK, "titleColor": SOFT, "labelFontSize": _SIZE},
        },
    }  # fmt: skip


def listed(pairs: Sequence[tuple[str, Any]]) -> str:
    """Return the first pairs of name and value as a sentence."""
    text = ", ".join(f"{name} {value}" for name, value in pairs[:5])
    return f"{text}{' …' if len(pairs) > 5 else ''}"
