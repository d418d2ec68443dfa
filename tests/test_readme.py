"""Every command of the README's tour runs as written, and its Python example too."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kg.build import Built
from tests.support import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
TOUR = re.search(r"<!-- tour -->\n```console\n(.*?)```", README, re.DOTALL)[1].splitlines()  # type: ignore[index]
EXAMPLE = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]  # type: ignore[index]


@pytest.fixture(scope="module")
def place(real_built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tour")
    (folder / "build").mkdir()
    (folder / "build" / "current").symlink_to(real_built.release.path)
    return folder


def run(command: str, place: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", command], check=False, capture_output=True, text=True, cwd=place, env=os.environ | {"PATH": path}
    )


@pytest.mark.skipif(shutil.which("bash") is None, reason="the tour is written for bash")
@pytest.mark.parametrize("command", TOUR)
def test_the_tour(command: str, place: Path) -> None:
    done = run(command, place)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() or command.startswith("kg check")
    assert len(done.stdout.splitlines()) != 1 or "--out" in command, "a header and no row"


def test_the_python_example(place: Path) -> None:
    assert len(EXAMPLE.splitlines()) == 5
    done = subprocess.run([sys.executable, "-c", EXAMPLE], check=False, capture_output=True, text=True, cwd=place)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("FDA 2021-03-26\n")


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = re.search(r"\ndependencies = \[(.*?)\n\]", text, re.DOTALL)[1]  # type: ignore[index]
    names = re.findall(r'"([A-Za-z0-9_-]+)', block)
    table = README.split("## What it stands on")[1]
    for name in names:
        assert re.search(rf"\| [^|]*\b{name}\b[^|]* \| \S", table), name


def test_the_lock_has_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    for line in lock.splitlines():
        assert line.startswith(("    --hash=sha256:", "#")) or re.match(r"[a-z0-9._-]+(\[[a-z]+\])?==", line), line
