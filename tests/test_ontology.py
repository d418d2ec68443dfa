"""The ontology is checked like code, and each rule has a counterexample that must fail."""

import re
import shutil
from pathlib import Path

import pytest

from kg import ontology, resources
from kg.check import check_ontology, rules, store_of
from kg.errors import OntologyError
from kg.reason import owl_ontology
from tests.support import COUNTEREXAMPLES

CASES = sorted((COUNTEREXAMPLES / "ontology").glob("*.ttl"))


def test_the_ontology_has_no_findings(terms: list[str]) -> None:
    assert check_ontology(terms) == []


def test_loading_twice_gives_the_same_lines(terms: list[str]) -> None:
    assert ontology.load() == terms


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_counterexample_is_found_by_its_rule(case: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ontology"
    shutil.copytree(resources.ONTOLOGY, folder)
    text = case.read_text(encoding="utf-8")
    expected = re.match(r"# breaks: (\S+)", text)
    assert expected
    target = folder / ("schemes.ttl" if expected[1] == "concept-described" else "cgt.ttl")
    target.write_text(target.read_text(encoding="utf-8") + "\n" + text, encoding="utf-8")
    found = check_ontology(ontology.load(folder))
    assert expected[1] in {finding.rule for finding in found}, found


def test_every_rule_has_a_counterexample() -> None:
    broken = {re.match(r"# breaks: (\S+)", case.read_text(encoding="utf-8"))[1] for case in CASES}  # type: ignore[index]
    assert {rule.name for rule in rules("ontology")} | {"style"} == broken


def test_broken_turtle_is_one_clear_error(tmp_path: Path) -> None:
    folder = tmp_path / "ontology"
    shutil.copytree(resources.ONTOLOGY, folder)
    (folder / "cgt.ttl").write_text("this is not Turtle", encoding="utf-8")
    with pytest.raises(OntologyError, match=r"cgt\.ttl"):
        ontology.load(folder)


def test_the_tree_holds_every_class_and_each_class_has_one_place(terms: list[str]) -> None:
    store = store_of(terms)
    query = """
    PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX cgt: <https://w3id.org/cgt-kg/ontology#>
    SELECT ?class WHERE { ?class a cgt:TherapyClass .
      FILTER NOT EXISTS { ?class skos:broader+/skos:topConceptOf ?top }
      FILTER NOT EXISTS { ?class skos:topConceptOf ?top } }
    """
    assert list(store.query(query, use_default_graph_as_union=True)) == []  # type: ignore[arg-type]
    names = {
        line.split("/id/class/")[1].split(">")[0]
        for line in terms
        if line.startswith("<https://w3id.org/cgt-kg/id/class/")
    }
    assert {
        "car-t", "car-nk", "tcr-t", "til", "other-gene-modified-immune-cell", "non-gene-modified-immune-cell",
        "non-immune-cell", "non-immune-somatic-cell", "ipsc-derived", "msc", "other-stem-cell", "hpc-cord-blood",
        "gene-modified-hsc", "stem-cell-device-combination", "aav", "lentiviral-in-vivo", "adenoviral", "hsv-vector",
        "plasmid", "in-vivo-genome-editing", "genome-editing", "oncolytic-virus", "oncolytic-bacterium",
        "therapeutic-vaccine", "dendritic-cell-vaccine", "tissue-engineered",
    } <= names  # fmt: skip


def test_owlready2_reads_the_ontology(terms: list[str]) -> None:
    onto = owl_ontology(store_of(terms))
    car_t = onto["CarTCellTherapy"]
    assert car_t.label.en == ["CAR-T cell therapy"]
    assert car_t.equivalent_to
