"""Wikidata: medicines, with the ids by which they are matched. Terms: CC0 1.0.

`QUERY` is put to the query service as it stands; its results are read as SPARQL JSON or CSV. An item has a row for each
combination of its values; its rows become one record. Wikidata states no authorisation, so that records have no agency.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from kg.errors import SourceError
from kg.namespaces import PREFIXES
from kg.registers.connector import Connector, Head, json_of, looks_like_json
from kg.registers.reading import Layout, Summary, clean, decoded, raw_bytes, rows_of_csv
from kg.registers.records import ProductRecord

NAME: Final = "wikidata"
URL: Final = "https://query.wikidata.org/sparql"
PAGE: Final = "https://query.wikidata.org/"
QUERY: Final = """\
# Medicines: whatever has an ATC code or an international nonproprietary name, or is said to be a medication.
SELECT DISTINCT ?item ?itemLabel ?inn ?unii ?atc ?manufacturerLabel WHERE {
  { ?item wdt:P267 ?anyAtc } UNION { ?item wdt:P2275 ?anyInn } UNION { ?item wdt:P31 wd:Q12140 }
  OPTIONAL { ?item rdfs:label ?itemLabel FILTER (LANG(?itemLabel) = "en") }
  OPTIONAL { ?item wdt:P2275 ?inn FILTER (LANG(?inn) = "en") }
  OPTIONAL { ?item wdt:P652 ?unii }
  OPTIONAL { ?item wdt:P267 ?atc }
  OPTIONAL { ?item wdt:P176 ?manufacturer . ?manufacturer rdfs:label ?manufacturerLabel
             FILTER (LANG(?manufacturerLabel) = "en") }
} ORDER BY ?item
"""

LARGEST: Final = 32_000_000
"""The most bytes of results; all of Wikidata's medicines are about half of it."""
MOST_VALUES: Final = 600_000
"""The most objects and arrays in them, which cost more memory than their text."""
MOST_ITEMS: Final = 200_000
MOST_OF_A_KIND: Final = 20
"""The most values that one record keeps of one field."""

LAYOUT: Final = Layout(
    "query results",
    {
        "item": ("item",),
        "label": ("itemlabel", "label"),
        "inn": ("inn", "innlabel"),
        "unii": ("unii",),
        "atc": ("atc", "atccode"),
        "manufacturer": ("manufacturerlabel", "manufacturer"),
    },
    ("item", "label"),
)
_ITEM: Final = re.compile(rf"(?:{PREFIXES['wikidata'].replace('http:', 'https?:')}|wd:)?(Q[1-9][0-9]{{0,11}})")
_UNII: Final = re.compile(r"[A-Z0-9]{10}")
_ATC: Final = re.compile(r"Q?[A-Z](?:\d\d(?:[A-Z](?:[A-Z](?:\d\d)?)?)?)?")


def recognise(head: Head) -> bool:
    """Whether a file is results of the query, in JSON or CSV."""
    if head.kind != "text":
        return False
    if looks_like_json(head.text):
        match = re.search(r'"vars"\s*:\s*\[([^\]]*)\]', head.text[:5_000])
        return match is not None and LAYOUT.find(re.findall(r'"([^"]*)"', match[1])) is not None
    return bool(head.lines) and LAYOUT.find(head.lines[0].split(",")) is not None


