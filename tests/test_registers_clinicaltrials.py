"""ClinicalTrials.gov: every form of its JSON is read, and whatever is wrong is said and never lost."""

import gzip
import io
import json
import os
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kg import registers
from kg.errors import SourceError
from kg.registers import members
from kg.registers.clinicaltrials import CONNECTOR, PAGE, URL
from kg.registers.connector import head_of
from kg.registers.reading import Summary
from kg.registers.records import TrialRecord
from kg.registers.trials import PHASES, STATUSES, TrialFacts, nothing_known, trial_of
from kg.shapes import shapes
from tests.support import REGISTERS, needs_registers

FUZZ = int(os.environ.get("KG_FUZZ") or 400)


def study(number: int = 1, **changed: Any) -> dict[str, Any]:
    protocol = {
        "identificationModule": {"nctId": f"NCT{number:08d}", "briefTitle": f"Study {number}", "officialTitle": "A"},
        "statusModule": {
            "overallStatus": "RECRUITING",
            "startDateStruct": {"date": "2020-03"},
            "completionDateStruct": {"date": "2024-05-06", "type": "ACTUAL"},
            "studyFirstPostDateStruct": {"date": "2020-01-02"},
            "lastUpdatePostDateStruct": {"date": "2025-06-07"},
        },
        "sponsorCollaboratorsModule": {
            "leadSponsor": {"name": "One University", "class": "OTHER"},
            "collaborators": [{"name": "Two Limited", "class": "INDUSTRY"}],
        },
        "descriptionModule": {"briefSummary": 'First line.\n\nSecond line, of "quotes" and {braces}.'},
        "conditionsModule": {"conditions": ["Lymphoma", "Lymphoma", "Leukemia"], "keywords": ["CAR-T"]},
        "designModule": {"studyType": "INTERVENTIONAL", "phases": ["PHASE1", "PHASE2"], "enrollmentInfo": {"count": 7}},
        "armsInterventionsModule": {
            "interventions": [{"type": "BIOLOGICAL", "name": "XY-1", "otherNames": ["xy"], "description": "cells"}]
        },
        "contactsLocationsModule": {"locations": [{"country": "China"}, {"country": "Japan"}, {"country": "China"}]},
    }
    for path, value in changed.items():
        module, _, name = path.partition("__")
        if name:
            protocol[module][name] = value
        else:
            protocol[module] = value
    derived = {"miscInfoModule": {"versionHolder": "2025-07-01", "modelPredictions": {"bmiLimits": {"minBmi": 0.0}}}}
    return {"protocolSection": protocol, "derivedSection": derived, "hasResults": False}


def taken(tmp_path: Path, raw: bytes | object) -> tuple[list[TrialRecord], Summary]:
    path = tmp_path / "studies.json"
    path.write_bytes(raw if isinstance(raw, bytes) else json.dumps(raw).encode())
    summary = Summary(path.name, CONNECTOR.name)
    records = list(CONNECTOR.read(path, summary))  # type: ignore[arg-type]
    assert summary.read == summary.loaded + len(summary.skips)
    assert summary.loaded == len(records)
    return records, summary  # type: ignore[return-value]


def test_a_study_becomes_a_record(tmp_path: Path) -> None:
    records, summary = taken(tmp_path, study())
    [record] = records
    assert record.id == "NCT00000001"
    assert (record.title, record.official_title) == ("Study 1", "A")
    assert record.phases == ("PHASE1", "PHASE2")
    assert record.conditions == ("Lymphoma", "Leukemia")
    assert record.countries == ("China", "Japan")
    assert record.interventions[0].other_names == ("xy",)
    assert (str(record.start), str(record.completion)) == ("2020-03", "2024-05-06")
    assert record.enrolment == 7
    assert record.summary == 'First line. Second line, of "quotes" and {braces}.'
    assert summary.newest == date(2025, 7, 1)
    assert not summary.warnings


