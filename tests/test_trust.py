"""The trust report says what the questions say, escapes what it prints, and is written whole or not at all."""

import json
from pathlib import Path

import pytest

from kg.check import Examined, examine
from kg.errors import OutputError
from kg.trust import FLOORS, missed, trust, write
from tests.support import COUNTEREXAMPLES, SMALL


@pytest.fixture(scope="module")
def examined() -> Examined:
    return examine([SMALL])


def test_sections_are_answers_of_the_library(examined: Examined) -> None:
    report = trust(examined, examined.findings)
    titles = {section["question"].split()[2]: section["rows"] for section in report.sections}
    assert {FLOORS, "evidence-strength", "source-age", "conflicts", "gaps", "unchecked"} <= set(titles)
    facts = {row["kind"]: row["facts"] for row in titles["evidence-strength"]}
    assert facts["approval"] == len([m for m in examined.tables.records["milestones"] if m.kind == "cgt:Approval"])
    assert {row["floor"] for row in titles[FLOORS] if not row["passed"]} == {f.field for f in missed(examined)}


def test_json_has_all_and_the_page_says_what_it_leaves_out(examined: Examined, tmp_path: Path) -> None:
    report = trust(examined, [])
    write(report, tmp_path / "t.json")
    write(report, tmp_path / "t.html")
    content = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    assert len(content["sections"]) == len(report.sections)
    assert not list(tmp_path.glob("*.part"))
    page = (tmp_path / "t.html").read_text(encoding="utf-8")
    long = [s for s in report.sections if len(s["rows"]) > 60]
    assert page.count("rows are left out") == page.count("left out here") == len(long) or not long
    for section in report.sections:
        assert f"({section['question']})" in page


def test_findings_are_escaped(examined: Examined, tmp_path: Path) -> None:
    report = trust(examined, [])
    report.findings.append("<script>alert(1)</script>")
    write(report, tmp_path / "t.html")
    page = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_tables_that_cannot_be_read_are_reported_without_sections() -> None:
    broken = examine([SMALL, COUNTEREXAMPLES / "data" / "shape-unknown-product"])
    assert broken.findings
    unread = Examined(broken.tables, None, broken.findings)
    assert trust(unread, unread.findings).sections == []
    assert missed(unread) == []


@pytest.mark.parametrize("name", ["t.pdf", "t", "occupied/t.json"])
def test_a_report_that_cannot_be_written_is_one_error(examined: Examined, tmp_path: Path, name: str) -> None:
    (tmp_path / "occupied").write_text("a file, and no folder")
    with pytest.raises(OutputError):
        write(trust(examined, []), tmp_path / name)
