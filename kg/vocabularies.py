"""Other people's vocabularies, from files: does every id exist there, under the label that a row gives it?

The files are those of public registers, named as `FILES` names them; one that is absent is not checked and
said to be so. NCIt and Wikidata have no file here, and their ids are checked for their form only.
"""

import csv
import json
import lzma
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kg.curated import Tables
from kg.errors import Finding, KgError
from kg.near import plain
from kg.records import Disease, Gene, Jurisdiction, Therapy

RULE: Final = "vocabulary"
_LARGEST: Final = 200_000_000
"""The most bytes a vocabulary may unpack to; MONDO has 20 million."""


@dataclass(slots=True)
class Checked:
    """What came of checking ids.

    Attributes:
        findings: Ids that do not exist, or not under their label.
        counts: How many ids were checked, by vocabulary.
        absent: Names of files that are not in the folder.
    """

    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)


def check_vocabularies(tables: Tables, folder: Path) -> Checked:
    """Check every id of a vocabulary that tables use against the vocabulary's file.

    Args:
        tables: The tables.
        folder: A folder with the files that `FILES` names.

    Raises:
        KgError: The folder is not there, or a file in it cannot be read as what it should be.
    """
    if not folder.is_dir():
        raise KgError(f"{folder}: no such folder of vocabularies")
    checked = Checked()
    for vocabulary, (name, check) in FILES.items():
        path = folder / name
        if not path.is_file():
            checked.absent.append(name)
            continue
        try:
            results = list(check(path, tables))
        except (OSError, EOFError, ValueError, KeyError, TypeError, lzma.LZMAError, csv.Error) as error:
            raise KgError(f"{path}: cannot be read as {vocabulary}: {error!r}") from error
        checked.counts[vocabulary] = len(results)
        for owner, column, value, problem, mend in results:
            if problem:
                file, line = tables.places[owner]
                checked.findings.append(Finding(file, line, column, value, problem, mend, RULE))
    return checked


Result = tuple[str, str, str, str, str]
"""The row's id, the column, the value, what is wrong with it (or nothing), and the mend."""


def _mondo(path: Path, tables: Tables) -> Iterator[Result]:
    names = {f"MONDO:{term['id']}": str(term["name"]) for term in json.loads(_text(path))}
    for record in tables.records.get("diseases", ()):
        assert isinstance(record, Disease)
        name = names.get(record.id)
        if name is None:
            yield record.id, "id", record.id, "is not in MONDO", "look the disease up there"
        elif name.startswith("obsolete"):
            yield record.id, "id", record.id, "is obsolete in MONDO", "use the term that replaced it"
        else:
            wrong = "" if name == record.label else f"is labelled {name!r} in MONDO"
            yield record.id, "label", record.label, wrong, "correct the id or the label"


def _hgnc(path: Path, tables: Tables) -> Iterator[Result]:
    symbols = {row["HGNC ID"]: (row["Approved symbol"], row["Status"]) for row in _rows(_text(path))}
    for record in tables.records.get("genes", ()):
        assert isinstance(record, Gene)
        symbol, status = symbols.get(record.hgnc, ("", ""))
        if not symbol:
            yield record.id, "hgnc", record.hgnc, "is not in HGNC", "look the gene up there"
        else:
            wrong = "" if symbol == record.symbol and status == "Approved" else f"is {symbol} ({status}) in HGNC"
            yield record.id, "symbol", record.symbol, wrong, "correct the id or the symbol"


def _unii(path: Path, tables: Tables) -> Iterator[Result]:
    names: dict[str, set[str]] = {}
    for row in _rows(_text(path)):
        names.setdefault(row["UNII"], set()).update(map(_words, (row["Name"], row["Display Name"])))
    for record in tables.records.get("therapies", ()):
        assert isinstance(record, Therapy)
        if record.unii is None:
            continue
        code = record.unii.partition(":")[2]
        own = {_words(name) for name in (record.label, record.inn or "", *record.names, *record.codes) if name}
        found = names.get(code, set())
        wrong = (
            "" if own & found else f"has none of the row's names there, but {', '.join(sorted(found)[:3]) or 'none'}"
        )
        yield record.id, "unii", record.unii, wrong, "correct the id, or add the name under which UNII has it"


