"""All formats hold the same graph, read by two families of parsers; two exports are the same bytes."""

import csv
import hashlib
import io
import json
from pathlib import Path

import networkx as nx
import pyoxigraph as ox
import pytest
import rdflib
from pyld import jsonld
from rdflib.compare import isomorphic, to_isomorphic

from kg.curated import tidy
from kg.errors import OutputError
from kg.export import FORMATS, export
from kg.shapes import shapes
from kg.store import Release
from tests.support import SMALL

TRIPLES = {
    "ttl": (ox.RdfFormat.TURTLE, "turtle"),
    "nt": (ox.RdfFormat.N_TRIPLES, "nt"),
    "rdf": (ox.RdfFormat.RDF_XML, "xml"),
}
QUADS = {
    "nq": (ox.RdfFormat.N_QUADS, "nquads"),
    "trig": (ox.RdfFormat.TRIG, "trig"),
    "jsonld": (ox.RdfFormat.JSON_LD, "json-ld"),
}


@pytest.fixture(scope="module")
def folder(small: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    export(small, folder)
    return folder


def canonical(quads) -> set[str]:
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


@pytest.fixture(scope="module")
def expected(small: Release) -> set[str]:
    return canonical(ox.parse(path=str(small.path / "dataset.nq"), format=ox.RdfFormat.N_QUADS))


@pytest.mark.parametrize("suffix", QUADS)
def test_formats_of_quads_hold_the_graph(suffix: str, folder: Path, expected: set[str]) -> None:
    form, name = QUADS[suffix]
    path = folder / f"cgt-kg.{suffix}"
    # pyoxigraph 0.5 reads JSON-LD contexts only in part; rdflib and PyLD are the two families there.
    if suffix == "jsonld":
        nquads = jsonld.to_rdf(json.loads(path.read_text(encoding="utf-8")), {"format": "application/n-quads"})
        assert canonical(ox.parse(nquads.encode(), format=ox.RdfFormat.N_QUADS)) == expected
    else:
        assert canonical(ox.parse(path=str(path), format=form)) == expected
    dataset = rdflib.Dataset()
    dataset.parse(path, format=name)
    again = ox.parse(dataset.serialize(format="nquads").encode(), format=ox.RdfFormat.N_QUADS)
    assert canonical(again) == expected


@pytest.mark.parametrize("suffix", TRIPLES)
def test_formats_of_triples_hold_the_union(suffix: str, folder: Path, small: Release) -> None:
    form, name = TRIPLES[suffix]
    path = folder / f"cgt-kg.{suffix}"
    union = {q.triple for q in ox.parse(path=str(small.path / "dataset.nq"), format=ox.RdfFormat.N_QUADS)}
    wanted = canonical(ox.Quad(t.subject, t.predicate, t.object, ox.DefaultGraph()) for t in union)
    assert canonical(ox.parse(path=str(path), format=form)) == wanted
    graph = rdflib.Graph().parse(path, format=name)
    raw = graph.serialize(format="nt").encode()
    assert canonical(ox.parse(raw, format=ox.RdfFormat.N_TRIPLES)) == wanted
    assert isomorphic(to_isomorphic(graph), graph)


def test_two_exports_are_the_same_bytes(small: Release, folder: Path, tmp_path: Path) -> None:
    for path in export(small, tmp_path):
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes(), path.name


def test_checksums_are_true_and_complete(folder: Path) -> None:
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {"SHA256SUMS"}
    assert set(sums) == files
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("shape", shapes().values(), ids=lambda shape: shape.table)
def test_exported_tables_are_the_curated_ones(shape, folder: Path) -> None:
    def sets(raw: bytes) -> list[dict[str, frozenset[str]]]:
        reader = csv.DictReader(io.StringIO(raw.decode(), newline=""))
        return [{name: frozenset(cell.split("|")) for name, cell in row.items()} for row in reader]

    raw = (folder / "tables" / f"{shape.table}.csv").read_bytes()
    assert sets(raw) == sets((SMALL / f"{shape.table}.csv").read_bytes())
    assert tidy(raw, shape) == raw


def test_the_tables_metadata_fits_the_tables(folder: Path) -> None:
    metadata = json.loads((folder / "tables" / "csv-metadata.json").read_text(encoding="utf-8"))
    for table in metadata["tables"]:
        with (folder / "tables" / table["url"]).open(encoding="utf-8") as file:
            assert file.readline().strip().split(",") == [column["name"] for column in table["tableSchema"]["columns"]]


def test_json_ld_uses_the_project_s_context(folder: Path) -> None:
    document = json.loads((folder / "cgt-kg.jsonld").read_text(encoding="utf-8"))
    context = json.loads((folder / "context.jsonld").read_text(encoding="utf-8"))
    assert document["@context"] == context["@context"]
    text = (folder / "cgt-kg.jsonld").read_text(encoding="utf-8")
    assert '"id": "product:kymriah"' in text
    assert '"date": "2017-08-30"' in text


def test_graphml_and_description(folder: Path) -> None:
    graph = nx.read_graphml(folder / "cgt-kg.graphml")
    assert graph.nodes["product:kymriah"]["label"] == "Kymriah"
    void = rdflib.Graph().parse(folder / "void.ttl")
    files = {str(o).rpartition("/")[2] for o in void.objects(None, rdflib.VOID.dataDump)}
    assert files == {p.name for p in folder.glob("cgt-kg.*")}


def test_one_format_and_a_wrong_one(small: Release, tmp_path: Path) -> None:
    assert [p.name for p in export(small, tmp_path / "a", ["turtle"])] == ["cgt-kg.ttl", "SHA256SUMS"]
    with pytest.raises(OutputError, match="no format 'word'; formats are turtle"):
        export(small, tmp_path / "b", ["word"])
    assert not (tmp_path / "b").exists()
    assert len(FORMATS) == 9


def test_rdflib_and_oxigraph_answer_alike(small: Release) -> None:
    query = "SELECT ?p WHERE { ?p a <https://w3id.org/cgt-kg/ontology#Product> } ORDER BY ?p"
    ours = [str(row[0].value) for row in small.select(query).rows]  # type: ignore[union-attr]
    theirs = [str(row[0]) for row in small.rdflib_dataset().query(query)]  # type: ignore[index]
    assert ours == theirs
    assert len(ours) == 13
