"""What can go wrong, as one small tree.

* KgError
  + IdentifierError   an id or IRI that cannot be read
  + OntologyError     an ontology, shape or scheme file that is not as it must be
  + CurationError     findings in curated tables; carries them
  + ReasoningError    an inconsistency, or a curated class that the axioms do not imply
  + SourceError       a register's file that is not what it should be, or cannot be fetched
  + ReleaseError      no release, or one that is not whole
  + QueryError        a query, name or parameter that does not fit
    + NotInGraphError a name of nothing in the graph; carries the names that come near
    + MistakeError    a text that is no query; carries the place
  + OutputError       a file that cannot be written, or a format that is not known
"""

from collections.abc import Sequence
from dataclasses import dataclass


class KgError(Exception):
    """Base of every error this package raises on purpose."""


class IdentifierError(KgError, ValueError):
    """An id or IRI cannot be read."""


class OntologyError(KgError):
    """An ontology, shape or scheme file is not as it must be."""


class ReasoningError(KgError):
    """The axioms and the facts do not fit together."""


class SourceError(KgError):
    """A register's file is not what it should be, or cannot be fetched."""


class ReleaseError(KgError):
    """There is no release, or it is not whole."""


class QueryError(KgError, ValueError):
    """A query, name or parameter does not fit."""


class NotInGraphError(QueryError):
    """Nothing in the graph has this id or name.

    Attributes:
        near: The names that come near, best first.
    """

    def __init__(self, message: str, near: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.near = tuple(near)


class MistakeError(QueryError):
    """A text is no SPARQL query.

    Attributes:
        place: The line and the column that it points at, counted from 1 in characters.
        shown: That line, or the part of it around the place, with a mark below.
    """

    def __init__(self, message: str, place: tuple[int, int], shown: str) -> None:
        super().__init__(message)
        self.place = place
        self.shown = shown


class OutputError(KgError):
    """A file cannot be written, or its format is not known."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong, and where, and how to mend it.

    Attributes:
        file: The file's name, or "" where the finding is about no file.
        line: The line, from 1; 0 where the finding is about no line.
        field: The column or term, or "".
        value: The offending value, shortened.
        problem: What is wrong, in a sentence without the value.
        mend: What to do about it.
        rule: The name of the check that found it.
    """

    file: str
    line: int
    field: str
    value: str
    problem: str
    mend: str
    rule: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        parts = [
            where,
            self.field,
            repr(self.value) if self.value else "",
            self.problem,
        ]
        return ": ".join(part for part in parts if part) + (f" ({self.mend})" if self.mend else "")


class CurationError(KgError, ValueError):
    """Curated tables, or the graph made from them, have findings.

    Attributes:
        findings: Every finding, in order of file and line.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(sorted(findings))
        more = len(self.findings) - 1
        tail = f" (and {more} more: kg check lists them)" if more > 0 else ""
        super().__init__(f"{self.findings[0]}{tail}")
