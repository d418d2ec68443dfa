"""Pictures of answers: of a question at `/questions/<name>/<kind>.svg`, of a thing's milestones at its `timeline.svg`.

A page shows a picture as an image, beside the table or the list that has the same for whoever does not see it.
"""

import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from threading import BoundedSemaphore
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from kg import vega
from kg.charts import THING, picture, written
from kg.charts.looks import Page
from kg.errors import KgError, QueryError
from kg.figures import Figure
from kg.query import Question, find, library
from kg.report import rows
from kg.store import Answer
from kg.web.answers import SVG, missing, sent
from kg.web.opened import Opened
from kg.web.pages.tabular import given

_FILES: Final = {
    "svg": (SVG, "svg", False),
    "small.svg": (SVG, "svg", True),
    "png": ("image/png", "png", False),
    "vl.json": ("application/json", "", False),
}
"""By suffix: the media type, how the specification is drawn, and whether it is for a phone."""
_POLICY: Final = f"default-src 'none'; style-src 'sha256-{b64encode(sha256(vega.STYLE.encode()).digest()).decode()}'"
_AT_ONCE: Final = BoundedSemaphore(2)
_PATIENCE: Final = 20.0
_KEPT: Final = 64


class BusyError(KgError):
    """A picture is not drawn in time."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture on a page.

    Attributes:
        kind: What kind of picture it is.
        alt: What it shows, in a sentence.
        path: Its address without the suffix.
        words: What follows the suffix in the address.
    """

    kind: str
    alt: str
    path: str
    words: str = ""

    def file(self, suffix: str) -> str:
        """Return the address of the picture in a format."""
        return f"{self.path}.{suffix}{'?' + self.words if self.words else ''}"


def shown(opened: Opened, question: Question, answer: Answer, values: Mapping[str, str]) -> list[Shown]:
    """Return the pictures of an answer that have something to show."""
    drawn = [
        (figure, _specified(opened, question, figure, answer, values, small=False)) for figure in question.pictures
    ]
    return [
        Shown(figure.kind, str(spec["description"]), f"/questions/{question.name}/{figure.kind}", urlencode(values))
        for figure, spec in drawn
        if spec
    ]


def of_thing(thing: str, label: str) -> Shown:
    """Return the timeline of a thing that has milestones."""
    return Shown("timeline", f"The milestones of {label} over time", f"/page/{thing.replace(':', '/')}/timeline")


def of_question(request: Request, opened: Opened) -> Response:
    """Answer with a picture of a question's answer."""
    name, file = request.path_params["name"], request.path_params["file"]
    return _answer(opened, name, file, given(request.query_params))


def timeline(request: Request, opened: Opened) -> Response:
    """Answer with the timeline of a thing's milestones."""
    kind, name, suffix = (request.path_params[key] for key in ("kind", "name", "suffix"))
    if not opened.cell(f"{kind}:{name}")["href"]:
        return missing(opened, name)
    return _answer(opened, THING, f"timeline.{suffix}", {"thing": f"{kind}:{name}"})


def _answer(opened: Opened, name: str, file: str, values: Mapping[str, str]) -> Response:
    kind, _, suffix = file.partition(".")
    figure = next((one for one in library()[name].pictures if one.kind == kind), None) if name in library() else None
    if figure is None or suffix not in _FILES:
        return missing(opened, name)
    media, form, small = _FILES[suffix]
    try:
        answer = opened.answer(name, *sorted(values.items()))
        spec = _specified(opened, find(name), figure, answer, values, small)
        if spec is None:
            raise QueryError("there is nothing to draw; widen the question")
        content = (opened.draw or _drawn)(written(spec), form) if form else written(spec).encode()
    except BusyError as error:
        return sent(f"{error}\n", "text/plain", {"Retry-After": "5"}, 503)
    except QueryError as error:
        return sent(f"{error}\n", "text/plain", status=400)
    return sent(content, media, {"Content-Security-Policy": _POLICY})


def _specified(
    opened: Opened, question: Question, figure: Figure, answer: Answer, values: Mapping[str, str], small: bool = False
) -> dict[str, Any] | None:
    said = ", ".join(opened.cell(value)["text"] for _, value in sorted(values.items()))
    release = f"cgt-kg, release {opened.name}"
    page = Page(question.title, [said, release] if said else [release], small)
    if question.name == THING:
        page = Page(f"Milestones of {said}", [release], small)
    return picture(figure, rows(answer), opened.release, page)


@lru_cache(maxsize=_KEPT)
def _drawn(spec: str, form: str) -> bytes:
    """Draw in a process of its own: the engine would hold this one's lock, and could not be stopped."""
    if not _AT_ONCE.acquire(timeout=_PATIENCE):
        raise BusyError("many pictures are being drawn; try again in a moment")
    try:
        done = subprocess.run(  # noqa: S603 - this program itself; the data goes in as data
            [sys.executable, "-I", vega.__file__, form],
            input=spec.encode(), capture_output=True, check=True, timeout=_PATIENCE,
        )  # fmt: skip
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        raise BusyError("the picture could not be drawn in time; narrow the question") from None
    finally:
        _AT_ONCE.release()
    return done.stdout
