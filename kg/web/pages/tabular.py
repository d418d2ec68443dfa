"""An answer as a table that sorts, filters and pages: on its question's page, and on the pages of things.

What is asked of a table stands in the address: `_sort`, `_find`, `_page`, and `_is_<column>` for a value to keep.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from kg.errors import QueryError
from kg.query import LIST_SEPARATOR, Question
from kg.report import rows
from kg.store import Answer
from kg.web.opened import Cell, Opened

_LONG: Final = 200
"""Letters of a filter that are looked at."""
_TEXT: Final = 2000
"""Letters that a value for a parameter may have."""
_DIGITS: Final = 7
"""Fewer digits than this has the number of a page."""
_WORTH: Final = 8
"""Tables with fewer rows are taken in at a glance: they have no filters."""
_VALUES: Final = range(2, 41)
"""So many values may a column have that can be chosen from a list;"""
_WORDY: Final = 40
"""so many letters may they have;"""
_SELECTS: Final = 4
"""and so many such lists may stand above a table."""
_IS: Final = "_is_"
_ASIDE: Final = frozenset({"sources", "date_precision", "status_precision", "milestone"})
"""Columns that stay away where a table is one of several on a page, unless the question shows them first."""
_NAMED: Final = {
    "agency": "agency", "other_agency": "agency", "of_agency": "agency", "brand_name": "product",
    "holder": "organisation", "jurisdiction": "jurisdiction", "sponsor": "organisation", "target": "gene",
    "therapy": "therapy",
    "therapy_class": "class",
}  # fmt: skip
"""Columns that say a thing by its label, with the kind of thing."""
_LABELS: Final = ("label", "labels", "title", "brand_name", "source_label", "target_label")
"""Columns that name what another column has as a thing."""


@dataclass(frozen=True, slots=True)
class State:
    """What an address asks of a table.

    Attributes:
        find: Letters that a row must have.
        sort: The column to sort by, after a minus sign where downwards.
        page: The page, from 1.
        only: Columns and the value that each must have.
    """

    find: str = ""
    sort: str = ""
    page: int = 1
    only: tuple[tuple[str, str], ...] = ()

    @classmethod
    def asked(cls, words: Mapping[str, str]) -> "State":
        """Return what the parameters of an address ask."""
        number = words.get("_page", "1")
        return cls(
            find=words.get("_find", "").strip()[:_LONG],
            sort=words.get("_sort", "")[:_LONG],
            page=max(1, int(number)) if number.isdecimal() and len(number) < _DIGITS else 1,
            only=tuple(sorted((k.removeprefix(_IS), v) for k, v in words.items() if k.startswith(_IS) and v)),
        )

    def check(self, columns: Sequence[str]) -> None:
        """Refuse what an answer of these columns does not have.

        Raises:
            QueryError: It is sorted or filtered by something else.
        """
        for column in (*filter(None, [self.sort.removeprefix("-")]), *(name for name, _ in self.only)):
            if column not in columns:
                near = get_close_matches(column, columns, 1)
                hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(columns)}"
                raise QueryError(f"no column '{column}' to sort or filter by; {hint}")

    @property
    def words(self) -> dict[str, str]:
        """The parameters that ask for it."""
        said = {"_sort": self.sort, "_find": self.find, "_page": "" if self.page == 1 else str(self.page)}
        return {name: value for name, value in said.items() if value} | {_IS + name: value for name, value in self.only}


def given(words: Mapping[str, str]) -> dict[str, str]:
    """Return the values for a question's parameters that an address has."""
    return {k: v.strip()[:_TEXT] for k, v in words.items() if not k.startswith("_") and v.strip()}


def once(words: QueryParams) -> None:
    """Refuse an address that says a thing twice, of which one would be used and the other not.

    Raises:
        QueryError: It does.
    """
    for name in words:
        if len({value for value in words.getlist(name) if value}) > 1:
            raise QueryError(f"{name} is given twice; a question takes one value of it")


def address(name: str, given: Mapping[str, str], suffix: str = "", state: State | None = None) -> str:
    """Return the address of a question with values for its parameters, or of its answer as a file."""
    words = urlencode({**given, **(state.words if state else {})})
    return f"/questions/{name}{'.' + suffix if suffix else ''}{'?' + words if words else ''}"


