"""ClinicalTrials.gov, API version 2 (JSON): pages, arrays, single studies, studies line by line, gzip.

Terms: public; attribute ClinicalTrials.gov and give the date of processing. The layout has been the same since 2023,
but for the section `derivedSection`, of which only `versionHolder`, the day of the data, is used.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from kg.errors import SourceError
from kg.registers.connector import Connector, Head, looks_like_json
from kg.registers.members import Broken, members
from kg.registers.reading import Summary, Unfit, clean, day, unpacked, whole_number
from kg.registers.records import Day, Intervention, TrialRecord
from kg.registers.trials import PHASES, STATUSES

NAME: Final = "clinicaltrials.gov"
URL: Final = "https://clinicaltrials.gov/api/v2/studies"
PAGE: Final = "https://clinicaltrials.gov/"

MOST_SKIPS: Final = 10_000
"""A file with more studies that cannot be taken is no file of this register."""

_ID: Final = re.compile(r"NCT[0-9]{8}")
_EMPTY: Final[dict[str, Any]] = {}
_PAGE: Final = re.compile(r'\{\s*(?:"\w+"\s*:\s*[^\s\[{,]+\s*,\s*)*"studies"\s*:\s*\[\s*(?:\]|\{)')

Told = Callable[[str, object, str], None]
"""Is told of a field, its value and what is wrong with it."""


def recognise(head: Head) -> bool:
    """Whether a file holds studies of this register."""
    if head.kind != "text" or not looks_like_json(head.text):
        return False
    return '"protocolSection"' in head.text or _PAGE.match(head.text.lstrip("\ufeff \r\n\t")) is not None


def read(path: Path, summary: Summary, strict: bool = True) -> Iterator[TrialRecord]:
    """Yield the studies of a file, in constant memory.

    Args:
        path: The file.
        summary: Is told of skips and repairs.
        strict: Look for keys given twice, where the file is small.

    Raises:
        SourceError: The file is no such JSON, is cut off, or holds next to nothing that is a study.
    """
    seen = Seen()
    count = 0
    try:
        with path.open("rb") as file:
            packed = None if (stream := unpacked(file)) is file else path.stat().st_size
            for count, study in enumerate(members(stream, path, summary, "studies", packed, strict), 1):
                record = _taken(study, f"study {count}", summary, seen)
                if record is not None:
                    summary.loaded += 1
                    yield record
                elif len(summary.skips) > MOST_SKIPS:
                    raise SourceError(f"{path}: more than {MOST_SKIPS:,} studies that cannot be taken")
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path}: cannot be read or is cut off after study {count}: {error}") from error


def _taken(study: object, where: str, summary: Summary, seen: "Seen") -> TrialRecord | None:
    if isinstance(study, Broken):
        summary.skip(where, "", study.start, study.reason)
        return None
    if not isinstance(study, dict):
        summary.skip(where, "", study, "is no object")
        return None
    repairs: list[tuple[str, object, str]] = []
    try:
        record = trial(study, where, lambda field, value, reason: repairs.append((field, value, reason)))
    except Unfit as error:
        field, value, reason = error.args
        summary.skip(where, field, value, reason)
        return None
    if not seen.add(int(record.id[3:])):
        summary.skip(where, "nctId", record.id, "the study stands in this file twice; the first one is taken")
        return None
    for field, value, reason in repairs:
        summary.warn(f"{where} ({record.id})", field, value, reason)
    summary.seen(record.first_posted, record.updated)
    version = study.get("derivedSection")
    version = version.get("miscInfoModule") if isinstance(version, dict) else None
    if isinstance(version, dict):
        found = _day(version.get("versionHolder") or "")
        if isinstance(found, Day):
            summary.seen(found)
    return record


class Seen:
    """Which NCT numbers came before: a bit each of the hundred million there can be, whatever the file's size."""

    def __init__(self) -> None:
        self.bits = bytearray(12_500_000)

    def add(self, number: int) -> bool:
        """Note a number; False where it came before."""
        place, bit = number >> 3, 1 << (number & 7)
        if self.bits[place] & bit:
            return False
        self.bits[place] |= bit
        return True


