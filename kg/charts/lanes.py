"""Dots and spans in lanes, over time or along a number, packed so that none covers another."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from statistics import median
from typing import Any, Final

from kg.charts.looks import COLOURS, Drawing, Page, colour, cut, scale, width, words
from kg.figures import Figure
from kg.vega import TINT

_MOST: Final = 1500
_LANES: Final = 40
_LABELLED: Final = {False: 60, True: 40}
"""So many marks have their names beside them, on a wide picture and on a small one."""
_DEEP: Final = 8
"""So many rows a lane has at most where marks have no names; after that they cover one another."""
_ROW: Final = 15
_DOT: Final = 9
_TICK: Final = 36
"""Pixels from one year's label to the next, at least."""
_STEPS: Final = (1, 2, 3, 5, 10, 20)
"""Years from one label to the next."""
_DAY: Final = 86_400_000
_YEAR: Final = 365.25 * _DAY
_LEAST: Final = 2.2
"""Years that an axis of time shows at least."""
_EPOCH: Final = date(1970, 1, 1)

Item = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]


def _time(value: object) -> int | None:
    """Return a day as the milliseconds that Vega counts, whatever the place where it is drawn."""
    try:
        return (date.fromisoformat(str(value)[:10]) - _EPOCH).days * _DAY
    except ValueError:
        return None


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def timeline(figure: Figure, rows: Rows, page: Page) -> Drawing | None:
    """Return what happened as dots over time, or spans where things have an end."""
    items = _items(figure, rows, "start", _time)
    newest = sorted(items, key=lambda item: item["at"])[-_MOST:]
    note = f"The newest {_MOST} of {len(items)}" if len(items) > _MOST else ""
    first: dict[str, int] = {}
    for item in newest:
        first.setdefault(item["lane"], item["at"])
    axis = {"type": "temporal", "scale": {"type": "utc", "nice": False}, "axis": {"orient": "top", "title": None}}
    return _drawn(figure, newest, sorted(first, key=lambda lane: (first[lane], lane)), axis, page, note)


def points(figure: Figure, rows: Rows, page: Page) -> Drawing | None:
    """Return numbers as dots along a line, a lane for each group, which says how many it has and their median."""
    items = _items(figure, rows, "number", _number)
    groups: dict[str, list[float]] = defaultdict(list)
    for item in items:
        groups[item["lane"]].append(item["at"])
    said = {lane: f"{lane}: median {median(found):g} of {len(found)}" for lane, found in groups.items()}
    items = [{**item, "lane": said[item["lane"]]} for item in items]
    order = sorted(groups, key=lambda lane: (median(groups[lane]), lane))
    number = {"type": "quantitative", "scale": {"nice": False, "zero": False},
              "axis": {"orient": "top", "title": words(figure.column("number"))}}  # fmt: skip
    note = f"The first {_MOST} of {len(items)}" if len(items) > _MOST else ""
    return _drawn(figure, items[:_MOST], [said[lane] for lane in order], number, page, note)


def _items(figure: Figure, rows: Rows, where: str, place: Callable[[object], float | None]) -> list[Item]:
    lane, end, group, label = (figure.column(role) for role in ("lane", "end", "colour", "label"))
    # One agency's history is told apart by what happened: a single lane would say nothing.
    if group and len({row[lane] for row in rows}) == 1:
        lane = group
    if label and len({row[label] for row in rows}) == 1:
        label = ""
    found = []
    for row in rows:
        at = place(row[figure.column(where)])
        if at is not None and row[lane] is not None:
            until = place(row[end]) if end else None
            found.append({
                "lane": str(row[lane]), "at": at, "end": until if until is not None and until > at else at,
                "group": str(row[group] or "–") if group else "", "label": str(row[label] or "") if label else "",
            })  # fmt: skip
    return found


