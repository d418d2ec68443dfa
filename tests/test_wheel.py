"""The wheel, installed in an empty environment and run away from the checkout, builds and answers."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support import ROOT


def call(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "KG_", "VIRTUAL"))}
    return subprocess.run(words, check=False, capture_output=True, text=True, cwd=cwd, env=clean)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    done = call(*pip, "--wheel-dir", str(folder), str(ROOT), cwd=folder)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("cgt_kg-*.whl")
    return path


def test_the_wheel_holds_ontology_questions_and_tables(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "kg/ontology_files/cgt.ttl", "kg/ontology_files/derive/terms/1-therapy-classes.rq",
        "kg/queries/approvals/approvals.rq", "kg/curated/milestones.csv", "kg/templates/network.html",
        "kg/classifier.yaml",
    } <= names  # fmt: skip


def test_it_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    assert call(sys.executable, "-m", "venv", str(tmp_path / "venv"), cwd=tmp_path).returncode == 0
    lock = ROOT / "requirements.lock"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = call(*pip, "--require-hashes", "--requirement", str(lock), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = call(*pip, "--no-deps", str(wheel), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    kg = str(tmp_path / "venv" / "bin" / "kg")
    done = call(kg, "build", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "release" in done.stdout
    done = call(kg, "query", "approvals", "--product", "Kymriah", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2017-08-30" in done.stdout
