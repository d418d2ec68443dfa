"""Ids of the project in a query that the graph does not have: to ask for them is no error, and answers nothing."""

from itertools import islice
from typing import Final

import pyoxigraph as ox

from kg.namespaces import OWN, compact
from kg.query import names, nearest_ids
from kg.store import Release
from kg.syntax import named

_MOST: Final = 10
"""Ids that are told; a query may have thousands."""


def strangers(text: str, release: Release) -> list[str]:
    """Return a sentence for each thing, class and property of the project that a query names and a release lacks.

    The first ten are told.

    Args:
        text: The query.
        release: What it is asked of.
    """
    own = (iri for iri in named(text) if iri.startswith(OWN))
    lacking = list(islice((iri for iri in own if not _has(release, iri)), _MOST))
    known = names(release) if lacking else []
    return [_told(compact(iri), nearest_ids(iri, known, 3)) for iri in lacking]


def _has(release: Release, iri: str) -> bool:
    # No text of a stranger's becomes text of a query that runs here, outside its bounds.
    return any(True for _ in release.store.quads_for_pattern(ox.NamedNode(iri), None, None, None))


def _told(lacking: str, near: list[str]) -> str:
    return f"{lacking} is not in the graph" + (f"; did you mean {' or '.join(near)}?" if near else "")
