"""A door for language models: the graph as tools and resources of the Model Context Protocol.

Every answer names the release and carries the sources of its facts with their addresses. What is not in the graph is
said in words, with the names that come near, for a model that gets an empty list fills it.
"""

import functools
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, Literal, ParamSpec

import pyoxigraph as ox
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.server.mcpserver.resources import FileResource
from mcp.types import ToolAnnotations
from pydantic import Field

from kg import __version__, lookup, resources
from kg.cited import cited, described, sources_of
from kg.errors import KgError, NotInGraphError, QueryError
from kg.guide import described as described_question
from kg.guide import questions, schema
from kg.limited import Limited, Limits, evaluate
from kg.namespaces import RESOURCES, compact, expand
from kg.ports import bindable
from kg.query import arrange, bind, find, library
from kg.store import Answer, Release, open_release

_ROWS: Final = 5_000
"""Rows of a named question that are counted; fewer are sent at once."""
_NAME: Final = 300
"""Characters of the longest name that is looked up."""
_AT_ONCE: Final = 4
"""Queries that run side by side; others wait."""
_STATEMENTS: Final = 80
"""Things shown that refer to one; a large agency has hundreds."""
_BODY: Final = 400_000
"""Bytes of a request over HTTP: the longest query, escaped, has room."""
_READS: Final = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_INSTRUCTIONS: Final = """\
An open knowledge graph of cell and gene therapies: products, therapies and classes, agencies, and dated milestones \
(approvals, designations, refusals, withdrawals, reimbursement, trials), each with the sources it was read from.

How to work: `search` a name to get its id; `ask` a named question (see `list_questions`), which is better than SPARQL \
of your own; `show` everything about one thing; `sparql` for what no question answers, after `describe_schema`.
How to answer: cite the addresses under `sources`, name the release, and repeat what `not_in_graph` or `note` says. \
Never fill a gap from memory without saying so: absence here means that the graph does not state it.\
"""
_NO_ROWS: Final = (
    "Not in the graph: no fact fits. This release does not state it; that is no proof that it did not happen."
)
_P = ParamSpec("_P")
_Name = Annotated[str, Field(min_length=1, max_length=_NAME)]


