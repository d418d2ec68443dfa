"""Files of any size become N-Quads: everything once, nothing half, nothing again that is done."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from benchmarks import multiply_studies
from kg import bulk, store
from kg.bulk import Order, Outcome, Step
from kg.errors import OutputError, SourceError
from kg.mapping import lines
from kg.namespaces import graph
from kg.registers import clinicaltrials, members
from kg.registers.reading import Summary
from kg.registers.records import TrialRecord
from kg.registers.trials import TrialFacts, nothing_known, trial_of
from kg.shapes import shapes
from kg.writing import alone
from tests.support import REGISTERS, ROOT, needs_registers

GRAPH = graph("clinicaltrials-gov")
SOURCE = "source:clinicaltrials-gov"


def study(number: int, words: int = 30) -> dict[str, Any]:
    return {
        "protocolSection": {
            "identificationModule": {"nctId": f"NCT{number:08d}", "briefTitle": f'Study "{number}"\n of \\ things'},
            "statusModule": {"overallStatus": "COMPLETED", "startDateStruct": {"date": "2020-03"}},
            "conditionsModule": {"conditions": ["Lymphoma", "白血病"]},
            "descriptionModule": {"briefSummary": "word " * words},
        }
    }


def folder_of(path: Path, pages: int, each: int = 3) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for page in range(pages):
        held = [study(page * each + n + 1) for n in range(each)]
        (path / f"page-{page:04d}.json").write_text(json.dumps({"studies": held}))
    return path


def only_even(record: TrialRecord) -> TrialFacts:
    return TrialFacts(ours=int(record.id[3:]) % 2 == 0, therapy_class=("class:car-t",))


def of_class(therapy_class: str, record: TrialRecord) -> TrialFacts:
    return TrialFacts(therapy_class=(therapy_class,))


def all_lines(outcome: Outcome) -> list[str]:
    return [line for part in outcome.parts for line in part.path.read_text(encoding="utf-8").splitlines()]


def order(tmp_path: Path, **changed: Any) -> Order:
    return replace(Order(tmp_path / "parts", SOURCE, GRAPH), **changed)


def agrees(outcome: Outcome) -> None:
    assert outcome.read == outcome.written + outcome.left_out + outcome.skipped
    for name in ("read", "written", "left_out", "skipped", "warned"):
        assert getattr(outcome, name) == sum(getattr(part, name) for part in outcome.parts)


@pytest.fixture
def small_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set in the parent, which divides the files; the workers only write what they are given.
    monkeypatch.setattr(bulk, "SHARE", 2_500)


@pytest.mark.usefixtures("small_shares")
def test_parts_hold_what_the_mapping_says_in_the_order_of_the_files(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "pages", 7)
    steps: list[Step] = []
    outcome = bulk.write([pages], order(tmp_path), workers=2, progress=steps.append)
    expected = []
    for path in sorted(pages.iterdir()):
        for record in clinicaltrials.read(path, Summary("", "")):
            expected += lines(trial_of(record, nothing_known(record), SOURCE), GRAPH)
    assert all_lines(outcome) == expected
    assert len(outcome.parts) > 2
    assert (outcome.read, outcome.written, outcome.repetitions) == (21, 21, 0)
    agrees(outcome)
    assert steps[-1].size == steps[-1].of_size == sum(path.stat().st_size for path in pages.iterdir())
    loaded = ox.Store()
    for made in outcome.parts:
        loaded.bulk_load(path=str(made.path), format=ox.RdfFormat.N_QUADS)
    assert len(loaded) == len(expected)


@pytest.mark.usefixtures("small_shares")
def test_one_process_or_two_or_another_folder_give_the_same_parts(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "pages", 4)
    one = bulk.write([pages], order(tmp_path), workers=1)
    two = bulk.write([pages], order(tmp_path, out=tmp_path / "other"), workers=2)
    assert [part.path.name for part in one.parts] == [part.path.name for part in two.parts]
    assert all_lines(one) == all_lines(two)


@pytest.mark.usefixtures("small_shares")
def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "pages", 6)
    first = bulk.write([pages], order(tmp_path), workers=1)
    stamps = {part.path: part.path.stat().st_mtime_ns for part in first.parts}
    again = bulk.write([pages], order(tmp_path), workers=2)
    assert all(part.done_before for part in again.parts)
    assert {part.path: part.path.stat().st_mtime_ns for part in again.parts} == stamps
    assert (again.read, again.newest, all_lines(again)) == (first.read, first.newest, all_lines(first))
    page = pages / "page-0002.json"
    page.write_text(page.read_text().replace("Lymphoma", "Leukemia"))
    third = bulk.write([pages], order(tmp_path), workers=1)
    assert [part.done_before for part in third.parts].count(False) == 1
    assert any("Leukemia" in line for line in all_lines(third))


@pytest.mark.parametrize(
    "changed",
    [{"source": "source:other"}, {"graph": "urn:other"}, {"enrich": only_even}, {"knowledge": "tables of today"}],
)
def test_another_order_is_done_anew(tmp_path: Path, changed: dict[str, Any]) -> None:
    pages = folder_of(tmp_path / "pages", 1)
    bulk.write([pages], order(tmp_path), workers=1)
    assert not any(part.done_before for part in bulk.write([pages], order(tmp_path, **changed), workers=1).parts)


def test_a_damaged_part_is_made_again(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "pages", 1)
    [made] = bulk.write([pages], order(tmp_path), workers=1).parts
    whole = made.path.read_bytes()
    made.path.write_bytes(whole[:-10])
    [again] = bulk.write([pages], order(tmp_path), workers=1).parts
    assert not again.done_before
    assert again.path.read_bytes() == whole
    made.path.with_suffix(".json").write_text("{")
    assert not bulk.write([pages], order(tmp_path), workers=1).parts[0].done_before


def test_enriching_decides_what_is_ours_and_adds_facts(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "pages", 2)
    outcome = bulk.write([pages], order(tmp_path, enrich=only_even), workers=1)
    assert (outcome.read, outcome.written, outcome.left_out) == (6, 3, 3)
    agrees(outcome)
    stated = [line for line in all_lines(outcome) if "#studiedClass> " in line]
    assert len(stated) == 3
    assert "/id/class/car-t>" in stated[0]
    other = bulk.write([pages], order(tmp_path, enrich=partial(of_class, "class:car-nk")), workers=1)
    assert sum("/id/class/car-nk>" in line for line in all_lines(other)) == 6


def test_a_function_no_process_can_find_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="top level"):
        bulk.write([tmp_path], order(tmp_path, enrich=lambda record: TrialFacts()))


@pytest.mark.usefixtures("small_shares")
def test_skips_and_repeated_trials_are_told(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "pages", 3)
    (pages / "page-0001a.json").write_text(json.dumps([study(1), {"x": 1}, study(90)]))
    outcome = bulk.write([pages], order(tmp_path), workers=2)
    assert (outcome.read, outcome.written, outcome.skipped) == (12, 11, 1)
    assert str(outcome.skips[0]).startswith("page-0001a.json: study 2: nctId")
    assert (outcome.repetitions, outcome.repeated) == (1, ["NCT00000001"])
    again = bulk.write([pages], order(tmp_path), workers=1)
    assert again.skips == outcome.skips
    agrees(outcome)


@pytest.mark.usefixtures("small_shares")
def test_a_bad_file_is_one_error_and_the_others_are_kept(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "pages", 5)
    bad = pages / "page-0002.json"
    whole = bad.read_bytes()
    bad.write_bytes(whole[:-20])
    with pytest.raises(SourceError, match=r"page-0002\.json: is cut off"):
        bulk.write([pages], order(tmp_path), workers=2)
    assert not list((tmp_path / "parts").glob(".work-*.json"))
    bad.write_bytes(whole)
    outcome = bulk.write([pages], order(tmp_path), workers=2)
    assert [part.done_before for part in outcome.parts].count(False) == 1
    assert outcome.written == 15


def test_forms_and_endings_side_by_side(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "pages" / "inner", 1)
    (pages / "one.json").write_text(json.dumps(study(50)))
    (pages.parent / "many.jsonl.gz").write_bytes(gzip.compress(json.dumps(study(51)).encode()))
    (pages / "README.md").write_text("not a register's file")
    outcome = bulk.write([tmp_path / "pages"], order(tmp_path), workers=1)
    assert outcome.written == 5
    assert outcome.parts[0].files == ("many.jsonl.gz", "page-0000.json", "one.json") or outcome.read == 5


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere"):
        bulk.write([tmp_path / "nowhere"], order(tmp_path), workers=1)


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "pages", 1)
    with alone(tmp_path / "parts", OutputError("not free")), pytest.raises(OutputError, match="another run"):
        bulk.write([pages], order(tmp_path), workers=1)


def test_a_process_that_dies_is_one_error(tmp_path: Path) -> None:
    pages = folder_of(tmp_path / "pages", 1)
    with pytest.raises(OutputError, match="process died"):
        bulk.write([pages], order(tmp_path, enrich=dies), workers=1)


def dies(record: TrialRecord) -> TrialFacts:
    os._exit(9)


SLOW = """
import sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
from benchmarks import multiply_studies
from kg import bulk, store
from tests.test_bulk import GRAPH, SOURCE, slowly
if __name__ == "__main__":
    bulk.SHARE = 1
    order = bulk.Order(Path({out!r}), SOURCE, GRAPH, slowly)
    bulk.write([Path({pages!r})], order, workers=2)
