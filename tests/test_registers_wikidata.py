"""Wikidata's medicines: the query, and its results in JSON and CSV."""

import json
from pathlib import Path
from typing import Any

import pyoxigraph
import pytest

from kg.errors import SourceError
from kg.registers import wikidata
from kg.registers.connector import head_of
from kg.registers.records import ProductRecord
from kg.registers.wikidata import CONNECTOR, QUERY
from tests.mutations import mutated, reading, survives

PREFIXES = {
    "wd": "http://www.wikidata.org/entity/",
    "wdt": "http://www.wikidata.org/prop/direct/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
}
# Made up; the numbers are of no item.
DATA = """
wd:Q900000001 wdt:P267 "L01XL99" ; wdt:P652 "ABCDE12345" ; wdt:P2275 "exampleucel"@en , "exampleucelum"@la ;
    rdfs:label "exampleucel"@en , "exempleucel"@fr ; wdt:P176 wd:Q900000010 , wd:Q900000011 .
wd:Q900000002 wdt:P31 wd:Q12140 ; rdfs:label "Second <b>drug</b>"@en ; wdt:P267 "B02AB01" , "B02AB02" .
wd:Q900000003 wdt:P2275 "tertiavec"@en .
wd:Q900000004 rdfs:label "no medicine"@en .
wd:Q900000010 rdfs:label "Example Cells"@en . wd:Q900000011 rdfs:label "Other Cells"@en .
"""
ENTITY = PREFIXES["wd"]


def results() -> pyoxigraph.QuerySolutions:
    store = pyoxigraph.Store()
    head = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in PREFIXES.items())
    store.load(input=head + DATA, format=pyoxigraph.RdfFormat.TURTLE)
    found = store.query(QUERY, prefixes=PREFIXES)
    assert isinstance(found, pyoxigraph.QuerySolutions)
    return found


def written(folder: Path, raw: bytes | dict[str, Any]) -> Path:
    path = folder / "results"
    path.write_bytes(raw if isinstance(raw, bytes) else json.dumps(raw).encode())
    return path


def answer(*bindings: object, columns: tuple[str, ...] = ()) -> dict[str, Any]:
    known = ["item", "itemLabel", "inn", "unii", "atc", "manufacturerLabel"]
    return {"head": {"vars": list(columns) or known}, "results": {"bindings": list(bindings)}}


def binding(number: int = 900000001, **values: object) -> dict[str, Any]:
    made: dict[str, Any] = {"item": {"type": "uri", "value": f"{ENTITY}Q{number}"}}
    made["itemLabel"] = {"type": "literal", "value": "example", "xml:lang": "en"}
    return made | {k: {"type": "literal", "value": v} if isinstance(v, str) else v for k, v in values.items()}


def products(path: Path) -> list[ProductRecord]:
    return [record for record in reading(CONNECTOR, path)[0] if isinstance(record, ProductRecord)]


@pytest.mark.parametrize("form", [pyoxigraph.QueryResultsFormat.JSON, pyoxigraph.QueryResultsFormat.CSV])
def test_the_query_s_results_become_one_record_an_item(tmp_path: Path, form: pyoxigraph.QueryResultsFormat) -> None:
    raw = results().serialize(format=form)
    assert raw is not None
    path = written(tmp_path, raw)
    assert CONNECTOR.recognise(head_of(path))
    found, summary = reading(CONNECTOR, path)
    assert (summary.read, summary.loaded, summary.warnings) == (3, 3, [])
    first, second, third = (record for record in found if isinstance(record, ProductRecord))
    assert (first.id, first.agency, first.names) == ("Q900000001", "", ("exampleucel",))
    assert (first.inn, first.atc, first.unii) == ("exampleucel", "L01XL99", "ABCDE12345")
    assert set(first.holder.split("; ")) == {"Example Cells", "Other Cells"}
    assert first.url == f"{ENTITY}Q900000001"
    assert second.names == ("Second <b>drug</b>",)
    assert set(second.atc.split("; ")) == {"B02AB01", "B02AB02"}
    assert (third.names, third.inn) == ((), "tertiavec")


