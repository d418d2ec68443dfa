"""Changes between snapshots and between releases: new, gone, changed, and nothing else."""

from datetime import date
from pathlib import Path

from kg.build import build
from kg.changes import as_text, between_releases, compare, facts_of, follow, patch, release_changes
from kg.registers.records import Day, Intervention, TrialRecord
from tests.support import SMALL

DAY = date(2026, 7, 2)


def trial(number: int, **values: object) -> TrialRecord:
    return TrialRecord(register="made-up", id=f"NCT{number:08d}", where="row 1", title=f"Trial {number}", **values)


def test_facts_are_plain_texts() -> None:
    facts = facts_of(trial(1, phases=("PHASE1", "PHASE2"), start=Day(date(2026, 1, 1), "month"), enrolment=12,
                           interventions=(Intervention("DRUG", "A"), Intervention("", "B"))))  # fmt: skip
    assert facts["phases"] == "PHASE1|PHASE2"
    assert facts["start"] == "2026-01"
    assert facts["enrolment"] == "12"
    assert facts["interventions"] == "DRUG: A|B"
    assert not {"where", "summary"} & set(facts)


def test_new_gone_and_changed_records() -> None:
    old = {r.id: facts_of(r) for r in (trial(1, status="RECRUITING"), trial(2, status="COMPLETED"))}
    new = {r.id: facts_of(r) for r in (trial(1, status="COMPLETED"), trial(3, status="RECRUITING"))}
    found = [(c.kind, c.about[-1], c.field, c.old, c.new) for c in compare(old, new, DAY)]
    assert found == [
        ("changed", "1", "status", "RECRUITING", "COMPLETED"), ("gone", "2", "", "Trial 2", ""),
        ("new", "3", "", "", "Trial 3"),
    ]  # fmt: skip


def test_a_column_that_a_day_does_not_have_is_no_change() -> None:
    old = {r.id: facts_of(r) for r in (trial(1, status="RECRUITING", sponsor="A"),)}
    new = {r.id: facts_of(r) for r in (trial(1, status="RECRUITING"),)}
    assert list(compare(old, new, DAY)) == []


def test_only_the_fields_asked_for() -> None:
    old = {r.id: facts_of(r) for r in (trial(1, status="RECRUITING", sponsor="A"),)}
    new = {r.id: facts_of(r) for r in (trial(1, status="COMPLETED", sponsor="B"),)}
    assert [c.field for c in compare(old, new, DAY, ["status"])] == ["status"]
    assert [c.field for c in compare(old, new, DAY)] == ["sponsor", "status"]


def test_a_row_of_snapshots_is_followed_day_by_day() -> None:
    days = [(date(2026, 7, n), [trial(1, status=s)]) for n, s in enumerate("AABA", 1)]
    assert [(day.day, len(changes)) for day, changes in follow(days)] == [(2, 0), (3, 1), (4, 1)]


def test_text_csv_and_json_say_the_same() -> None:
    changes = list(compare({}, {r.id: facts_of(r) for r in (trial(1),)}, DAY))
    assert as_text(changes, "text") == "+ NCT00000001  Trial 1\n"
    assert as_text(changes, "csv").splitlines()[1] == "2026-07-02,NCT00000001,new,,,Trial 1"
    assert '"new": "Trial 1"' in as_text(changes, "json")


def test_releases_are_compared_thing_by_thing(tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    ours.mkdir()
    header, *_ = (SMALL / "products.csv").read_text(encoding="utf-8").splitlines()
    (ours / "products.csv").write_text(
        f"{header}\nproduct:kymriah,Kymriah,キムリア@ja,therapy:tisagenlecleucel,organisation:novartis,,,source:seed-article\n"
        "product:new-one,Another brand,,therapy:tisagenlecleucel,organisation:novartis,,,source:seed-article\n",
        encoding="utf-8",
    )
    old = build([SMALL], out=tmp_path / "a").release
    new = build([SMALL, ours], out=tmp_path / "b").release
    changes = release_changes(old, new, DAY)
    assert ("new", "product:new-one") in {(c.kind, c.about) for c in changes}
    assert any(c.about == "product:kymriah" and c.field == "skos:altLabel" and not c.new for c in changes)
    assert not any(c.about.startswith("claim:") for c in changes)
    lines = list(patch(between_releases(old, new)))
    assert {line[0] for line in lines} == {"A", "D"}
    assert release_changes(old, old, DAY) == []
    applied = set((old.path / "dataset.nq").read_text(encoding="utf-8").splitlines())
    applied -= {line[2:] for line in lines if line[0] == "D"}
    applied |= {line[2:] for line in lines if line[0] == "A"}
    assert applied == set((new.path / "dataset.nq").read_text(encoding="utf-8").splitlines())
