"""Names that are nearly the same: a slip of the pen, never another syllable and never another digit."""

import re
from collections.abc import Iterable
from typing import Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from kg.matching.spelling import sounded, words
from kg.matching.words import DESCRIPTIVE

LINKED: Final = 84.0
"""How alike, from 0 to 100, a text must be to a name to be linked; at 84 no name of another medicine is linked."""
SHOWN: Final = 78.0
"""How alike it must be to be shown to a curator."""
_SHORTEST: Final = 7
_LONG: Final = 10
_SOUNDED: Final = 99.0
_STEM = re.compile(
    r"(cabtagene|glogene|tresgene|cogene|nacogene|sogene|logene|tagene|gene|leucel|temcel|strocel|cel|vec)"
)
_INN = re.compile(r"(cel|vec|gene|plasmid|turev|leu?cell?|vecc|jene)$")


class NearNames:
    """Names without digits, to be compared with texts that look like names.

    Args:
        names: The names as they are compared, with the things that have them.
        known: Names, as they are compared, that mean something else; a text that is one is never nearly another.
    """

    def __init__(self, names: dict[str, frozenset[str]], known: Iterable[str] = ()) -> None:
        self._things = {n: t for n, t in names.items() if len(n) >= _SHORTEST and n.isascii() and n.isalpha()}
        self._names = list(self._things)
        self._known = frozenset(known) - self._things.keys()

    def find(self, text: str) -> tuple[str, str, float, str] | None:
        """Find the name that a text is nearly.

        Returns:
            The thing, its name, how alike they are from 0 to 100, and why they are no link, or ""; None where nothing
            is alike, or the text does not look like a name.
        """
        best: tuple[str, str, float, str] | None = None
        for wanted in looks_named(text):
            if wanted in self._known:
                continue
            matches = process.extract(wanted, self._names, scorer=fuzz.ratio, score_cutoff=SHOWN, limit=3)
            for name, alike, _ in matches:
                # What only sounds the same is still not the same.
                score = max(alike, min(fuzz.ratio(sounded(wanted), sounded(name)), _SOUNDED))
                reason = _difference(wanted, name, score)
                others = [m for m in matches if self._things[m[0]] != self._things[name]]
                if not reason and (len(self._things[name]) > 1 or any(m[1] >= alike for m in others)):
                    reason = "several are as near"
                found = (min(self._things[name]), name, round(score, 1), reason)
                if best is None or (not reason, score) > (not best[3], best[2]):
                    best = found
        return best


def looks_named(text: str) -> list[str]:
    """Return the parts of a text that look like names of medicines, as they are compared.

    >>> looks_named("Talikabtagene Autoleucel"), looks_named("Kymirah infusion"), looks_named("CD19 CAR-T cells")
    (['talikabtageneautoleucel'], ['kymirah'], [])
    """
    parts = words(text)
    plain = [p for p in parts if p not in DESCRIPTIVE]
    if any(c.isdigit() for p in plain for c in p):
        plain = [p for p in plain if p.isalpha()]
        whole = False
    else:
        whole = len(plain) <= 2
    found = []
    if whole and plain:
        found.append("".join(plain))
    else:
        for index, part in enumerate(plain):
            if _INN.search(part) and len(part) >= _SHORTEST:
                found.append(part)
                if index:
                    found.append(plain[index - 1] + part)
    return [f for f in found if len(f) >= _SHORTEST and f.isascii() and f.isalpha()]


def _difference(text: str, name: str, score: float) -> str:
    """Return why two names that look alike are not taken for one, or ""."""
    if score < LINKED:
        return "below the threshold"
    text, name = sounded(text), sounded(name)
    if text == name:
        return ""
    if text[:2] != name[:2]:
        return "begin differently"
    edits = OSA.distance(text, name)
    if edits > (2 if len(name) >= _LONG else 1):
        return "differ in more than a slip"
    # The first syllables of an INN say which one of its class it is.
    stem = _STEM.search(name)
    if stem and stem.start() > 0:
        own, rest = name[: stem.start()], name[stem.start() :]
        same = text.removesuffix(rest) if text.endswith(rest) else text[: len(own)]
        if own != same and (len(own) < 4 or OSA.distance(own, same) > 1 or edits > 1):
            return "differ in the syllables that tell INNs apart"
    return ""
