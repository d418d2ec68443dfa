"""What matching says: this text means that thing, by this method, with this score."""

from dataclasses import dataclass
from typing import Final

ID: Final = "id"
NAME: Final = "name"
DECISION: Final = "decision"
NEAR: Final = "near"
METHODS: Final = (ID, DECISION, NAME, NEAR)
"""How a text can be linked, the surest first."""

KINDS: Final = ("therapy", "product", "organisation", "disease", "gene", "jurisdiction")
"""What a text can be linked to."""


@dataclass(frozen=True, slots=True)
class Link:
    """A text of a register that means a thing.

    Attributes:
        kind: What the thing is, one of `KINDS`.
        text: The register's text or number.
        thing: The thing's compact id.
        method: One of `METHODS`: by an exact id, a curator's decision, a name as it is normalised, or nearly a name.
        score: From 0 to 100; below 100 for `near` only.
        label: The thing's label; a thing that no table has, out of a vocabulary, needs it to get a record.
    """

    kind: str
    text: str
    thing: str
    method: str
    score: float = 100.0
    label: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A text that may mean a thing, for a curator to decide in `decisions.csv`.

    Attributes:
        kind: What the thing is, one of `KINDS`.
        text: The register's text.
        thing: The thing's compact id.
        score: How alike the names are, from 0 to 100.
        reason: Why it is no link.
    """

    kind: str
    text: str
    thing: str
    score: float
    reason: str