def _drawn(
    figure: Figure, items: list[Item], order: list[str], axis: dict[str, Any], page: Page, note: str
) -> Drawing | None:
    filled = {item["lane"] for item in items}
    order = [lane for lane in order if lane in filled]
    if len(order) > _LANES:
        note = f"{note + '; the' if note else 'The'} first {_LANES} of {len(order)} lanes"
        order = order[:_LANES]
    items = [item for item in items if item["lane"] in order]
    if not items:
        return None
    longest = min(page.width / 3, max(map(width, order))) + 12
    wide = page.width - longest - 24
    x = _axis(axis, items, wide)
    low, high = x["scale"]["domain"]
    names, colours = scale(item["group"] for item in items)
    labelled = len(items) <= _LABELLED[page.small]
    lines: list[str] = []
    bands: list[Item] = []
    for turn, lane in enumerate(order):
        own = sorted((item for item in items if item["lane"] == lane), key=lambda item: item["at"])
        rows = _packed(own, lambda at: (at - low) / (high - low) * wide, wide, labelled)
        for item, row in zip(own, rows, strict=True):
            item["row"] = len(lines) + row
        here = [f"{len(lines) + row} {cut(lane, longest) if row == 0 else ''}" for row in range(max(rows) + 1)]
        bands += [{"row": line} for line in here] if turn % 2 == 0 else []
        lines += here
    for item in items:
        item["row"], item["group"] = lines[item["row"]], names[item["group"]]
    group = figure.column("colour")
    fill = colour(colours, wide, group, "group") if group else {"value": COLOURS[0]}
    layers: list[dict[str, Any]] = [
        {"data": {"values": bands}, "mark": {"type": "rect", "color": TINT, "height": {"band": 1}},
         "encoding": {"x": {"value": 0}, "x2": {"value": "width"}}},
    ]  # fmt: skip
    if figure.column("end"):
        layers.append({"mark": {"type": "rule", "strokeWidth": 5, "opacity": 0.55},
                       "encoding": {"x": x, "x2": {"field": "end"}, "color": fill}})  # fmt: skip
    layers.append({"mark": {"type": "circle", "size": _DOT**2 * 0.7, "opacity": 0.95},
                   "encoding": {"x": x, "color": fill}})  # fmt: skip
    if labelled and any(item["label"] for item in items):
        for side, align, shift in (("right", "left", 7), ("left", "right", -7)):
            layers.append({
                "transform": [{"filter": f"datum.side == '{side}'"}],
                "mark": {"type": "text", "align": align, "dx": shift, "baseline": "middle"},
                "encoding": {"x": {**x, "field": "end" if side == "right" else "at"},
                             "text": {"field": "label"}},
            })  # fmt: skip
    y = {
        "field": "row", "type": "ordinal", "title": None, "scale": {"domain": lines, "padding": 0},
        "axis": {"labelExpr": "slice(datum.label, indexof(datum.label, ' ') + 1)", "ticks": False, "domain": False},
    }  # fmt: skip
    body = {
        "data": {"values": items}, "width": round(wide), "height": len(lines) * _ROW,
        "encoding": {"y": y}, "layer": layers,
    }  # fmt: skip
    marks = "spans" if figure.column("end") else "dots"
    lanes = f"{', '.join(order[:5])}{' …' if len(order) > 5 else ''}"
    said = f"{len(items)} {marks} in {len(order)} lanes by {words(figure.column('lane'))}: {lanes}"
    return Drawing(body, said, note)


def _axis(axis: dict[str, Any], items: Sequence[Item], wide: float) -> dict[str, Any]:
    """Return the channel of an axis on which all items have room; an axis of time shows years, and two at least."""
    low, high = min(item["at"] for item in items), max(item["end"] for item in items)
    room = (high - low or _DAY) * 0.03
    if axis["type"] == "temporal":
        room = max(room, (_LEAST * _YEAR - high + low) / 2)
        year = wide * _YEAR / (high - low + 2 * room)
        step = next((step for step in _STEPS if step * year >= _TICK), _STEPS[-1])
        axis = axis | {"axis": {**axis["axis"], "tickCount": {"interval": "year", "step": step}, "format": "%Y"}}
    return {"field": "at", **axis, "scale": {**axis["scale"], "domain": [low - room, high + room]}}


def _packed(own: list[Item], pixel: Callable[[float], float], wide: float, labelled: bool) -> list[int]:
    """Give every mark of a lane the first row that is free where it stands, and its label the side with room."""
    ends: list[float] = []
    rows = []
    for item in own:
        left, right = pixel(item["at"]) - _DOT / 2, pixel(item["end"]) + _DOT / 2
        item["label"] = cut(item["label"], wide / 2)
        text = width(item["label"]) + 8 if labelled and item["label"] else 0.0
        item["side"] = "right" if right + text <= wide else "left"
        left, right = (left, right + text) if item["side"] == "right" else (left - text, right)
        row = next((number for number, end in enumerate(ends) if end <= left), len(ends))
        if row >= _DEEP and not text:
            row = min(range(_DEEP), key=ends.__getitem__)
        ends[row : row + 1] = [right]
        rows.append(row)
    return rows
