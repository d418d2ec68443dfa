"""Diseases, genes and countries that registers speak of and no table has, taken from vocabularies with their labels."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from kg.curated import Tables
from kg.namespaces import compact, expand
from kg.records import Disease, Gene, Jurisdiction, Record
from kg.vocabularies import labels

_OBJECT: Final = re.compile(r"> <([^>]+)> <[^>]+> \.$")
_KINDS: Final = ("MONDO:", "gene:", "jurisdiction:")


def new_terms(lines: Iterable[str], tables: Tables, vocabularies: Path | None) -> Iterator[Record]:
    """Yield a record of each disease, gene and jurisdiction that lines refer to and no table has.

    Args:
        lines: N-Quads.
        tables: The curated tables.
        vocabularies: The folder of vocabularies, or None.
    """
    known = {record.id for table in ("diseases", "genes", "jurisdictions") for record in tables.records.get(table, ())}
    start = tuple(expand(f"{kind}x")[:-1] for kind in _KINDS)
    wanted = set()
    for line in lines:
        match = _OBJECT.search(line)
        if match and match[1].startswith(start):
            wanted.add(compact(match[1]))
    if vocabularies is None:
        return
    for term, (label, code) in sorted(labels(vocabularies, wanted - known).items()):
        if term.startswith("MONDO:"):
            yield Disease(id=term, label=label, sources=("source:mondo",))
        elif term.startswith("gene:"):
            yield Gene(id=term, label=label, symbol=label, hgnc=code, sources=("source:hgnc",))
        else:
            yield Jurisdiction(
                id=term, label=label, iso_alpha2=term.partition(":")[2].upper(), iso_alpha3=code,
                part_of=("jurisdiction:world",), sources=("source:iso-3166-1",),
            )  # fmt: skip
