"""Names of therapies as they stand in texts: whole, inside a longer text, in any script."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from kg.matching.spelling import key, placed, unbracketed, unsuffixed, words
from kg.matching.words import DESCRIPTIVE, FORMS, TARGET

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_KATAKANA = re.compile(r"[\u30a0-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_CELLS: Final = ("細胞", "细胞", "세포", "組織", "軟骨", "角膜", "表皮")
_JOINS: Final = ("", " ", "-", "‐", "‑", "–", " - ")
_SHORT: Final = 3
_LETTERS: Final = 4
"""A name of as few letters and no digit is an abbreviation that means other things too: MACI, NKM."""
_CODE: Final = 5
"""A code this short is not put together out of words that a space parts."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A name found in a text.

    Attributes:
        things: What has this name; more than one where it is shared.
        name: The name as it was compared.
        weak: Why the name alone does not tell what is meant, or "".
        whole: Whether it is the whole text.
    """

    things: frozenset[str]
    name: str
    weak: str
    whole: bool


class Names:
    """The names of many things, to be found in texts.

    Args:
        named: Pairs of a name and the thing that has it.
        barred: Pairs of a name's key and a thing that a curator said it does not mean.
    """

    def __init__(self, named: Iterable[tuple[str, str]], barred: frozenset[tuple[str, str]] = frozenset()) -> None:
        owners: dict[str, set[str]] = {}
        self._weak: dict[str, str] = {}
        self._codes: set[str] = set()
        self._foreign: list[str] = []
        phrases: set[str] = set()
        for name, thing in named:
            for form in _forms(name):
                plain = key(form)
                if not plain or (plain, thing) in barred:
                    continue
                owners.setdefault(plain, set()).add(thing)
                weak = _weakness(form, plain)
                self._weak.setdefault(plain, weak)
                if any(c.isdigit() for c in plain):
                    self._codes.add(plain)
                if weak or any(word in plain for word in _CELLS):
                    continue
                phrases.add(plain)
        self._owners = {plain: frozenset(things) for plain, things in owners.items()}
        self._phrases = phrases
        self._prefixes = {plain[:end] for plain in phrases for end in range(1, len(plain) + 1)}
        # The longest first: one brand may begin like another.
        self._foreign = sorted((p for p in phrases if _CJK.search(p) and len(p) > 2), key=lambda p: (-len(p), p))

    @property
    def plain(self) -> dict[str, frozenset[str]]:
        """The names that tell what is meant, as they are compared, with their owners."""
        return {name: self._owners[name] for name in sorted(self._phrases)}

    def owners(self, text: str) -> frozenset[str]:
        """Return the things of which a text is the whole name, weak or not."""
        found = self._owners.get(key(text))
        return found or self._owners.get(key(unsuffixed(text)), frozenset())

    def find(self, text: str) -> tuple[Hit, ...]:
        """Return the names in a text: all of it where it is a name, else those inside it, from left to right."""
        for form in (text, unsuffixed(text), unbracketed(text)):
            plain = key(form)
            if plain in self._owners:
                return (Hit(self._owners[plain], plain, self._weak[plain], True),)
        hits = {hit.name: hit for hit in self._inside(text)}
        if not text.isascii() and _CJK.search(text):
            hits |= {hit.name: hit for hit in self._within_runs(key(text))}
        return tuple(hits.values())

    def _inside(self, text: str) -> Iterator[Hit]:
        found = placed(text)
        at = 0
        while at < len(found):
            best = self._longest(found, at)
            if best is None:
                at += 1
                continue
            end, name = best
            yield Hit(self._owners[name], name, "", False)
            at = end

    def _longest(self, found: list[tuple[str, str, str]], at: int) -> tuple[int, str] | None:
        joined = found[at][0]
        if joined not in self._prefixes:
            return None
        end, best, spaced = at + 1, None, False
        while True:
            if joined in self._phrases and self._bounded(found, at, end, joined, spaced):
                best = (end, joined)
            if end == len(found) or found[end][1] not in _JOINS:
                return best
            spaced |= " " in found[end][1]
            joined += found[end][0]
            end += 1
            if joined not in self._prefixes:
                return best

    def _bounded(self, found: list[tuple[str, str, str]], at: int, end: int, name: str, spaced: bool) -> bool:
        """Whether a code stands for itself and is no part of a longer one: BB2121 in BB2121-7, H101 in KY-H101."""
        if name not in self._codes:
            return True
        if spaced and len(name) <= _CODE:
            return False
        if end < len(found) and found[end][1] in ("-", ".", "/") and found[end][0][0].isdigit():
            return False
        before = found[at - 1][0] if at and found[at][1] in ("-", ".") else ""
        return not before or before in DESCRIPTIVE or len(before) > _LETTERS

    def _within_runs(self, text: str) -> Iterator[Hit]:
        for name in self._foreign:
            start = text.find(name)
            if start < 0 or _runs_on(text, start, start + len(name)):
                continue
            yield Hit(self._owners[name], name, "", False)
            text = text[:start] + "\0" * len(name) + text[start + len(name) :]


def _runs_on(text: str, start: int, end: int) -> bool:
    """Whether the letters around a place are of the script of those at its ends, so that the word is another."""
    before, after = text[start - 1 : start], text[end : end + 1]
    for script in (_KATAKANA, _HANGUL):
        if script.match(text[start]) and before and script.match(before):
            return True
        if script.match(text[end - 1]) and after and script.match(after) and not text[end:].startswith("주"):
            return True
    return False


def _forms(name: str) -> Iterator[str]:
    """Yield a name and those of its forms that stand for it: without a dosage form, without the letter after an INN."""
    yield name
    for form in FORMS:
        if name.endswith(form) and len(name) - len(form) > 1:
            yield name.removesuffix(form)
            break
    head, hyphen, tail = name.rpartition("-")
    if hyphen and len(tail) == 1 and tail.isalpha() and len(head) > 7 and head.isalpha():
        yield head


def _weakness(name: str, plain: str) -> str:
    if _descriptive(name):
        return "a description"
    if len(plain) <= _SHORT or (len(plain) <= _LETTERS and plain.isascii() and plain.isalpha()):
        return "a short abbreviation"
    return ""


def _descriptive(name: str) -> bool:
    """Whether a name only says what kind of thing it is.

    >>> _descriptive("autologous CD19 CAR-T cells"), _descriptive("CT041 CAR-T cells")
    (True, False)
    """
    parts = words(name)
    return all(p in DESCRIPTIVE or TARGET.fullmatch(p) or (p.isdigit() and len(p) < _SHORT) for p in parts)
