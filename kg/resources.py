"""Where the shipped ontology, queries and tables lie: in the wheel, or beside the package in a checkout."""

from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parent


def _shipped(name: str, packed: str) -> Path:
    # In the wheel the ontology's files cannot be called kg/ontology: that is the module.
    inside = PACKAGE / packed
    return inside if inside.is_dir() else PACKAGE.parent / name


ONTOLOGY: Final = _shipped("ontology", "ontology_files")
QUERIES: Final = _shipped("queries", "queries")
CURATED: Final = PACKAGE / "curated"
LABELS: Final = PACKAGE.parent / "tests" / "data" / "labels"
"""Records labelled by hand; they are in a checkout only."""
