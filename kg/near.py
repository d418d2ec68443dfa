"""Near duplicates: rows of one table whose names are the same or nearly so, unless a curator told them apart.

What has an id in somebody else's vocabulary (diseases, genes, jurisdictions) cannot stand twice and is left
out; agencies are compared within their jurisdiction, for half the world's are called Food and Drug Administration.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from typing import Final

from rapidfuzz import fuzz, process

from kg.curated import Tables
from kg.errors import Finding
from kg.records import Agency, Distinction, Record

RULE: Final = "near-duplicate"
TABLES: Final = ("agencies", "indications", "organisations", "products", "therapies")
SCORE: Final = 92
"""How alike, from 0 to 100, two names must be. At 92 the INNs of two CAR-T cells that share a stem differ still."""

_FIELDS: Final = ("label", "full_name", "inn", "names", "codes")
_NOT_WORD = re.compile(r"[\W_]+")
_NOT_DIGIT = re.compile(r"\D")


def near(tables: Tables) -> list[Finding]:
    """Find pairs of records that have the same or nearly the same name and that no distinction tells apart.

    Args:
        tables: The tables; their distinctions say which pairs were decided.

    Returns:
        One finding a pair, at the place of the later of the two.
    """
    apart = {
        frozenset((one, other))
        for record in tables.records.get("distinctions", ())
        if isinstance(record, Distinction)
        for one in record.things
        for other in record.things
    }
    findings = []
    for table in TABLES:
        groups: dict[str, list[Record]] = defaultdict(list)
        for record in tables.records.get(table, ()):
            groups[record.jurisdiction if isinstance(record, Agency) else ""].append(record)
        for group in groups.values():
            for (one, name), (other, like), score in _pairs(group):
                if frozenset((one, other)) not in apart:
                    file, line = tables.places[other]
                    problem = f"{other} is named like {one}, which is called {name!r} (alike to {score:.0f} of 100)"
                    mend = "merge the two rows, or tell them apart in distinctions.csv"
                    findings.append(Finding(file, line, "names", like, problem, mend, RULE))
    return findings


def plain(name: str) -> str:
    """Return a name as it is compared: no case, marks or tag of language.

    >>> plain("ＫＹＭＲＩＡＨ®  (tisagenlecleucel)@en")
    'kymriah tisagenlecleucel'
    """
    folded = unicodedata.normalize("NFKC", name.rpartition("@")[0] or name).casefold()
    return _NOT_WORD.sub(" ", folded).strip()


def _pairs(records: list[Record]) -> Iterator[tuple[tuple[str, str], tuple[str, str], float]]:
    """Yield each pair of records once, with the two names that are most alike, and their score."""
    owners: dict[str, set[str]] = defaultdict(set)
    for record in records:
        for name in _names(record):
            owners[plain(name)].add(record.id)
    best: dict[tuple[str, str], tuple[float, str, str]] = {}
    for name, like, score in _alike(sorted(owners)):
        for one, other in product(sorted(owners[name]), sorted(owners[like])):
            if one != other:
                key, names = ((one, other), (name, like)) if one < other else ((other, one), (like, name))
                best[key] = max(best.get(key, (0, "", "")), (score, *names))
    for (one, other), (score, name, like) in sorted(best.items()):
        yield (one, name), (other, like), score


def _names(record: Record) -> Iterator[str]:
    for field in _FIELDS:
        value = getattr(record, field, None) or ()
        yield from (value,) if isinstance(value, str) else value


def _alike(names: list[str]) -> Iterator[tuple[str, str, float]]:
    """Yield every name with itself and with those after it that are nearly the same."""
    for index, name in enumerate(names):
        yield name, name, 100
        rest = names[index + 1 :]
        for like, score, _ in process.extract(name, rest, scorer=fuzz.ratio, score_cutoff=SCORE, limit=None):
            # Codes and strengths that differ in a digit are different things: CTL019 is not CTL119.
            if _NOT_DIGIT.sub("", name) == _NOT_DIGIT.sub("", like):
                yield name, like, score