def _iso(path: Path, tables: Tables) -> Iterator[Result]:
    countries = {entry["alpha_2"]: entry for entry in json.loads(_text(path))["3166-1"]}
    for record in tables.records.get("jurisdictions", ()):
        assert isinstance(record, Jurisdiction)
        if record.iso_alpha2 is None:
            continue
        country: dict[str, Any] = countries.get(record.iso_alpha2, {})
        theirs = {plain(country[key]) for key in ("name", "common_name", "official_name") if key in country}
        ours = {plain(name) for name in (record.label, *record.names)}
        if not country:
            yield record.id, "iso_alpha2", record.iso_alpha2, "is not in ISO 3166-1", "correct the code"
        elif country["alpha_3"] != record.iso_alpha3:
            wrong = f"is {country['alpha_3']} in ISO 3166-1"
            yield record.id, "iso_alpha3", record.iso_alpha3 or "", wrong, "correct the code"
        else:
            wrong = "" if ours & theirs else f"is {country['name']!r} in ISO 3166-1"
            yield record.id, "label", record.label, wrong, "correct the code, or add that name"


FILES: Final[dict[str, tuple[str, Callable[[Path, Tables], Iterable[Result]]]]] = {
    "MONDO": ("mondo.json.xz", _mondo),
    "HGNC": ("hgnc_entries.tsv.xz", _hgnc),
    "UNII": ("unii_cgt_slice.tsv", _unii),
    "ISO 3166-1": ("iso3166-1.json", _iso),
}
"""The file that each vocabulary is read from, and how its ids are checked."""


def _words(name: str) -> str:
    # UNII marks where a name comes from: [WHO-DD], [INN].
    return plain(name.partition(" [")[0])


def _rows(text: str) -> Iterator[dict[str, str]]:
    return csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)


def _text(path: Path) -> str:
    opened = lzma.open if path.suffix == ".xz" else Path.open
    with opened(path, "rb") as file:
        content: bytes = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"unpacks to more than {_LARGEST:,} bytes")
    return content.decode("utf-8-sig")


def labels(folder: Path, wanted: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return the label, and where there is one the vocabulary's own code, of ids that vocabularies in a folder know.

    Args:
        folder: The folder; vocabularies that are absent know nothing.
        wanted: Ids: `MONDO:0004948`, `gene:<symbol>`, `jurisdiction:<code>`.

    Raises:
        KgError: A file cannot be read as what it should be.
    """
    found: dict[str, tuple[str, str]] = {}
    try:
        for name, entry in _entries(folder):
            if name in wanted:
                found[name] = entry
    except (OSError, EOFError, ValueError, KeyError, TypeError, lzma.LZMAError, csv.Error) as error:
        raise KgError(f"{folder}: a vocabulary cannot be read: {error!r}") from error
    return found


def _entries(folder: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    for vocabulary, (name, _) in FILES.items():
        path = folder / name
        if not path.is_file():
            continue
        if vocabulary == "MONDO":
            yield from ((f"MONDO:{term['id']}", (str(term["name"]), "")) for term in json.loads(_text(path)))
        elif vocabulary == "HGNC":
            for row in _rows(_text(path)):
                yield f"gene:{row['Approved symbol'].lower()}", (row["Approved symbol"], row["HGNC ID"])
        elif vocabulary == "ISO 3166-1":
            for entry in json.loads(_text(path))["3166-1"]:
                label = str(entry.get("common_name", entry["name"]))
                yield f"jurisdiction:{entry['alpha_2'].lower()}", (label, str(entry["alpha_3"]))