STUDIES = [study(n) for n in range(1, 6)]
LINES = b"\n".join(json.dumps(s).encode() for s in STUDIES)
FORMS: dict[str, bytes] = {
    "page": json.dumps({"studies": STUDIES, "totalCount": 5}).encode(),
    "page, total first": json.dumps({"totalCount": 5, "studies": STUDIES}).encode(),
    "page of several": json.dumps({"studies": STUDIES, "totalCount": 9, "nextPageToken": "x"}).encode(),
    "page, unusual head": json.dumps({"meta": {"a": [1]}, "studies": STUDIES}).encode(),
    "array": json.dumps(STUDIES).encode(),
    "array, indented": json.dumps(STUDIES, indent=2).encode(),
    "array, compact": json.dumps(STUDIES, separators=(",", ":")).encode(),
    "array, another key first": json.dumps([dict(reversed(s.items())) for s in STUDIES]).encode(),
    "lines": LINES,
    "lines, blank ones between": LINES.replace(b"\n", b"\r\n\r\n") + b"\n",
    "one after the other": LINES.replace(b"\n", b""),
    "gzip": gzip.compress(LINES),
    "byte order mark": b"\xef\xbb\xbf" + LINES,
    "UTF-16": LINES.decode().encode("utf-16"),
    "pages line by line": b"\n".join(json.dumps({"studies": [s]}).encode() for s in STUDIES),
}


