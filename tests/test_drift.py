"""Ontology, shapes, records, tables and queries use one set of names and one set of types."""

import dataclasses
import re
import typing
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from kg import resources
from kg.records import RECORDS
from kg.shapes import Field, Shape, shapes

CGT = "https://w3id.org/cgt-kg/ontology#"
PYTHON = {"date": date, "decimal": Decimal, "integer": int}
QUERIES = sorted(resources.QUERIES.rglob("*.rq")) + sorted((resources.ONTOLOGY / "derive").rglob("*.rq"))
SHAPES = pytest.mark.parametrize("shape", shapes().values(), ids=lambda shape: shape.name)


def python_type(field: Field) -> object:
    one = PYTHON.get((field.datatype or "").rpartition("#")[2], str)
    if field.many:
        return tuple[str, ...]
    return one if field.required else one | None


@SHAPES
def test_record_fields_and_types_are_the_shape_s(shape: Shape) -> None:
    record = RECORDS[shape.name]
    hints = typing.get_type_hints(record)
    assert {f.name for f in dataclasses.fields(record)} == set(shape.columns)
    for field in shape.fields:
        assert hints[field.name] == python_type(field), field.name


@SHAPES
def test_table_header_is_the_shape_s(shape: Shape) -> None:
    if shape.by_builds:
        assert not (resources.CURATED / f"{shape.table}.csv").exists()
        return
    with (resources.CURATED / f"{shape.table}.csv").open(encoding="utf-8") as file:
        assert file.readline().rstrip("\n").split(",") == list(shape.columns)


def test_every_table_has_a_shape() -> None:
    assert {path.stem for path in resources.CURATED.glob("*.csv")} == {
        shape.table for shape in shapes().values() if not shape.by_builds
    }


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_queries_use_only_terms_the_ontology_defines(path: Path, terms: list[str]) -> None:
    defined = {line.split(" ", 1)[0].strip("<>") for line in terms if line.startswith(f"<{CGT}")}
    text = re.sub(r"#.*|\"[^\"]*\"", "", path.read_text(encoding="utf-8"))
    used = {CGT + name for name in re.findall(r"\bcgt:(\w+)", text)}
    assert used <= defined


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_concepts_that_queries_name_exist(path: Path, terms: list[str]) -> None:
    text = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    kinds = "approval-type|measure|pathway-kind|substance|class"
    for prefix, name in re.findall(rf"(?<![\w/-])({kinds}):([\w-]+)", text):
        iri = f"<https://w3id.org/cgt-kg/id/{prefix}/{name}>"
        assert any(line.startswith(iri) for line in terms), f"{prefix}:{name}"
