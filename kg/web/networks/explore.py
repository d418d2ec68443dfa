"""Free exploration: from any thing to its neighbours, step by step; the address holds all that is shown."""

from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from kg.errors import QueryError
from kg.neighbours import STEP, Explored, Group, Manner, Step
from kg.web.answers import html, missing, sent
from kg.web.files import built
from kg.web.networks.drawing import written
from kg.web.opened import Opened
from kg.web.pages.things import look_up
from kg.web.pages.twins import apart

_SHOWS: Final = ("milestones", "evidence")
"""What the parameter `show` may ask for: the fields of a manner."""

_KEPT: Final = ("thing", "expand", "show")
_EXAMPLES: Final = ("product:kymriah", "agency:us-fda", "class:car-t", "gene:cd19", "organisation:novartis")
_HITS: Final = 20
_LONG: Final = 200
"""Letters of a search that are looked at."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for: things with their neighbours, further steps, and how neighbours are seen."""

    steps: tuple[Step, ...]
    manner: Manner

    @classmethod
    def read(cls, params: QueryParams) -> "Asked":
        """Read the parameters `thing`, `expand` and `show`; others are for the page's script.

        Raises:
            QueryError: A step is not written as steps are.
        """
        steps = [Step.read(text.strip()) for name in ("thing", "expand") for text in params.getlist(name)]
        shows = params.getlist("show")
        manner = Manner(**{name: name in shows for name in _SHOWS})
        return cls(tuple(dict.fromkeys(steps)), manner)


def page(request: Request, opened: Opened) -> Response:
    """Answer with the page: a drawing where the script can run, and the same as lists where not."""
    sought = request.query_params.get("find", "").strip()[:_LONG]
    problem, asked = "", Asked((), Manner())
    try:
        asked = Asked.read(request.query_params)
    except QueryError as error:
        problem = str(error)
    address = _address(asked)
    found = opened.surroundings.explore(asked.steps, asked.manner)
    if found.unknown and not found.nodes:
        kind, _, name = found.unknown[0].partition(":")
        answer = look_up(opened, kind, name)
        return answer if isinstance(answer, Response) else missing(opened, name)
    near = opened.index.search(sought, _HITS) if sought else []
    hits = [(_further(address, Step(hit.id)), hit) for hit in near]
    examples = [(_further(address, Step(one)), opened.cell(one)) for one in _EXAMPLES if opened.surroundings.there(one)]
    content = {
        "problem": problem,
        "unknown": found.unknown,
        "sought": sought,
        "hits": hits,
        "apart": apart(opened, near),
        "examples": [] if asked.steps or sought else examples,
        "lists": _lists(opened, asked, found),
        "kept": [(name, text) for name, text in request.query_params.multi_items() if name in _KEPT],
        "data": "/explore.json",
        "built": built(),
    }
    return html(opened, "explore.html", content, 400 if problem else 200)


def data(request: Request, opened: Opened) -> Response:
    """Answer with what is shown, for the page's script: every relation between two things shown is there."""
    try:
        asked = Asked.read(request.query_params)
    except QueryError as error:
        return sent(f"{error}\n", "text/plain", status=400)
    found = opened.surroundings.explore(asked.steps, asked.manner)
    if found.unknown and not found.nodes:
        return sent(f"there is no {found.unknown[0]}\n", "text/plain", status=404)
    shown = set(found.nodes)
    expanded = {thing: [_counted(group, shown) for group in groups] for thing, groups in found.groups.items()}
    edges = [asdict(edge) for edge in found.edges]
    nodes: dict[str, dict[str, Any]] = {one: {} for one in found.nodes}
    return sent(written(opened, nodes, edges, expanded=expanded, unknown=found.unknown), "application/json")


def _counted(group: Group, shown: set[str]) -> dict[str, Any]:
    """A group as the script shows it: how many there are, and how many of them are in the drawing."""
    count = sum(one in shown for one in group.things)
    return {
        "way": group.way,
        "property": group.property,
        "label": group.label,
        "count": len(group.things),
        "shown": count,
    }


def _lists(opened: Opened, asked: Asked, found: Explored) -> list[dict[str, Any]]:
    """What is shown as lists: each expanded thing with its neighbours by relation, and where to go on."""
    most = {(step.thing, step.way, step.property): step.most for step in asked.steps}
    lists: list[dict[str, Any]] = []
    address = _address(asked)
    for thing, groups in found.groups.items():
        parts = []
        for group in groups:
            room = most.get((thing, group.way, group.property), STEP)
            links = [(opened.cell(one), _further(address, Step(one))) for one in group.things[:room]]
            more = Step(thing, group.way, group.property, room + STEP) if len(group.things) > room else None
            rest = (len(group.things) - room, _further(address, more)) if more else None
            parts.append({"group": group, "links": links, "rest": rest})
        lists.append({"thing": opened.cell(thing), "parts": parts})
    return lists


def _address(asked: Asked) -> str:
    """The address of what is asked for, to which one more step can be added."""
    shows = [("show", name) for name in _SHOWS if getattr(asked.manner, name)]
    return "/explore?" + urlencode([*shows, *(("expand", _text(one)) for one in asked.steps)], safe=":~")


def _further(address: str, step: Step) -> str:
    """An address after one more step."""
    return f"{address}{'' if address.endswith('?') else '&'}expand={quote(_text(step), safe=':~')}"


def _text(step: Step) -> str:
    return f"{step.thing}~{step.way}~{step.property}~{step.most}" if step.way else step.thing
