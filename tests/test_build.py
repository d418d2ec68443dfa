"""Two builds are the same to the byte; a failed or killed build leaves the old release whole."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kg.build import Built, build
from kg.errors import CurationError, OutputError, ReleaseError, SourceError
from kg.store import open_release
from tests.support import COUNTEREXAMPLES, ROOT, SMALL

BUILD = "from kg.build import build; from pathlib import Path; build([Path(p) for p in {folders!r}], out=Path({out!r}))"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_two_builds_give_the_same_bytes(small_built: Built, tmp_path: Path) -> None:
    again = build([SMALL], out=tmp_path).release
    for name in ("dataset.nq", "manifest.json", "report.json", "report.html"):
        assert digest(again.path / name) == digest(small_built.release.path / name), name
    assert again.path.name == small_built.release.path.name


def test_the_manifest_is_true(small_built: Built) -> None:
    release = small_built.release
    lines = (release.path / "dataset.nq").read_text(encoding="utf-8").splitlines()
    assert release.manifest["dataset"]["quads"] == len(lines) == len(release.store)
    assert release.manifest["dataset"]["sha256"] == digest(release.path / "dataset.nq")
    assert lines == sorted(set(lines))


def test_the_hash_seed_does_not_matter(tmp_path: Path) -> None:
    sums = set()
    for seed in ("1", "2"):
        out = tmp_path / seed
        code = BUILD.format(folders=[str(SMALL)], out=str(out))
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed})
        sums.add(digest(out / "current" / "dataset.nq"))
    assert len(sums) == 1


def test_no_blank_node_in_data(small_built: Built) -> None:
    for line in (small_built.release.path / "dataset.nq").read_text(encoding="utf-8").splitlines():
        if "_:" in line.split('"')[0]:
            assert line.endswith(("graph/ontology> .", "graph/shapes> .")), line


def test_a_second_build_of_the_same_changes_nothing(tmp_path: Path) -> None:
    first = build([SMALL], out=tmp_path)
    second = build([SMALL], out=tmp_path)
    assert (first.new, second.new) == (True, False)
    assert first.release.path == second.release.path
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", "current", "releases"]


def test_a_damaged_release_is_made_anew(tmp_path: Path) -> None:
    first = build([SMALL], out=tmp_path).release.path
    manifest = json.loads((first / "manifest.json").read_text(encoding="utf-8"))
    manifest["dataset"]["quads"] = 1
    (first / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    again = build([SMALL], out=tmp_path)
    assert again.new
    assert open_release(tmp_path).manifest["dataset"]["quads"] > 1


def test_findings_leave_the_old_release_in_use(tmp_path: Path) -> None:
    before = build([SMALL], out=tmp_path).release.path
    with pytest.raises(CurationError, match=r"milestones\.csv:2"):
        build([SMALL, COUNTEREXAMPLES / "data" / "end-after-approval"], out=tmp_path)
    assert open_release(tmp_path).path == before


def test_a_killed_build_leaves_the_old_release_whole(tmp_path: Path) -> None:
    before = build([SMALL], out=tmp_path).release
    overlay = tmp_path / "tables"
    overlay.mkdir()
    chance = random.Random(7)
    whole = 0.0
    for turn in range(5):
        text = (SMALL / "products.csv").read_text(encoding="utf-8").splitlines()
        row = next(line for line in text if line.startswith("product:kymriah,"))
        (overlay / "products.csv").write_text(
            f"{text[0]}\n{row.replace(',Kymriah,', f',Kymriah {turn},')}\n", encoding="utf-8"
        )
        (overlay / "claims.csv").unlink(missing_ok=True)
        code = BUILD.format(folders=[str(SMALL), str(overlay)], out=str(tmp_path))
        started = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if turn == 0:
            child.wait()
            whole = time.monotonic() - started
            continue
        time.sleep(chance.uniform(0.2, 1.0) * whole)
        child.send_signal(signal.SIGKILL)
        child.wait()
        release = open_release(tmp_path)
        assert digest(release.path / "dataset.nq") == release.manifest["dataset"]["sha256"]
        assert len(release.store) == release.manifest["dataset"]["quads"]
        assert len(release.select("SELECT ?a WHERE { ?a a cgt:Approval }").rows) == 16
    build([SMALL], out=tmp_path)
    assert not list(tmp_path.glob(".work-*"))
    assert open_release(tmp_path).path == before.path


def test_two_builds_at_once_are_refused(tmp_path: Path) -> None:
    import fcntl

    build([SMALL], out=tmp_path)
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another build"):
            build([SMALL], out=tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="file"):
        build([SMALL], out=tmp_path / "file")


def test_files_of_no_register_are_listed(tmp_path: Path) -> None:
    folder = tmp_path / "registers"
    folder.mkdir()
    (folder / "purplebook.csv").write_text("x", encoding="utf-8")
    build([SMALL], registers=folder, out=tmp_path / "out")
    report = json.loads((tmp_path / "out" / "current" / "report.json").read_text(encoding="utf-8"))
    assert report["registers"]["not_registers"] == ["purplebook.csv"]
    with pytest.raises(SourceError, match="no such folder"):
        build([SMALL], registers=tmp_path / "nowhere", out=tmp_path / "out2")


def test_no_release_is_said_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="kg build"):
        open_release(tmp_path)
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"manifest\.json"):
        open_release(tmp_path)


def test_each_graph_is_described_with_its_size(small_built: Built) -> None:
    release = small_built.release
    counted = release.select("SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")
    said = release.select("SELECT ?g ?n ?licence WHERE { ?g void:triples ?n ; dcterms:license ?licence }")
    sizes = {str(g): n.value for g, n, _ in said.rows}  # type: ignore[union-attr]
    for name, number in counted.rows:
        if not str(name).endswith("graph/description>"):
            assert sizes[str(name)] == number.value  # type: ignore[union-attr]
    examples = release.select("SELECT ?x ?class { ?g void:exampleResource ?x ; void:class ?class }")
    typed = release.select(
        "SELECT DISTINCT ?x ?class { ?g void:exampleResource ?x ; void:class ?class . ?x a/rdfs:subClassOf* ?class }"
    )
    assert len(examples.rows) > 5
    assert sorted(map(str, typed.rows)) == sorted(map(str, examples.rows))
