"""Networks as the pages' script draws them: nodes and edges with what they are told apart, filtered and named by."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from kg.namespaces import expand
from kg.web.opened import Opened

_NAMED = ("agencies", "classes", "sources")


def written(
    opened: Opened, nodes: Mapping[str, Mapping[str, Any]], edges: Iterable[Mapping[str, Any]], **more: Any
) -> str:
    """Return a network as JSON.

    Args:
        opened: The release.
        nodes: What is known of each node beside the facts of the thing, by compact id.
        edges: Each with `source`, `target`, `label` and where known `milestone`, `date`, `detail`, `sources`.
        more: What else the script is to know.

    Returns:
        `nodes`, each with its page's address as `href`; `edges`; and in `names` what the agencies, classes and
        sources are called that nodes and edges have.
    """
    found = [
        {"id": one, **opened.surroundings.facts(one), **given, "href": opened.path(expand(one))}
        for one, given in nodes.items()
    ]
    lines = [{name: value for name, value in edge.items() if value} for edge in edges]
    named = {one for each in [*found, *lines] for name in _NAMED for one in each.get(name, ())}
    names = {one: opened.surroundings.label(one) or one for one in sorted(named)}
    return json.dumps({"nodes": found, "edges": lines, "names": names, **more}, ensure_ascii=False)
