"""A register's trial, and what is found out about it, as a record of the graph.

The words of the register become concepts by closed tables. What needs a judgement (is it a cell or gene therapy,
of which class, of which sponsor) comes from elsewhere, as `TrialFacts`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from kg.records import Link, Trial
from kg.registers.records import Day, TrialRecord

STATUSES: Final = {
    "ACTIVE_NOT_RECRUITING": "trial-status:active-not-recruiting",
    "APPROVED_FOR_MARKETING": "trial-status:approved-for-marketing",
    "AVAILABLE": "trial-status:available",
    "COMPLETED": "trial-status:completed",
    "ENROLLING_BY_INVITATION": "trial-status:enrolling-by-invitation",
    "NOT_YET_RECRUITING": "trial-status:not-yet-recruiting",
    "NO_LONGER_AVAILABLE": "trial-status:no-longer-available",
    "RECRUITING": "trial-status:recruiting",
    "SUSPENDED": "trial-status:suspended",
    "TEMPORARILY_NOT_AVAILABLE": "trial-status:temporarily-not-available",
    "TERMINATED": "trial-status:terminated",
    "UNKNOWN": "trial-status:unknown",
    "WITHDRAWN": "trial-status:withdrawn",
    "WITHHELD": "trial-status:withheld",
}
"""ClinicalTrials.gov's statuses, those of expanded access among them."""

PHASES: Final[dict[tuple[str, ...], str]] = {
    (): "phase:not-given",
    ("NA",): "phase:not-applicable",
    ("EARLY_PHASE1",): "phase:early-phase-1",
    ("PHASE1",): "phase:phase-1",
    ("PHASE1", "PHASE2"): "phase:phase-1-2",
    ("PHASE2",): "phase:phase-2",
    ("PHASE2", "PHASE3"): "phase:phase-2-3",
    ("PHASE3",): "phase:phase-3",
    ("PHASE4",): "phase:phase-4",
}
"""ClinicalTrials.gov's phases; a study of no phase, such as an observational one, has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFacts:
    """What classification and matching find out about one trial; ids throughout.

    Attributes:
        ours: Whether it is a trial of a cell or gene therapy; others are not written.
        therapies: `therapy:` ids.
        diseases: `MONDO:` ids.
        sponsor: An `organisation:` id.
        therapy_class: `class:` ids.
        targets: `gene:` ids.
        cell_source: `cell-source:` ids.
        countries: `jurisdiction:` ids.
        note: A remark for readers.
        links: How each thing was found: its id, the register's text, the method, the score.
    """

    ours: bool = True
    therapies: tuple[str, ...] = ()
    diseases: tuple[str, ...] = ()
    sponsor: str | None = None
    therapy_class: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    cell_source: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    note: str | None = None
    links: tuple[tuple[str, str, str, float], ...] = ()


Enrich = Callable[[TrialRecord], TrialFacts]
_NOTHING: Final = TrialFacts()


def nothing_known(_: TrialRecord) -> TrialFacts:
    """Find out nothing, and take every trial."""
    return _NOTHING


def trial_of(record: TrialRecord, facts: TrialFacts, source: str) -> Trial:
    """Return the graph's record of a trial.

    Args:
        record: What the register says.
        facts: What was found out.
        source: The id of the source that the trial is stated from.

    Raises:
        KeyError: Its status or phase is in no table; a connector takes no such trial.
    """
    start, completion = record.start, record.completion
    return Trial(
        id=f"trial:{record.id}",
        label=record.title,
        official_title=record.official_title or None,
        study_type=record.study_type or None,
        phase=PHASES[record.phases],
        status=STATUSES[record.status],
        therapy_class=facts.therapy_class,
        targets=facts.targets,
        cell_source=facts.cell_source,
        therapies=facts.therapies,
        diseases=facts.diseases,
        conditions=record.conditions,
        interventions=tuple(dict.fromkeys([f"{given.kind}: {given.name}" for given in record.interventions])),
        sponsor=facts.sponsor,
        sponsor_name=record.sponsor or None,
        collaborators=record.collaborators,
        countries=facts.countries,
        enrolment=record.enrolment,
        start=_date(start),
        start_precision=_coarse(start),
        completion=_date(completion),
        completion_precision=_coarse(completion),
        first_posted=_date(record.first_posted),
        updated=_date(record.updated),
        note=facts.note,
        sources=(source,),
    )


def links_of(trial: str, facts: TrialFacts, source: str) -> Iterator[Link]:
    """Yield the records of how a trial's things were found.

    Args:
        trial: The trial's number in its register.
        facts: What was found out.
        source: The id of the source that the trial is stated from.
    """
    for number, (thing, text, method, score) in enumerate(facts.links, 1):
        yield Link(
            id=f"link:{trial.lower()}-{number}",
            record=trial,
            thing=thing,
            text=text,
            method=method,
            score=Decimal(f"{score:.1f}".rstrip("0").rstrip(".")),
            sources=(source,),
        )


def _date(found: Day | None) -> date | None:
    return None if found is None else found.date


def _coarse(found: Day | None) -> str | None:
    """How precisely a day is known; None where it is known to the day, as nearly every one is."""
    return None if found is None or found.precision == "day" else found.precision
