"""Where the shipped ontology, queries and tables lie: in the wheel, or beside the package in a checkout."""

from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parent


def _shipped(name: str) -> Path:
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


ONTOLOGY: Final = _shipped("ontology")
QUERIES: Final = _shipped("queries")
CURATED: Final = PACKAGE / "curated"
