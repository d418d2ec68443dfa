"""Draw a large network as the site does (sigma, WebGL) and as the page that stands alone does (pyvis), and compare.

    python benchmarks/draw.py [--edges 20000] [--rounds 3] [--json FILE] [--pictures FOLDER]

The network is part of the release: the things with most relations, as many as have so many edges among them. Both pages
come from the site's own code, are opened by the same Chromium in turn, and get the same input: in every frame the view
is dragged, then zoomed by the wheel. Without a graphics card Chromium draws WebGL on the processor, so that what is
printed for sigma is a lower bound, while the peer's canvas is drawn on the processor anyway.
"""

import argparse
import itertools
import json
import shutil
import statistics
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import networkx as nx
from playwright.sync_api import Browser, sync_playwright
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kg.network import Graph, multigraph
from kg.store import Release, open_release
from kg.web.files import files
from kg.web.kept import Kept
from kg.web.opened import Opened
from kg.web.site import routes

NAME = "agency-product-class"
FRAMES = 40
"""Frames of dragging, and as many of zooming; fewer where they take more than 15 seconds."""
READY = {
    "sigma": ("", "#drawing[data-settled=true]", "#drawing .canvas canvas:last-of-type"),
    "pyvis": (".html", "body[data-settled=true]", "#network canvas"),
}
MOVE = """async ([where, frames]) => {
  const canvas = document.querySelector(where), box = canvas.getBoundingClientRect();
  const x = box.left + box.width / 2, y = box.top + box.height / 2, times = [];
  const fire = (kind, dx, dy, more) => {
    const about = { bubbles: true, cancelable: true, clientX: x + dx, clientY: y + dy, button: 0, buttons: 1, ...more };
    const made = kind === "wheel" ? new WheelEvent(kind, about)
      : kind.startsWith("mouse") ? new MouseEvent(kind, about)
      : new PointerEvent(kind, { pointerId: 1, isPrimary: true, pointerType: "mouse", ...about });
    canvas.dispatchEvent(made);
  };
  const frame = () => new Promise(requestAnimationFrame);
  const timed = async (act) => {
    let before = await frame();
    const end = before + 15000;
    for (let i = 0; i < frames && before < end; i++) {
      act(i);
      const now = await frame();
      times.push(now - before);
      before = now;
    }
  };
  const both = (end, ...more) => { fire(`pointer${end}`, ...more); fire(`mouse${end}`, ...more); };
  both("down", 0, 0);
  await timed((i) => both("move", 90 * Math.sin(i / 8), 60 * Math.cos(i / 8)));
  both("up", 0, 0, { buttons: 0 });
  await timed((i) => fire("wheel", 0, 0, { buttons: 0, deltaY: i % 30 < 15 ? -100 : 100 }));
  return times;
}"""


def large(release: Release, edges: int) -> Graph:
    """Return the part of a release among the things with most relations, with so many edges."""
    whole = multigraph(release)
    order = sorted(whole, key=lambda node: (-whole.degree(node), node))
    low, high = 1, len(order)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if whole.subgraph(order[:middle]).number_of_edges() >= edges else (middle + 1, high)
    part = whole.subgraph(order[:low])
    graph: Graph = nx.MultiDiGraph()
    graph.add_nodes_from((node, whole.nodes[node]) for node in order[:low])
    graph.add_edges_from(itertools.islice(part.edges(data=True), edges))
    return graph


def answers(release: Release, graph: Graph) -> tuple[dict[str, tuple[str, str, bytes]], dict[str, float]]:
    """Return what the site answers when it is asked for this network, and the seconds that each answer took."""
    held: dict[str, tuple[str, str, bytes]] = {}
    took: dict[str, float] = {}
    opened = Opened(release)
    opened.network = Kept(lambda *_: graph, len, len(graph))
    client = TestClient(Starlette(routes=routes(opened)))
    paths = [f"/networks/{NAME}{suffix}" for suffix in ("", ".html", ".places.json", ".svg")]
    for path in [*paths, *(f"/static/{name}" for name in files())]:
        start = time.perf_counter()
        answer = client.get(path)
        took[path] = time.perf_counter() - start
        answer.raise_for_status()
        policy = answer.headers.get("content-security-policy", "")
        held[path] = (answer.headers["content-type"], policy, answer.content)
    return held, took


def serve(held: dict[str, tuple[str, str, bytes]]) -> ThreadingHTTPServer:
    """Serve these answers on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, policy, content = held.get(path := self.path.partition("?")[0], ("text/plain", "", b""))
            self.send_response(200 if path in held else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def measure(browser: Browser, url: str, way: str, pictures: Path | None) -> dict[str, float]:
    """Open a page and move it: milliseconds to the first picture, of the median frame, and of the 95th in 100."""
    suffix, ready, canvas = READY[way]
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    start = time.perf_counter()
    page.goto(f"{url}/networks/{NAME}{suffix}")
    page.wait_for_selector(ready, timeout=120_000)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    first = (time.perf_counter() - start) * 1000
    page.locator(canvas).scroll_into_view_if_needed()
    times = sorted(page.evaluate(MOVE, [canvas, FRAMES]))
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=pictures / f"{way}.png")
    page.close()
    return {"first": first, "median": statistics.median(times), "p95": times[int(len(times) * 0.95)]}


def main() -> None:
    """Print the table, and with `--json` write it."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--edges", type=int, default=20_000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--build", type=Path)
    words.add_argument("--json", type=Path)
    words.add_argument("--pictures", type=Path)
    given = words.parse_args()
    release = open_release(given.build)
    graph = large(release, given.edges)
    held, took = answers(release, graph)
    server = serve(held)
    found: dict[str, list[dict[str, float]]] = {way: [] for way in READY}
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    flags = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        for _, way in itertools.product(range(given.rounds), READY):
            found[way].append(measure(browser, f"http://127.0.0.1:{server.server_port}", way, given.pictures))
        browser.close()
    server.shutdown()
    middle = {
        way: {name: round(statistics.median(one[name] for one in rounds), 1) for name in rounds[0]}
        for way, rounds in found.items()
    }
    ratio = {name: round(middle["pyvis"][name] / middle["sigma"][name], 2) for name in middle["sigma"]}
    places = took[f"/networks/{NAME}.places.json"]
    print(f"{graph.number_of_nodes():,} nodes, {graph.number_of_edges():,} edges; medians of {given.rounds} rounds, ms")
    print(f"places and JSON by the server: {places:.2f} s, {len(held[f'/networks/{NAME}.places.json'][2]):,} bytes")
    print(f"{'':8}{'first picture':>15}{'median frame':>15}{'95 % of frames':>16}")
    for name, row in {**middle, "ratio": ratio}.items():
        print(f"{name:8}{row['first']:>15}{row['median']:>15}{row['p95']:>16}")
    if given.json:
        result = {"nodes": graph.number_of_nodes(), "edges": graph.number_of_edges(), "seconds": took}
        given.json.write_text(json.dumps({**result, "ms": middle, "ratio": ratio}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
