"""The library's networks: a page around the drawing that `kg network` writes, and the files to take along."""

import base64
import hashlib
import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from kg.errors import QueryError
from kg.query import library
from kg.web.answers import html, missing, sent
from kg.web.opened import Opened
from kg.web.questions import fields

_MEDIA: Final = {
    ".html": "text/html", ".svg": "image/svg+xml", ".graphml": "application/graphml+xml",
    ".gexf": "application/xml", ".json": "application/json",
}  # fmt: skip
_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def listing(_: Request, opened: Opened) -> Response:
    """Answer with the networks of the library."""
    return html(opened, "networks.html", {"networks": [q for q in library().values() if q.network]})


def show(request: Request, opened: Opened) -> Response:
    """Answer with a network's page, or with a suffix its file."""
    name, dot, suffix = request.path_params["name"].partition(".")
    question = library().get(name)
    if question is None or not question.network or (dot and f".{suffix}" not in _MEDIA):
        return missing(opened, name)
    known = {parameter.name for parameter in question.parameters}
    given = {k: v.strip()[:200] for k, v in request.query_params.items() if k in known and v.strip()}
    if dot:
        return _file(opened, name, f".{suffix}", given)
    words = request.url.replace(query="").include_query_params(**given).query
    content = {
        "question": question,
        "given": given,
        "fields": fields(opened, question),
        "files": [(s.removeprefix("."), f"/networks/{name}{s}{'?' + words if words else ''}") for s in _MEDIA],
        "words": words,
    }
    return html(opened, "network-page.html", content)


def _file(opened: Opened, name: str, suffix: str, given: dict[str, str]) -> Response:
    try:
        text = opened.drawn(name, suffix, *sorted(given.items()))
    except QueryError as error:
        return sent(f"{error}\n", "text/plain", status=400)
    headers = {
        "Content-Security-Policy": _policy(text)
        if suffix == ".html"
        else "default-src 'none'; style-src 'unsafe-inline'"
    }
    return sent(text, _MEDIA[suffix], headers)


def _policy(text: str) -> str:
    """A policy that runs exactly the scripts that the page holds, which stands alone and so has them inline."""
    scripts = (hashlib.sha256(script.encode()).digest() for script in _SCRIPT.findall(text))
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
