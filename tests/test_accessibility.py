"""Every kind of page, examined by axe-core in light and dark, on a desk and on a phone."""

import os
from typing import TYPE_CHECKING

import pytest

from tests.serving import Running
from tests.support import ROOT, needs_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = [
    "/",
    "/search?q=kymriah",
    "/page/product/kymriah",
    "/page/agency/au-tga",
    "/page/class/car-t",
    "/page/therapy/tisagenlecleucel",
    "/page/milestone/us-fda-kymriah-2017",
    "/questions",
    "/questions/approvals?agency=TGA",
    "/networks",
    "/networks/product-milestones?product=Kymriah",
    "/ontology",
    "/dataset",
    "/sparql",
    "/page/product/kimriah",
]
AXE = ROOT / "kg/web/front/node_modules/axe-core/axe.min.js"
GRAVE = {"serious", "critical"}
FOUND = """async (rules) => (await axe.run({ resultTypes: ["violations"], ...rules })).violations.map((one) => ({
    ...one, nodes: one.nodes.slice(0, 3).map((node) => `${node.target}: ${node.failureSummary}`) }))"""
RULES: dict[str, dict[str, list[str]]] = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
"""Colours are all that differs in the dark."""


@needs_chromium
@pytest.mark.skipif(not AXE.is_file() and not os.environ.get("KG_NO_SKIPS"), reason="axe-core comes with `make front`")
@pytest.mark.parametrize("path", PAGES)
def test_nothing_stands_in_a_readers_way(path: str, browser: "Browser", served: Running) -> None:
    context = browser.new_context(base_url=served.url)
    page = context.new_page()
    page.goto(path)
    # Evaluated, not added to the page: its policy stays as it is.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = []
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        for scheme, rules in RULES.items():
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            grave = [one for one in page.evaluate(FOUND, rules) if one["impact"] in GRAVE]
            found += [f"{width} {scheme}: {one['id']} ({one['help']})\n{one['nodes']}" for one in grave]
    context.close()
    assert not found, "\n".join(found)
