"""Numbers by which agencies know applications, authorisations and designations, in one form."""

import re
from collections.abc import Iterator
from typing import Final

_EMEA: Final = re.compile(r"\bEMEA/([HV])/C/0*(\d+)", re.IGNORECASE)
_EU: Final = re.compile(r"\bEU/(\d)/(\d{2})/0*(\d+)", re.IGNORECASE)
_BLA: Final = re.compile(r"\b(?:BLA|STN:?\s*BL)\s*0*(\d{6})\b", re.IGNORECASE)
_SIX: Final = re.compile(r"\d{6}")
_ARTG: Final = re.compile(r"\d{5,6}")
_PARTS: Final = re.compile(r"[;,|]")
NCT: Final = re.compile(r"\bNCT\d{8}\b")
UNII: Final = re.compile(r"[0-9A-Z]{10}")


def numbers(text: str, agency: str) -> Iterator[str]:
    """Yield the numbers in a text, each in the one form that is compared.

    Args:
        text: What a register or a curated row gives as the number; it may hold several.
        agency: The id of the agency; numbers that only mean something with it carry it.

    >>> list(numbers("BLA 125646/703", "agency:us-fda"))
    ['bla125646']
    >>> list(numbers("125646", "agency:us-fda"))
    ['bla125646']
    >>> list(numbers("EMEA/H/C/4090", "agency:eu-ema"))
    ['emea/h/c/4090']
    """
    known = [f"emea/{kind.lower()}/c/{number}" for kind, number in _EMEA.findall(text)]
    known += [f"eu/{part}/{year}/{number}" for part, year, number in _EU.findall(text)]
    known += [f"bla{number}" for number in _BLA.findall(text)]
    if known:
        yield from known
        return
    country = agency.rpartition(":")[2].partition("-")[0]
    if country == "us" and _SIX.fullmatch(text.strip()):
        yield f"bla{text.strip()}"
    elif country == "au":
        yield from (f"artg{number}" for number in _ARTG.findall(text))
    else:
        for part in _PARTS.split(text):
            plain = re.sub(r"[\W_]+", "", part).casefold()
            if any(c.isdigit() for c in plain):
                yield f"{country}:{plain}"
