"""What a published copy shows in place of what needs a server: its search, its data, and where there is nothing."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyoxigraph as ox
from starlette.requests import Request
from starlette.responses import Response

from kg.export import CHECKSUMS
from kg.namespaces import compact
from kg.query import names
from kg.web.answers import Endpoint, html, missing, sent
from kg.web.opened import Opened
from kg.web.pages.facts import View
from kg.web.pages.linked import FORMATS, written
from kg.web.pages.start import BESIDE
from kg.web.publish.crawl import MISSING
from kg.web.publish.links import DATA, NAMES, SEARCH

VOID: Final = "/.well-known/void"


@dataclass(frozen=True, slots=True)
class Dumps:
    """The files of the whole graph.

    Attributes:
        folder: Where they are.
        files: Each by its path below the folder, with its size and its SHA-256; but for that which lists these.
    """

    folder: Path
    files: tuple[tuple[str, int, str], ...]


def dumped(paths: Sequence[Path]) -> Dumps:
    """Return what files were written by an export."""
    top = next(path.parent for path in paths if path.name == CHECKSUMS)
    return Dumps(top, tuple(
        (path.relative_to(top).as_posix(), path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in paths
        if path.name != CHECKSUMS
    ))  # fmt: skip


def addresses(dumps: Dumps) -> list[tuple[str, Endpoint]]:
    """Return what is answered at which address, in place of the server's own answers."""
    described = sorted(ox.parse(path=str(dumps.folder / "void.ttl"), format=ox.RdfFormat.TURTLE), key=str)

    def data(_: Request, opened: Opened) -> Response:
        return html(opened, "published-sparql.html", {"dumps": dumps.files, "sums": CHECKSUMS})

    def void(request: Request, _: Opened) -> Response:
        suffix = request.path_params.get("suffix", "ttl")
        return sent(written(described, suffix), FORMATS[suffix][0])

    return [
        (SEARCH, _search), (NAMES, _names), (DATA, data), (MISSING, _missing), (VOID, void),
        (f"{VOID}.{{suffix}}", void),
    ]  # fmt: skip


def _search(_: Request, opened: Opened) -> Response:
    return html(opened, "published-search.html", {})


def _missing(_: Request, opened: Opened) -> Response:
    return missing(opened, "")


def _names(_: Request, opened: Opened) -> Response:
    """Every name of everything that has a page, as a script: [id, label, place of the kind, other names]."""
    labels: dict[str, str] = {}
    others: dict[str, set[str]] = {}
    for iri, name, label in names(opened.release):
        if (opened.path(iri) or "").startswith("/page/"):
            labels[iri] = label
            others.setdefault(iri, set()).add(name)
    kinds = {iri: ", ".join(View(opened, iri).kinds(iri)) for iri in labels}
    known = sorted(set(kinds.values()))
    # What is named after other things stands last, as it does among the server's suggestions.
    order = sorted(labels, key=lambda iri: (compact(iri).startswith(BESIDE), labels[iri].casefold(), iri))
    content = {
        "kinds": known,
        "beside": sum(not compact(iri).startswith(BESIDE) for iri in order),
        "things": [
            [compact(iri), labels[iri], known.index(kinds[iri]), sorted(others[iri] - {labels[iri]})] for iri in order
        ],
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return sent(f"window.kgNames={text};\n", "text/javascript")
