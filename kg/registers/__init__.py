"""Registers: one module each, found by content, read purely, fetched politely.

`read` opens any register's file; which register it is of is told by what is in it, never by its name.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kg.errors import SourceError
from kg.registers import (
    cart_approvals,
    cart_daily,
    clinicaltrials,
    ema_atmp_list,
    ema_medicines,
    ema_orphans,
    fda_orphans,
    health_canada,
    openfda,
    purple_book,
    wikidata,
)
from kg.registers.connector import Connector, head_of
from kg.registers.reading import Skip, Summary
from kg.registers.records import RegisterRecord

CONNECTORS: Final[tuple[Connector, ...]] = tuple(
    module.CONNECTOR
    for module in (
        clinicaltrials, cart_daily, cart_approvals, ema_medicines, ema_atmp_list, ema_orphans, purple_book, fda_orphans,
        openfda, health_canada, wikidata,
    )
)  # fmt: skip


def recognise(path: Path) -> Connector:
    """Say which register a file is of.

    Raises:
        SourceError: It cannot be read, or is of no register known here.
    """
    head = head_of(path)
    for connector in CONNECTORS:
        if connector.recognise(head):
            return connector
    known = ", ".join(connector.name for connector in CONNECTORS)
    start = " ".join(head.text[:60].split()) or ", ".join(head.members[:3])
    raise SourceError(f"{path}: of no register known here (it begins with {start!r}); known are {known}")


def named(name: str) -> Connector:
    """Return the connector of a register by its short name.

    Raises:
        SourceError: There is none of that name.
    """
    for connector in CONNECTORS:
        if connector.name == name:
            return connector
    raise SourceError(f"no register '{name}'; known are {', '.join(c.name for c in CONNECTORS)}")


def read(path: Path, register: str | None = None) -> tuple[Summary, Iterator[RegisterRecord]]:
    """Read a register's file.

    Args:
        path: The file.
        register: The register's short name; told by the content where None.

    Returns:
        A summary, complete once the records have been taken, and the records.

    Raises:
        SourceError: The file is not what it should be; from the iterator too.
    """
    connector = named(register) if register else recognise(path)
    summary = Summary(path.name, connector.name)
    return summary, connector.read(path, summary)


__all__ = ["CONNECTORS", "Connector", "RegisterRecord", "Skip", "SourceError", "Summary", "named", "read", "recognise"]
