"""Daily tables of CAR-T trials from ClinicalTrials.gov, as a republisher keeps them. Terms: MIT; the data are public.

Only what the registry says is taken: targets, product names and kinds, disease groups and age groups in these tables
are the republisher's guesses. A start that the registry gives as a month is empty in them; a phase `Unknown` is none.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from kg.errors import SourceError
from kg.registers.connector import Connector, Head, head_of
from kg.registers.daily_archive import LARGEST_TABLE, tables
from kg.registers.reading import (
    Layout,
    Summary,
    Unfit,
    clean,
    day,
    decoded,
    find_header,
    items,
    raw_bytes,
    rows_of_csv,
    whole_number,
)
from kg.registers.records import Day, Intervention, TrialRecord

NAME: Final = "cart-daily"
URL: Final = "https://github.com/ptjeong/ONC-CAR-T-Trials-Monitor"
LAYOUT: Final = Layout(
    "daily table of trials",
    {
        "id": ("nctid", "nct id", "nct number"),
        "title": ("brieftitle", "brief title", "study title"),
        "status": ("overallstatus", "overall status", "study status"),
        "phase": ("phase", "phases"),
        "conditions": ("conditions", "condition"),
        "interventions": ("interventions", "intervention"),
        "start": ("startdate", "start date"),
        "updated": ("lastupdatepostdate", "last update post date", "last update posted"),
        "enrolment": ("enrollmentcount", "enrollment count", "enrollment"),
        "countries": ("countries", "country"),
        "summary": ("briefsummary", "brief summary"),
        "sponsor": ("leadsponsor", "lead sponsor", "sponsor"),
        "sponsor_class": ("leadsponsorclass", "lead sponsor class"),
        "snapshot": ("snapshotdate", "snapshot date"),
    },
    # A daily table of this republisher has a snapshot's day; other tables of trials do not.
    ("id", "title", "status", "interventions", "sponsor", "updated", "snapshot"),
)
STATUSES: Final = frozenset(
    (
        "ACTIVE_NOT_RECRUITING",
        "APPROVED_FOR_MARKETING",
        "AVAILABLE",
        "COMPLETED",
        "ENROLLING_BY_INVITATION",
        "NOT_YET_RECRUITING",
        "NO_LONGER_AVAILABLE",
        "RECRUITING",
        "SUSPENDED",
        "TEMPORARILY_NOT_AVAILABLE",
        "TERMINATED",
        "UNKNOWN",
        "WITHDRAWN",
        "WITHHELD",
    )
)
PHASES: Final = frozenset(("NA", "EARLY_PHASE1", "PHASE1", "PHASE2", "PHASE3", "PHASE4"))
MOST_TRIALS: Final = 50_000
"""The most trials of a day; real tables have 2,300."""
_NOT_GIVEN: Final = "Unknown"


def recognise(head: Head) -> bool:
    """Whether a file is an archive of daily tables, or one of them."""
    if head.kind == "tar":
        return any(re.fullmatch(r"(?:.*/)?\d{4}-\d{2}-\d{2}(?:/(?:trials\.csv)?)?", name) for name in head.members)
    if head.kind != "text":
        return False
    try:
        rows = rows_of_csv("\n".join(head.lines[:5]), head.path)
        return any(LAYOUT.find(row) is not None for _, row in rows)
    except SourceError:
        return False


def read(path: Path, summary: Summary) -> Iterator[TrialRecord]:
    """Yield the trials of a table, or of the newest table of an archive.

    Raises:
        SourceError: The file cannot be read, is refused, or is of another layout.
    """
    if head_of(path).kind == "tar":
        for found, name, raw in tables(path, summary, newest_only=True):
            yield from _trials(raw, path, name, found, summary)
    else:
        yield from _trials(raw_bytes(path, LARGEST_TABLE), path, "", None, summary)


def snapshots(path: Path, summary: Summary | None = None) -> Iterator[tuple[date, Iterator[TrialRecord]]]:
    """Yield each day of an archive with its trials, the oldest first, one table in memory at a time.

    Args:
        path: The archive.
        summary: Kept over all days where given; its places name the day.

    Raises:
        SourceError: As `read`; a day of another layout, too.
    """
    summary = summary or Summary(path.name, NAME)
    for found, name, raw in tables(path, summary):
        yield found, _trials(raw, path, name, found, summary)


def _trials(raw: bytes, path: Path, name: str, snapshot: date | None, summary: Summary) -> Iterator[TrialRecord]:
    shown_path = path / name if name else path
    prefix = f"{snapshot} " if snapshot else ""
    if snapshot:
        summary.seen(Day(snapshot))
    text = decoded(raw, shown_path, summary)
    rows = rows_of_csv(text, shown_path)
    above: list[tuple[int, Sequence[object]]] = []

    def remembered() -> Iterator[tuple[int, Sequence[object]]]:
        for line, row in rows:
            above.append((line, row))
            yield line, row

    at, _, places = find_header(remembered(), [LAYOUT], shown_path)
    header = above[-1][1]
    if any(name not in places for name in LAYOUT.fields):
        lacking = ", ".join(name for name in LAYOUT.fields if name not in places)
        summary.warn(f"{prefix}line {at}", "", lacking, "columns that are not there; left empty")
    lines: dict[str, int] = {}
    for line, row in rows:
        summary.bounded(shown_path)
        where = f"{prefix}line {line}"
        if len(row) != len(header):
            summary.skip(where, "", row[0], f"{len(row)} cells, not {len(header)}")
            continue
        cells = {field: row[place] for field, place in places.items()}
        identifier = clean(cells["id"])
        if not re.fullmatch(r"NCT[0-9]{8}", identifier):
            summary.skip(where, "id", identifier, "not an NCT number")
        elif identifier in lines:
            summary.skip(where, "id", identifier, f"stands on line {lines[identifier]} too")
        else:
            lines[identifier] = line
            if len(lines) > MOST_TRIALS:
                raise SourceError(f"{shown_path}: holds more than {MOST_TRIALS:,} trials")
            record = _trial(identifier, cells, where, snapshot, summary)
            summary.loaded += 1
            yield record


def _trial(identifier: str, cells: dict[str, str], where: str, snapshot: date | None, summary: Summary) -> TrialRecord:
    taken = _day(cells, "snapshot", where, summary)
    if snapshot is None:
        summary.seen(taken)
    elif taken is not None and taken.date != snapshot:
        summary.warn(where, "snapshot", taken, "not the day of the table; the table's is followed")
    title, status = clean(cells["title"]), clean(cells["status"])
    if not title:
        summary.warn(where, "title", "", "is empty")
    if status and status not in STATUSES:
        summary.warn(where, "status", status, "not a status known here; kept as it is")
    phases = tuple(phase for phase in items(cells.get("phase"), "|") if phase != _NOT_GIVEN)
    for phase in phases:
        if phase not in PHASES:
            summary.warn(where, "phase", phase, "not a phase known here; kept as it is")
    enrolment = None
    try:
        enrolment = whole_number(cells.get("enrolment"))
    except Unfit as error:
        summary.warn(where, "enrolment", cells["enrolment"], f"{error}; left out")
    return TrialRecord(
        register=NAME,
        id=identifier,
        where=where,
        title=title,
        status=status,
        phases=phases,
        conditions=items(cells.get("conditions"), "|"),
        interventions=tuple(Intervention("", name) for name in items(cells["interventions"], "|")),
        sponsor=clean(cells["sponsor"]),
        sponsor_class=clean(cells.get("sponsor_class")),
        countries=items(cells.get("countries"), "|"),
        enrolment=enrolment,
        start=_day(cells, "start", where, summary),
        updated=_day(cells, "updated", where, summary),
        summary=clean(cells.get("summary")),
    )


def _day(cells: dict[str, str], field: str, where: str, summary: Summary) -> Day | None:
    try:
        return day(cells.get(field), "iso")
    except Unfit as error:
        summary.warn(where, field, cells[field], f"{error}; left out")
        return None


CONNECTOR: Final = Connector(
    name=NAME,
    title="CAR-T trials of ClinicalTrials.gov, day by day",
    publisher="ONC-CAR-T-Trials-Monitor",
    agency="",
    licence="MIT; ClinicalTrials.gov data are public",
    url=URL,
    page=URL,
    floor=2_000,
    recognise=recognise,
    read=read,
)
