"""The library's networks: a page that draws each, the same as a picture, and the files to take along."""

import base64
import hashlib
import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from kg.errors import QueryError
from kg.query import LIST_SEPARATOR, library
from kg.web.answers import html, missing, sent
from kg.web.files import built
from kg.web.networks.drawing import written
from kg.web.opened import Opened
from kg.web.pages.questions import fields

_MEDIA: Final = {
    "html": "text/html", "svg": "image/svg+xml", "graphml": "application/graphml+xml", "gexf": "application/xml",
    "json": "application/json",
}  # fmt: skip
_PLACED: Final = "places.json"
"""The suffix of what the page's script draws: the network with a place for each node."""
_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_LONG: Final = 200
"""Letters that a value of a form may have."""


def listing(_: Request, opened: Opened) -> Response:
    """Answer with the networks of the library."""
    return html(opened, "networks.html", {"networks": [q for q in library().values() if q.network]})


def show(request: Request, opened: Opened) -> Response:
    """Answer with a network's page, or with a suffix its file."""
    name, dot, suffix = request.path_params["name"].partition(".")
    question = library().get(name)
    if question is None or not question.network or (dot and suffix not in {*_MEDIA, _PLACED}):
        return missing(opened, name)
    known = {parameter.name for parameter in question.parameters}
    given = {k: v.strip()[:_LONG] for k, v in request.query_params.items() if k in known and v.strip()}
    if dot:
        return _file(opened, name, suffix, given)
    problem = ""
    try:
        opened.network(name, *sorted(given.items()))
    except QueryError as error:
        problem = str(error)
    words = request.url.replace(query="").include_query_params(**given).query
    files = {s: f"/networks/{name}.{s}{'?' + words if words else ''}" for s in (*_MEDIA, _PLACED)}
    content = {
        "question": question,
        "given": given,
        "problem": problem,
        "fields": fields(opened, question),
        "data": files.pop(_PLACED),
        "files": files,
        "words": words,
        "built": built(),
    }
    return html(opened, "network-page.html", content, 400 if problem else 200)


def _file(opened: Opened, name: str, suffix: str, given: dict[str, str]) -> Response:
    values = sorted(given.items())
    try:
        if suffix == _PLACED:
            return sent(_placed(opened, name, *values), _MEDIA["json"])
        text = opened.drawn(name, f".{suffix}", *values)
    except QueryError as error:
        return sent(f"{error}\n", "text/plain", status=400)
    policy = _policy(text) if suffix == "html" else "default-src 'none'; style-src 'unsafe-inline'"
    return sent(text, _MEDIA[suffix], {"Content-Security-Policy": policy})


def _placed(opened: Opened, name: str, *values: tuple[str, str]) -> str:
    graph, places = opened.network(name, *values), opened.places(name, *values)
    nodes = {
        one: {"label": facts["label"], "kind": facts["kind"], "x": places[one][0], "y": places[one][1]}
        for one, facts in graph.nodes(data=True)
    }
    edges = [
        {"source": one, "target": other, "label": facts["relation"], "date": facts.get("date"),
         "detail": facts.get("detail"), "sources": list(filter(None, facts.get("sources", "").split(LIST_SEPARATOR)))}
        for one, other, facts in graph.edges(data=True)
    ]  # fmt: skip
    return written(opened, nodes, edges)


def _policy(text: str) -> str:
    """A policy that runs exactly the scripts that the page holds, which stands alone and so has them inline."""
    scripts = (hashlib.sha256(script.encode()).digest() for script in _SCRIPT.findall(text))
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
