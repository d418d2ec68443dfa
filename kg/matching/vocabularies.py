"""Diseases, genes and countries by name: the curated ones first, then other people's vocabularies, exactly."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from kg.errors import SourceError
from kg.matching.spelling import inverted, key, unbracketed, words
from kg.registers.reading import decoded, raw_bytes

MONDO: Final = "mondo.json.xz"
HGNC: Final = "hgnc_entries.tsv.xz"
ISO: Final = "iso3166-1.json"
UNII: Final = "unii_cgt_slice.tsv"
_ORDINARY: Final = 4
"""A symbol of fewer letters without a digit, such as WAS or IDS, is compared with its capitals."""
_COURSE: Final = re.compile(
    r"\b(newly diagnosed|previously (un)?treated|untreated|relapsed?|recurrent|refractory|r/r|advanced|metastatic|"
    r"unresectable|locally|progressive|in relapse|in remission)\b",
    re.IGNORECASE,
)
_LEFT: Final = re.compile(
    r"^[\s,/&-]*((and|or|and/or)\b[\s,/&-]*)*|([\s,/&-]*\b(and|or|and/or))*[\s,/&-]*$", re.IGNORECASE
)
FORMER: Final = {
    "Bolivia": "BO", "Brunei": "BN", "Burma": "MM", "Cape Verde": "CV", "Czech Republic": "CZ", "East Timor": "TL",
    "Great Britain": "GB", "Iran": "IR", "Ivory Coast": "CI", "Laos": "LA", "Macau": "MO", "Macedonia": "MK",
    "Moldova": "MD", "North Korea": "KP", "Palestine": "PS", "Palestinian Territories, Occupied": "PS", "Russia": "RU",
    "South Korea": "KR", "Swaziland": "SZ", "Syria": "SY", "Taiwan": "TW", "Tanzania": "TZ",
    "The Former Yugoslav Republic of Macedonia": "MK", "The Netherlands": "NL", "Turkey": "TR", "UK": "GB", "USA": "US",
    "Venezuela": "VE", "Vietnam": "VN",
}  # fmt: skip
"""Names that registers use for countries and that ISO 3166-1 lacks, with the alpha-2 code."""


class Terms:
    """Terms by name and by other names: a name means its term, another name means its term where no other has it.

    Args:
        named: For each rank, the surest first, triples of a name, a term's id and its label.
        keyed: How a name is compared.
        preferred: Things that a name means where others have it too, if they are among those and only one is.
    """

    def __init__(
        self,
        *named: Iterable[tuple[str, str, str]],
        keyed: Callable[[str], str] = key,
        preferred: frozenset[str] = frozenset(),
    ) -> None:
        self._key = keyed
        self._ranks: list[dict[str, str | None]] = []
        self.labels: dict[str, str] = {}
        for rank in named:
            table: dict[str, str | None] = {}
            shared: dict[str, set[str]] = {}
            for name, thing, label in rank:
                plain = keyed(name)
                self.labels.setdefault(thing, label)
                if table.setdefault(plain, thing) != thing:
                    shared.setdefault(plain, {str(table[plain])}).add(thing)
            for plain, things in shared.items():
                # A name that several have means none of them, unless a curator knows just one of them.
                own = things & preferred
                table[plain] = own.pop() if len(own) == 1 else None
            table.pop("", None)
            self._ranks.append(table)

    def find(self, *forms: str) -> str | None:
        """Return the id of the term that the first known of some forms of a text means; None where it means several."""
        plain = [self._key(form) for form in forms]
        for table in self._ranks:
            for form in plain:
                if form in table:
                    return table[form]
        return None


def disease_forms(text: str) -> tuple[str, ...]:
    """Return the forms under which a condition is looked up, the nearest first.

    They are the text as it is, without brackets, the right way round, and each of these without words for its course.

    >>> disease_forms("Relapsed or Refractory Multiple Myeloma (MM)")[-1]
    'Multiple Myeloma'
    """
    forms = [text, unbracketed(text)]
    forms += [inverted(form) for form in forms if "," in form]
    if _COURSE.search(text):
        forms += [_LEFT.sub("", " ".join(_COURSE.sub(" ", form).split())) for form in forms]
    return tuple(dict.fromkeys(forms))


def disease_key(name: str) -> str:
    """Return a disease's name as it is compared: words in the singular, the link between them left out.

    >>> disease_key("Hodgkin's Lymphomas") == disease_key("hodgkin lymphoma")
    True
    """
    return "".join(w[:-1] if len(w) > 5 and w.endswith("s") and w[-2] not in "sui" else w for w in words(name))


def gene_key(name: str) -> str:
    """Return a gene's name as it is compared; short symbols keep their capitals.

    >>> gene_key("was"), gene_key("WAS"), gene_key("CD-19") == gene_key("cd19")
    ('was', '=WAS', True)
    """
    plain = key(name)
    return f"={name.strip()}" if len(plain) < _ORDINARY and plain.isalpha() and name.strip().isupper() else plain


def country_forms(text: str) -> tuple[str, ...]:
    """Return the forms under which a country is looked up: as it is, without brackets, in brackets, right way round."""
    forms = [text]
    if "(" in text:
        forms += [unbracketed(text), text.partition("(")[2].partition(")")[0]]
    if "," in text:
        forms.append(inverted(text))
    return tuple(forms)


def mondo(folder: Path | None) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """Return MONDO's names and its synonyms, as (name, id, label); obsolete terms and diseases of animals are left out.

    Raises:
        SourceError: The file is there and cannot be read as MONDO.
    """
    names: list[tuple[str, str, str]] = []
    synonyms: list[tuple[str, str, str]] = []
    for term in _json(folder, MONDO, ("id", "name")):
        label, thing = str(term["name"]), f"MONDO:{term['id']}"
        # The root of all diseases says nothing of a trial.
        if label.startswith("obsolete") or "non-human" in label or label == "disease":
            continue
        names.append((label, thing, label))
        synonyms += [(str(synonym), thing, label) for synonym in term.get("synonyms") or ()]
    return names, synonyms


def hgnc(folder: Path | None) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """Return HGNC's approved symbols and names, and its alias and previous symbols, as (name, id, symbol).

    Raises:
        SourceError: The file is there and cannot be read as HGNC.
    """
    approved: list[tuple[str, str, str]] = []
    others: list[tuple[str, str, str]] = []
    for row in _rows(folder, HGNC, ("HGNC ID", "Approved symbol", "Status", "Alias symbols", "Previous symbols")):
        if row["Status"] != "Approved":
            continue
        thing, symbol = row["HGNC ID"], row["Approved symbol"]
        approved += [(symbol, thing, symbol), (row.get("Approved name") or symbol, thing, symbol)]
        more = f"{row['Alias symbols'] or ''},{row['Previous symbols'] or ''}"
        others += [(name.strip(), thing, symbol) for name in more.split(",") if name.strip()]
    return approved, others


def iso(folder: Path | None) -> Iterator[tuple[str, str, str]]:
    """Yield the names and codes of countries, as (name, alpha-2 code, name).

    Raises:
        SourceError: The file is there and cannot be read as ISO 3166-1.
    """
    for entry in _json(folder, ISO, ("name", "alpha_2"), "3166-1"):
        label = str(entry.get("common_name") or entry["name"])
        for field in ("name", "common_name", "official_name", "alpha_2", "alpha_3"):
            if field in entry:
                yield str(entry[field]), str(entry["alpha_2"]), label


def unii(folder: Path | None) -> Iterator[tuple[str, str]]:
    """Yield the names of substances and their UNII codes, the mark of a name's origin left out.

    Raises:
        SourceError: The file is there and cannot be read as the list.
    """
    for row in _rows(folder, UNII, ("Name", "UNII", "Display Name")):
        for name in (row["Name"], row["Display Name"]):
            yield name.partition(" [")[0], row["UNII"]


def _json(folder: Path | None, name: str, fields: tuple[str, ...], within: str = "") -> list[dict[str, Any]]:
    path = _path(folder, name)
    if path is None:
        return []
    try:
        found = json.loads(decoded(raw_bytes(path), path))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path}: cannot be read: {error}") from error
    if within:
        found = found.get(within) if isinstance(found, dict) else None
    if not isinstance(found, list) or not all(isinstance(e, dict) and all(f in e for f in fields) for e in found):
        raise SourceError(f"{path}: is not a list of entries with {' and '.join(fields)}")
    return found


def _rows(folder: Path | None, name: str, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    path = _path(folder, name)
    if path is None:
        return
    reader = csv.DictReader(decoded(raw_bytes(path), path).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    missing = [column for column in columns if column not in (reader.fieldnames or ())]
    if missing:
        raise SourceError(f"{path}: has no column {missing[0]}")
    for row in reader:
        if all(row.get(column) is not None for column in columns):
            yield row


def _path(folder: Path | None, name: str) -> Path | None:
    path = None if folder is None else folder / name
    return path if path is not None and path.is_file() else None
