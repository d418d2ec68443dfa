"""How answers are drawn: what a question's header says under `pictures`, checked when it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of picture: the roles that columns must and may have in it, and those that several may share."""

    needs: tuple[str, ...]
    may: tuple[str, ...] = ()
    several: tuple[str, ...] = ()


FORMS: Final[Mapping[str, Form]] = MappingProxyType({
    "bars": Form(("category", "number"), ("colour", "against"), ("number",)),
    "columns": Form(("category", "number"), ("colour",)),
    "points": Form(("lane", "number"), ("colour", "label")),
    "series": Form(("period", "number"), ("colour", "panel")),
    "matrix": Form(("across", "down", "cell"), ("colour",)),
    "timeline": Form(("start", "lane"), ("end", "colour", "label")),
    "map": Form(("place", "number")),
})  # fmt: skip
"""The kinds of picture by name."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture that a question's answers can be drawn as.

    Attributes:
        kind: One of `FORMS`.
        columns: The columns of the answer by their role in the picture.
    """

    kind: str
    columns: Mapping[str, tuple[str, ...]]

    def column(self, role: str) -> str:
        """Return the first column of a role, or nothing where the picture has none."""
        return next(iter(self.columns.get(role, ())), "")


def figures(said: object, result: Sequence[str]) -> tuple[Figure, ...]:
    """Read what a header says of pictures.

    Args:
        said: What stands under `pictures`: by kind, the column of each role.
        result: The columns of the question's answer.

    Raises:
        ValueError: A kind, a role or a column is not known, or one that a picture needs is missing.
    """
    if not isinstance(said, Mapping):
        raise ValueError(f"pictures by kind, as in `bars: {{category: agency, number: approvals}}`, not {said!r}")  # noqa: TRY004 - of a file, not of a caller
    return tuple(_figure(kind, roles, result) for kind, roles in said.items())


def _figure(kind: Any, roles: Any, result: Sequence[str]) -> Figure:
    form = FORMS.get(kind)
    if form is None:
        raise ValueError(f"the picture '{kind}'; there are {', '.join(FORMS)}")
    if not isinstance(roles, Mapping):
        raise ValueError(f"the columns of {kind}: {', '.join((*form.needs, *form.may))}")  # noqa: TRY004 - as above
    columns: dict[str, tuple[str, ...]] = {}
    for role, given in roles.items():
        if role not in (*form.needs, *form.may):
            raise ValueError(f"'{role}' of {kind}, which has {', '.join((*form.needs, *form.may))}")
        names = tuple(given) if isinstance(given, list) and role in form.several else (given,)
        wrong = [name for name in names if name not in result]
        if wrong or not names:
            raise ValueError(f"{role} of {kind}: {wrong[0] if wrong else 'nothing'} is not among the result's columns")
        columns[role] = names
    for role in form.needs:
        if role not in columns:
            raise ValueError(f"{kind} without {role}")
    return Figure(kind, MappingProxyType(columns))
