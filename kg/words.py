"""Finding many words in a text at once: plain forms, phrases by one of their words, wildcards by single words.

A text is split into words once, and the words that stand in some phrase are found by one intersection of sets; only
their phrases are looked for. Which words fit a wildcard is remembered, for texts repeat the same few thousand words.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

_ASCII: Final = bytes(ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else 32 for code in range(256))
_NOT_WORD: Final = re.compile(r"[\W_]+")
_WILD: Final = re.compile(r"[*#]")
# Letters beyond ASCII; signs such as dashes and trade marks are spaces like any other.
_LETTERS: Final = re.compile(r"[\u00c0-\u02af\u0370-\u1fff\u2c00-\ud7ff\uf900-\uffef]")
# Scripts without spaces between words, and Cyrillic, whose words have many endings.
_ANYWHERE: Final = re.compile(r"[\u0400-\u052f\u3040-\u9fff\uac00-\ud7af]")
_REMEMBERED: Final = 200_000
# Words that stand in most texts; a phrase is looked up by another of its words where it has one.
_COMMON: Final = frozenset({
    "adult", "blood", "bone", "cancer", "cell", "cells", "chronic", "delivery", "derived", "disease", "donor",
    "expressing", "from", "gene", "human", "immune", "infusion", "injection", "liver", "marrow", "of", "or",
    "product", "protein", "receptor", "recombinant", "risk", "specific", "study", "t", "therapy", "therapies",
    "tissue", "transplantation", "treatment", "tumor", "type", "virus", "with",
})  # fmt: skip


def plain(text: str) -> str:
    """Return a text as words are looked for in it: one space between words and at both ends.

    >>> plain("Anti-CD19 CAR‑T (Kymriah®)")
    ' anti cd19 car t kymriah '
    """
    if text.isascii() or not _LETTERS.search(text):
        return f" {' '.join(text.encode('ascii', 'replace').translate(_ASCII).decode('ascii').split())} "
    text = unicodedata.normalize("NFKC", text.replace("™", " ")).casefold()
    return f" {_NOT_WORD.sub(' ', text).strip()} "


class Words:
    """A dictionary of phrases and what each stands for.

    Args:
        phrases: The phrases of each meaning. `*` stands for any letters and digits within a word, `#` for digits,
            and the last word may have a plural s. Phrases in scripts without spaces are found anywhere.
    """

    def __init__(self, phrases: Mapping[str, Iterable[str]]) -> None:
        self._by_word: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        self._wild_by_word: dict[str, list[tuple[re.Pattern[str], str]]] = defaultdict(list)
        self._wild_words: list[tuple[re.Pattern[str], str]] = []
        self._anywhere: list[tuple[str, str]] = []
        for meaning, listed in phrases.items():
            for phrase in dict.fromkeys(listed):
                self._add(phrase, meaning)
        self._keys = frozenset(self._by_word) | frozenset(self._wild_by_word)
        self._fits: dict[str, tuple[str, ...]] = {}
        self._dull: set[str] = set()

    def _add(self, phrase: str, meaning: str) -> None:
        if _WILD.search(phrase):
            words = [part for part in re.split(r"[^\w*#]+", phrase.casefold()) if part]
            pattern = re.compile(" ".join(map(_shape, words)))
            literal = [word for word in words if not _WILD.search(word)]
            if len(words) == 1:
                self._wild_words.append((pattern, meaning))
            elif literal:
                whole = re.compile(rf"(?<= ){pattern.pattern}(?= )")
                self._wild_by_word[_telling(literal)].append((whole, meaning))
            else:
                raise ValueError(f"{phrase!r} has wildcards in each of its words")
            return
        text = plain(phrase)
        if _ANYWHERE.search(text):
            self._anywhere.append((text.strip(), meaning))
            return
        for form in (text, f"{text[:-1]}s "):
            self._by_word[_telling(form.split())].append((form, meaning, text.strip()))

    def find(self, text: str) -> dict[str, list[str]]:
        """Return the meanings found in a plain text, each with the words that matched."""
        found: dict[str, list[str]] = {}
        for meaning, words in self._matches(text):
            found.setdefault(meaning, []).append(words)
        return found

    def _matches(self, text: str) -> Iterator[tuple[str, str]]:
        words = set(text.split())
        for word in sorted(self._keys & words):
            for form, meaning, phrase in self._by_word.get(word, ()):
                if form in text:
                    yield meaning, phrase
            for pattern, meaning in self._wild_by_word.get(word, ()):
                match = pattern.search(text)
                if match:
                    yield meaning, match[0]
        for word in sorted(words - self._dull):
            for meaning in self._fitting(word):
                yield meaning, word
        if not text.isascii() and _ANYWHERE.search(text):
            yield from ((meaning, phrase) for phrase, meaning in self._anywhere if phrase in text)

    def touches(self, text: str) -> bool:
        """Whether any phrase stands in a plain text."""
        return next(self._matches(text), None) is not None

    def _fitting(self, word: str) -> tuple[str, ...]:
        """The meanings of the wildcards that a word fits; what it fits, or that it fits none, is remembered."""
        known = self._fits.get(word)
        if known is not None:
            return known
        fits = tuple(dict.fromkeys(meaning for pattern, meaning in self._wild_words if pattern.fullmatch(word)))
        if len(self._dull) + len(self._fits) > _REMEMBERED:
            self._dull.clear()
            self._fits.clear()
        if fits:
            self._fits[word] = fits
        else:
            self._dull.add(word)
        return fits


def _telling(words: list[str]) -> str:
    """The word of a phrase that stands in the fewest texts, as far as its length tells."""
    return max(words, key=lambda word: (word not in _COMMON, len(word)))


def _shape(word: str) -> str:
    return re.escape(word).replace(r"\*", r"\w*").replace(r"\#", r"\d+")


def alternation(phrases: Iterable[str], tail: str = "") -> re.Pattern[str]:
    """Return an expression that finds any of some phrases, the longest first, and a tail that follows them."""
    shapes = (_shape(phrase).replace("\\ ", r"[\W_]+") for phrase in phrases)
    return re.compile(rf"\b(?:{'|'.join(sorted(shapes, key=len, reverse=True))})\b{tail}")
