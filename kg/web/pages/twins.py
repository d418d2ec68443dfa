"""What tells apart things of one kind that are called the same, where names alone are shown."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from kg.lookup import Hit
from kg.namespaces import expand
from kg.web.opened import Opened
from kg.web.pages.facts import View

_TELLING: Final = (
    "cgt:indication", "cgt:pathway", "cgt:agency", "cgt:date", "cgt:publisher", "cgt:published", "prov:wasDerivedFrom",
    "cgt:value",
)  # fmt: skip
"""What tells things apart, the best first."""
_SAID: Final = 2
"""So many differences are said."""


def apart(opened: Opened, hits: Iterable[Hit]) -> dict[str, str]:
    """Return for those of some hits whose label and kind are those of another in what they differ, or else their id.

    Args:
        opened: The release.
        hits: What is shown together.
    """
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for hit in hits:
        alike[hit.label, hit.kind].append(hit.id)
    found: dict[str, str] = {}
    for twins in alike.values():
        if len(twins) > 1:
            found |= _told(opened, twins)
    return found


def _told(opened: Opened, twins: list[str]) -> dict[str, str]:
    views = {thing: View(opened, expand(thing)) for thing in twins}
    said = {
        thing: [", ".join(view.link(value).text for value in view.values(view.iri, name)) for name in _TELLING]
        for thing, view in views.items()
    }
    differing = [one for one in range(len(_TELLING)) if len({values[one] for values in said.values()}) > 1]
    texts = {
        thing: ", ".join(values[one] for one in differing[:_SAID] if values[one]) for thing, values in said.items()
    }
    enough = len({text for text in texts.values() if text}) == len(twins)
    return texts if enough else {thing: ", ".join(filter(None, (text, thing))) for thing, text in texts.items()}