def read(path: Path, summary: Summary) -> Iterator[ProductRecord]:
    """Yield the items of results of the query.

    Raises:
        SourceError: They cannot be read, or are not results of this query.
    """
    text = decoded(raw_bytes(path, LARGEST), path, summary)
    rows = _rows_of_json(text, path, summary) if looks_like_json(text) else _rows_of_csv(text, path, summary)
    found: dict[str, tuple[str, dict[str, list[str]]]] = {}
    for where, row in rows:
        summary.bounded(path)
        match = _ITEM.fullmatch(row.get("item", ""))
        if match is None:
            summary.skip(where, "item", row.get("item", ""), "not an item of Wikidata")
            continue
        if len(found) > MOST_ITEMS:
            raise SourceError(f"{path}: holds more than {MOST_ITEMS:,} items")
        _, values = found.setdefault(match[1], (where, {}))
        for field in LAYOUT.fields:
            value = _value(field, row.get(field, ""), where, summary)
            kept = values.setdefault(field, [])
            if not value or value in kept:
                continue
            if len(kept) < MOST_OF_A_KIND:
                kept.append(value)
            else:
                summary.warn(where, field, value, f"more than {MOST_OF_A_KIND} values of {match[1]}; left out")
    for item, (where, values) in found.items():
        if len(values["inn"]) > 1:
            summary.warn(where, "inn", values["inn"][1], f"a second name beside {values['inn'][0]!r}; left out")
        summary.loaded += 1
        yield ProductRecord(
            register=NAME,
            id=item,
            where=where,
            agency="",
            names=tuple(values["label"]),
            inn=values["inn"][0] if values["inn"] else "",
            atc="; ".join(values["atc"]),
            unii="; ".join(values["unii"]),
            holder="; ".join(values["manufacturer"]),
            url=PREFIXES["wikidata"] + item,
        )


def _value(field: str, text: str, where: str, summary: Summary) -> str:
    """Return a value that can be kept, or an empty string."""
    if field in ("label", "manufacturer") and _ITEM.fullmatch(text):
        # The query service puts the item's number where it has no label.
        return ""
    form = {"unii": _UNII, "atc": _ATC}.get(field)
    if text and form is not None and not form.fullmatch(text):
        summary.warn(where, field, text, "not such a code; left out")
        return ""
    return text


def _rows_of_csv(text: str, path: Path, summary: Summary) -> Iterator[tuple[str, dict[str, str]]]:
    rows = rows_of_csv(text, path)
    _, header = next(rows, (0, []))
    places = LAYOUT.find(header)
    if places is None:
        raise SourceError(f"{path}: is no result of the query: its header lacks {', '.join(LAYOUT.required)}")
    _note_columns(places, "line 1", summary)
    for line, row in rows:
        if len(row) != len(header):
            summary.skip(f"line {line}", "", row[0], f"{len(row)} cells, not {len(header)}")
        else:
            yield f"line {line}", {field: clean(row[place]) for field, place in places.items()}


def _rows_of_json(text: str, path: Path, summary: Summary) -> Iterator[tuple[str, dict[str, str]]]:
    if text.count("{") + text.count("[") > MOST_VALUES or text.count(",") > 5 * MOST_VALUES:
        raise SourceError(f"{path}: holds more values than any result of the query")
    results = json_of(text, path, summary)
    variables = _inside(results, "head", "vars")
    bindings = _inside(results, "results", "bindings")
    if not isinstance(variables, list) or not isinstance(bindings, list):
        raise SourceError(f"{path}: is no result of the query: head.vars and results.bindings are due, as arrays")
    places = LAYOUT.find(variables)
    if places is None:
        raise SourceError(f"{path}: is no result of the query: its variables lack {', '.join(LAYOUT.required)}")
    _note_columns(places, "head", summary)
    names = {field: str(variables[place]) for field, place in places.items()}
    for number, binding in enumerate(bindings, 1):
        where = f"result {number}"
        if isinstance(binding, dict):
            yield where, {field: _bound(binding.get(name), where, name, summary) for field, name in names.items()}
        else:
            summary.skip(where, "", type(binding).__name__, "an object is due")


def _note_columns(places: Mapping[str, int], where: str, summary: Summary) -> None:
    lacking = [field for field in LAYOUT.fields if field not in places]
    if lacking:
        summary.warn(where, "", ", ".join(lacking), "not asked for; left empty")


def _inside(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _bound(term: object, where: str, name: str, summary: Summary) -> str:
    if term is None:
        return ""
    text = term.get("value") if isinstance(term, dict) else None
    if not isinstance(term, dict) or not isinstance(text, str):
        summary.warn(where, name, type(term).__name__, "a term with a value is due; left out")
        return ""
    if term.get("type") == "bnode" or "/.well-known/genid/" in text:
        # Wikidata's "some value, not known which".
        return ""
    return clean(text)


CONNECTOR: Final = Connector(
    name=NAME,
    title="Wikidata, medicines",
    publisher="Wikidata",
    agency="",
    licence="CC0-1.0",
    url=URL,
    page=PAGE,
    floor=1_000,
    recognise=recognise,
    read=read,
)
