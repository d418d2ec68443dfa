"""Numbers on a map of the world: what an agency of several countries did is shown over all of them.

The shapes are Natural Earth's countries at 1:110 million, with their ISO 3166-1 codes; states that have no shape at
that scale are points, the centres of their shapes at 1:50 million.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from kg.charts.looks import RAMP, Drawing, Page, listed, words
from kg.figures import Figure
from kg.resources import PACKAGE
from kg.vega import LAND, PAPER

_WORLD: Final = PACKAGE / "charts" / "world.json"


def world(
    figure: Figure, rows: Sequence[Mapping[str, Any]], page: Page, countries: Mapping[str, Sequence[str]]
) -> Drawing | None:
    """Return a map whose countries are coloured by a number.

    Args:
        figure: The columns of places and numbers.
        rows: The answer.
        page: What it is drawn for.
        countries: The ISO 3166-1 codes of the countries of each place, by its name.
    """
    place, number = figure.column("place"), figure.column("number")
    totals: dict[str, float] = defaultdict(int)
    spread: dict[str, float] = defaultdict(int)
    for row in rows:
        if isinstance(row[number], int | float) and str(row[place]) in countries:
            totals[str(row[place])] += row[number]
            for code in countries[str(row[place])]:
                spread[code] += row[number]
    if not spread:
        return None
    shapes = _shapes()
    geometries = [
        shape
        for shape in shapes["objects"]["countries"]["geometries"]
        # States that are too small to have a shape at this scale are dots, where there is something to show.
        if shape["type"] != "Point" or shape.get("id") in spread
    ]
    objects = {"countries": {"type": "GeometryCollection", "geometries": geometries}}
    values = [{"id": code, "number": spread[code]} for code in sorted(spread)]
    lookup = {"lookup": "id", "from": {"data": {"values": values}, "key": "id", "fields": ["number"]}}
    legend = {
        "orient": "bottom", "direction": "horizontal", "title": words(number), "gradientLength": page.width // 3,
        "tickMinStep": 1,
    }  # fmt: skip
    body = {
        "data": {
            "values": {**shapes, "objects": objects}, "format": {"type": "topojson", "feature": "countries"},
        },
        "width": page.width, "height": round(page.width * 0.52),
        "projection": {"type": "equalEarth"},
        "layer": [
            {"mark": {"type": "geoshape", "fill": LAND, "stroke": PAPER, "strokeWidth": 0.5}},
            {
                "transform": [lookup, {"filter": "isValid(datum.number)"}],
                "mark": {"type": "geoshape", "stroke": PAPER, "strokeWidth": 0.5},
                "encoding": {
                    "color": {"field": "number", "type": "quantitative", "legend": legend,
                              "scale": {"type": "sqrt", "domainMin": 0, "range": list(RAMP)}},
                },
            },
        ],
    }  # fmt: skip
    ranked = sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
    return Drawing(body, f"A map of {words(number)} by {words(place)}: {listed(ranked)}", "Shapes: Natural Earth")


@cache
def _shapes() -> dict[str, Any]:
    shapes: dict[str, Any] = json.loads(_WORLD.read_text(encoding="utf-8"))
    return shapes