@pytest.mark.parametrize("block", [members.BLOCK, 97])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(tmp_path: Path, form: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # With tiny blocks every member straddles several.
    monkeypatch.setattr(members, "BLOCK", block)
    if block < 1000 and form != "UTF-16":
        monkeypatch.setattr(members, "WHOLE", block)
    records, summary = taken(tmp_path, FORMS[form])
    assert [record.id for record in records] == [f"NCT{n:08d}" for n in range(1, 6)], form
    assert not summary.skips
    assert not summary.warnings
    assert registers.recognise(tmp_path / "studies.json") is CONNECTOR


@pytest.mark.parametrize("raw", [b'{"studies": [], "totalCount": 0}', b"[ ]", b'{"totalCount":0,"studies":[]}'])
def test_an_empty_page_is_no_error(tmp_path: Path, raw: bytes) -> None:
    assert taken(tmp_path, raw)[0] == []


def test_what_is_of_another_register_is_not_recognised(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for raw in (b'{"results": [{"a": 1}]}', b'[{"a": 1}]', b"a,b\n1,2\n", b'"protocolSection"'):
        path.write_bytes(raw)
        assert not CONNECTOR.recognise(head_of(path))


def test_addresses() -> None:
    assert URL.startswith(PAGE)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no number": ({"identificationModule": {"briefTitle": "x"}}, "nctId"),
    "a number of another kind": ({"identificationModule__nctId": 12}, "nctId"),
    "a number too long": ({"identificationModule__nctId": "NCT000000011"}, "nctId"),
    "a number with an injection": ({"identificationModule__nctId": "NCT00000001> <x"}, "nctId"),
    "no title": ({"identificationModule": {"nctId": "NCT00000009", "briefTitle": "\u0000 \u202e"}}, "briefTitle"),
    "unknown status": ({"statusModule__overallStatus": "PAUSED"}, "overallStatus"),
    "no status": ({"statusModule": {}}, "overallStatus"),
    "unknown phase": ({"designModule__phases": ["PHASE9"]}, "phases"),
    "a list for an object": ({"identificationModule": ["NCT00000001"]}, "nctId"),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_study_without_its_key_fields_is_skipped(tmp_path: Path, bad: str) -> None:
    changed, field = BAD[bad]
    records, summary = taken(tmp_path, [study(8), study(9, **changed), study(10)])
    assert [record.id for record in records] == ["NCT00000008", "NCT00000010"]
    assert [(skip.where, skip.field) for skip in summary.skips] == [("study 2", field)]


SIDE: dict[str, tuple[dict[str, Any], str, object]] = {
    "30 February": ({"statusModule__startDateStruct": {"date": "2020-02-30"}}, "start", None),
    "two-digit year": ({"statusModule__startDateStruct": {"date": "30-Aug-17"}}, "start", None),
    "serial number": ({"statusModule__startDateStruct": {"date": "44197"}}, "start", None),
    "a number for a date": ({"statusModule__startDateStruct": {"date": 20200101}}, "start", None),
    "a text for an object": ({"statusModule__startDateStruct": "2020-01-01"}, "start", None),
    "a huge number": ({"designModule__enrollmentInfo": {"count": 10**30}}, "enrolment", None),
    "a negative number": ({"designModule__enrollmentInfo": {"count": -1}}, "enrolment", None),
    "a text for a list": ({"conditionsModule__conditions": "Lymphoma"}, "conditions", ()),
    "a number in a list": ({"conditionsModule__conditions": ["A", 1, None, ["B"]]}, "conditions", ("A",)),
    "an object for a list": ({"contactsLocationsModule__locations": {"country": "China"}}, "countries", ()),
    "texts for sites": ({"contactsLocationsModule__locations": ["China", {"country": "Peru"}]}, "countries", ("Peru",)),
    "a list for a module": ({"sponsorCollaboratorsModule": []}, "sponsor", ""),
    "a nameless intervention": ({"armsInterventionsModule__interventions": [{"type": "DRUG"}, 3]}, "interventions", ()),
    "an object for a text": ({"identificationModule__officialTitle": {"a": 1}}, "official_title", ""),
    "no brief title": ({"identificationModule__briefTitle": None}, "title", "A"),
}


@pytest.mark.parametrize("bad", SIDE)
def test_a_bad_side_field_is_left_out_with_a_warning(tmp_path: Path, bad: str) -> None:
    changed, field, left = SIDE[bad]
    records, summary = taken(tmp_path, [study(1, **changed)])
    assert getattr(records[0], field) == left
    assert summary.warnings
    assert all(warning.where == "study 1 (NCT00000001)" for warning in summary.warnings)


def test_missing_side_fields_are_empty_and_no_fault(tmp_path: Path) -> None:
    least = {"protocolSection": {"identificationModule": {"nctId": "NCT00000001", "briefTitle": "x"}}}
    least["protocolSection"]["statusModule"] = {"overallStatus": "UNKNOWN"}
    records, summary = taken(tmp_path, least)
    assert (records[0].phases, records[0].start, records[0].countries) == ((), None, ())
    assert not summary.warnings


def test_texts_are_cleaned_and_markup_is_only_text(tmp_path: Path) -> None:
    title = "<script>alert(1)</script> a\nb\tc\u202e d\u0000 javascript:x"
    records, _ = taken(tmp_path, study(1, identificationModule__briefTitle=title))
    assert records[0].title == "<script>alert(1)</script> a b c d javascript:x"


def test_a_study_given_twice_is_taken_once(tmp_path: Path) -> None:
    records, summary = taken(tmp_path, [study(1), study(2), study(1)])
    assert len(records) == 2
    assert [(skip.where, skip.value) for skip in summary.skips] == [("study 3", "NCT00000001")]


def test_a_key_given_twice_is_warned_of(tmp_path: Path) -> None:
    raw = json.dumps(study()).replace('"hasResults": false', '"hasResults": false, "hasResults": true').encode()
    records, summary = taken(tmp_path, raw)
    assert len(records) == 1
    assert [(warning.field, warning.reason[:18]) for warning in summary.warnings] == [
        ("hasResults", "the key is given t")
    ]


def test_a_total_that_is_not_held_is_warned_of(tmp_path: Path) -> None:
    _, summary = taken(tmp_path, {"studies": STUDIES, "totalCount": 6})
    assert [warning.field for warning in summary.warnings] == ["totalCount"]


HURT = json.dumps(study(2))
BROKEN = {
    "NaN": HURT.replace('"count": 7', '"count": NaN'),
    "infinite number": HURT.replace('"count": 7', '"count": 1e999'),
    "raw NUL": HURT.replace("Study 2", "Study\x002"),
    "lone surrogate": HURT.replace("Study 2", "\\ud800"),
    "open quotation mark": HURT.replace('"Study 2"', '"Study 2'),
    "lacking bracket": HURT[:-1],
    "bracket too many": HURT.replace('"OTHER"', '"OTHER"}'),
    "single quotes": HURT.replace('"OTHER"', "'OTHER'"),
    "trailing comma": HURT.replace('"OTHER"', '"OTHER",'),
    "too deep": HURT.replace('"A"', "[" * 5000 + "]" * 5000),
    "number": "17",
    "null": "null",
    "text": '"x"',
    "list": "[1, [2]]",
    "empty object": "{}",
}


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("kind", BROKEN)
def test_a_malformed_study_is_skipped_and_the_others_are_read(
    tmp_path: Path, kind: str, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not small:
        monkeypatch.setattr(members, "WHOLE", 50)
        monkeypatch.setattr(members, "BLOCK", 512)
    raw = ",".join([json.dumps(study(1)), BROKEN[kind], *(json.dumps(study(n)) for n in (3, 4))])
    records, summary = taken(tmp_path, f'{{"studies": [{raw}]}}'.encode())
    assert [record.id for record in records] == ["NCT00000001", "NCT00000003", "NCT00000004"]
    assert [skip.where for skip in summary.skips] == ["study 2"]


def test_other_encodings(tmp_path: Path) -> None:
    named = json.dumps([study(1, identificationModule__briefTitle="嵌合抗原受体细胞治疗")], ensure_ascii=False)
    records, summary = taken(tmp_path, named.encode("gb18030"))
    assert records[0].title == "嵌合抗原受体细胞治疗"
    assert "GB18030" in summary.warnings[0].reason
    latin = json.dumps([study(1, identificationModule__briefTitle="Étude à l'hôpital")], ensure_ascii=False)
    records, summary = taken(tmp_path, latin.encode("latin-1"))
    assert records[0].title == "Étude à l'hôpital"


def test_a_large_file_s_study_that_is_not_utf8_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "WHOLE", 50)
    raw = json.dumps([study(1), study(2, identificationModule__briefTitle="É"), study(3)], ensure_ascii=False)
    records, summary = taken(tmp_path, raw.encode("latin-1"))
    assert [record.id[-1] for record in records] == ["1", "3"]
    assert "study 2" in str(summary.skips[0])


WHOLE_FILE: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n ",
    "not JSON": b"<html><body>Too many requests</body></html>",
    "a number": b"17",
    "cut off in a study": json.dumps(STUDIES).encode()[:-300],
    "cut off after a study": json.dumps(STUDIES).encode()[:-1],
    "cut off after a comma": json.dumps(STUDIES).encode()[:-1] + b", ",
    "cut off page": json.dumps({"studies": STUDIES}).encode()[:-1],
    "cut off gzip": gzip.compress(LINES)[:-20],
    "damaged gzip": gzip.compress(LINES)[:200] + b"\xff" * 50 + gzip.compress(LINES)[250:],
    "nested too deep": b"[" * 3_000_000,
    "objects too deep": b'{"a":' * 600_000,
    "no comma": b"[" + LINES + b"]",
    "bomb of blanks": gzip.compress(b"[" + b" " * 450_000_000 + b"]", 9),
    "bomb of nothing": gzip.compress(b"[" + b"{}," * 30_000 + b"{}]", 9),
    "one endless text": gzip.compress(b'[{"protocolSection": "' + b"x" * 150_000_000),
    "nothing but zeros": b"\x00" * 10_000,
    "a tail of rubbish": json.dumps({"studies": STUDIES}).encode() + b" trailing",
}


@pytest.mark.parametrize("kind", WHOLE_FILE)
def test_a_bad_file_is_one_error(tmp_path: Path, kind: str) -> None:
    with pytest.raises(SourceError, match=r"studies\.json"):
        taken(tmp_path, WHOLE_FILE[kind])


def test_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        list(CONNECTOR.read(tmp_path, Summary("x", "y")))


def mutated(raw: bytes, dice: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(dice.choice([1, 1, 1, 2, 5, 20])):
        at, size = dice.randrange(len(changed)), dice.choice([1, 1, 2, 8, 200])
        kind = dice.randrange(5)
        if kind == 0:
            changed[at] = dice.randrange(256)
        elif kind == 1:
            del changed[at : at + size]
        elif kind == 2:
            changed[at:at] = changed[at : at + size]
        elif kind == 3:
            changed[at : at + 1] = dice.choice([b'"', b"{", b"}", b"[", b"]", b",", b"\\", b"\x00", b"null", b"1e999"])
        else:
            other = dice.randrange(len(changed))
            changed[at], changed[other] = changed[other], changed[at]
    return bytes(changed) or b" "


def test_mutations_end_in_records_skips_or_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(4)
    forms = [raw for name, raw in FORMS.items() if name != "gzip"]
    refused = 0
    for turn in range(FUZZ):
        monkeypatch.setattr(members, "WHOLE", dice.choice([100, 4_194_304]))
        monkeypatch.setattr(members, "BLOCK", dice.choice([512, 1_048_576]))
        raw = mutated(dice.choice(forms), dice)
        raw = mutated(gzip.compress(raw), dice) if turn % 10 == 0 else raw
        try:
            records, _ = taken(tmp_path, raw)
            for record in records:
                trial_of(record, nothing_known(record), "source:x")
        except SourceError:
            refused += 1
    assert refused < FUZZ * 0.8


def test_words_become_concepts_by_closed_tables(terms: list[str]) -> None:
    for concept in (*STATUSES.values(), *PHASES.values()):
        kind, name = concept.split(":")
        assert any(line.startswith(f"<https://w3id.org/cgt-kg/id/{kind}/{name}> ") for line in terms), concept


def test_a_record_and_facts_become_a_trial(tmp_path: Path) -> None:
    records, _ = taken(tmp_path, study())
    facts = TrialFacts(therapy_class=("class:car-t",), countries=("jurisdiction:cn",), sponsor="organisation:one")
    trial = trial_of(records[0], facts, "source:register")
    assert (trial.id, trial.phase, trial.status) == ("trial:NCT00000001", "phase:phase-1-2", "trial-status:recruiting")
    assert trial.interventions == ("BIOLOGICAL: XY-1",)
    assert (trial.start, trial.start_precision) == (date(2020, 3, 1), "month")
    assert (trial.completion, trial.completion_precision) == (date(2024, 5, 6), None)
    assert (trial.sponsor, trial.sponsor_name) == ("organisation:one", "One University")
    assert trial.countries == ("jurisdiction:cn",)
    assert all(hasattr(trial, name) for name in shapes()["Trial"].columns)


@needs_registers
@pytest.mark.parametrize(
    ("name", "count", "newest"),
    [
        ("studies-2026-03.json.gz", 1178, date(2026, 3, 13)),
        ("studies-cgt-subset.json", 65, date(2026, 3, 13)),
        ("studies-2023-older-fields.json", 50, date(2023, 6, 29)),
    ],
)
def test_real_files(name: str, count: int, newest: date) -> None:
    summary, records = registers.read(REGISTERS / "clinicaltrials-gov" / name)
    held = {record.id for record in records}
    assert (summary.loaded, len(held), summary.skips, summary.newest) == (count, count, [], newest)
    assert len(summary.warnings) <= 1


Cut = Callable[[bytes], list[object]]


def test_cutting_agrees_with_parsing_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(7)
    pieces: list[Any] = [
        '"',
        "\\",
        '\\"',
        "{",
        "}",
        "[",
        "]",
        ",",
        "},{",
        '{"a":',
        "é",
        "中",
        "\u2028",
        "",
        1,
        -2.5,
        None,
    ]

    def made(depth: int) -> Any:
        kind = dice.randrange(4) if depth < 4 else 0
        if kind == 1:
            return [made(depth + 1) for _ in range(dice.randrange(4))]
        if kind >= 2:
            return {str(dice.choice(pieces)): made(depth + 1) for _ in range(dice.randrange(4))}
        return dice.choice(pieces)

    monkeypatch.setattr(members, "WHOLE", 10)
    for _ in range(300):
        monkeypatch.setattr(members, "BLOCK", dice.choice([1, 7, 64]))
        held = [{"a": made(0), "b": made(0)} if dice.random() < 0.8 else made(0) for _ in range(dice.randrange(6))]
        raw = json.dumps(held, ensure_ascii=dice.random() < 0.5, indent=dice.choice([None, 1])).encode()
        cut = members.members(io.BytesIO(raw), Path("x"), Summary("x", "y"), "studies")
        assert list(cut) == held