class Table:
    """A question's answer as one page shows it.

    Args:
        opened: The release.
        question: The question.
        answer: Its answer.
        given: The values of its parameters.
        state: What the address asks of the table.
        most: Rows a page.
        beside: It is one of several on the page of a thing, and shows the columns that tell most.
    """

    def __init__(
        self, opened: Opened, question: Question, answer: Answer, given: Mapping[str, str], state: State | None = None,
        most: int = 250, beside: bool = False,
    ) -> None:  # fmt: skip
        self.question = question
        self.given = given
        self._opened = opened
        self._answer = answer
        self._plain = rows(answer)
        self._columns = {name: index for index, name in enumerate(answer.columns)}
        self._texts: dict[str, list[list[str]]] = {}
        self._beside = beside
        self._most = most
        self.state = state or State()
        self.state.check(answer.columns)
        self.state = replace(self.state, page=min(self.state.page, self.pages))

    def texts(self, column: str) -> list[list[str]]:
        """Return what stands in a column, row by row: the items of a list apart, nothing where a cell is empty."""
        if column not in self._texts:
            self._texts[column] = [
                [self._cell(column, part)["text"] for part in self._parts(column, row[column])] for row in self._plain
            ]
        return self._texts[column]

    def _parts(self, column: str, value: Any) -> Iterable[Any]:
        if value is None:
            return ()
        return str(value).split(LIST_SEPARATOR) if column in self.question.lists else (value,)

    def _cell(self, column: str, part: Any) -> Cell:
        cell = self._opened.cell(part)
        # Trials are known by their numbers; what they are called is long, and stands beside.
        return cell | {"text": str(part).partition(":")[2]} if column == "trial" and cell["href"] else cell

    @property
    def all(self) -> int:
        """How many rows the answer has."""
        return len(self._plain)

    @cached_property
    def order(self) -> list[int]:
        """The places in the answer of the rows asked for, in the order asked for."""
        found = list(range(self.all))
        for column, value in self.state.only:
            found = [place for place in found if value in self.texts(column)[place]]
        if sought := self.state.find.casefold():
            found = [place for place in found if any(sought in name for name in self._said(place))]
        if column := self.state.sort.removeprefix("-"):
            there = [place for place in found if self._plain[place][column] not in (None, "")]
            there.sort(key=lambda place: self._rank(column, place), reverse=self.state.sort.startswith("-"))
            found = there + [place for place in found if self._plain[place][column] in (None, "")]
        return found

    def _said(self, place: int) -> Iterator[str]:
        for column in self._columns:
            for cell in self._cells(column, self._plain[place]):
                yield f"{cell['text']} {cell['chinese']}".casefold()

    def _rank(self, column: str, place: int) -> tuple[bool, Any]:
        value = self._plain[place][column]
        number = isinstance(value, int | float)
        return (not number, value if number else "; ".join(self.texts(column)[place]).casefold())

    @property
    def chosen(self) -> Answer:
        """The rows asked for, as an answer to download."""
        return Answer(self._answer.columns, tuple(self._answer.rows[place] for place in self.order))

    @property
    def count(self) -> int:
        """How many rows are asked for."""
        return len(self.order)

    @property
    def pages(self) -> int:
        """How many pages they fill."""
        return max(1, -(-self.count // self._most))

    @property
    def whole(self) -> bool:
        """Whether all rows of the answer stand on this page, so that a script can sort and filter them in place."""
        return self.count == self.all <= self._most

    @cached_property
    def columns(self) -> list[str]:
        """The columns in the order in which they are shown."""
        first = list(self.question.screen)
        rest = [name for name in self._columns if name not in first]
        if not self._beside:
            return self._once(first + rest)
        kept = self._once(first or [name for name in rest if name not in _ASIDE])
        # What the page is about, and what is empty, says nothing here.
        return [name for name in kept if any(self.texts(name)) and not self._same(name)]

    def _once(self, names: Sequence[str]) -> list[str]:
        """Let things stand in place of a column of their labels: their names link, and are there once."""
        found = list(names)
        for place, name in enumerate(names):
            if name in _LABELS:
                same = (one for one in self._columns if one not in _LABELS and self._things(one))
                found[place] = next((one for one in same if self.texts(one) == self.texts(name)), name)
        return list(dict.fromkeys(found))

    def _things(self, column: str) -> bool:
        parts = [part for row in self._plain for part in self._parts(column, row[column])]
        return bool(parts) and all(self._opened.cell(part)["href"] for part in parts)

    def _same(self, column: str) -> bool:
        texts, names = self.texts(column), [[self._opened.cell(value)["text"]] for value in self.given.values()]
        return (column in self.given or texts[0] in names) and all(one == texts[0] for one in texts)

    @property
    def heads(self) -> list[tuple[str, str, str, str]]:
        """Each column's name, its name in words, where a click leads, and the state of its sorting."""
        found = []
        for name in self.columns:
            up = self.state.sort == name
            state = "ascending" if up else "descending" if self.state.sort == f"-{name}" else "none"
            href = self._at(replace(self.state, sort=f"-{name}" if up else name, page=1))
            found.append((name, name.replace("_", " "), href, state))
        return found

    @property
    def numbers(self) -> list[bool]:
        """Whether each column shown holds numbers only."""
        return [self.all > 0 and all(isinstance(r[c], int | float | None) for r in self._plain) for c in self.columns]

    @property
    def rows(self) -> list[list[list[Cell]]]:
        """The rows of the page: for each column the items of its cell."""
        start = (self.state.page - 1) * self._most
        return [
            [self._cells(name, self._plain[place]) for name in self.columns]
            for place in self.order[start : start + self._most]
        ]

    def _cells(self, column: str, row: Mapping[str, Any]) -> list[Cell]:
        opened = self._opened
        found = [self._cell(column, part) for part in self._parts(column, row[column])]
        if column == "date" and row.get("milestone"):
            href = opened.cell(row["milestone"])["href"]
            return [Cell(text=cell["text"], href=href, language=None, chinese="") for cell in found]
        if kind := _NAMED.get(column):
            iris = opened.called(kind)
            return [opened.titled(iris[c["text"]]) if not c["href"] and c["text"] in iris else c for c in found]
        return found

    @cached_property
    def selects(self) -> list[tuple[str, str, list[tuple[str, int]], str]]:
        """The columns with few values: name, name in words, each value with its number of rows, and the one chosen."""
        chosen = dict(self.state.only)
        found = []
        for name in self.columns if self.all > _WORTH else ():
            if name in self.given or name.endswith(("date", "_id", "precision")):
                continue
            counts = Counter(text for texts in self.texts(name) for text in texts)
            if len(counts) not in _VALUES or len(counts) * 3 > self.all * 2 or max(map(len, counts)) > _WORDY:
                continue
            if not all(isinstance(row[name], str | bool | None) for row in self._plain):
                continue
            values = sorted(counts.items(), key=lambda item: item[0].casefold())
            found.append((name, name.replace("_", " "), values, chosen.get(name, "")))
        return found[:_SELECTS]

    @property
    def searched(self) -> bool:
        """Whether there are so many rows that one filters them."""
        return self.all > _WORTH

    def _at(self, state: State) -> str:
        return address(self.question.name, self.given, state=state)

    @property
    def path(self) -> str:
        """Where its form leads: to the question."""
        return address(self.question.name, {})

    @property
    def here(self) -> str:
        """The address of the question with its values, and of nothing else."""
        return address(self.question.name, self.given)

    @property
    def before(self) -> str:
        """The address of the page before, where there is one."""
        return self._at(replace(self.state, page=self.state.page - 1)) if self.state.page > 1 else ""

    @property
    def after(self) -> str:
        """The address of the next page, where there is one."""
        return self._at(replace(self.state, page=self.state.page + 1)) if self.state.page < self.pages else ""

    def file(self, suffix: str) -> str:
        """Return the address of the rows asked for as a file."""
        return address(self.question.name, self.given, suffix, replace(self.state, page=1))
