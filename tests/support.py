"""Paths and small helpers that several tests use."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
SMALL = ROOT / "tests" / "data" / "small"
GOLDEN = ROOT / "tests" / "golden"
COUNTEREXAMPLES = ROOT / "tests" / "counterexamples"
