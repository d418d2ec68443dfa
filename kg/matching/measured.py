"""How well texts are matched, measured on texts that people labelled."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.errors import SourceError
from kg.matching.links import Link
from kg.matching.matcher import Matcher
from kg.registers.records import DesignationRecord, Intervention, ProductRecord, RegisterRecord, TrialRecord

TRIALS: Final = ("ctgov", "daily")
AGENCIES: Final = {
    "ema-medicines": "agency:eu-ema",
    "ema-orphans": "agency:eu-ema",
    "purple-book": "agency:us-fda",
    "fda-orphan": "agency:us-fda",
    "dpd": "agency:ca-hc",
}
_COLUMNS: Final = {"register", "id", "text", "sponsor", "therapy", "part"}


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of some labelled texts.

    Attributes:
        right: Links that the label has.
        wrong: Links that it has not, as (text, thing).
        missed: Things of labels that were not linked, as (text, thing).
        silent: Texts that mean nothing known and were not linked.
    """

    right: int
    wrong: tuple[tuple[str, str], ...]
    missed: tuple[tuple[str, str], ...]
    silent: int

    @property
    def precision(self) -> float:
        """The share of links that are right; 1 where there are none."""
        return self.right / (self.right + len(self.wrong)) if self.right or self.wrong else 1.0

    @property
    def recall(self) -> float:
        """The share of labelled things that were linked; 1 where there are none."""
        return self.right / (self.right + len(self.missed)) if self.right or self.missed else 1.0

    def __str__(self) -> str:
        return (
            f"precision {self.precision:.3f}, recall {self.recall:.3f} "
            f"({self.right} right, {len(self.wrong)} wrong, {len(self.missed)} missed, {self.silent} rightly none)"
        )


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text of a register and the therapy that a person says it means, or ""."""

    register: str
    id: str
    text: str
    sponsor: str
    therapy: str
    part: str

    def record(self, numbered: bool = True) -> RegisterRecord:
        """Return the record that the text is of, with nothing but the text, its sponsor and, if wanted, its number.

        A trial never has its number: that says what the trial is about, not what one of its interventions means.
        """
        number = self.id if numbered else ""
        if self.register in TRIALS:
            given = (Intervention("", self.text),)
            return TrialRecord(
                register=self.register, id="", where="", title="", interventions=given, sponsor=self.sponsor
            )
        agency = AGENCIES[self.register]
        if self.register in ("ema-orphans", "fda-orphan"):
            return DesignationRecord(
                register=self.register, id=number, where="", agency=agency, pathway="", substance=self.text
            )
        return ProductRecord(
            register=self.register, id=number, where="", agency=agency, names=(self.text,), inn=self.text
        )


def labelled(path: Path) -> Iterator[Labelled]:
    """Yield the labelled texts of a table.

    Raises:
        SourceError: It has not the columns of one.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if set(reader.fieldnames or ()) != _COLUMNS:
            raise SourceError(f"{path}: the columns are {', '.join(sorted(_COLUMNS))}")
        for row in reader:
            yield Labelled(**row)


def measure(matcher: Matcher, texts: Iterator[Labelled] | list[Labelled], numbered: bool = True) -> Measured:
    """Link labelled texts to therapies and compare.

    Args:
        matcher: What links them.
        texts: The labelled texts.
        numbered: Whether records keep their numbers, as real ones do; else only names are left to go by.
    """
    right = silent = 0
    wrong: list[tuple[str, str]] = []
    missed: list[tuple[str, str]] = []
    for one in texts:
        links: tuple[Link, ...] = matcher.therapies(one.record(numbered))
        found, wanted = {link.thing for link in links}, {one.therapy} - {""}
        right += len(found & wanted)
        silent += not found and not wanted
        wrong += [(one.text, thing) for thing in sorted(found - wanted)]
        missed += [(one.text, thing) for thing in sorted(wanted - found)]
    return Measured(right, tuple(wrong), tuple(missed), silent)
