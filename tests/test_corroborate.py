"""A register's record becomes a claim about a curated fact, or a candidate, and never changes a fact."""

from dataclasses import dataclass
from datetime import date

import pytest

from kg.corroborate import DOUBTFUL, Corroborator, coverage, uncovered
from kg.curated import Tables, read
from kg.registers.records import Day, DesignationRecord, ProductRecord
from tests.support import SMALL


@dataclass
class Found:
    thing: str


@pytest.fixture(scope="module")
def tables() -> Tables:
    return read([SMALL])


def product(**values: object) -> ProductRecord:
    base = {"register": "r", "id": "1", "where": "row 1", "agency": "agency:us-fda", "names": ("Kymriah",)}
    return ProductRecord(**(base | values))  # type: ignore[arg-type]


def take(tables: Tables, record: ProductRecord, *things: str) -> Corroborator:
    corroborator = Corroborator(tables)
    corroborator.reaches(record.agency, date(2025, 3, 14))
    corroborator.product(record, [Found(thing) for thing in things], "source:register-r", "Register")
    return corroborator


def test_the_same_day_corroborates(tables: Tables) -> None:
    found = take(tables, product(authorised=Day(date(2017, 8, 30))), "product:kymriah").result
    assert [(c.fact, c.field, c.value) for c in found.claims] == [
        ("milestone:us-fda-kymriah-2017", "date", "2017-08-30")
    ]
    assert found.claims[0].reason is None
    assert found.covered == {"milestone:us-fda-kymriah-2017": "corroborated"}
    assert found.candidates == []


def test_another_day_contradicts_and_both_values_stay(tables: Tables) -> None:
    found = take(tables, product(authorised=Day(date(2017, 8, 31))), "product:kymriah").result
    assert found.covered == {"milestone:us-fda-kymriah-2017": "contradicted"}
    assert found.claims[0].value == "2017-08-31"
    assert found.claims[0].reason


def test_a_year_corroborates_its_days(tables: Tables) -> None:
    found = take(tables, product(authorised=Day(date(2017, 1, 1), "year")), "product:kymriah").result
    assert found.covered == {"milestone:us-fda-kymriah-2017": "corroborated"}
    assert found.claims[0].value == "2017"


def test_what_the_tables_lack_is_a_candidate(tables: Tables) -> None:
    found = take(
        tables, product(names=("Newgene",), authorised=Day(date(2024, 1, 2))), "therapy:tisagenlecleucel"
    ).result
    (row,) = [c for c in found.candidates if c.table == "milestones"]
    assert row.cells["kind"] == "cgt:Approval"
    assert row.cells["about"] == "therapy:tisagenlecleucel"
    assert found.claims == []


def test_a_doubtful_list_suggests_nothing(tables: Tables) -> None:
    record = product(names=("Newgene",), authorised=Day(date(2024, 1, 1), "year"), status=DOUBTFUL)
    assert take(tables, record, "therapy:tisagenlecleucel").result.candidates == []


def test_an_end_that_the_tables_have_gets_a_claim_and_one_they_lack_is_suggested(tables: Tables) -> None:
    glybera = product(agency="agency:eu-ema", names=("Glybera",), authorised=Day(date(2012, 10, 25)),
                      ended=Day(date(2017, 10, 28)))  # fmt: skip
    facts = {c.fact for c in take(tables, glybera, "product:glybera").result.claims}
    assert "milestone:eu-ema-glybera-expiry-2017" in facts
    kymriah = product(authorised=Day(date(2017, 8, 30)), ended=Day(date(2025, 1, 1)), status="Revoked")
    (row,) = take(tables, kymriah, "product:kymriah").result.candidates
    assert (row.cells["kind"], row.cells["date"]) == ("cgt:Withdrawal", "2025-01-01")


def test_a_designation_is_found_by_its_number_or_day_or_suggested(tables: Tables) -> None:
    def designate(number: str, day: date) -> Corroborator:
        corroborator = Corroborator(tables)
        record = DesignationRecord(
            register="r", id=number, where="row 1", agency="agency:eu-ema", pathway="pathway:eu-orphan",
            substance="CTL019", designated=Day(day),
        )  # fmt: skip
        corroborator.designation(record, [Found("therapy:tisagenlecleucel")], "source:register-r", "Register")
        return corroborator

    known = designate("EU/3/14/1266", date(2014, 4, 29)).result
    assert [c.fact for c in known.claims] == ["milestone:eu-ema-kymriah-orphan-14-1266"]
    other = designate("EU/3/30/1", date(2030, 1, 1)).result
    assert other.claims == []
    assert [c.cells["kind"] for c in other.candidates] == ["cgt:DesignationGrant"]


def test_coverage_counts_every_curated_approval_once(tables: Tables) -> None:
    corroborator = take(tables, product(authorised=Day(date(2017, 8, 30))), "product:kymriah")
    counted = {row["agency"]: row for row in coverage(tables, corroborator.result)}
    approvals = [m for m in tables.records["milestones"] if m.kind == "cgt:Approval"]  # type: ignore[union-attr]
    assert sum(row["approvals"] for row in counted.values()) == len(approvals)  # type: ignore[misc]
    fda = counted["agency:us-fda"]
    assert fda["corroborated"] == 1
    assert "not found in the register" in str(fda["why_not"])
    assert "no register" in str(counted["agency:jp-pmda"]["why_not"])
    assert all(row["milestone"].startswith("milestone:us-fda") for row in uncovered(tables, corroborator.result))
