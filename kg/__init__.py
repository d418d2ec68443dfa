"""The open knowledge graph of cell and gene therapies, the agencies that judge them, and every milestone.

>>> import kg
>>> kg.__version__.count(".")
2
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kg.query import ask as ask
    from kg.store import Release as Release
    from kg.store import open_release as open_release

__version__ = "0.1.0"
__all__ = ["Release", "__version__", "ask", "open_release"]

_HOMES = {"Release": "kg.store", "open_release": "kg.store", "ask": "kg.query"}


def __getattr__(name: str) -> object:
    # Importing kg opens nothing and costs nothing; the store is loaded when it is first asked for.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'kg' has no attribute {name!r}")