class Door:
    """The graph as a model meets it.

    Args:
        folder: The build folder; a release built anew is picked up at the next question.
        limits: What one query may take.
    """

    def __init__(self, folder: Path | None = None, limits: Limits | None = None) -> None:
        self._folder = folder
        self._limits = limits or Limits()
        self._held = open_release(folder)
        self._turn = threading.BoundedSemaphore(_AT_ONCE)

    @property
    def release(self) -> Release:
        """The release in use now."""
        now = open_release(self._folder)
        if now.path != self._held.path:
            self._held = now
        return self._held

    def search(
        self,
        text: Annotated[_Name, Field(description="A name or part of one, in any language, misspelt or not: Kymriha")],
        limit: Annotated[int, Field(ge=1, le=50)] = 10,
    ) -> dict[str, Any]:
        """Find things by name: products, therapies, agencies, companies, diseases, genes, pathways, trials, sources.

        Use it first, to turn what a user calls something into the id that the other tools take. Returns hits, best
        first: id, label, kind, the name that matched, a score to 100, and sources. A low score is another thing.
        """
        release = self.release
        hits = lookup.search(text, release, limit)
        of = sources_of((expand(hit.id) for hit in hits), release)
        found = [asdict(hit) | {"sources": [compact(s) for s in of.get(expand(hit.id), [])[:3]]} for hit in hits]
        payload = {"hits": found, "sources": described((expand(s) for row in found for s in row["sources"]), release)}
        if not hits:
            payload["not_in_graph"] = f"Not in the graph: nothing is called anything like '{text}'."
        return self._signed(release, payload)

    def show(
        self,
        thing: Annotated[_Name, Field(description="An id (product:kymriah) or any name (Kymriah, 奕凯达)")],
    ) -> dict[str, Any]:
        """Show everything about one thing: what it is, its facts, what refers to it, and who says so.

        For a product that is its milestones at every agency; for a milestone its fields, with each source's own words
        (`claims`) and whether a source contradicts the value followed (`differs`).
        """
        release = self.release
        try:
            view = lookup.show(thing, release)
        except NotInGraphError as error:
            return self._absent(release, error)
        said = view.said[:_STATEMENTS]
        rows, sources = cited(Answer(("thing",), tuple((ox.NamedNode(_iri(s.value)),) for s in said)), release, 3)
        own = {source: {"title": title, "url": url} for source, title, url in view.sources}
        payload: dict[str, Any] = {
            "id": view.id,
            "iri": view.iri,
            "label": view.label,
            "kinds": list(view.kinds),
            "facts": [asdict(statement) for statement in view.says],
            "fact_sources": list(own),
            "claims": [asdict(claim) for claim in view.claims],
            "referred_to_by": [asdict(s) | {"sources": row["sources"]} for s, row in zip(said, rows, strict=True)],
            "sources": sources | own,
        }
        if len(view.said) > len(said):
            payload["note"] = f"{len(view.said) - len(said)} more things refer to it; ask a question to list them."
        return self._signed(release, payload)

    def list_questions(
        self,
        name: Annotated[
            str | None, Field(max_length=_NAME, description="One question, to see its SPARQL as an example")
        ] = None,
        subject: Annotated[
            str | None, Field(max_length=_NAME, description="approvals, evidence, milestones, statistics, trials ...")
        ] = None,
    ) -> dict[str, Any]:
        """List the named questions: what each answers, which parameters it takes with an example, and its columns."""
        if name is not None:
            question = find(name)
            return self._signed(self.release, {"questions": [described_question(question)], "sparql": question.text})
        found = questions(subject)
        if not found:
            raise QueryError(
                f"no subject '{subject}'; subjects are {', '.join(sorted({q.subject for q in library().values()}))}"
            )
        return self._signed(self.release, {"questions": found})

    def ask(
        self,
        question: Annotated[_Name, Field(description="A name from list_questions: approvals, history")],
        parameters: Annotated[
            dict[str, str | int] | None,
            Field(description='Parameters of the question, ids or names: {"agency": "FDA", "therapy_class": "CAR-T"}'),
        ] = None,
        limit: Annotated[int, Field(ge=1, le=500, description="The most rows to send")] = 30,
        skip: Annotated[int, Field(ge=0, le=_ROWS, description="Rows to leave out, for the next page")] = 0,
    ) -> dict[str, Any]:
        """Ask a named question of the library; reviewed and tested, so preferred over SPARQL of your own.

        Returns rows, each with the ids of its sources, and under `sources` their titles and addresses. `rows_found` is
        how many there are; where `complete` is false, ask again with `skip`.
        """
        release = self.release
        wanted = find(question)
        values = {name.replace("-", "_"): value for name, value in (parameters or {}).items()}
        for name, value in values.items():
            if len(str(value)) > _NAME or len(name) > _NAME:
                raise QueryError(f"a parameter is longer than {_NAME} characters")
        try:
            text = bind(wanted, values, release)
        except NotInGraphError as error:
            return self._absent(release, error)
        found = self._within(release, text, _ROWS)
        answer = arrange(wanted, found.answer)
        payload = self._rows(release, Limited(answer, found.cut), limit, skip)
        payload = {"question": wanted.question, "parameters": values} | payload
        if wanted.registers and not answer.rows:
            payload["note"] = "Only a release that was built with registers has answers to this question."
        return self._signed(release, payload)

    def sparql(
        self,
        query: Annotated[
            str, Field(min_length=1, description="SPARQL 1.1 SELECT, ASK, CONSTRUCT or DESCRIBE; prefixes are known")
        ],
        limit: Annotated[int, Field(ge=1, le=1000, description="The most rows to send")] = 100,
    ) -> dict[str, Any]:
        """Run a read-only SPARQL 1.1 query, where no named question fits. Look at describe_schema first.

        Limits: 10 seconds, 1,000 rows (`complete` is false where there are more), no updates, no SERVICE. Select the
        ids of facts (?milestone, ?product), so that their sources can be added; counts come without sources.
        """
        release = self.release
        return self._signed(release, self._rows(release, self._within(release, query, limit), limit, 0))

    def describe_schema(
        self,
        part: Annotated[
            Literal["overview", "classes", "properties", "therapy_classes", "prefixes"],
            Field(description="overview first; the others have every label and definition"),
        ] = "overview",
    ) -> dict[str, Any]:
        """Describe what the graph is made of: classes with counts, properties, prefixes, therapy classes, questions.

        The overview has advice and an example for SPARQL.
        """
        release = self.release
        return self._signed(release, schema(release, part))

    def _within(self, release: Release, text: str, rows: int) -> Limited:
        own = self._limits
        if not self._turn.acquire(timeout=own.seconds):
            raise QueryError("too many queries are running; ask again in some seconds")
        try:
            return evaluate(release, text, Limits(own.seconds, own.memory, rows, own.bytes, own.text))
        finally:
            self._turn.release()

    def _rows(self, release: Release, found: Limited, limit: int, skip: int) -> dict[str, Any]:
        whole = found.answer.rows
        sent = whole[skip : skip + limit]
        rows, sources = cited(Answer(found.answer.columns, sent), release)
        complete = not found.cut and skip + len(sent) >= len(whole)
        payload: dict[str, Any] = {
            "columns": list(found.answer.columns),
            "rows": rows,
            "rows_found": f"more than {len(whole)}" if found.cut else len(whole),
            "complete": complete,
            "sources": sources,
        }
        if not whole:
            payload["not_in_graph"] = _NO_ROWS
        elif rows and not sources:
            payload["note"] = (
                "These rows name no fact that has sources of its own: they are counted or computed. "
                "Ask for the facts behind them (question approvals, milestones or sources-of) to cite."
            )
        return payload

    def _absent(self, release: Release, error: NotInGraphError) -> dict[str, Any]:
        return self._signed(release, {"not_in_graph": f"Not in the graph: {error}.", "near": list(error.near)})

    @staticmethod
    def _signed(release: Release, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return an answer with the release it is from."""
        about = {"name": release.manifest.get("name"), "facts_as_of": release.manifest.get("modified")}
        return {"release": about, **payload}


def server(door: Door) -> MCPServer[Any]:
    """Return the server of a door, with its tools and resources, not yet run."""
    made: MCPServer[Any] = MCPServer(
        "cgt-kg", title="Cell and gene therapy knowledge graph", version=__version__, instructions=_INSTRUCTIONS,
        log_level="WARNING", subscriptions=False,
    )  # fmt: skip
    for tool in (door.search, door.show, door.list_questions, door.ask, door.sparql, door.describe_schema):
        made.add_tool(_reporting(tool), annotations=_READS)
    for name, about in (
        ("cgt", "The ontology: classes and properties with definitions"),
        ("schemes", "The closed vocabularies and the tree of therapy classes"),
        ("shapes", "The fields of every kind of record"),
    ):
        made.add_resource(
            FileResource(
                uri=f"{RESOURCES}ontology/{name}.ttl", name=f"{name}.ttl", description=about, mime_type="text/turtle",
                path=(resources.ONTOLOGY / f"{name}.ttl").resolve(),
            )
        )  # fmt: skip

    @made.resource(f"{RESOURCES}manifest", mime_type="application/json")
    def manifest() -> str:
        """What the release says of itself: its name, day, counts and checksums."""
        return json.dumps(door.release.manifest, ensure_ascii=False, indent=2)

    @made.resource(f"{RESOURCES}question/{{name}}", mime_type="application/sparql-query")
    def question(name: str) -> str:
        """The SPARQL of a named question."""
        try:
            return find(name).text
        except KgError as error:
            raise ResourceNotFoundError(str(error)) from error

    return made


def _reporting(tool: Callable[_P, dict[str, Any]]) -> Callable[_P, dict[str, Any]]:
    """Return a tool whose errors reach the model in their own words."""

    @functools.wraps(tool)
    def reporting(*args: _P.args, **values: _P.kwargs) -> dict[str, Any]:
        try:
            return tool(*args, **values)
        except KgError as error:
            raise ToolError(str(error)) from error

    return reporting


def serve(folder: Path | None = None, port: int | None = None) -> None:
    """Serve the door until the client leaves.

    Args:
        folder: The build folder.
        port: The port on the loopback interface for streamable HTTP at `/mcp`; standard input and output where None.

    Raises:
        ReleaseError: There is no release.
        OutputError: The port is taken.
    """
    made = server(Door(folder))
    if port is None:
        made.run("stdio")
    else:
        host, port = bindable("127.0.0.1", port)
        made.run(
            "streamable-http", host=host, port=port, json_response=True, stateless_http=True,
            max_request_body_size=_BODY,
        )  # fmt: skip


def _iri(value: str) -> str:
    try:
        return expand(value)
    except KgError:
        return value
