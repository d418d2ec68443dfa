"""Each shape and each data rule has a counterexample, laid over the small tables, that must fail."""

from pathlib import Path

import pytest

from kg import near
from kg.check import check, check_facts, examine, rules, stated, store_of
from kg.curated import read
from kg.records import Distinction
from kg.trust import missed
from tests.support import COUNTEREXAMPLES, SMALL

CASES = sorted(path for path in (COUNTEREXAMPLES / "data").iterdir() if not path.name.startswith("reasoner-"))


def test_the_shipped_tables_have_no_findings() -> None:
    assert check() == []


def test_the_small_tables_have_no_findings() -> None:
    assert check([SMALL]) == []


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_counterexample_is_found_with_its_place(case: Path, terms: list[str]) -> None:
    tables = read([SMALL, case])
    assert tables.findings == []
    found = check_facts(store_of([*terms, *stated(tables)]), tables)
    expected = "shape" if case.name.startswith("shape-") else case.name
    hits = [finding for finding in found if finding.rule == expected]
    assert hits, found
    files = {path.name for path in case.glob("*.csv")}
    assert any(finding.file in files and finding.line >= 2 and finding.field for finding in hits), hits
    assert all(finding.problem and finding.mend for finding in hits)


def test_every_data_rule_has_a_counterexample() -> None:
    known = {rule.name for rule in rules("data")} | {near.RULE}
    assert known == {c.name for c in CASES if not c.name.startswith("shape-")}


def test_an_unknown_thing_comes_with_the_nearest_known(terms: list[str]) -> None:
    case = COUNTEREXAMPLES / "data" / "shape-unknown-product"
    tables = read([SMALL, case])
    (finding,) = [f for f in check_facts(store_of([*terms, *stated(tables)]), tables) if f.rule == "shape"]
    assert str(finding) == ("milestones.csv:2: about: 'product:kymria': no such thing (did you mean product:kymriah?)")


def test_the_shipped_tables_reach_every_coverage_floor() -> None:
    assert missed(examine()) == []


def test_tables_below_a_floor_are_named() -> None:
    found = missed(examine([SMALL]))
    assert any(finding.field == "approvals" and "are needed" in finding.problem for finding in found)


def test_names_that_a_distinction_tells_apart_are_no_findings() -> None:
    case = COUNTEREXAMPLES / "data" / "near-duplicate"
    tables = read([SMALL, case])
    (finding,) = near.near(tables)
    assert "product:kymriah" in finding.problem
    tables.records["distinctions"].append(
        Distinction(id="distinction:x", things=("product:kymriah", "product:kymria-new"), reason="x")
    )
    assert near.near(tables) == []
