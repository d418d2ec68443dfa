"""Bars, columns, series over time and matrices."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kg.charts.looks import COLOURS, RAMP, Drawing, Page, colour, listed, scale, words
from kg.figures import Figure
from kg.vega import INK

_MOST: Final = 30
"""Bars that one picture has room for."""
_YEARS: Final = 80
_CELL: Final = 30
_PANELS: Final = 4
_LIGHT: Final = "#fffffe"
_DEEP: Final = "#10202c"
"""Letters on light and on dark pages alike: these are not among the colours that change."""
_PERIOD: Final = re.compile(r"(\d{4})(?:-(?:Q([1-4])|H([12])|(\d\d)))?(?:-\d\d)?$")

Rows = Sequence[Mapping[str, Any]]


def _numeric(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _totals(rows: Rows, category: str, number: str) -> dict[str, float]:
    found: dict[str, float] = defaultdict(int)
    for row in rows:
        if row[category] is not None and _numeric(row[number]):
            found[str(row[category])] += row[number]
    return dict(found)


def bars(figure: Figure, rows: Rows, page: Page) -> Drawing | None:
    """Return horizontal bars, the longest first; several numbers or a colour make parts of a bar."""
    category, numbers = figure.column("category"), figure.columns["number"]
    parts = figure.column("colour")
    data = [
        {"category": str(row[category]), "number": row[number], "part": str(row[parts]) if parts else words(number)}
        for row in rows
        for number in numbers
        if row[category] is not None and _numeric(row[number])
    ]
    totals = _totals(data, "category", "number")
    order = sorted(totals, key=lambda name: (-totals[name], name))
    shown = set(order[:_MOST])
    kept = [row for row in data if row["category"] in shown]
    if not kept:
        return None
    title = words(numbers[0]) if len(numbers) == 1 else ""
    layers: list[dict[str, Any]] = [{"mark": {"type": "bar", "cornerRadiusEnd": 2}, "encoding": {}}]
    bar = layers[0]["encoding"]
    if parts or len(numbers) > 1:
        names, colours = scale((row["part"] for row in kept), () if parts else [words(number) for number in numbers])
        kept = _summed([{**row, "part": names[row["part"]]} for row in kept], colours["domain"])
        bar["color"] = colour(colours, page.width * 0.62, parts)
        bar["order"] = {"field": "place", "type": "quantitative"}
    else:
        bar["color"] = {"value": COLOURS[0]}
        text = {"mark": {"type": "text", "align": "left", "dx": 4}, "encoding": {"text": {"field": "number"}}}
        layers.append(text)
    against = figure.column("against")
    if against:
        goal = {str(row[category]): row[against] for row in rows}
        kept = [{**row, "against": goal[row["category"]]} for row in kept]
        layers.append({
            "mark": {"type": "tick", "thickness": 2, "color": INK, "size": 18},
            "encoding": {"x": {"field": "against", "type": "quantitative"}},
        })  # fmt: skip
    body = {
        "data": {"values": kept},
        "width": page.width, "height": {"step": 21}, "autosize": {"type": "fit-x", "contains": "padding"},
        "encoding": {
            "y": {"field": "category", "type": "nominal", "sort": [n for n in order if n in shown], "title": None},
            "x": {"field": "number", "type": "quantitative", "title": title},
        },
        "layer": layers,
    }  # fmt: skip
    note = f"The {_MOST} largest of {len(order)}" if len(order) > _MOST else ""
    said = f"Bars: {' and '.join(map(words, numbers))} by {words(category)}: {listed([(n, totals[n]) for n in order])}"
    return Drawing(body, said, note)


def _summed(rows: Rows, order: Sequence[str]) -> list[dict[str, Any]]:
    """Add up what has come to be shown as one, and give parts their place in the order of their colours."""
    found: dict[tuple[str, str], float] = defaultdict(int)
    for row in rows:
        found[row["category"], row["part"]] += row["number"]
    place = {part: index for index, part in enumerate(order)}
    return [{"category": c, "part": p, "number": n, "place": place[p]} for (c, p), n in found.items()]


def columns(figure: Figure, rows: Rows, page: Page) -> Drawing | None:
    """Return columns in the order of what they count, years without any included."""
    category, number, parts = figure.column("category"), figure.column("number"), figure.column("colour")
    data = [
        {"category": str(row[category]), "number": row[number], "part": str(row[parts]) if parts else ""}
        for row in rows
        if row[category] is not None and _numeric(row[number])
    ]
    if not data:
        return None
    names, colours = scale(row["part"] for row in data for _ in range(int(row["number"])))
    kept = _summed([{**row, "part": names[row["part"]]} for row in data if row["part"] in names], colours["domain"])
    totals = _totals(data, "category", "number")
    body = {
        "data": {"values": kept},
        "mark": {"type": "bar"},
        "width": page.width, "height": 240 if page.small else 320,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "encoding": {
            "x": {"field": "category", "type": "ordinal", "title": None, "scale": {"domain": _run(totals)},
                  "axis": {"labelAngle": 0, "labelOverlap": True}},
            "y": {"field": "number", "type": "quantitative", "title": words(number), "axis": {"tickMinStep": 1}},
            "color": colour(colours, page.width * 0.85, parts) if parts else {"value": COLOURS[0]},
            "order": {"field": "place", "type": "quantitative"},
        },
    }  # fmt: skip
    said = [(name, totals[name]) for name in sorted(totals, reverse=True)]
    return Drawing(body, f"Columns: {words(number)} by {words(category)}, newest first: {listed(said)}")


def _run(found: Iterable[str]) -> list[str]:
    """Return names in order; of years, every one from the first to the last."""
    names = sorted(found)
    if all(name.isdecimal() for name in names) and int(names[-1]) - int(names[0]) < _YEARS:
        return [str(year) for year in range(int(names[0]), int(names[-1]) + 1)]
    return names


def when(period: object) -> float | None:
    """Return the place of a period's end in time, as a year with its part.

    >>> when("2018"), when("2023-Q3"), when("2017/2026"), when("soon")
    (2018, 2023.5, 2026, None)
    """
    match = _PERIOD.fullmatch(str(period).rpartition("/")[2])
    if match is None:
        return None
    quarter, half, month = match[2], match[3], match[4]
    part = (int(quarter) - 1) / 4 if quarter else (int(half) - 1) / 2 if half else (int(month) - 1) / 12 if month else 0
    return round(int(match[1]) + part, 2)


def series(figure: Figure, rows: Rows, page: Page) -> Drawing | None:
    """Return figures over time, a panel for each unit, because their numbers cannot stand on one axis."""
    period, number = figure.column("period"), figure.column("number")
    panel, parts = figure.column("panel"), figure.column("colour")
    data = [
        {
            "year": when(row[period]), "period": row[period], "number": row[number],
            "panel": str((row[panel] if panel else None) or ""), "part": str((row[parts] if parts else None) or "–"),
        }
        for row in rows
        if when(row[period]) is not None and _numeric(row[number])
    ]  # fmt: skip
    if not data:
        return None
    sizes: dict[str, int] = defaultdict(int)
    for row in data:
        sizes[row["panel"]] += 1
    panels = sorted(sizes, key=lambda name: (-sizes[name], name))
    names, colours = scale(row["part"] for row in data)
    years = [row["year"] for row in data]
    dot = {
        "mark": {"type": "point", "filled": True, "size": 55, "opacity": 0.85},
        "width": page.width - 90, "height": 200,
        "encoding": {
            "x": {"field": "year", "type": "quantitative", "title": None, "axis": {"format": "d", "tickMinStep": 1},
                  "scale": {"zero": False, "domain": [min(years) - 0.5, max(years) + 0.5], "nice": False}},
            "color": colour(colours, page.width * 0.85, parts) if parts else {"value": COLOURS[0]},
        },
    }  # fmt: skip
    stack = []
    for name in panels[:_PANELS]:
        values = [{**row, "part": names[row["part"]]} for row in data if row["panel"] == name]
        y = {"field": "number", "type": "quantitative", "title": name or words(number)}
        stack.append({**dot, "data": {"values": values}, "encoding": {**dot["encoding"], "y": y}})  # type: ignore[dict-item]
    note = f"The {_PANELS} commonest of {len(panels)} units" if len(panels) > _PANELS else ""
    said = f"{len(data)} figures from {min(years):.0f} to {max(years):.0f}, by {words(panel or number)}"
    return Drawing({"vconcat": stack}, said, note)


def matrix(figure: Figure, rows: Rows, page: Page) -> Drawing | None:
    """Return a table of cells: what stands in each is written, and coloured by its size or its group."""
    across, down, cell, parts = (figure.column(role) for role in ("across", "down", "cell", "colour"))
    data = [
        {
            "across": str(row[across]),
            "down": str(row[down]),
            "cell": row[cell],
            "part": str(row[parts]) if parts else "",
        }
        for row in rows
        if row[cell] is not None and row[across] is not None and row[down] is not None
    ]
    if not data:
        return None
    tops, lines = (list(dict.fromkeys(row[side] for row in data)) for side in ("across", "down"))
    tops.sort(key=lambda name: (-sum(row["across"] == name for row in data), name))
    shown = [row for row in data if row["down"] in lines[: _MOST * 5]]
    if parts:
        names, colours = scale(row["part"] for row in shown)
        shown = [{**row, "part": names[row["part"]]} for row in shown]
        fill = colour(colours, page.width * 0.7, parts)
        letters: dict[str, Any] = {"value": _LIGHT}
    else:
        low, high = min(row["cell"] for row in shown), max(row["cell"] for row in shown)
        fill = {"field": "cell", "type": "quantitative", "scale": {"range": list(RAMP)}, "legend": None}
        letters = {
            "condition": {"test": f"datum.cell > {low + 0.6 * (high - low)}", "value": "#ffffff"},
            "value": "#10202c",
        }
    body = {
        "data": {"values": shown},
        "width": {"step": max(_CELL, min(60, page.width * 0.75 // len(tops)))}, "height": {"step": 20},
        "encoding": {
            "x": {"field": "across", "type": "nominal", "sort": tops, "title": None,
                  "axis": {"orient": "top", "labelAngle": -50, "domain": False, "ticks": False}},
            "y": {"field": "down", "type": "nominal", "sort": lines, "title": None,
                  "axis": {"domain": False, "ticks": False}},
        },
        "layer": [
            {"mark": {"type": "rect", "cornerRadius": 2}, "encoding": {"color": fill}},
            {"mark": {"type": "text"}, "encoding": {"text": {"field": "cell"}, "color": letters}},
        ],
    }  # fmt: skip
    note = f"The first {_MOST * 5} of {len(lines)} rows" if len(lines) > _MOST * 5 else ""
    said = f"A table of {words(cell)}: {len(lines)} {words(down)} by {len(tops)} {words(across)}"
    return Drawing(body, said, note)
