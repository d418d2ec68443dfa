"""A door for language models: the graph as tools and resources of the Model Context Protocol."""

import functools
import inspect
import json
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, ParamSpec

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError, UnexpectedToolError
from mcp.server.mcpserver.resources import FileResource
from mcp.types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import ValidationError

from kg import __version__, resources
from kg.door.arguments import unknown, wrong
from kg.door.tools import LISTED, Door
from kg.errors import KgError
from kg.namespaces import RESOURCES
from kg.ports import bindable
from kg.query import find

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
How to answer: cite the addresses under `sources`, name the release, and repeat what `not_in_graph`, `note` and \
`warnings` say. Never fill a gap from memory without saying so: absence here means that the graph does not state it.\
"""
_P = ParamSpec("_P")


class _Server(MCPServer[Any]):
    """The protocol's server, which tells a model what is wrong with its call in one sentence."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        schemas = {tool.name: tool.input_schema for tool in await self.list_tools()}
        if name not in schemas:
            near = get_close_matches(name, schemas, 1)
            hint = f"did you mean {near[0]}? The tools are" if near else "the tools are"
            raise ToolError(f"no tool '{name[:100]}'; {hint}: {', '.join(schemas)}")
        # What a tool does not take would be left out without a word, and its answer be of something else.
        if said := unknown(name, schemas[name], arguments):
            raise ToolError(said)
        try:
            result = await super().call_tool(name, arguments, context)
        except UnexpectedToolError as error:
            raise UnexpectedToolError(f"{name} failed: a fault of the server, not of the arguments") from error
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError):
                first = cause.errors()[0]
                missing = first["type"] == "missing"
                raise ToolError(wrong(name, schemas[name], first["loc"], first["input"], missing)) from cause
            raise ToolError(str(cause)) from cause
        if isinstance(result, CallToolResult):
            # Indented, as the library writes it, the same would cost a model a quarter more text.
            text = json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))
            result.content = [TextContent(type="text", text=text)]
        return result


def server(door: Door) -> MCPServer[Any]:
    """Return the server of a door, with its tools and resources, not yet run."""
    made = _Server(
        "cgt-kg", title="Cell and gene therapy knowledge graph", version=__version__, instructions=_INSTRUCTIONS,
        log_level="WARNING", subscriptions=False,
    )  # fmt: skip
    for tool in (door.search, door.show, door.list_questions, door.ask, door.sparql, door.describe_schema):
        made.add_tool(_reporting(tool), description=inspect.getdoc(tool), annotations=_READS)
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
            return find(name, LISTED).text
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


def serve(folder: Path | None = None, port: int | None = None, ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve the door until the client leaves.

    Args:
        folder: The build folder.
        port: The port on the loopback interface for streamable HTTP at `/mcp`; standard input and output where None.
        ready: Is told the address and port, before the first client is answered.

    Raises:
        ReleaseError: There is no release.
        OutputError: The port is taken.
    """
    made = server(Door(folder))
    if port is None:
        made.run("stdio")
    else:
        host, port = bindable("127.0.0.1", port)
        ready(f"{host}:{port}")
        made.run(
            "streamable-http", host=host, port=port, json_response=True, stateless_http=True,
            max_request_body_size=_BODY,
        )  # fmt: skip