def trial(study: dict[str, Any], where: str, told: Told) -> TrialRecord:
    """Return one study as a record.

    Args:
        study: The study, as the register's JSON has it.
        where: Its place, for the record.
        told: Is told of side fields that are left out.

    Raises:
        Unfit: With the field, the value and the reason: the number, title, status or phase cannot be taken.
    """
    protocol = _part(study, "protocolSection", told)
    naming = _part(protocol, "identificationModule", told)
    state = _part(protocol, "statusModule", told)
    design = _part(protocol, "designModule", told)
    sponsors = _part(protocol, "sponsorCollaboratorsModule", told)
    lead = _part(sponsors, "leadSponsor", told)
    about = _part(protocol, "conditionsModule", told)
    arms = _part(protocol, "armsInterventionsModule", told)
    places = _part(protocol, "contactsLocationsModule", told)
    number = naming.get("nctId")
    if type(number) is not str or not _ID.fullmatch(number):
        raise Unfit("nctId", "" if number is None else number, "not an NCT number")
    official = _text(naming, "officialTitle", told)
    title = _text(naming, "briefTitle", told)
    if not title:
        if not official:
            raise Unfit("briefTitle", naming.get("briefTitle") or "", "the study has no title")
        told("briefTitle", "", "has none; the official title is taken")
    status = _text(state, "overallStatus", told)
    if status not in STATUSES:
        raise Unfit("overallStatus", status, "not a status known here")
    phases = tuple(_texts(design, "phases", told))
    if phases not in PHASES:
        raise Unfit("phases", ", ".join(phases), "not a phase known here")
    return TrialRecord(
        register=NAME,
        id=number,
        where=where,
        title=title or official,
        official_title=official,
        study_type=_text(design, "studyType", told),
        status=status,
        phases=phases,
        conditions=_texts(about, "conditions", told),
        keywords=_texts(about, "keywords", told),
        interventions=_interventions(arms, told),
        sponsor=_text(lead, "name", told),
        sponsor_class=_text(lead, "class", told),
        collaborators=_each(sponsors, "collaborators", "name", told),
        countries=_each(places, "locations", "country", told),
        enrolment=_count(_part(design, "enrollmentInfo", told).get("count"), told),
        start=_date(state, "startDateStruct", told),
        completion=_date(state, "completionDateStruct", told),
        first_posted=_date(state, "studyFirstPostDateStruct", told),
        updated=_date(state, "lastUpdatePostDateStruct", told),
        summary=_text(_part(protocol, "descriptionModule", told), "briefSummary", told),
    )


def _part(owner: dict[str, Any], name: str, told: Told) -> dict[str, Any]:
    found = owner.get(name, _EMPTY)
    if type(found) is dict:
        return found
    if found is not None:
        told(name, found, "not an object; left out")
    return _EMPTY


def _text(owner: dict[str, Any], name: str, told: Told) -> str:
    found = owner.get(name)
    if type(found) is str:
        return clean(found)
    if found is not None:
        told(name, found, "not a text; left out")
    return ""


def _list(owner: dict[str, Any], name: str, told: Told) -> list[Any]:
    found = owner.get(name)
    if type(found) is list:
        return found
    if found is not None:
        told(name, found, "not a list; left out")
    return []


def _texts(owner: dict[str, Any], name: str, told: Told) -> tuple[str, ...]:
    """The texts of a list: clean, none empty, each once, in order."""
    found: dict[str, None] = {}
    for item in _list(owner, name, told):
        if type(item) is str:
            found[clean(item)] = None
        elif item is not None:
            told(name, item, "not a text; left out")
    found.pop("", None)
    return tuple(found)


def _each(owner: dict[str, Any], name: str, key: str, told: Told) -> tuple[str, ...]:
    """One text of each object of a list: clean, none empty, each once, in order."""
    whole = _list(owner, name, told)
    # A study has up to thousands of sites, in a handful of countries.
    values = [item.get(key) for item in whole if type(item) is dict]
    texts = [value for value in values if type(value) is str]
    if len(texts) + values.count(None) < len(whole):
        told(name, whole, f"holds what is no object with a text as {key}; that is left out")
    cleaned = dict.fromkeys(map(clean, dict.fromkeys(texts)))
    cleaned.pop("", None)
    return tuple(cleaned)


def _interventions(arms: dict[str, Any], told: Told) -> tuple[Intervention, ...]:
    found = []
    for item in _list(arms, "interventions", told):
        if type(item) is not dict:
            told("interventions", item, "not an object; left out")
            continue
        name = _text(item, "name", told)
        if name:
            kind = _text(item, "type", told)
            found.append(Intervention(kind, name, _texts(item, "otherNames", told), _text(item, "description", told)))
        else:
            told("interventions", item, "without a name; left out")
    return tuple(found)


def _count(value: object, told: Told) -> int | None:
    try:
        return whole_number(value)
    except Unfit as error:
        told("enrollmentInfo", value, f"{error}; left out")
        return None


def _date(state: dict[str, Any], name: str, told: Told) -> Day | None:
    value = _part(state, name, told).get("date") or ""
    found = _day(value) if type(value) is str else "not a text"
    if isinstance(found, str):
        told(name, value, f"{found}; left out")
        return None
    return found


@lru_cache(maxsize=20_000)
def _day(text: str) -> Day | str | None:
    """A date, or why it is none. The same days come again and again."""
    try:
        return day(text, "iso", "year")
    except Unfit as error:
        return str(error)


CONNECTOR: Final = Connector(
    name=NAME,
    title="ClinicalTrials.gov",
    publisher="US National Library of Medicine",
    agency="",
    licence="public; attribute ClinicalTrials.gov and give the date of processing",
    url=URL,
    page=PAGE,
    floor=1,
    recognise=recognise,
    read=read,
)
