"""Organisations by the names that registers give them: sponsors, holders, applicants."""

import re
from collections.abc import Iterable
from typing import Final

from rapidfuzz import fuzz, process

from kg.matching.spelling import key, unbracketed, words
from kg.matching.words import LEADING, LEGAL, LINKING, SEAT, TRADE

LINKED: Final = 92.0
"""How alike, from 0 to 100, two names must be without words of form, trade and seat."""
SHOWN: Final = 86.0
_TAIL = re.compile(
    r"[\s,(]+(an?|the)\s[^,]*\b(company|subsidiary|member|division|part)\b.*$|[\s,(]+([\w-]+ )?subsidiary of\b.*$",
    re.IGNORECASE,
)
_POINTS = re.compile(r"(?<=\b\w)\.(?=\w\b|\s|,|$)")
_DISTINCT: Final = 4
_LONG: Final = 7


class Organisations:
    """The names of organisations.

    Args:
        named: Pairs of a name and the organisation that has it.
        barred: Pairs of a name's key and an organisation that it does not mean.
    """

    def __init__(self, named: Iterable[tuple[str, str]], barred: frozenset[tuple[str, str]] = frozenset()) -> None:
        self._exact: dict[str, set[str]] = {}
        self._plain: dict[str, set[str]] = {}
        self._bare: dict[str, set[tuple[str, frozenset[str]]]] = {}
        self._barred = barred
        for name, thing in named:
            if (key(name), thing) in barred:
                continue
            self._exact.setdefault(key(name), set()).add(thing)
            self._plain.setdefault(legal_form_off(name), set()).add(thing)
            short, trades = trade_off(name)
            if len(short) >= _DISTINCT or not short.isascii():
                self._bare.setdefault(short, set()).add((thing, trades))
        self._names = sorted(n for n in self._bare if len(n) >= _LONG)

    def find(self, text: str) -> tuple[str, float, str] | None:
        """Find the organisation of a name.

        Returns:
            The organisation, how alike the names are from 0 to 100, and why it is no link, or ""; None where no name
            is alike.
        """
        whole = key(text)
        tailless = _TAIL.sub("", text)
        bracketless = unbracketed(tailless)
        for table, found in (
            (self._exact, (whole, key(tailless), key(bracketless))),
            (self._plain, (legal_form_off(tailless), legal_form_off(bracketless))),
        ):
            for form in found:
                things = {thing for thing in table.get(form, ()) if (whole, thing) not in self._barred}
                if len(things) == 1:
                    return min(things), 100.0, ""
        short, trades = trade_off(bracketless, SEAT)
        things = {
            thing
            for thing, theirs in self._bare.get(short, ())
            if (trades <= theirs or theirs <= trades) and (whole, thing) not in self._barred
        }
        if len(things) == 1:
            return min(things), 100.0, ""
        return self._near(short, trades, whole)

    def _near(self, short: str, trades: frozenset[str], whole: str) -> tuple[str, float, str] | None:
        if len(short) < _LONG:
            return None
        match = process.extractOne(short, self._names, scorer=fuzz.ratio, score_cutoff=SHOWN)
        if match is None:
            return None
        name, score, _ = match
        theirs = {thing: own for thing, own in self._bare[name] if (whole, thing) not in self._barred}
        if not theirs:
            return None
        thing = min(theirs)
        digits = [[c for c in text if c.isdigit()] for text in (short, name)]
        fits = trades <= theirs[thing] or theirs[thing] <= trades
        sure = score >= LINKED and digits[0] == digits[1] and short[:3] == name[:3] and len(theirs) == 1 and fits
        return thing, round(score, 1), "" if sure else "below the threshold"


def legal_form_off(name: str) -> str:
    """Return a name as it is compared, without its legal form.

    >>> legal_form_off("Adaptimmune, L.L.C."), legal_form_off("Hospital Clínic of Barcelona")
    ('adaptimmune', 'hospitalclinicbarcelona')
    """
    return "".join(_parts(name))


def trade_off(name: str, seats: frozenset[str] = frozenset()) -> tuple[str, frozenset[str]]:
    """Return a name as it is compared, without the words about trade that end it, and the trades they speak of.

    Args:
        name: The name.
        seats: Places that are left out too.

    >>> trade_off("Novartis Gene Therapies, Inc.")
    ('novartis', frozenset({'therapy'}))
    """
    parts = _parts(name)
    trades = set()
    while len(parts) > 1 and (parts[-1] in LEGAL or parts[-1] in TRADE or parts[-1] in seats):
        trades.add(TRADE.get(parts.pop(), ""))
    while len(parts) > 1 and (parts[0] in seats or (seats and parts[0] in LEADING)):
        parts.pop(0)
    return "".join(parts), frozenset(trades - {"", "work"})


def _parts(name: str) -> list[str]:
    parts = [w for w in words(_POINTS.sub("", name)) if w not in LINKING]
    while len(parts) > 1 and parts[-1] in LEGAL:
        parts.pop()
    return parts
