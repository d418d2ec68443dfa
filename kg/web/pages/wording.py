"""Words for readers: dates, counts and lists as one writes them, and the names of languages."""

from collections.abc import Sequence
from datetime import date
from typing import Final

LANGUAGES: Final = {
    "af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fil": "Filipino",
    "fr": "French", "ga": "Irish", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian",
    "id": "Indonesian", "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian",
    "lv": "Latvian", "ms": "Malay", "mt": "Maltese", "nb": "Norwegian", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sv": "Swedish",
    "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
    "zh-hant": "Chinese (traditional)",
}  # fmt: skip
"""What a language is called in English, by its tag."""
_ARTICLE: Final = ("European Union", "Netherlands", "Philippines", "United ")
"""How the places begin that are named with an article."""
_PRECISE: Final = {"year": "%Y", "month": "%B %Y"}


def day(text: str, precision: str = "day") -> str:
    """Return a date as one says it, as precisely as it is known.

    >>> day("2017-08-30"), day("2017-08-01", "month"), day("soon")
    ('30 August 2017', 'August 2017', 'soon')
    """
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return text
    return found.strftime(_PRECISE.get(precision, f"{found.day} %B %Y"))


def known(text: str, precision: str) -> str:
    """Return as much of a date as is known: a month or a year is no day.

    >>> known("2017-08-30", "day"), known("2017-08-01", "month"), known("2017-01-01", "year")
    ('2017-08-30', '2017-08', '2017')
    """
    return text[: {"year": 4, "month": 7}.get(precision, 10)]


def placed(name: str) -> str:
    """Return a country or union as it stands in a sentence.

    >>> placed("United States"), placed("Japan")
    ('the United States', 'Japan')
    """
    return f"the {name}" if name.startswith(_ARTICLE) else name


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with what is counted.

    >>> count(1, "agency", "agencies"), count(1200, "product")
    ('1 agency', '1,200 products')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(items: Sequence[str], most: int = 3) -> str:
    """Return the first items of a list as one says them, and how many more there are.

    >>> listed(["FDA", "EMA"]), listed(["a", "b", "c", "d", "e"])
    ('FDA and EMA', 'a, b, c and 2 more')
    """
    shown = list(items[:most]) if len(items) > most + 1 else list(items)
    if len(shown) < len(items):
        shown.append(f"{len(items) - len(shown)} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""
