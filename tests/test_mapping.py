"""A record's quads say what the record says, and satisfy the shape they were made from."""

import dataclasses
from datetime import date
from decimal import Decimal
from typing import Any

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st

from kg import resources
from kg.errors import IdentifierError
from kg.mapping import LANGUAGE, lexical, lines
from kg.namespaces import compact, expand
from kg.records import RECORDS, Milestone, Record, Source
from kg.shapes import Field, Shape, shapes

SHAPES = pytest.mark.parametrize("shape", shapes().values(), ids=lambda shape: shape.name)
RECORD_SHAPES = rdflib.Graph().parse(resources.ONTOLOGY / "shapes.ttl")

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).map(str.strip).filter(len)
slugs = st.from_regex(r"[a-z][a-z0-9]{0,12}", fullmatch=True)
PREFIX = {"https://w3id.org/cgt-kg/ontology#Disease": "MONDO"}


def id_of(pattern: str) -> st.SearchStrategy[str]:
    if "MONDO" in pattern:
        return st.integers(0, 9_999_999).map(lambda n: f"MONDO:{n:07d}")
    kind = pattern.split("/id/")[1].split("/")[0]
    # A withdrawn id may be of any kind.
    return slugs.map(f"{'product' if '[' in kind else kind}:{{}}".format)


def value_of(field: Field) -> st.SearchStrategy[Any]:
    kind = (field.datatype or "").rpartition("#")[2]
    special = {
        "period": st.sampled_from(["2024", "2025-Q2", "2017/2025-Q2"]),
        "currency": st.just("USD"), "language": st.just("en"), "symbol": st.just("CD19"),
        "iso_alpha2": st.just("CN"), "iso_alpha3": st.just("CHN"), "hgnc": st.just("HGNC:1633"),
        "unii": st.just("UNII:ABCDEFGHIJ"), "ncit": st.just("NCIT:C1"), "wikidata": st.just("wikidata:Q1"),
        "website": st.just("https://example.org/a"), "url": st.just("https://example.org/a"),
        "amount": st.decimals(min_value=1, max_value=10**9, places=2), "position": st.integers(1, 99),
        "score": st.decimals(min_value=0, max_value=100, places=1),
    }  # fmt: skip
    if field.choices:
        return st.sampled_from(field.choices)
    if field.name in special:
        return special[field.name]
    if field.path.endswith("#type"):
        return st.just("cgt:IndicationExtension")
    by_kind = {
        "date": st.dates(), "decimal": st.decimals(allow_nan=False, allow_infinity=False, places=3),
        "integer": st.integers(0, 10**9), "string": texts, "anyURI": st.just("https://example.org/a"),
        "langString": texts if field.language else texts.map(lambda t: f"{t}@zh"),
    }  # fmt: skip
    return by_kind[kind] if kind in by_kind else slugs.map("product:ref-{}".format)


def records(shape: Shape) -> st.SearchStrategy[Record]:
    fields = {
        f.name: st.lists(value_of(f), min_size=int(f.required), max_size=3, unique=True).map(tuple)
        if f.many
        else value_of(f)
        if f.required
        else st.none() | value_of(f)
        for f in shape.fields
    }
    return st.builds(RECORDS[shape.name], id=id_of(shape.id_pattern), **fields)


def read_back(nquads: list[str], shape: Shape) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    names = {f.path: f for f in shape.fields}
    for quad in ox.parse("\n".join(nquads).encode(), format=ox.RdfFormat.N_QUADS):
        field = names.get(quad.predicate.value)
        if field is None:
            continue
        term = quad.object
        if isinstance(term, ox.NamedNode):
            text = compact(term.value)
        else:
            assert isinstance(term, ox.Literal)
            text = f"{term.value}@{term.language}" if term.language and not field.language else term.value
        found.setdefault(field.name, set()).add(text)
    return found


@SHAPES
def test_what_is_written_is_read_back(shape: Shape) -> None:
    @settings(max_examples=60, deadline=None)
    @given(records(shape))
    def run(record: Record) -> None:
        expected = {}
        for field in shape.fields:
            value = getattr(record, field.name)
            values = value if isinstance(value, tuple) else () if value is None else (value,)
            if values:
                expected[field.name] = {lexical(v) for v in values}
        assert read_back(list(lines(record, "urn:g")), shape) == expected

    run()


def conforms(nquads: list[str], shape: Shape, record: Record) -> bool:
    data = rdflib.Graph().parse(data="\n".join(line.replace(" <urn:g> .", " .") for line in nquads), format="nt")
    for field in shape.fields:  # a type for each thing referred to, and the kinds' place in the tree
        value = getattr(record, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if item is not None and field.classes:
                for kind in field.classes:
                    data.add((rdflib.URIRef(expand(item)), rdflib.RDF.type, rdflib.URIRef(kind)))
    own = rdflib.Namespace("https://w3id.org/cgt-kg/ontology#")
    data.add((own.IndicationExtension, rdflib.RDFS.subClassOf, own.Milestone))
    _, report, _ = pyshacl.validate(data, shacl_graph=RECORD_SHAPES)
    # The things referred to have a type here and nothing else; only the record itself is judged.
    return rdflib.URIRef(expand(record.id)) not in set(report.objects(None, rdflib.SH.focusNode))


@SHAPES
def test_records_conform_and_leaving_out_a_required_field_is_caught(shape: Shape) -> None:
    @settings(max_examples=3, deadline=None)
    @given(records(shape))
    def run(record: Record) -> None:
        whole = list(lines(record, "urn:g"))
        assert conforms(whole, shape, record)
        for field in shape.fields:
            if field.required and not field.path.endswith("#type"):
                assert not conforms([x for x in whole if f" <{field.path}> " not in x], shape, record), field.name

    run()


def test_no_blank_node_and_one_graph() -> None:
    record = Milestone(
        id="milestone:x", kind="cgt:Approval", about="product:x", agency="agency:x", date=date(2017, 8, 30),
        date_precision="day", amount=Decimal("1.50"), sources=("source:x",),
    )  # fmt: skip
    made = list(lines(record, "urn:g"))
    assert all(line.endswith(" <urn:g> .") and "_:" not in line for line in made)
    assert any('"1.5"^^' in line for line in made)


@pytest.mark.parametrize("bad", ["no-prefix", "nope:1", "product:", "product:a b", "product:<x>", 'product:"'])
def test_a_bad_id_is_refused(bad: str) -> None:
    source = Source(
        id="source:x",
        label="x",
        publisher="x",
        url="https://example.org",
        accessed=date(2026, 1, 1),
        kind="source-kind:news",
    )
    with pytest.raises(IdentifierError):
        list(lines(dataclasses.replace(source, id=bad), "urn:g"))


@given(texts)
def test_the_last_at_sign_parts_text_and_language(text: str) -> None:
    match = LANGUAGE.fullmatch(f"{text}@zh-hant")
    assert match is not None
    assert (match["text"], match["tag"]) == (text, "zh-hant")
