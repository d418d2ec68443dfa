"""Seeded damage to files, for tests that a reader survives it."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from kg.errors import SourceError
from kg.registers.connector import Connector
from kg.registers.reading import Summary
from kg.registers.records import RegisterRecord

TIMES = int(os.environ.get("KG_FUZZ", "300"))
"""How many mutations a test of a reader makes."""
PIECES = (
    b"\x00", b"\xff", b'"', b",", b"\n", b"\r\n", b"|", b"{", b"[", b"]", b"}", b"NaN", b"1e999", b"null", b"-1",
    b"30-FEB-2020", b"2020-02-30", b"43710", "\u202e".encode(), "\u200b".encode(), b"<script>", b"javascript:x",
    b"9" * 5000, "国家药品".encode("gb18030"), b"\xe9", b"\xef\xbb\xbf", b"\\ud800", b'""', b"Infinity",
)  # fmt: skip


def mutated(raw: bytes, dice: random.Random) -> bytes:
    """Return bytes with one to six damages: flipped, left out, doubled, swapped, put in, cut off."""
    out = bytearray(raw)
    for _ in range(dice.randint(1, 6)):
        if not out:
            break
        at = dice.randrange(len(out))
        end = min(len(out), at + dice.choice((1, 1, 2, 8, 60, 400)))
        match dice.randrange(7):
            case 0:
                out[at] ^= 1 << dice.randrange(8)
            case 1:
                del out[at:end]
            case 2:
                out[at:at] = out[at:end]
            case 3:
                other = dice.randrange(len(out))
                out[at], out[other] = out[other], out[at]
            case 4:
                out[at:end] = dice.choice(PIECES)
            case 5:
                out[at:at] = dice.choice(PIECES)
            case _:
                if dice.random() < 0.2:
                    del out[at:]
    return bytes(out)


def reading(connector: Connector, path: Path) -> tuple[list[RegisterRecord], Summary]:
    """Read a file whole."""
    summary = Summary(path.name, connector.name)
    return list(connector.read(path, summary)), summary


def survives(
    connector: Connector, write: Callable[[random.Random], Path], seed: int
) -> Iterator[Summary | SourceError]:
    """Read mutated files; only a SourceError may come out, and no record may be lost from the count."""
    dice = random.Random(seed)
    for _ in range(TIMES):
        path = write(dice)
        try:
            records, summary = reading(connector, path)
        except SourceError as error:
            yield error
        else:
            assert len(records) == summary.loaded
            assert summary.read == summary.loaded + len(summary.skips)
            assert all(record.id.isprintable() for record in records)
            yield summary
