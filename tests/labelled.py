"""Labelled ids as records, read from register files in the simplest way that serves the measurements."""

import csv
import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from kg.registers.reading import clean
from kg.registers.records import DesignationRecord, Intervention, ProductRecord, RegisterRecord, TrialRecord
from tests.support import REGISTERS, ROOT

LABELS = ROOT / "tests" / "data" / "labels"
csv.field_size_limit(1_000_000)


@cache
def labels(name: str) -> tuple[dict[str, str], ...]:
    """The rows of `trials` or `products`."""
    with (LABELS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def records() -> dict[tuple[str, str], RegisterRecord]:
    """Every record of the registers that labels speak of, by register and id."""
    sources = (_ctgov, _daily, _ema_medicines, _ema_orphans, _fda_orphans, _purple_book)
    return {(record.register, record.id): record for source in sources for record in source(REGISTERS)}


def _ctgov(folder: Path) -> Iterator[TrialRecord]:
    folder = folder / "clinicaltrials-gov"
    older = json.loads((folder / "studies-2023-older-fields.json").read_text(encoding="utf-8"))
    with gzip.open(folder / "studies-2026-03.json.gz") as file:
        newer = json.load(file)["studies"]
    for study in [*(older["studies"] if isinstance(older, dict) else older), *newer]:
        protocol: dict[str, Any] = study["protocolSection"]
        names, conditions = protocol["identificationModule"], protocol.get("conditionsModule", {})
        yield TrialRecord(
            register="ctgov",
            id=names["nctId"],
            where="",
            title=clean(names.get("briefTitle")),
            official_title=clean(names.get("officialTitle")),
            study_type=protocol.get("designModule", {}).get("studyType", ""),
            conditions=tuple(conditions.get("conditions", ())),
            keywords=tuple(conditions.get("keywords", ())),
            interventions=tuple(
                Intervention(
                    given.get("type", ""),
                    clean(given.get("name")),
                    tuple(map(clean, given.get("otherNames", ()))),
                    clean(given.get("description")),
                )
                for given in protocol.get("armsInterventionsModule", {}).get("interventions", ())
            ),
            summary=clean(protocol.get("descriptionModule", {}).get("briefSummary")),
        )


def _daily(folder: Path) -> Iterator[TrialRecord]:
    archive = folder / "cart-trials-daily" / "trials_2026-04-24_to_2026-07-31.tar.xz"
    with lzma.open(archive) as stream, tarfile.open(fileobj=stream) as tar:
        newest = max((member for member in tar if member.name.endswith(".csv")), key=lambda member: member.name)
        file = tar.extractfile(newest)
        assert file is not None
        text = file.read().decode("utf-8-sig")
    for row in csv.DictReader(io.StringIO(text, newline="")):
        yield TrialRecord(
            register="daily",
            id=row["NCTId"],
            where="",
            title=clean(row["BriefTitle"]),
            conditions=tuple(row["Conditions"].split("|")),
            interventions=tuple(Intervention("", clean(name)) for name in row["Interventions"].split("|") if name),
            summary=clean(row["BriefSummary"]),
        )


def _ema_medicines(folder: Path) -> Iterator[ProductRecord]:
    rows = CalamineWorkbook.from_path(folder / "ema" / "medicines_2025-07-15.xlsx").get_sheet_by_index(0).to_python()
    start = next(number for number, row in enumerate(rows) if row[0] == "Category")
    header = [clean(cell) for cell in rows[start]]
    for cells in rows[start + 1 :]:
        row = dict(zip(header, map(clean, cells), strict=True))
        yield ProductRecord(
            register="ema-medicines",
            id=row["EMA product number"],
            where="",
            agency="agency:eu-ema",
            names=(row["Name of medicine"],),
            inn=row["International non-proprietary name (INN) / common name"],
            active=row["Active substance"],
            atc=row["ATC code (human)"],
            group=row["Pharmacotherapeutic group (human)"],
            advanced=row["Advanced therapy"] == "Yes",
            indication=row["Therapeutic indication"],
            category=row["Category"],
        )


def _ema_orphans(folder: Path) -> Iterator[DesignationRecord]:
    for row in json.loads((folder / "ema" / "orphans_20260203.json").read_text(encoding="utf-8")):
        yield DesignationRecord(
            register="ema-orphans",
            id=row["eu_designation_number"],
            where="",
            agency="agency:eu-ema",
            pathway="",
            substance=clean(row["active_substance"]),
            names=(clean(row["medicine_name"]),) if row["medicine_name"] else (),
            condition=clean(row["intended_use"]),
        )


def _fda_orphans(folder: Path) -> Iterator[DesignationRecord]:
    with (folder / "fda" / "orphan_approved_2025-05-28.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            key = {name.casefold().replace(" ", "_"): value for name, value in row.items()}
            yield DesignationRecord(
                register="fda-orphan",
                id=key["cf_grid_key"],
                where="",
                agency="agency:us-fda",
                pathway="",
                substance=clean(key["generic_name"]),
                names=(clean(key["trade_name"]),) if key["trade_name"] else (),
                condition=clean(key["orphan_designation"]),
            )


def _purple_book(folder: Path) -> Iterator[ProductRecord]:
    with gzip.open(folder / "fda" / "purplebook_2025-03.csv.gz", "rt", encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            yield ProductRecord(
                register="purple-book",
                id=f"{row['BLA Number']}|{row['Proprietary Name']}",
                where="",
                agency="agency:us-fda",
                names=(clean(row["Proprietary Name"]),),
                inn=clean(row["Proper Name"]),
            )