"""


def slowly(record: TrialRecord) -> TrialFacts:
    time.sleep(0.02)
    return TrialFacts()


def test_a_killed_run_leaves_no_half_part_and_the_next_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages, out = folder_of(tmp_path / "pages", 40, each=4), tmp_path / "parts"
    script = tmp_path / "run.py"
    script.write_text(SLOW.format(root=str(ROOT), out=str(out), pages=str(pages)))
    running = subprocess.Popen([sys.executable, str(script)], cwd=ROOT, start_new_session=True)
    until = time.monotonic() + 60
    while len(list(out.glob("[!.]*.json"))) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    finished = {path.name for path in out.glob("[!.]*.json")}
    assert 3 <= len(finished) < 40
    for path in out.glob("[!.]*.nq"):
        assert path.read_bytes().endswith(b" .\n")
    monkeypatch.setattr(bulk, "SHARE", 1)
    outcome = bulk.write([pages], Order(out, SOURCE, GRAPH, slowly), workers=2)
    done = {part.path.with_suffix(".json").name for part in outcome.parts if part.done_before}
    assert done == finished
    assert outcome.written == 160
    assert not list(out.glob(".work-*"))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for times in (1, 4):
        path = tmp_path / f"{times}.json"
        with path.open("w") as file:
            file.write("[" + json.dumps(study(1)))
            for n in range(2, 2_000 * times):
                file.write("," + json.dumps(study(n, words=400)))
            file.write("]")
        tracemalloc.start()
        taken = sum(1 for _ in clinicaltrials.read(path, Summary("", ""), strict=False))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert taken == 2_000 * times - 1
    assert path.stat().st_size > 3 * members.WHOLE
    assert peaks[1] < peaks[0] * 1.3


def test_shares_are_the_same_whenever_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = folder_of(tmp_path / "pages", 30, each=1)
    monkeypatch.setattr(bulk, "FILES_OF_SHARE", 4)
    divided = list(bulk.shares([pages]))
    assert divided == list(bulk.shares([pages]))
    assert [len(share) for share in divided] == [4] * 7 + [2]
    monkeypatch.setattr(bulk, "SHARE", divided[0][0][1] * 2)
    assert {len(share) for share in bulk.shares([pages])} <= {1, 2}


def test_no_more_is_under_way_than_a_few_a_process(tmp_path: Path) -> None:
    class Pool:
        under_way = most = 0

        def submit(self, *_: object) -> "Done":
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            return Done()

    class Done:
        _condition: Any = None

    pool = Pool()
    todo = iter([((str(n), 1),) for n in range(1_000)])
    wait = bulk.wait
    try:
        bulk.wait = lambda *_, **__: setattr(pool, "under_way", pool.under_way - 1)  # type: ignore[assignment]
        taken = [share for share, _ in bulk._in_order(pool, todo, order(tmp_path), 8)]  # type: ignore[arg-type]
    finally:
        bulk.wait = wait
    assert [int(share[0][0]) for share in taken] == list(range(1_000))
    assert pool.most <= 9


@needs_registers
def test_real_studies_become_quads_that_load(tmp_path: Path) -> None:
    outcome = bulk.write([REGISTERS / "clinicaltrials-gov" / "studies-2026-03.json.gz"], order(tmp_path), workers=1)
    assert (outcome.read, outcome.written, outcome.newest) == (1178, 1178, date(2026, 3, 13))
    quads = list(ox.parse(path=str(outcome.parts[0].path), format=ox.RdfFormat.N_QUADS))
    assert len({quad.subject for quad in quads}) == 1178
    paths = {field.path for field in shapes()["Trial"].fields}
    assert {quad.predicate.value for quad in quads} - paths == {"http://www.w3.org/1999/02/22-rdf-syntax-ns#type"}


def test_order_of_random_names_is_by_name(tmp_path: Path) -> None:
    names = [f"{n}.json" for n in range(20)]
    random.Random(1).shuffle(names)
    for name in names:
        (tmp_path / name).write_text("[]")
    assert [Path(path).name for path, _ in bulk.files([tmp_path])] == sorted(names)


def test_parts_are_loaded_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = bulk.write([folder_of(tmp_path / "pages", 3)], order(tmp_path), workers=1)
    parts = [part.path for part in outcome.parts]
    (tmp_path / "empty.nq").touch()
    other = tmp_path / "other.nq"
    other.write_text('<urn:a> <urn:b> _:c <urn:g> .\n_:c <urn:b> "d" <urn:g> .\n')
    monkeypatch.setattr(store, "_BLOCK", 700)
    blocks = list(store._blocks([*parts, tmp_path / "empty.nq", *parts]))
    assert all(block.endswith(b" .\n") for block in blocks)
    assert b"".join(blocks) == b"".join(path.read_bytes() for path in parts) * 2
    assert len(blocks) > 3
    assert store.write_store(tmp_path / "store", other, [*parts, *parts]) == len(all_lines(outcome)) + 2
    assert store.write_store(tmp_path / "none", None) == 0


def test_studies_are_multiplied_the_same_way_every_time() -> None:
    real = [study(1), study(2)]
    made = list(multiply_studies.studies(real, 7, seed=3))
    assert made == list(multiply_studies.studies(real, 7, seed=3))
    assert made != list(multiply_studies.studies(real, 7, seed=4))
    naming = [json.loads(one)["protocolSection"]["identificationModule"] for one in made]
    assert len({one["nctId"] for one in naming}) == 7
    assert {len(json.loads(one)["protocolSection"]["statusModule"]["startDateStruct"]["date"]) for one in made} == {7}
    for number, one in enumerate(made):
        assert clinicaltrials.trial(json.loads(one), f"study {number}", print).title
