"""The reasoner's classes and the curated ones are the same, and where they are not the row is named."""

import pytest

from kg import reason
from kg.build import Built, build
from kg.check import stated, store_of
from kg.curated import read
from kg.errors import CurationError
from kg.namespaces import expand
from tests.support import COUNTEREXAMPLES, SMALL

pytestmark = pytest.mark.skipif(reason.find_java() is None, reason="no Java virtual machine for HermiT")


def types(built: Built, therapy: str) -> set[str]:
    store = built.release.store
    found = store.quads_for_pattern(None, None, None, None)
    iri = expand(therapy)
    return {
        q.object.value.rpartition("#")[2]  # type: ignore[union-attr]
        for q in found
        if getattr(q.subject, "value", "") == iri and q.graph_name.value.endswith("graph/inferred")  # type: ignore[union-attr]
    }


def test_every_therapy_was_classified_and_agrees(real_built: Built) -> None:
    done = real_built.classification
    assert (done.skipped, done.findings) == ("", ())
    assert done.classified == real_built.release.manifest["records"]["therapies"]


def test_classes_above_and_beside_are_inferred(real_built: Built) -> None:
    kymriah = types(real_built, "therapy:tisagenlecleucel")
    assert {"CarTCellTherapy", "Cd19DirectedCarTCellTherapy", "ImmuneCellTherapy", "SomaticCellTherapy"} <= kymriah
    casgevy = types(real_built, "therapy:exagamglogene-autotemcel")
    assert {"GenomeEditingTherapy", "GeneModifiedStemCellTherapy", "GeneTherapy"} <= casgevy
    assert "CarTCellTherapy" not in casgevy


def classify(name: str, terms: list[str]) -> reason.Classification:
    tables = read([SMALL, COUNTEREXAMPLES / "data" / name])
    return reason.classify(store_of([*terms, *stated(tables)]), tables.places)


def test_a_disagreement_names_the_row_and_the_terms(terms: list[str]) -> None:
    (finding,) = classify("reasoner-disagreement", terms).findings
    assert (finding.file, finding.line, finding.field, finding.value) == (
        "therapies.csv",
        2,
        "therapy_class",
        "class:til",
    )
    assert "class:car-t" in finding.problem
    assert "modification:chimeric-antigen-receptor" in finding.mend


def test_an_inconsistency_names_the_row_and_the_axioms(terms: list[str]) -> None:
    (finding,) = classify("reasoner-inconsistency", terms).findings
    assert (finding.file, finding.line, finding.value) == ("therapies.csv", 2, "therapy:tisagenlecleucel")
    assert "cgt:CarTCellTherapy owl:disjointWith cgt:CarNkCellTherapy" in finding.mend
    assert "cell:nk-cell" in finding.mend


def test_an_unsatisfiable_class_is_named(terms: list[str]) -> None:
    cgt, graph = "https://w3id.org/cgt-kg/ontology#", "<https://w3id.org/cgt-kg/graph/ontology> ."
    odd = f"<{cgt}Odd> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <{cgt}%s> {graph}"
    owl_class = "<http://www.w3.org/2002/07/owl#Class>"
    declared = f"<{cgt}Odd> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> {owl_class} {graph}"
    extra = [declared, odd % "CarTCellTherapy", odd % "CarNkCellTherapy"]
    (finding,) = reason.classify(store_of([*terms, *extra])).findings
    assert (finding.field, finding.problem) == ("cgt:Odd", "the class can have no member")


def test_a_disagreement_stops_the_build(tmp_path) -> None:
    with pytest.raises(CurationError, match=r"therapies\.csv:2.*class:til.*class:car-t"):
        build([SMALL, COUNTEREXAMPLES / "data" / "reasoner-disagreement"], out=tmp_path)
    assert not (tmp_path / "current").exists()


def test_without_java_all_but_classification_is_done(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reason, "find_java", lambda: None)
    built = build([SMALL], out=tmp_path)
    assert "no Java" in built.classification.skipped
    assert "no Java" in built.release.manifest["reasoner"]
    assert "no Java" in (tmp_path / "current" / "report.html").read_text(encoding="utf-8")
