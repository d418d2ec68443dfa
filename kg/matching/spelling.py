"""How names are compared: no case, width, marks, accents or hyphens; one spelling of English; Greek letters in full."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_MARKS: Final = dict.fromkeys(map(ord, "®™℠©*†‡"), " ")
_GREEK: Final = {
    ord(letter): name
    for letter, name in {
        "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
        "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "π": "pi", "σ": "sigma", "ς": "sigma", "τ": "tau",
        "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    }.items()
}  # fmt: skip
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['’]s\b")
_SUFFIX = re.compile(r"(?<=\w)-[a-z]{4}$")
_BRITISH: Final = (
    (re.compile(r"(?<=[a-z])our(?=s|ed|ing|$)"), "or"),
    (re.compile(r"(?<=[a-z])is(?=ed$|ation$|ations$|ing$)"), "iz"),
    (re.compile(r"aem"), "em"),
    (re.compile(r"paed"), "ped"),
    (re.compile(r"oed"), "ed"),
    (re.compile(r"oes(?=o)"), "es"),
    (re.compile(r"tre$"), "ter"),
    (re.compile(r"faec"), "fec"),
    (re.compile(r"caec"), "cec"),
    (re.compile(r"gynaec"), "gynec"),
    (re.compile(r"anaesth"), "anesth"),
    (re.compile(r"phoea"), "phea"),
    (re.compile(r"rhoea"), "rhea"),
    (re.compile(r"coel"), "cel"),
)


def folded(text: str) -> str:
    """Return a text without case, width, marks and accents, with Greek letters in full.

    >>> folded("ＫＹＭＲＩＡＨ® für TGFβ")
    'kymriah  fur tgfbeta'
    """
    if text.isascii():
        return _POSSESSIVE.sub("", text.lower())
    text = unicodedata.normalize("NFKC", text.translate(_MARKS)).casefold().translate(_GREEK)
    text = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))
    return _POSSESSIVE.sub("", text)


def words(text: str) -> list[str]:
    """Return the words of a text as they are compared, in American spelling.

    >>> words("Tumour-infiltrating (haematopoietic) CTL-019")
    ['tumor', 'infiltrating', 'hematopoietic', 'ctl', '019']
    """
    return [american(word) for word in _WORD.findall(folded(text))]


def placed(text: str) -> list[tuple[str, str, str]]:
    """Return the words of a text, each with what stands before and after it up to the next word.

    >>> placed("anti-CD19 (x)")
    [('anti', '', '-'), ('cd19', '-', ' ('), ('x', ' (', ')')]
    """
    plain = folded(text)
    found = []
    before = 0
    spans = [match.span() for match in _WORD.finditer(plain)]
    for index, (start, end) in enumerate(spans):
        after = spans[index + 1][0] if index + 1 < len(spans) else len(plain)
        found.append((american(plain[start:end]), plain[before:start], plain[end:after]))
        before = end
    return found


@lru_cache(maxsize=100_000)
def american(word: str) -> str:
    """Return an English word in American spelling; words that are no long plain words are left alone."""
    if len(word) > 5 and word.isascii() and word.isalpha():
        for pattern, instead in _BRITISH:
            word = pattern.sub(instead, word)
    return word


def key(text: str) -> str:
    """Return a text as one word by which names are looked up.

    >>> key("CTL-019") == key("ctl019")
    True
    """
    return "".join(words(text))


def unsuffixed(text: str) -> str:
    """Return a name without the four letters that the FDA puts at the end of proper names.

    >>> unsuffixed("remestemcel-L-rknd")
    'remestemcel-L'
    """
    return _SUFFIX.sub("", text.strip())


def sounded(word: str) -> str:
    """Return a word as those who spell it otherwise would: one letter for each sound that has several.

    >>> sounded("talikabtagene") == sounded("talicabtagene")
    True
    """
    word = word.replace("ph", "f").replace("k", "c").replace("y", "i").replace("z", "s").replace("h", "")
    return re.sub(r"(.)\1+", r"\1", word)


def inverted(text: str) -> str:
    """Return a catalogue's inverted heading the right way round.

    >>> inverted("Lymphoma, Large B-Cell, Diffuse")
    'Diffuse Large B-Cell Lymphoma'
    """
    return " ".join(part.strip() for part in reversed(text.split(",")))


def unbracketed(text: str) -> str:
    """Return a text without what stands in its brackets."""
    return " ".join(re.sub(r"\([^()]*\)|\[[^\[\]]*\]|（[^（）]*）", " ", text).split())
