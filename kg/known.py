"""The names by which curated therapies are known, for whoever looks for them in other people's texts."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.curated import read
from kg.records import Product, Therapy
from kg.resources import CURATED

_IN_BRACKETS: Final = re.compile(r" \([^)]*\)$")


@dataclass(frozen=True, slots=True)
class Known:
    """A curated therapy, as far as a record that names it needs.

    Attributes:
        therapy: Its id.
        therapy_class: The id of its class.
        names: Its names, codes and brands, in any script.
        targets: The ids of the genes that it recognises.
        cell_source: The id of the source of its cells, or None.
    """

    therapy: str
    therapy_class: str
    names: tuple[str, ...]
    targets: tuple[str, ...] = ()
    cell_source: str | None = None


def known_therapies(folder: Path = CURATED) -> tuple[Known, ...]:
    """Return the therapies of curated tables with all their names.

    Raises:
        KgError: There are no tables.
    """
    tables = read([folder])
    names: dict[str, list[str]] = {}
    for product in tables.records.get("products", ()):
        assert isinstance(product, Product)
        names.setdefault(product.therapy, []).extend((product.label, *product.names))
    found = []
    for therapy in tables.records.get("therapies", ()):
        assert isinstance(therapy, Therapy)
        own = (therapy.inn or "", _IN_BRACKETS.sub("", therapy.label), *therapy.names, *therapy.codes)
        called = (name.rpartition("@")[0] or name for name in (*own, *names.get(therapy.id, ())))
        source = therapy.cell_source[0] if therapy.cell_source else None
        found.append(
            Known(
                therapy.id, therapy.therapy_class, tuple(dict.fromkeys(filter(None, called))), therapy.targets, source
            )
        )
    return tuple(found)
