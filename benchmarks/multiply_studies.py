"""Make as many studies as are asked for out of real ones: new numbers, dates and sites, the same every time.

    python benchmarks/multiply_studies.py REAL.json[.gz] FOLDER --studies 50000 [--seed 1] [--form pages|array|lines]

Texts stay as they are, so that sizes, characters and what is rare are as in the register.
"""

import argparse
import gzip
import random
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson

PAGE = 1_000
"""As many studies a page as the register gives at most."""
DATES = (
    "startDateStruct", "primaryCompletionDateStruct", "completionDateStruct", "studyFirstPostDateStruct",
    "lastUpdatePostDateStruct", "resultsFirstPostDateStruct",
)  # fmt: skip


def studies(real: list[dict[str, Any]], count: int, seed: int) -> Iterator[bytes]:
    """Yield so many studies as JSON: the real ones over and over, each time with another number, dates and sites."""
    dice = random.Random(seed)  # noqa: S311 - it has to be the same every time
    sites = [site for study in real for site in _sites(study) or []]
    numbers = dice.sample(range(1, 100_000_000), count)
    for turn, number in enumerate(numbers):
        study = real[turn % len(real)]
        protocol = study["protocolSection"]
        naming, status = protocol["identificationModule"], protocol["statusModule"]
        days = timedelta(days=dice.randrange(-2_000, 200))
        moved = {name: status[name] | {"date": _moved(status[name]["date"], days)} for name in DATES if name in status}
        changed = protocol | {
            "identificationModule": naming | {"nctId": f"NCT{number:08d}"},
            "statusModule": status | moved,
        }
        held = _sites(study)
        if held:
            others = dice.choices(sites, k=len(held))
            changed["contactsLocationsModule"] = protocol["contactsLocationsModule"] | {"locations": others}
        yield orjson.dumps(study | {"protocolSection": changed})


def _sites(study: dict[str, Any]) -> list[dict[str, Any]] | None:
    found = study["protocolSection"].get("contactsLocationsModule", {}).get("locations")
    return found if isinstance(found, list) else None


def _moved(text: str, days: timedelta) -> str:
    """A date moved, written as precisely as it was."""
    moved = date.fromisoformat((text + "-01-01")[:10]) + days
    return moved.isoformat()[: len(text)]


def write(made: Iterator[bytes], folder: Path, form: str) -> int:
    """Write studies as files of a form and return how many bytes they have."""
    folder.mkdir(parents=True, exist_ok=True)
    size = 0
    if form == "pages":
        page, held = 0, []
        for study in made:
            held.append(study)
            if len(held) == PAGE:
                size += _page(folder, page, held)
                page, held = page + 1, []
        return size + (_page(folder, page, held) if held else 0)
    with (folder / ("studies.json" if form == "array" else "studies.jsonl")).open("wb") as file:
        before = b"[" if form == "array" else b""
        for study in made:
            size += file.write(before + study)
            before = b"," if form == "array" else b"\n"
        size += file.write(b"]" if form == "array" else b"\n")
    return size


def _page(folder: Path, page: int, held: list[bytes]) -> int:
    raw = b'{"studies":[' + b",".join(held) + b'],"nextPageToken":"%d"}' % page
    return (folder / f"page-{page:05d}.json").write_bytes(raw)


def load(path: Path) -> list[dict[str, Any]]:
    """Return the real studies of a page or array, gzip or not."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    found = orjson.loads(raw)
    real: list[dict[str, Any]] = found["studies"] if isinstance(found, dict) else found
    return real


def main() -> None:
    """Read the command line and write."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("real", type=Path)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--studies", type=int, default=50_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--form", choices=("pages", "array", "lines"), default="pages")
    given = asked.parse_args()
    size = write(studies(load(given.real), given.studies, given.seed), given.folder, given.form)
    print(f"{given.studies:,} studies, {size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
