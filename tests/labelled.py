"""Labelled ids as records, read by the registers' own connectors."""

import csv
from functools import cache

from kg.errors import SourceError
from kg.registers import read, recognise
from kg.registers.records import RegisterRecord
from tests.support import REGISTERS, ROOT

LABELS = ROOT / "tests" / "data" / "labels"


@cache
def labels(name: str) -> tuple[dict[str, str], ...]:
    """The rows of `trials` or `products`."""
    with (LABELS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def records() -> dict[tuple[str, str], RegisterRecord]:
    """Every record of the registers that labels speak of, by register and id."""
    found: dict[tuple[str, str], RegisterRecord] = {}
    for path in sorted(path for path in REGISTERS.rglob("*") if path.is_file()):
        try:
            summary, taken = read(path, recognise(path).name)
        except SourceError:
            continue
        for record in taken:
            found.setdefault((summary.register, record.id), record)
    return found
