"""What curators decided about texts, so that no question is asked twice."""

from collections.abc import Iterable
from typing import Final

from kg.curated import Tables
from kg.matching.spelling import key
from kg.records import TextDecision

YES: Final = "yes"


class Decisions:
    """The rows of `decisions.csv`, by kind and by the text as it is compared.

    A `yes` makes the text a name of the thing. A `no` with a thing takes that name from it; a `no` without one says
    that the text means nothing of the kind.
    """

    def __init__(self, tables: Tables) -> None:
        rows = [r for r in tables.records.get("decisions", ()) if isinstance(r, TextDecision)]
        self._yes = {(r.kind, key(r.text)): r.thing for r in rows if r.verdict == YES and r.thing}
        self._no = {(r.kind, key(r.text), r.thing) for r in rows if r.verdict != YES}
        self._texts = [(r.kind, r.text, r.thing) for r in rows if r.verdict == YES and r.thing]

    def decided(self, kind: str, text: str) -> str | None:
        """Return the thing that a text was decided to mean; None where nothing was."""
        return self._yes.get((kind, key(text)))

    def nothing(self, kind: str, text: str) -> bool:
        """Whether a text was decided to mean nothing of a kind."""
        return (kind, key(text), None) in self._no

    def refused(self, kind: str, text: str, thing: str) -> bool:
        """Whether a text was decided not to mean a thing, or nothing of its kind."""
        return (kind, key(text), thing) in self._no or self.nothing(kind, text)

    def names(self, kind: str) -> Iterable[tuple[str, str]]:
        """Return the texts of a kind that were decided to be names, and of what."""
        return [(text, thing) for of, text, thing in self._texts if of == kind]

    def barred(self, kind: str) -> frozenset[tuple[str, str]]:
        """Return the texts, as they are compared, that were decided to be no names of a thing, and of which."""
        return frozenset((text, thing) for of, text, thing in self._no if of == kind and thing)
