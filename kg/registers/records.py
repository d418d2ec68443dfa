"""What registers' records are read into: three forms that all connectors share.

Texts are cleaned (see `kg.registers.reading.clean`), dates are checked; nothing is looked up or judged yet.
`where` is the record's place in its file, in the words of a reader: `row 14`, `line 3`, `study 7`.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Day:
    """A date and how precisely it is known.

    Attributes:
        date: The day; the first of the month or year where that is all that is known.
        precision: `day`, `month` or `year`.
    """

    date: date
    precision: str = "day"

    def __str__(self) -> str:
        return self.date.isoformat()[: {"year": 4, "month": 7}.get(self.precision, 10)]


@dataclass(frozen=True, slots=True)
class Intervention:
    """What a trial gives: its kind as the register says it, its name, other names and description."""

    kind: str
    name: str
    other_names: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """A trial as a register has it."""

    register: str
    id: str
    where: str
    title: str
    official_title: str = ""
    study_type: str = ""
    status: str = ""
    phases: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    sponsor: str = ""
    sponsor_class: str = ""
    collaborators: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    enrolment: int | None = None
    start: Day | None = None
    completion: Day | None = None
    first_posted: Day | None = None
    updated: Day | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRecord:
    """A product of medicine as a register has it: a licence, an authorisation, a marketed product.

    Attributes:
        id: The register's number of the product or application.
        names: Brand names, the first one first.
        inn: Its international or proper name.
        active: Its active substance, where the register keeps that apart.
        status: The register's own word for the state of the authorisation.
        unii: The substance's Unique Ingredient Identifier; several are joined by "; ".
        authorised: The day of the authorisation.
        ended: The day of its withdrawal, expiry or revocation.
        application: The application's number, as agencies write it.
        approval_type: An id of `approval-type:`, where the register says the kind; else None.
        advanced: Whether the register itself calls it an advanced therapy; None where it does not say.
        agency: The id of the agency whose act it is.
    """

    register: str
    id: str
    where: str
    agency: str
    names: tuple[str, ...] = ()
    inn: str = ""
    active: str = ""
    atc: str = ""
    unii: str = ""
    group: str = ""
    holder: str = ""
    status: str = ""
    authorised: Day | None = None
    ended: Day | None = None
    opinion: Day | None = None
    application: str = ""
    approval_type: str | None = None
    advanced: bool | None = None
    orphan: bool | None = None
    prime: bool | None = None
    indication: str = ""
    category: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignationRecord:
    """An orphan or other designation as a register has it."""

    register: str
    id: str
    where: str
    agency: str
    pathway: str
    substance: str
    names: tuple[str, ...] = ()
    product_number: str = ""
    condition: str = ""
    sponsor: str = ""
    status: str = ""
    designated: Day | None = None
    ended: Day | None = None
    approved: Day | None = None
    url: str = ""


RegisterRecord = TrialRecord | ProductRecord | DesignationRecord
