"""The benchmarks: each can be imported, and what it measures is there."""

import json
from importlib import import_module
from pathlib import Path
from urllib.request import urlopen

import pytest

from benchmarks import draw, serve
from kg.namespaces import THINGS
from kg.network import multigraph
from kg.store import DATASET, Release

FOLDER = Path(__file__).parents[1] / "benchmarks"
EDGES = 30


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("[!_]*.py")))
def test_a_benchmark_tells_what_it_takes(name: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("sys.argv", [name, "--help"])
    with pytest.raises(SystemExit, match="0"):
        import_module(f"benchmarks.{name}").main()
    assert "usage" in capsys.readouterr().out


def test_the_site_draws_the_network_that_it_is_given(small: Release) -> None:
    graph = draw.large(small, EDGES)
    assert graph.number_of_edges() == EDGES < multigraph(small).number_of_edges()
    held, took = draw.answers(small, graph)
    assert held.keys() == took.keys()
    kind, _, content = held[f"/networks/{draw.NAME}.places.json"]
    assert kind == "application/json"
    assert len(json.loads(content)["edges"]) == EDGES
    server = draw.serve(held)
    with urlopen(f"http://127.0.0.1:{server.server_port}/static/site.css?v=1") as answer:
        assert answer.read() == held["/static/site.css"][2]
    server.shutdown()
    server.server_close()


def test_the_endpoint_is_asked_of_things(small: Release) -> None:
    things = serve.things_of(small.path / DATASET)
    assert things
    assert all(thing.startswith(THINGS) for thing in things)
