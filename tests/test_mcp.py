"""The door for language models, asked with the protocol's own client, over both transports."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import TextResourceContents

from kg.door import serve, server
from kg.door.tools import Door
from kg.errors import OutputError, QueryError, ReleaseError
from kg.limited import Limits, evaluate
from kg.query import library
from kg.sandbox import LEAST_MEMORY
from kg.store import Release
from kg.syntax import inspect
from tests.support import ROOT

TOOLS = {"search", "show", "ask", "list_questions", "sparql", "describe_schema"}
_CARTESIAN = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
_DOUBLING = (
    "SELECT ?z { BIND('aaaaaaaaaaaaaaaa' AS ?a) "
    + " ".join(
        f"BIND(CONCAT({','.join(['?' + one] * 8)}) AS ?{other})"
        for one, other in zip("abcdefghi", "bcdefghiz", strict=True)
    )
    + " }"
)


def talk(target: Any, what: Callable[[Client], Awaitable[None]]) -> None:
    async def run() -> None:
        with anyio.fail_after(60):
            async with Client(target) as client:
                await what(client)

    anyio.run(run)


@pytest.fixture(scope="module")
def call(small: Release) -> Callable[..., Any]:
    """Call a tool in process; the answer's content, or the error's text."""
    made = server(Door(small.path, Limits(seconds=3, memory=LEAST_MEMORY)))

    def one(tool: str, **arguments: Any) -> Any:
        found: list[Any] = []

        async def ask(client: Client) -> None:
            result = await client.call_tool(tool, arguments)
            found.append(result.content[0].text if result.is_error else result.structured_content)  # type: ignore[union-attr]

        talk(made, ask)
        return found[0]

    return one


@pytest.fixture(scope="module")
def address(small: Release) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "kg", "mcp", "--http", str(port), "--build", str(small.path)],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}/mcp"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) in (0, -signal.SIGTERM)


async def tour(client: Client) -> None:
    assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
    found = (await client.call_tool("search", {"text": "Kymriha"})).structured_content
    assert found is not None
    assert found["hits"][0]["id"] == "product:kymriah"
    answer = (
        await client.call_tool("ask", {"question": "approvals", "parameters": {"agency": "FDA"}})
    ).structured_content
    assert answer is not None
    assert answer["release"]["name"].startswith("20")
    for row in answer["rows"]:
        assert row["sources"]
        assert all(answer["sources"][source]["url"].startswith("http") for source in row["sources"])
    result = await client.call_tool("search", {"text": 5})
    assert result.content[0].text == "search: 'text' must be text of 1 to 300 characters, not 5"  # type: ignore[union-attr]
    result = await client.call_tool("sparql", {"query": "DROP ALL"})
    assert result.is_error
    assert "updates are refused" in result.content[0].text  # type: ignore[union-attr]
    uris = {str(resource.uri) for resource in (await client.list_resources()).resources}
    assert {"cgt-kg://manifest", "cgt-kg://ontology/cgt.ttl"} <= uris
    for uri, words in (("cgt-kg://ontology/cgt.ttl", "owl:Class"), ("cgt-kg://manifest", '"sha256"'),
                       ("cgt-kg://question/approvals", "SELECT")):  # fmt: skip
        (content,) = (await client.read_resource(uri)).contents
        assert isinstance(content, TextResourceContents)
        assert words in content.text


def test_over_standard_input_and_output(small: Release) -> None:
    words = ["-m", "kg", "mcp", "--build", str(small.path)]
    talk(StdioServerParameters(command=sys.executable, args=words, cwd=ROOT, env=dict(os.environ)), tour)


def test_over_http(address: str) -> None:
    talk(address, tour)


def test_several_clients_at_once_get_their_own_answers(address: str) -> None:
    names = ["Kymriah", "Yescarta", "Zolgensma", "奕凯达", "Luxturna", "Carvykti"]
    heard: dict[str, str] = {}

    async def one(name: str) -> None:
        async with Client(address) as client:
            for _ in range(3):
                query = f"SELECT ('{name}' AS ?name) {{}}"
                answer = (await client.call_tool("sparql", {"query": query})).structured_content
                assert answer is not None
                heard[name] = answer["rows"][0]["name"]

    async def all_of_them() -> None:
        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                for name in names:
                    group.start_soon(one, name)

    anyio.run(all_of_them)
    assert heard == {name: name for name in names}


def test_a_port_that_is_taken_is_named(small: Release) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OutputError, match="cannot be served at"):
        serve(small.path, taken.getsockname()[1])


def test_over_http_it_says_where_and_ends_when_told(small: Release) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "kg", "mcp", "--http", str(port), "--build", str(small.path)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"Answering at 127.0.0.1:{port}/mcp (Ctrl-C ends it)\n"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_over_http_with_another_host_a_huge_body_or_nonsense(address: str) -> None:
    with httpx.Client(headers={"Accept": "application/json, text/event-stream"}) as client:
        ping = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        port = httpx.URL(address).port
        for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
            assert client.post(address, json=ping, headers={"Host": host}).status_code == 200
        for host in (
            "evil.example",
            f"evil.example:{port}",
            f"localhost.evil.example:{port}",
            f"127.0.0.1.nip.io:{port}",
        ):
            assert client.post(address, json=ping, headers={"Host": host}).status_code == 421
        assert client.post(address, json=ping, headers={"Origin": "https://evil.example"}).status_code == 403
        assert client.post(address, json={**ping, "params": {"x": "a" * 1_000_000}}).status_code == 413
        assert 400 <= client.post(address, content=b"{", headers={"Content-Type": "application/json"}).status_code < 500
        assert client.get(address.replace("/mcp", "/etc/passwd")).status_code == 404


def test_a_client_learns_how_to_use_each_tool(small: Release) -> None:
    async def look(client: Client) -> None:
        assert "cite" in (client.instructions or "")
        for tool in (await client.list_tools()).tools:
            assert len(tool.description or "") > 80, tool.name
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint

    talk(server(Door(small.path)), look)


def test_what_is_not_in_the_graph_is_said_with_near_names(call: Callable[..., Any]) -> None:
    for answer in (call("show", thing="Kymriha"), call("ask", question="history", parameters={"product": "Kymriha"})):
        assert answer["not_in_graph"].startswith("Not in the graph: no")
        assert answer["not_in_graph"].endswith("?")
        assert "Kymriah" in answer["near"]
        assert answer["release"]["name"]
    assert "Not in the graph" in call("search", text="zzzzqqqqxxxx")["not_in_graph"]
    empty = call("sparql", query="SELECT ?x { ?x a cgt:Approval ; cgt:date '1900-01-01'^^xsd:date }")
    assert empty["rows"] == []
    assert empty["not_in_graph"].startswith("Not in the graph: no fact fits")


def test_a_row_that_names_a_thing_and_a_day_rests_on_what_happened_then(call: Callable[..., Any]) -> None:
    answer = call("ask", question="first-by-target", parameters={"target": "CD19"})
    shown = call("show", thing="milestone:us-fda-kymriah-2017")
    (row,) = (row for row in answer["rows"] if row["product"] == "product:kymriah" and row["agency"] == "FDA")
    assert set(row["sources"]) <= set(shown["fact_sources"])
    assert row["sources"]


def test_five_hundred_rows_are_cited_in_time(real: Release) -> None:
    start = time.monotonic()
    answer = Door(real.path).ask("milestones", None, 500)
    assert len(answer["rows"]) == 500
    assert all(row["sources"] for row in answer["rows"])
    assert time.monotonic() - start < 15


def test_counts_say_that_they_cite_nothing(call: Callable[..., Any]) -> None:
    assert "no fact that has sources" in call("ask", question="approvals-by-agency")["note"]


def test_show_gives_the_sources_of_what_refers_to_a_thing(call: Callable[..., Any]) -> None:
    shown = call("show", thing="Kymriah")
    approval = next(s for s in shown["referred_to_by"] if s["value"] == "milestone:us-fda-kymriah-2017")
    assert approval["sources"]
    assert all(shown["sources"][source]["url"].startswith("http") for source in approval["sources"])


def test_a_long_answer_is_sent_in_pages_and_says_so(call: Callable[..., Any]) -> None:
    first = call("ask", question="approvals", limit=2)
    assert first["complete"] is False
    assert first["rows_found"] > 2
    rest = call("ask", question="approvals", limit=500, skip=2)
    assert rest["complete"] is True
    assert call("ask", question="approvals", skip=4000)["note"].startswith("`skip` leaves out all")
    assert len(first["rows"]) + len(rest["rows"]) == first["rows_found"]
    cut = call("sparql", query="SELECT * { ?s ?p ?o }", limit=7)
    assert (len(cut["rows"]), cut["rows_found"], cut["complete"]) == (7, "more than 7", False)


@pytest.mark.parametrize("question", library().values(), ids=lambda question: question.name)
def test_every_question_can_be_asked(question: Any, small: Release) -> None:
    values = {p.name: p.example for p in question.parameters if p.required}
    answer = Door(small.path).ask(question.name, values, 5)
    assert answer["columns"] == list(question.result)


def test_the_schema_in_parts(call: Callable[..., Any]) -> None:
    overview = call("describe_schema")
    assert any(line.startswith("cgt:Approval (") for line in overview["classes"])
    assert call("sparql", query=overview["example"])["columns"] == ["milestone", "product", "agency", "date"]
    assert {"cgt:about"} <= {row["id"] for row in call("describe_schema", part="properties")["properties"]}
    assert {"class:car-t"} <= {row["id"] for row in call("describe_schema", part="therapy_classes")["therapy_classes"]}
    assert "product" in call("describe_schema", part="prefixes")["prefixes"]
    assert all(row["label"] for row in call("describe_schema", part="classes")["classes"])
    assert "SELECT" in call("list_questions", name="approvals")["sparql"]
    every = call("list_questions", name="", subject="")
    assert {row["name"]: row["parameters"] for row in every["questions"]}["history"] == "product*"
    assert len(every["questions"]) == len(library())
    (one,) = (row for row in call("list_questions", subject="approvals")["questions"] if row["name"] == "approvals")
    assert "agency:us-fda" in one["parameters"]["agency"]


def test_ids_that_the_graph_does_not_have_are_told_of(call: Callable[..., Any]) -> None:
    query = "SELECT ?x { ?x a cgt:Aproval ; cgt:agency agency:fda ; rdfs:label ?l FILTER(?l != 'cgt:nope') } # cgt:nope"
    first, second = call("sparql", query=query)["warnings"]
    assert first.startswith("cgt:Aproval is not in the graph; did you mean cgt:Approval")
    assert second.startswith("agency:fda is not in the graph; did you mean agency:us-fda")
    own = (
        "PREFIX c: <https://w3id.org/cgt-kg/ontology#> ASK { ?x a c:Aproval, <https://w3id.org/cgt-kg/id/class/cart> }"
    )
    assert [said.partition(" ")[0] for said in call("sparql", query=own)["warnings"]] == ["cgt:Aproval", "class:cart"]
    many = "SELECT * { VALUES ?x { " + " ".join(f"product:nope-{n}" for n in range(2_000)) + " } }"
    assert len(call("sparql", query=many, limit=1)["warnings"]) == 10
    assert "warnings" not in call("sparql", query="ASK { product:kymriah a cgt:Product ; cgt:therapy ?x }")
    assert call("show", thing="agency:fda")["near"][0] == "agency:us-fda"
    assert call("show", thing="cgt:Aproval")["near"][0] == "cgt:Approval"


def test_what_is_shown_in_part_says_where_the_rest_is(real: Release) -> None:
    shown = Door(real.path).show("FDA")
    assert len(shown["referred_to_by"]) == 80
    assert "milestones-of with thing agency:us-fda" in shown["note"]


def test_an_answer_is_text_as_short_as_it_can_be(small: Release) -> None:
    async def look(client: Client) -> None:
        result = await client.call_tool(
            "ask", {"question": "approvals", "parameters": {"product": "奕凯达", "agency": None}}
        )
        text = result.content[0].text  # type: ignore[union-attr]
        assert json.loads(text) == result.structured_content
        assert "奕凯达" in text
        assert "\n" not in text
        for tool in (await client.list_tools()).tools:
            assert "  " not in (tool.description or ""), tool.name

    talk(server(Door(small.path)), look)


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("ask", {"question": "aprovals"}, "did you mean approvals"),
        ("ask", {"question": "history"}, "needs product"),
        ("ask", {"question": "approvals", "parameters": {"colour": "x"}}, "no parameter 'colour'; it takes: agency"),
        ("ask", {"question": "approvals", "parameters": {"as_of": "soon"}}, "YYYY-MM-DD"),
        ("ask", {"question": "approvals", "parameters": {"agency": "a" * 100_000}}, "longer than 300"),
        ("ask", {"question": "approvals", "parameters": {"a" * 9_000: "x"}}, "longer than 300"),
        ("ask", {"question": "approvals", "limit": 10**9}, "must be a whole number from 1 to 500, not 1000"),
        ("ask", {"question": "gaps", "parameters": {"agency": "MHRA", "at_least": "4 } DROP ALL"}}, "whole number"),
        ("list_questions", {"subject": "cooking"}, "subjects are approvals"),
        ("ask", {"question": "approvals", "agency": "FDA"}, "no argument 'agency'; it takes: question, parameters,"),
        ("ask", {"question": "approvals", "parameters": {"agencey": "FDA"}}, "did you mean agency? It takes: agency,"),
        ("ask", {"question": "approvals", "parameters": {"agency": ["FDA"]}}, "'agency' in 'parameters' must be text"),
        ("ask", {"question": "approvals", "parameters": {"agency": True}}, "or a whole number, not true"),
        ("ask", {"question": "approvals", "parameters": {"agency": " "}}, "agency is empty; give an agency"),
        ("ask", {"question": "approvals", "parameters": "FDA"}, "'parameters' must be an object"),
        ("ask", {"question": "\x00"}, "list_questions lists them"),
        ("search", {"text": "a" * 100_000}, "'text' must be text of 1 to 300 characters, not \"aaa"),
        ("search", {}, "search needs 'text': text of 1 to 300 characters. A name or part of one"),
        ("search", {"text": " \n"}, "must be text of 1 to 300 characters"),
        ("search", {"txt": "Kymriah"}, "no argument 'txt'; did you mean 'text'? It takes: text, limit"),
        ("show", {"thing": ""}, "'thing' must be text of 1 to 300 characters, not \"\""),
        ("describe_schema", {"part": "../../etc/passwd"}, "must be one of overview, classes,"),
        ("sparql", {"query": "SELEKT"}, "not a SPARQL 1.1 query: line 1, column 7"),
        ("sparql", {"query": "ASK { ?x a cgtt:Product }"}, "prefix cgtt: is neither declared nor"),
        ("sparql", {"query": "INSERT DATA { <a:a> <a:b> 1 }"}, "updates are refused"),
        ("sparql", {"query": "LOAD <file:///etc/passwd>"}, "updates are refused"),
        ("sparql", {"query": "prefix a: <a:> # c\n delete where { ?s ?p ?o }"}, "updates are refused"),
        ("sparql", {"query": "SELECT (1 AS ?x) {} #" + "a" * 200_000}, "at most 100,000 are taken"),
        ("sparql", {"query": "SELECT (" + "(" * 9_000 + "1" + ")" * 9_000 + " AS ?x) {}"}, "nested more than 300"),
        ("sparql", {"query": "SELECT (1" + "||1" * 20_000 + " AS ?x) {}"}, "nested too deeply"),
        ("sparql", {"query": _CARTESIAN}, "stopped after 3 seconds"),
        ("sparql", {"query": _DOUBLING}, "needs more memory"),
        ("sparql", {"query": "SELECT ?x { SERVICE <http://127.0.0.1:9/> { ?x ?y ?z } }"}, "SERVICE is refused"),
        ("serach", {}, "no tool 'serach'; did you mean search? The tools are: search, show"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_does_not_fit_is_explained(tool: str, arguments: Any, message: str, call: Callable[..., Any]) -> None:
    text = call(tool, **arguments)
    assert isinstance(text, str), text
    assert message in text
    assert not re.search("Traceback|pydantic|https?:|type=|Error executing", text)
    assert text.count("\n") == 0
    assert len(text) < 400


@pytest.mark.parametrize(
    "value", ["x> } DROP ALL #", '" . ?s ?p ?o . "', "https://w3id.org/cgt-kg/id/agency/us-fda> ?x", "\x00", "\ud800"]
)
def test_a_parameter_is_never_text_of_the_query(value: str, small: Release) -> None:
    answer = Door(small.path).ask("approvals", {"agency": value})
    assert answer["not_in_graph"].startswith("Not in the graph: no agency")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { SERVICE <%s> { ?a ?b ?c } }",
        "select * { service silent<%s>{ ?a ?b ?c } }",
        "SELECT * { <http://x#y> ?p ?o . SERVICE <%s> { ?a ?b ?c } }",
        "SELECT * { ?s ?p 'a#' OPTIONAL{SeRvIcE#\n<%s> { ?a ?b ?c } } }",
        "SELECT * { VALUES ?x { <%s> } FILTER(1<2)SERVICE?x#>\n{ ?a ?b ?c } }",
        "SELECT * { FILTER(1<'#>')SERVICE <%s> { ?a ?b ?c } FILTER(1<'#>') }",
        "ASK { { SELECT * { SERVICE <%s> { ?a ?b ?c } } } }",
        "CONSTRUCT { ?a ?b ?c } WHERE { SERVICE <%s> { ?a ?b ?c } }",
    ],
)
def test_no_query_reaches_out(query: str, small: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0.2)
        text = query % f"http://127.0.0.1:{canary.getsockname()[1]}/"
        assert "SERVICE" in inspect(text).refused
        with pytest.raises(QueryError, match="SERVICE is refused"):
            evaluate(small, text)
        monkeypatch.setattr("kg.syntax.bars_sockets", lambda: False)
        with pytest.raises(QueryError, match="SERVICE is refused"):
            evaluate(small, text)
        with pytest.raises(TimeoutError):
            canary.accept()


def test_where_sockets_cannot_be_barred_the_word_is_refused_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "SELECT ?a { ?a rdfs:label 'Health Service' }"
    assert not inspect(text).refused
    monkeypatch.setattr("kg.syntax.bars_sockets", lambda: False)
    assert inspect(text).refused


def test_the_word_service_may_be_spoken_of(small: Release) -> None:
    for text in (
        "SELECT ?service { ?service a cgt:Agency } # service",
        "SELECT ?a { ?a rdfs:label ?l FILTER(CONTAINS(?l, 'Health Service')) }",
    ):
        evaluate(small, text)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can give up sockets")
def test_a_confined_process_cannot_open_sockets() -> None:
    code = (
        "import socket\nfrom kg.sandbox import confine\nconfine(10**9)\n"
        "try: socket.socket()\nexcept PermissionError: print('barred')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "barred\n"


def test_a_light_question_beside_heavy_ones_and_no_child_is_left(small: Release) -> None:
    heavy = [threading.Thread(target=_fails, args=(small,)) for _ in range(3)]
    for thread in heavy:
        thread.start()
    start = time.monotonic()
    assert evaluate(small, "ASK { ?p a cgt:Product }").answer.rows
    assert time.monotonic() - start < 4
    for thread in heavy:
        thread.join(timeout=20)
        assert not thread.is_alive()
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    assert not children.exists() or not [
        child for child in children.read_text().split() if b"kg.confined" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def test_a_release_that_does_not_fit_says_so(small: Release) -> None:
    with pytest.raises(ReleaseError, match="more memory is needed to open the release: at least 300,000,000 bytes"):
        evaluate(small, "ASK {}", Limits(memory=LEAST_MEMORY // 3))
    for _ in range(10):
        assert evaluate(small, "ASK {}", Limits(memory=LEAST_MEMORY)).answer.rows


def _fails(release: Release) -> None:
    with pytest.raises(QueryError, match="stopped after"):
        evaluate(release, _CARTESIAN, Limits(seconds=5))


def test_a_new_release_is_picked_up(small: Release, real: Release, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(small.path)
    door = Door(tmp_path)
    before = door.search("Kymriah")["release"]["name"]
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to(real.path)
    assert door.search("Kymriah")["release"]["name"] == real.manifest["name"] != before


def test_without_a_release_it_says_how_to_make_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kg", "mcp", "--build", str(tmp_path)],
        check=False, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert "make one with `kg build`" in done.stderr
    assert done.stderr.count("\n") == 1