@pytest.mark.parametrize(
    "item",
    ["Q0", "P31", "", "javascript:x", f"{ENTITY}Q1 x", f'{ENTITY}Q1"', "http://example.org/Q1", f"Q{'1' * 99}"],
)
def test_what_is_no_item_is_skipped(tmp_path: Path, item: str) -> None:
    _, summary = reading(CONNECTOR, written(tmp_path, answer(binding(), binding(item=item))))
    assert (summary.loaded, summary.read) == (1, 2)
    assert [(skip.where, skip.field) for skip in summary.skips] == [("result 2", "item")]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"unii": "ABC"}, "unii"),
        ({"atc": "L1"}, "atc"),
        ({"inn": 7}, "inn"),
        ({"inn": ["x"]}, "inn"),
        ({"inn": {"type": "literal"}}, "inn"),
        ({"inn": {"type": "literal", "value": {"x": 1}}}, "inn"),
    ],
)
def test_bad_values_are_left_out_with_a_warning(tmp_path: Path, values: dict[str, object], field: str) -> None:
    found, summary = reading(CONNECTOR, written(tmp_path, answer(binding(**values))))
    assert [warning.field for warning in summary.warnings] == [field]
    assert isinstance(found[0], ProductRecord)
    assert (found[0].inn, found[0].atc, found[0].unii) == ("", "", "")


def test_unknown_values_labels_that_are_numbers_and_second_names(tmp_path: Path) -> None:
    unknown = {"type": "bnode", "value": "t1"}
    genid = {"type": "uri", "value": "http://www.wikidata.org/.well-known/genid/abc"}
    rows = (
        binding(itemLabel="Q900000001", manufacturerLabel=unknown, atc=genid, inn="a\u202e\x00b"),
        binding(itemLabel="Q900000001", inn="other"),
        *(binding(2, manufacturerLabel=f"M{n}") for n in range(25)),
    )
    found, summary = reading(CONNECTOR, written(tmp_path, answer(*rows)))
    first, second = (record for record in found if isinstance(record, ProductRecord))
    assert (first.names, first.holder, first.atc, first.inn) == ((), "", "", "a b")
    assert len(second.holder.split("; ")) == wikidata.MOST_OF_A_KIND
    assert sorted(warning.field for warning in summary.warnings) == ["inn", *["manufacturer"] * 5]


def test_columns_not_asked_for_are_named(tmp_path: Path) -> None:
    found, summary = reading(CONNECTOR, written(tmp_path, b"item,itemLabel,inn\nwd:Q7,x,y\nwd:Q8,x\n"))
    assert [warning.value for warning in summary.warnings] == ["unii, atc, manufacturer"]
    assert [skip.reason for skip in summary.skips] == ["2 cells, not 3"]
    assert [record.id for record in found] == ["Q7"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"item,name\nwd:Q1,x\n",
        b"SPARQL-QUERY: queryStr=SELECT ...\njava.util.concurrent.TimeoutException\n",
        b'{"head": {}, "boolean": true}',
        b'{"head": [], "results": []}',
        b'{"head": {"vars": "item"}, "results": {"bindings": []}}',
        b'{"head": {"vars": ["item", "itemLabel"]}, "results": {"bindings": {}}}',
        b'{"head": {"vars": ["item", 7]}, "results": {"bindings": []}}',
        b'{"head": {"vars": ["item", "itemLabel"]}, "results": {"bindings": [NaN]}}',
        b'{"head": ' + b"[" * 200_000,
        b"[" + b"{}," * 1_100_000 + b"{}]",
        b"[" + b"1," * 3_100_000 + b"1]",
        b'[{"item": "Q1"}]',
    ],
)
def test_files_that_are_no_results_of_the_query(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(SourceError):
        reading(CONNECTOR, written(tmp_path, raw))


def test_cut_off_results_are_refused(tmp_path: Path) -> None:
    raw = json.dumps(answer(binding(), binding(2))).encode()
    with pytest.raises(SourceError, match="is not JSON"):
        products(written(tmp_path, raw[:-30]))


def test_wrong_kinds_among_the_bindings_are_skipped(tmp_path: Path) -> None:
    _, summary = reading(CONNECTOR, written(tmp_path, answer(binding(), [], "x", None, 7)))
    assert (summary.loaded, summary.read) == (1, 5)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = json.dumps(answer(binding(itemLabel="奕凯达药品")), ensure_ascii=False)
    assert products(written(tmp_path, text.encode(encoding)))[0].names == ("奕凯达药品",)
    assert products(written(tmp_path, "item,itemLabel\nwd:Q1,奕凯达药品\n".encode(encoding)))[0].id == "Q1"


@pytest.mark.parametrize("form", [pyoxigraph.QueryResultsFormat.JSON, pyoxigraph.QueryResultsFormat.CSV])
def test_nothing_but_a_source_error_comes_out_of_damaged_results(
    tmp_path: Path, form: pyoxigraph.QueryResultsFormat
) -> None:
    whole = results().serialize(format=form)
    assert whole is not None
    outcomes = list(survives(CONNECTOR, lambda dice: written(tmp_path, mutated(whole, dice)), 5))
    assert any(not isinstance(outcome, SourceError) and outcome.loaded for outcome in outcomes)
