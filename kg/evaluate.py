"""How well the classifier does: precision, recall and confusion, from verdicts and labels made by hand."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kg.classify import Verdict

IN_VIVO: Final = frozenset({
    "class:aav", "class:lentiviral-in-vivo", "class:adenoviral", "class:hsv-vector", "class:plasmid",
    "class:in-vivo-genome-editing", "class:other-in-vivo-gene-therapy",
})  # fmt: skip
"""The classes that count together as gene therapy in the body."""


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one question, and what follows from them.

    Attributes:
        name: What was asked: `is CGT`, a class, `targets`.
        right: Yes in the label and in the verdict.
        too_many: Yes in the verdict only.
        missed: Yes in the label only.
    """

    name: str
    right: int
    too_many: int
    missed: int

    @property
    def precision(self) -> float:
        """Of those found, the part that is right; 1 where none was found."""
        return self.right / (self.right + self.too_many) if self.right + self.too_many else 1.0

    @property
    def recall(self) -> float:
        """Of those there are, the part that was found; 1 where there is none."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    def __str__(self) -> str:
        return f"{self.name:45} P {self.precision:.3f}  R {self.recall:.3f}  n {self.right + self.missed}"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of everything asked, and which class was taken for which.

    Attributes:
        scores: Whether a record is one, then the joint classes, then each class, targets, sources, follow-up.
        confusion: How often each pair (class in the label, class in the verdict) came; `no` where it is none.
    """

    scores: tuple[Score, ...]
    confusion: Mapping[tuple[str, str], int]


def evaluate(pairs: Iterable[tuple[Mapping[str, str], Verdict]]) -> Evaluation:
    """Compare verdicts with labels.

    Args:
        pairs: Rows of labels (`is_cgt`, `therapy_class`, `targets`, `cell_source`, `follow_up`), each with its verdict.
    """
    counts: dict[str, Counter[str]] = {}
    confusion: Counter[tuple[str, str]] = Counter()
    classes: set[str] = set()

    def count(name: str, told: bool, found: bool) -> None:
        kind = "right" if told and found else "missed" if told else "too_many" if found else "neither"
        counts.setdefault(name, Counter())[kind] += 1

    rows = list(pairs)
    for label, verdict in rows:
        classes |= {label["therapy_class"], verdict.therapy_class or ""} - {""}
    for label, verdict in rows:
        ours, theirs = label["is_cgt"] == "yes", verdict.is_cgt
        told, found = label["therapy_class"], verdict.therapy_class or ""
        count("is CGT", ours, theirs)
        count("in vivo gene therapy", told in IN_VIVO, found in IN_VIVO)
        for name in sorted(classes):
            count(name, told == name, found == name)
        confusion[(told or "unknown") if ours else "no", (found or "unknown") if theirs else "no"] += 1
        if ours and theirs:
            count("follow-up", label["follow_up"] == "yes", verdict.follow_up)
            _pieces(counts, "targets", _items(label["targets"]), {_symbol(one) for one in verdict.targets})
            source = (verdict.cell_source or "").rpartition(":")[2]
            _pieces(counts, "cell source", _items(label["cell_source"]), _items(source))
    scores = tuple(Score(name, c["right"], c["too_many"], c["missed"]) for name, c in counts.items())
    return Evaluation(scores, dict(sorted(confusion.items())))


def _items(text: str) -> set[str]:
    return set(filter(None, text.split("|")))


def _symbol(target: str) -> str:
    return target.rpartition(":")[2].upper()


def _pieces(counts: dict[str, Counter[str]], name: str, told: set[str], found: set[str]) -> None:
    """Count the members of two sets as right, missed or too many."""
    one = counts.setdefault(name, Counter())
    one["right"] += len(told & found)
    one["missed"] += len(told - found)
    one["too_many"] += len(found - told)
