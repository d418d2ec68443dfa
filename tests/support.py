"""Paths and small helpers that several tests use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SMALL = ROOT / "tests" / "data" / "small"
GOLDEN = ROOT / "tests" / "golden"
COUNTEREXAMPLES = ROOT / "tests" / "counterexamples"

REGISTERS = Path(os.environ.get("KG_REGISTERS") or ROOT.parent / "shared" / "registers")
"""Real register files; they are not part of the repository."""
needs_registers = pytest.mark.skipif(
    not REGISTERS.is_dir(), reason=f"no register files in {REGISTERS}; set KG_REGISTERS to a folder of them"
)
