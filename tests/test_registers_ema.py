"""The EMA's tables: medicines in their layouts and as a feed, kinds of advanced therapies, orphan designations."""

import gzip
import json
import os
import random
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kg.errors import SourceError
from kg.registers import ema_atmp_list, ema_medicines, ema_orphans
from kg.registers.connector import Connector, head_of
from kg.registers.reading import LONGEST, Summary
from kg.registers.records import DesignationRecord, ProductRecord, RegisterRecord
from tests import workbooks
from tests.support import REGISTERS, ROOT, needs_registers
from tests.workbooks import Date, Raw

CONNECTORS = (ema_medicines.CONNECTOR, ema_atmp_list.CONNECTOR, ema_orphans.CONNECTOR)
MUTATIONS = int(os.environ.get("KG_FUZZ", "400"))

COLUMNS_2024 = [
    "Category",
    "Name of medicine",
    "EMA product number",
    "Medicine status",
    "International non-proprietary name (INN) / common name",
    "Active substance",
    "ATC code (human)",
    "Pharmacotherapeutic group\n(human)",
    "Therapeutic indication",
    "Advanced therapy",
    "Conditional approval",
    "Exceptional circumstances",
    "Orphan medicine",
    "PRIME: priority medicine",
    "Marketing authorisation developer / applicant / holder",
    "Opinion adopted date",
    "Marketing authorisation date",
    "Withdrawal / expiry / revocation / lapse of marketing authorisation date",
    "Last updated date",
    "Medicine URL",
]
COLUMNS_2018 = [
    "Category",
    "Medicine name",
    "International non-proprietary name (INN) / common name",
    "Active substance",
    "Product number",
    "Authorisation status",
    "ATC code",
    "Conditional approval",
    "Exceptional circumstances",
    "Orphan medicine",
    "Marketing authorisation date",
    "Marketing authorisation holder/company name",
    "Human pharmacotherapeutic group",
    "Date of opinion",
    "Condition / indication",
    "Revision date",
    "URL",
]
PAGE = "https://www.ema.europa.eu/en/medicines/human/EPAR/"
TESTGENE = {
    "category": "Human",
    "name_of_medicine": "Testgene",
    "ema_product_number": "EMEA/H/C/009001",
    "medicine_status": "Authorised",
    "international_non_proprietary_name_common_name": "testogene madeuparvovec",
    "active_substance": "testogene madeuparvovec",
    "atc_code_human": "A16AX",
    "pharmacotherapeutic_group_human": "Other alimentary tract products",
    "therapeutic_indication": "Treatment of adults with a made-up disease",
    "advanced_therapy": "Yes",
    "conditional_approval": "Yes",
    "exceptional_circumstances": "No",
    "orphan_medicine": "Yes",
    "prime_priority_medicine": "No",
    "marketing_authorisation_developer_applicant_holder": "Made Up Therapeutics B.V.",
    "opinion_adopted_date": "25/04/2024",
    "marketing_authorisation_date": "28/06/2024",
    "withdrawal_expiry_revocation_lapse_of_marketing_authorisation_date": "",
    "last_updated_date": "01/07/2024",
    "medicine_url": PAGE + "testgene",
}
KEYS = list(TESTGENE)
DESIGNATION = {
    "medicine_name": "",
    "related_ema_product_number": "",
    "active_substance": "autologous T cells made up for a test",
    "date_of_designation_or_refusal": "19/07/2021",
    "intended_use": "Treatment of a made-up disease",
    "eu_designation_number": "EU/3/21/9001",
    "status": "Positive",
    "first_published_date": "12/11/2021",
    "last_updated_date": "",
    "orphan_designation_url": "https://www.ema.europa.eu/en/medicines/human/orphan-designations/eu-3-21-9001",
}
ATMP_ROWS = [
    ["name", "type", "date", "Orphan", "prime", "comment", "cum_n"],
    ["Testgene", "GTMP", Date(45471), "Yes", "No", "", 1],
    ["Testocel", "CTMP", Date(41153), "No", "Yes", "MA not renewed (MA\nended Oct. 2017)", 2],
    ["Testoderm", "TEP", "2015-02-17", "No", "No", "MA withdrawn July\n2016", 3],
]


def medicine(**values: object) -> dict[str, object]:
    assert set(values) <= set(KEYS)
    return {**TESTGENE, **values}


def numbered(count: int) -> list[dict[str, object]]:
    return [
        medicine(name_of_medicine=f"Testgene {n}", ema_product_number=f"EMEA/H/C/{9000 + n:06}") for n in range(count)
    ]


def table(path: Path, *records: dict[str, object], columns: Sequence[str] = COLUMNS_2024, made: str = "") -> Path:
    """Write a table as the EMA does: preamble, empty rows, header in row 9."""
    preamble = [["Content type:", "Medicine", "Output automatically generated on:", made or "22/08/2024 - 15:06"]]
    rows = preamble + [[]] * 7 + [list(columns)] + [[record[key] for key in KEYS] for record in records]
    return workbooks.workbook(path, rows)


def feed(path: Path, *records: object, meta: dict[str, object] | None = None) -> Path:
    found = {"meta": meta, "data": list(records)} if meta is not None else list(records)
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


def reading(connector: Connector, path: Path) -> tuple[Summary, list[RegisterRecord]]:
    summary = Summary(path.name, connector.name)
    records = list(connector.read(path, summary))
    assert summary.loaded == len(records)
    assert summary.read == summary.loaded + len(summary.skips)
    return summary, records


def medicines(path: Path) -> tuple[Summary, list[ProductRecord]]:
    summary, records = reading(ema_medicines.CONNECTOR, path)
    assert all(isinstance(record, ProductRecord) for record in records)
    return summary, records  # type: ignore[return-value]


def designations(path: Path) -> tuple[Summary, list[DesignationRecord]]:
    summary, records = reading(ema_orphans.CONNECTOR, path)
    assert all(isinstance(record, DesignationRecord) for record in records)
    return summary, records  # type: ignore[return-value]


def one(path: Path, **values: object) -> tuple[Summary, ProductRecord]:
    summary, records = medicines(feed(path / "feed.json", medicine(**values)))
    return summary, records[0]


# Layouts


def test_a_medicine_of_the_2024_layout(tmp_path: Path) -> None:
    summary, [record] = medicines(table(tmp_path / "a.xlsx", medicine()))
    assert (record.id, record.application) == ("EMEA/H/C/009001", "EMEA/H/C/009001")
    assert (record.names, record.where, record.agency) == (("Testgene",), "row 10", "agency:eu-ema")
    assert (str(record.authorised), str(record.opinion), record.ended) == ("2024-06-28", "2024-04-25", None)
    assert (record.approval_type, record.status) == ("approval-type:conditional", "Authorised")
    assert (record.advanced, record.orphan, record.prime) == (True, True, False)
    assert record.holder == "Made Up Therapeutics B.V."
    assert record.url == PAGE + "testgene"
    assert str(summary.newest) == "2024-08-22"
    assert not summary.warnings


def test_a_medicine_of_the_2018_layout_has_no_word_on_advanced_therapy(tmp_path: Path) -> None:
    row = ["Human", "Testocel", "testocel", "cells", "EMEA/H/C/009002", "Withdrawn", "L01", "no", "yes", "yes"]
    row += ["23/08/2012", "Made Up", "Antineoplastic agents, ", "", "Treatment", "20/12/2018", PAGE + "testocel"]
    generated = ["Content type:", "Reports", "Output generated at:", "Sun, 23/12/2018 - 02:08"]
    path = workbooks.workbook(tmp_path / "a.xlsx", [generated, *[[]] * 7, COLUMNS_2018, row])
    summary, [record] = medicines(path)
    assert (record.advanced, record.prime, record.orphan) == (None, None, True)
    assert record.approval_type == "approval-type:exceptional-circumstances"
    assert (record.group, str(record.authorised)) == ("Antineoplastic agents", "2012-08-23")
    assert str(summary.newest) == "2018-12-23"
    assert [warning.value for warning in summary.warnings] == ["advanced, prime, ended"]


def test_spreadsheet_and_feed_give_the_same_record(tmp_path: Path) -> None:
    _, [from_table] = medicines(table(tmp_path / "a.xlsx", medicine()))
    _, [from_feed] = medicines(feed(tmp_path / "a.json", medicine()))
    _, [from_envelope] = medicines(feed(tmp_path / "b.json", medicine(), meta={"total_records": 1}))
    for record in (from_feed, from_envelope):
        assert {f: getattr(record, f) for f in record.__slots__ if f != "where"} == {
            f: getattr(from_table, f) for f in from_table.__slots__ if f != "where"
        }


def test_every_file_is_recognised_by_its_own_connector_only(tmp_path: Path) -> None:
    paths = {
        table(tmp_path / "a.xlsx", medicine()): "ema-medicines",
        feed(tmp_path / "b.json", medicine(), meta={"total_records": 1}): "ema-medicines",
        workbooks.workbook(tmp_path / "c.xlsx", ATMP_ROWS): "ema-atmp-list",
        feed(tmp_path / "d.json", DESIGNATION): "ema-orphans",
    }
    for path, name in paths.items():
        head = head_of(path)
        assert [connector.name for connector in CONNECTORS if connector.recognise(head)] == [name]


def test_files_of_others_are_not_recognised(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Category,Name of medicine,EMA product number,Medicine status\n")
    (tmp_path / "b.json").write_text('{"studies": [{"protocolSection": {}}]}')
    workbooks.workbook(tmp_path / "c.xlsx", [["name", "type"], ["a", "b"]])
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("trials.csv", "a,b")
    for path in sorted(tmp_path.iterdir()):
        head = head_of(path)
        assert not any(connector.recognise(head) for connector in CONNECTORS)


@pytest.mark.parametrize("rename", ["EMA Product Number*", "Product number", "ema_product_number"])
def test_a_header_is_known_by_any_of_its_names(tmp_path: Path, rename: str) -> None:
    columns = [rename if column == "EMA product number" else column for column in COLUMNS_2024]
    _, [record] = medicines(table(tmp_path / "a.xlsx", medicine(), columns=columns))
    assert record.id == "EMEA/H/C/009001"


def test_a_missing_key_column_is_one_error_that_names_it(tmp_path: Path) -> None:
    columns = ["Reference" if column == "EMA product number" else column for column in COLUMNS_2024]
    with pytest.raises(SourceError, match=r"row 9 is like a EMA medicines table but lacks number"):
        medicines(table(tmp_path / "a.xlsx", medicine(), columns=columns))
    with pytest.raises(SourceError, match="no record has the keys"):
        medicines(feed(tmp_path / "a.json", {"name": "x"}))


def test_a_missing_side_column_is_a_warning(tmp_path: Path) -> None:
    columns = ["Something" if column == "Conditional approval" else column for column in COLUMNS_2024]
    summary, [record] = medicines(table(tmp_path / "a.xlsx", medicine(), columns=columns))
    assert record.approval_type is None
    assert [(w.value, w.reason) for w in summary.warnings] == [("conditional", "has no column for these")]


def test_a_column_given_twice_is_a_warning(tmp_path: Path) -> None:
    columns = ["Orphan medicine" if column.startswith("PRIME") else column for column in COLUMNS_2024]
    summary, [record] = medicines(table(tmp_path / "a.xlsx", medicine(), columns=columns))
    assert record.orphan is True
    assert "the column is given twice; the first one is taken" in [w.reason for w in summary.warnings]


def test_the_sheet_is_found_among_others_and_those_are_named(tmp_path: Path) -> None:
    rows = [COLUMNS_2024, [TESTGENE[key] for key in KEYS]]
    found = workbooks.parts({"Notes": workbooks.sheet([["read me"]]), "Medicine": workbooks.sheet(rows)})
    summary, [record] = medicines(workbooks.write(tmp_path / "a.xlsx", found))
    assert record.where == "row 2"
    assert [warning.where for warning in summary.warnings] == ["sheet 'Notes'"]


def test_two_fitting_sheets_are_both_read(tmp_path: Path) -> None:
    rows = [[COLUMNS_2024, [record[key] for key in KEYS]] for record in numbered(2)]
    found = workbooks.parts({"2023": workbooks.sheet(rows[0]), "2024": workbooks.sheet(rows[1])})
    _, records = medicines(workbooks.write(tmp_path / "a.xlsx", found))
    assert [record.where for record in records] == ["sheet '2023', row 2", "sheet '2024', row 2"]


# What a medicine is


@pytest.mark.parametrize(
    ("status", "conditional", "exceptional", "expected"),
    [
        ("Authorised", "No", "No", "approval-type:full"),
        ("Withdrawn", "No", "No", "approval-type:full"),
        ("Revoked", "yes", "no", "approval-type:conditional"),
        ("Authorised", "No", "Yes", "approval-type:exceptional-circumstances"),
        ("Refused", "No", "No", None),
        ("Application withdrawn", "No", "No", None),
        ("Opinion", "Yes", "No", None),
        ("Authorised", "", "No", None),
        ("Authorised", "perhaps", "No", None),
        ("Something new", "No", "No", None),
    ],
)
def test_the_kind_of_approval(
    tmp_path: Path, status: str, conditional: str, exceptional: str, expected: str | None
) -> None:
    values = {"medicine_status": status, "conditional_approval": conditional, "exceptional_circumstances": exceptional}
    _, record = one(tmp_path, **values)
    assert record.approval_type == expected
    assert record.status == status


def test_an_unknown_state_is_a_warning(tmp_path: Path) -> None:
    summary, _ = one(tmp_path, medicine_status="Something new")
    assert [(w.field, w.value) for w in summary.warnings] == [("status", "Something new")]


def test_veterinary_medicines_are_skipped_and_counted(tmp_path: Path) -> None:
    animal = medicine(category="Veterinary", ema_product_number="EMEA/V/C/009003")
    summary, records = medicines(feed(tmp_path / "a.json", medicine(), animal))
    assert (summary.read, summary.loaded, len(records)) == (2, 1, 1)
    assert str(summary.skips[0]) == (
        "record 2: category: 'veterinary': a veterinary medicine; only human ones are taken"
    )


def test_an_empty_category_is_told_by_the_number_and_an_unknown_one_skips(tmp_path: Path) -> None:
    animal = medicine(category="", ema_product_number="EMEA/V/C/009003")
    other = medicine(category="Plant", ema_product_number="EMEA/H/C/009004")
    summary, [record] = medicines(feed(tmp_path / "a.json", medicine(category=""), animal, other))
    assert record.id == "EMEA/H/C/009001"
    assert [skip.reason for skip in summary.skips] == [
        "a veterinary medicine; only human ones are taken",
        "neither Human nor Veterinary",
    ]
    assert len(summary.warnings) == 2


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("EMEA/H/C/009001   ", "EMEA/H/C/009001"),
        ("H/C/009001", "EMEA/H/C/009001"),
        ("H/C/009001/N/0049", "EMEA/H/C/009001"),
        ("EMEA/H/W/009001", "EMEA/H/W/009001"),
        ("H/C/PSUSA/00009001/202308", None),
        ("R/0023", None),
        ("", None),
        (9001, None),
        (["EMEA/H/C/009001"], None),
    ],
)
def test_product_numbers(tmp_path: Path, number: object, expected: str | None) -> None:
    summary, records = medicines(feed(tmp_path / "a.json", medicine(ema_product_number=number)))
    assert [record.id for record in records] == ([expected] if expected else [])
    if expected is None:
        assert [skip.field for skip in summary.skips] == ["number"]


def test_a_number_given_twice_is_skipped_the_second_time(tmp_path: Path) -> None:
    summary, [record] = medicines(feed(tmp_path / "a.json", medicine(), medicine(name_of_medicine="Other")))
    assert record.names == ("Testgene",)
    assert [str(skip) for skip in summary.skips] == [
        "record 2: number: 'EMEA/H/C/009001': stands at record 1 too; that one is taken"
    ]


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("Testgene (previously Oldgene)", ("Testgene", "Oldgene")),
        ("Testgene (previously known as Oldgene )", ("Testgene", "Oldgene")),
        ("Testgene (previously Vaccine (split) Made Up)", ("Testgene", "Vaccine (split) Made Up")),
        ("Testgene (in Italy: Provagene)", ("Testgene", "Provagene")),
        ("Testgene (hydrogen sulphate)", ("Testgene (hydrogen sulphate)",)),
        ("<b>Test</b>gene", ("<b>Test</b>gene",)),
        ("Test\ngene\u202e", ("Test gene",)),
        (12.0, ("12",)),
    ],
)
def test_names(tmp_path: Path, name: object, names: tuple[str, ...]) -> None:
    _, record = one(tmp_path, name_of_medicine=name)
    assert record.names == names


# Bad values


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("30/02/2020", "no such day"),
        ("06/28/2024", "no such day"),
        ("28/06/24", "not a date"),
        ("28/06/1824", "a year that cannot be meant"),
        (45471, "a spreadsheet's serial number"),
        ("soon", "not a date"),
        (float("1e300"), "not a date"),
        ([2024, 6, 28], "not one value"),
        (True, "not a date"),
    ],
)
def test_a_bad_date_is_left_out_with_a_warning(tmp_path: Path, value: object, reason: str) -> None:
    summary, record = one(tmp_path, marketing_authorisation_date=value)
    assert record.authorised is None
    assert [(w.field, reason in w.reason) for w in summary.warnings] == [("authorised", True)]


def test_a_day_later_than_the_table_is_left_out(tmp_path: Path) -> None:
    meta = {"total_records": 1, "timestamp": "2024-08-22T18:05:23Z"}
    path = feed(tmp_path / "a.json", medicine(opinion_adopted_date="23/08/2024"), meta=meta)
    summary, [record] = medicines(path)
    assert record.opinion is None
    assert summary.warnings[0].reason == "later than the table, which is of 2024-08-22; left out"
    assert str(summary.newest) == "2024-08-22"


@pytest.mark.parametrize("from_1904", [False, True])
def test_days_of_a_spreadsheet_as_dates_and_serial_numbers(tmp_path: Path, from_1904: bool) -> None:
    serial = 45471 - (1462 if from_1904 else 0)
    record = medicine(marketing_authorisation_date=Date(serial), opinion_adopted_date=serial)
    rows = [COLUMNS_2024, [record[key] for key in KEYS]]
    found = workbooks.parts({"Medicine": workbooks.sheet(rows)}, from_1904=from_1904)
    summary, [made] = medicines(workbooks.write(tmp_path / "a.xlsx", found))
    assert (str(made.authorised), str(made.opinion)) == ("2024-06-28", "2024-06-28")
    assert [w.reason for w in summary.warnings] == ["a serial number; read as 2024-06-28"]


@pytest.mark.parametrize("number", [0, 2024, -5, 1e15, 3_000_000])
def test_a_number_that_is_no_day_is_left_out(tmp_path: Path, number: float) -> None:
    summary, [record] = medicines(table(tmp_path / "a.xlsx", medicine(opinion_adopted_date=number)))
    assert record.opinion is None
    assert summary.warnings[0].reason == "a number, and no day's serial number; left out"


@pytest.mark.parametrize(
    "value", ["javascript:alert(1)", "https://a b", 'https://a"b', "ftp://a", "<a href=x>", {"href": "x"}, "www.a.b"]
)
def test_a_bad_address_is_left_out_with_a_warning(tmp_path: Path, value: object) -> None:
    summary, record = one(tmp_path, medicine_url=value)
    assert record.url == ""
    assert [w.field for w in summary.warnings] == ["url"]


@pytest.mark.parametrize("value", [["a"], {"a": 1}, [[[[1]]]]])
def test_a_wrong_type_is_left_out_with_a_warning(tmp_path: Path, value: object) -> None:
    summary, record = one(tmp_path, active_substance=value, advanced_therapy=value)
    assert (record.active, record.advanced) == ("", None)
    assert {w.field for w in summary.warnings} == {"active", "advanced"}


def test_empty_and_missing_optional_values_are_empty(tmp_path: Path) -> None:
    empty = dict.fromkeys(KEYS[4:], None)
    summary, record = one(tmp_path, **empty)
    assert (record.inn, record.authorised, record.orphan, record.url) == ("", None, None, "")
    assert not summary.warnings
    short = {key: TESTGENE[key] for key in KEYS[:4]}
    summary, [record] = medicines(feed(tmp_path / "b.json", short))
    assert (record.inn, record.approval_type) == ("", None)
    assert [w.reason for w in summary.warnings] == ["has no column for these"]


def test_a_record_without_a_name_is_skipped(tmp_path: Path) -> None:
    summary, records = medicines(feed(tmp_path / "a.json", medicine(name_of_medicine=" \u200b"), *numbered(1)))
    assert len(records) == 1
    assert [(skip.field, skip.reason) for skip in summary.skips] == [("name", "has no name")]


def test_hidden_characters_and_overlong_texts_are_warned_of(tmp_path: Path) -> None:
    summary, record = one(tmp_path, active_substance="a\x00b\u202ec", therapeutic_indication="x" * (LONGEST + 1))
    assert (record.active, len(record.indication)) == ("a b c", LONGEST)
    assert sorted(w.field for w in summary.warnings) == ["active", "indication"]


def test_items_of_a_feed_that_are_no_records_are_skipped(tmp_path: Path) -> None:
    path = feed(tmp_path / "a.json", medicine(), ["Human"], None, 7, "x", {"name_of_medicine": "y"})
    summary, records = medicines(path)
    assert (summary.read, len(records)) == (6, 1)
    assert [skip.where for skip in summary.skips] == [f"record {n}" for n in range(2, 7)]
    assert summary.skips[-1].field == "category, number, status"


def test_a_feed_that_holds_fewer_records_than_it_says_is_warned_of(tmp_path: Path) -> None:
    summary, _ = medicines(feed(tmp_path / "a.json", medicine(), meta={"total_records": 2}))
    assert summary.warnings[0].reason == "the feed holds 1 records; it may be cut off"


def test_a_key_given_twice_is_warned_of(tmp_path: Path) -> None:
    text = json.dumps([medicine()]).replace("{", '{"category": "Veterinary", ', 1)
    (tmp_path / "a.json").write_text(text)
    summary, [record] = medicines(tmp_path / "a.json")
    assert record.category == "Human"
    assert summary.warnings[0].field == "category"


# Bad spreadsheets


def test_formulas_give_their_stored_values_and_errors_are_empty(tmp_path: Path) -> None:
    record = medicine(
        active_substance=Raw("<f>A1&amp;B1</f>"),
        atc_code_human=Raw("<f>A1+1</f><v>5</v>"),
        therapeutic_indication=Raw('<c r="I10" t="e"><v>#N/A</v></c>'),
    )
    summary, [made] = medicines(table(tmp_path / "a.xlsx", record))
    assert (made.active, made.atc, made.indication) == ("", "5", "")
    assert [w.reason.split(";")[0] for w in summary.warnings] == [
        "2 cells with formulas",
        "1 formulas without a stored value",
        "1 cells whose value is an error",
    ]
    assert summary.warnings[1].value == "xl/worksheets/sheet1.xml F10"


def test_a_cell_merged_downwards_is_taken_for_each_row(tmp_path: Path) -> None:
    records = numbered(3)
    rows: list[list[object]] = [[None, *COLUMNS_2024], *[[None, *[r[key] for key in KEYS]] for r in records]]
    holder = 1 + KEYS.index("marketing_authorisation_developer_applicant_holder")
    rows[2][holder] = rows[3][holder] = ""
    column = workbooks.letters(holder)
    path = workbooks.workbook(tmp_path / "a.xlsx", rows, merged=[f"{column}2:{column}3", "A1:XFD1", "B1:C1"])
    summary, made = medicines(path)
    assert [r.holder for r in made] == ["Made Up Therapeutics B.V.", "Made Up Therapeutics B.V.", ""]
    assert [str(w.where) for w in summary.warnings] == ["row 3"]


def test_declared_columns_do_not_matter_only_used_ones(tmp_path: Path) -> None:
    head = '<dimension ref="A1:AMJ1048576"/><cols><col min="1" max="16384" width="9"/></cols>'
    empty = "".join(f'<c r="{workbooks.letters(n)}3" s="1"/>' for n in range(40, 1024))
    rows = [COLUMNS_2024, [TESTGENE[key] for key in KEYS], [Raw(f'<c r="A3"/>{empty}')]]
    path = workbooks.workbook(tmp_path / "a.xlsx", rows, head=head)
    _, records = medicines(path)
    assert len(records) == 1


def test_shared_strings_are_read(tmp_path: Path) -> None:
    cells = [Raw(f'<c r="{workbooks.letters(n)}1" t="s"><v>{n}</v></c>') for n in range(len(COLUMNS_2024))]
    strings = "".join(
        f"<si><r><t xml:space='preserve'>{c[:3]}</t></r><r><t xml:space='preserve'>{c[3:]}</t></r></si>"
        for c in COLUMNS_2024
    )
    found = workbooks.parts({"Medicine": workbooks.sheet([cells, [TESTGENE[key] for key in KEYS]])}, strings)
    _, [record] = medicines(workbooks.write(tmp_path / "a.xlsx", found))
    assert record.id == "EMEA/H/C/009001"


def test_a_spreadsheet_without_rows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no header of a known layout"):
        medicines(workbooks.workbook(tmp_path / "a.xlsx", []))


def whole(path: Path) -> None:
    """Do with a file what a command does: tell its register, then read it."""
    if ema_medicines.recognise(head_of(path)):
        medicines(path)
    else:
        raise SourceError("of no register")


def broken(name: str, text: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        found = workbooks.parts({"Medicine": workbooks.sheet([COLUMNS_2024])})
        found[name] = text
        workbooks.write(path, {key: value for key, value in found.items() if value})

    return make


def cut(path: Path) -> None:
    content = table(path, *numbered(20)).read_bytes()
    path.write_bytes(content[: len(content) // 2])


def encrypted(path: Path) -> None:
    whole = bytearray(table(path, medicine()).read_bytes())
    at = whole.find(b"PK\x01\x02")
    while at >= 0:
        whole[at + 8] |= 1
        at = whole.find(b"PK\x01\x02", at + 4)
    path.write_bytes(whole)


def of_the_future(path: Path) -> None:
    whole = bytearray(table(path, medicine()).read_bytes())
    whole[whole.find(b"PK\x01\x02") + 6] = 240
    path.write_bytes(whole)


def other_packing(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        for name, text in workbooks.parts({"Medicine": workbooks.sheet([COLUMNS_2024])}).items():
            archive.writestr(name, text)


SHEET = "xl/worksheets/sheet1.xml"
XMLNS = f'xmlns="{workbooks.MAIN}"'


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (cut, "damaged archive"),
        (encrypted, "encrypted"),
        (of_the_future, "damaged archive: zip file version"),
        (other_packing, "packed in an unknown way"),
        (broken("xl/workbook.xml", ""), "no XLSX spreadsheet"),
        (broken(SHEET, ""), "damaged spreadsheet"),
        (broken(SHEET, "<worksheet><sheetData><row>"), "is not XML"),
        (broken(SHEET, f'<worksheet {XMLNS}><sheetData><row r="0"/></sheetData></worksheet>'), "names a row '0'"),
        (broken(SHEET, f'<worksheet {XMLNS}><sheetData><c r="9A"/></sheetData></worksheet>'), "names a cell '9A'"),
        (broken("xl/styles.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "declares a document type"),
    ],
)
def test_broken_spreadsheets_are_one_error(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    path = tmp_path / "a.xlsx"
    make(path)
    with pytest.raises(SourceError, match=message):
        medicines(path)
    with pytest.raises(SourceError):
        whole(path)


def test_path_names_in_an_archive_write_nothing(tmp_path: Path) -> None:
    path = table(tmp_path / "a.xlsx", medicine())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../evil.xml", "<a/>")
        archive.writestr("/xl/evil.xml", "<a/>")
        archive.writestr("xl/../../evil.xml", "<a/>")
    before = sorted(tmp_path.rglob("*"))
    assert len(medicines(path)[1]) == 1
    assert sorted(tmp_path.rglob("*")) == before
    assert not (tmp_path.parent / "evil.xml").exists()


# Bad feeds


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"  \r\n", "is empty"),
        (b"[", "is not JSON"),
        (b'[{"name_of_medicine": "Test', "is not JSON"),
        (b"7", "neither an array"),
        (b"{}", "neither an array"),
        (b'{"data": {"a": []}}', "neither an array"),
        (b'{"data": null}', "neither an array"),
        (b"[]", "no record has the keys"),
        (b'[{"a": NaN}]', "NaN is not JSON"),
        (b'[{"a": Infinity}]', "Infinity is not JSON"),
        (b'[{"a": ' + b"9" * 5000 + b"}]", "is not JSON"),
        (b"[" * 100_000, "nested too deep|is not JSON"),
        (b"<html><body>Too many requests</body></html>", "is not JSON"),
        (gzip.compress(b"[" + b" " * 1000 + b"]")[:-6], "cut off"),
        (b"\xff\xfe[\x00", "is not JSON"),
        (b"\x00\x01\x02\x03\xff" * 40, "is not text"),
    ],
)
def test_broken_feeds_are_one_error(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    for connector in (ema_medicines.CONNECTOR, ema_orphans.CONNECTOR):
        with pytest.raises(SourceError, match=message):
            reading(connector, tmp_path / "a.json")


def test_a_file_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    for connector in CONNECTORS:
        with pytest.raises(SourceError, match="cannot be read"):
            reading(connector, tmp_path / "none")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    substance = {"gb18030": "重组腺相关病毒", "latin-1": "Testogène"}.get(encoding, "Testogène 重组")
    text = json.dumps([medicine(active_substance=substance)], ensure_ascii=False)
    (tmp_path / "a.json").write_bytes(text.encode(encoding))
    summary, [record] = medicines(tmp_path / "a.json")
    assert record.active == substance
    assert len(summary.warnings) == (encoding in ("gb18030", "latin-1"))


# Advanced therapies with their kinds


def test_the_list_of_advanced_therapies(tmp_path: Path) -> None:
    summary, records = reading(ema_atmp_list.CONNECTOR, workbooks.workbook(tmp_path / "a.xlsx", ATMP_ROWS))
    assert all(isinstance(record, ProductRecord) for record in records)
    found = [(r.id, r.category, str(r.authorised), str(r.ended), r.status) for r in records]  # type: ignore[union-attr]
    assert found == [
        ("Testgene", "GTMP", "2024-06-28", "None", ""),
        ("Testocel", "CTMP", "2012-09-01", "2017-10", "MA not renewed (MA ended Oct. 2017)"),
        ("Testoderm", "TEP", "2015-02-17", "2016-07", "MA withdrawn July 2016"),
    ]
    assert not summary.warnings
    assert str(summary.newest) == "2024-06-28"


def test_typing_errors_in_the_list_are_warned_of(tmp_path: Path) -> None:
    rows = [
        ATMP_ROWS[0],
        ["Testgene", "GMTP", "2024-06-31", "Yess", "No", "MA wihtdrawn July 2016", ""],
        ["Testocel", " sctmp ", "2024-06-30", "Yes", "No", "MA withdrawn July 2016", ""],
        ["", "GTMP", "2024-06-30", "Yes", "No", "", ""],
        ["TESTGENE", "GTMP", "2024-06-30", "Yes", "No", "", ""],
    ]
    summary, records = reading(ema_atmp_list.CONNECTOR, workbooks.workbook(tmp_path / "a.xlsx", rows))
    assert [r.category for r in records if isinstance(r, ProductRecord)] == ["", "CTMP"]
    assert [r.ended for r in records if isinstance(r, ProductRecord)] == [None, None]
    assert Counter(w.field for w in summary.warnings) == {"type": 1, "authorised": 1, "orphan": 1, "comment": 2}
    assert [(s.where, s.reason) for s in summary.skips] == [
        ("row 4", "has no name"),
        ("row 5", "stands at row 2 too; that one is taken"),
    ]


# Orphan designations


def test_a_designation(tmp_path: Path) -> None:
    led_to = {"medicine_name": "Testgene; Othergene", "related_ema_product_number": "EMEA/H/C/009001; EMEA/H/C/009001"}
    summary, [record] = designations(feed(tmp_path / "a.json", {**DESIGNATION, **led_to}))
    assert (record.id, record.pathway, record.agency) == ("EU/3/21/9001", "pathway:eu-orphan", "agency:eu-ema")
    assert record.names == ("Testgene", "Othergene")
    assert record.product_number == "EMEA/H/C/009001"
    assert (str(record.designated), record.status) == ("2021-07-19", "Positive")
    assert record.condition == "Treatment of a made-up disease"
    assert str(summary.newest) == "2021-11-12"
    assert not summary.warnings


def test_designations_in_a_spreadsheet(tmp_path: Path) -> None:
    header = ["Medicine name", "Related EMA product number", "Active substance", "Date of designation / refusal"]
    header += ["Intended use", "EU designation number", "Status", "First published date", "Last updated date"]
    rows = [["Content type:", "Orphan"], [*header, "Orphan designation URL"], list(DESIGNATION.values())]
    _, [record] = designations(workbooks.workbook(tmp_path / "a.xlsx", rows))
    assert (record.id, str(record.designated)) == ("EU/3/21/9001", "2021-07-19")


def test_refusals_are_skipped_and_counted(tmp_path: Path) -> None:
    refusal = {**DESIGNATION, "eu_designation_number": "-", "status": "Negative"}
    summary, records = designations(feed(tmp_path / "a.json", refusal, DESIGNATION))
    assert len(records) == 1
    assert [skip.reason for skip in summary.skips] == ["a refusal; only designations are taken"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [("EU/3/21/9001)", "EU/3/21/9001"), ("EMA/OD/0000149115", "EMA/OD/0000149115"), ("-", None), ("", None)],
)
def test_designation_numbers(tmp_path: Path, number: str, expected: str | None) -> None:
    summary, records = designations(feed(tmp_path / "a.json", {**DESIGNATION, "eu_designation_number": number}))
    assert [record.id for record in records] == ([expected] if expected else [])
    assert len(summary.skips) == (expected is None)


def test_of_a_number_given_twice_the_fuller_record_is_taken(tmp_path: Path) -> None:
    empty = {**DESIGNATION, "active_substance": ""}
    later = {**DESIGNATION, "date_of_designation_or_refusal": "27/06/2025", "medicine_name": "Testgene"}
    summary, [record] = designations(feed(tmp_path / "a.json", later, empty, DESIGNATION))
    assert (record.where, str(record.designated)) == ("record 3", "2021-07-19")
    assert [skip.where for skip in summary.skips] == ["record 1", "record 2"]


# Bombs, in a process of their own so that its memory can be measured


def bomb_files(folder: Path) -> None:
    rows = [COLUMNS_2024, [TESTGENE[key] for key in KEYS]]
    right = workbooks.sheet(rows)

    def packed(name: str, text: str, strings: str = "", sheets_of: dict[str, str] | None = None) -> None:
        workbooks.write(folder / name, workbooks.parts(sheets_of or {"Medicine": text}, strings))

    data = f"<worksheet {XMLNS}><sheetData>{{}}</sheetData></worksheet>"
    packed("large.xlsx", right.replace("<sheetData>", " " * 80_000_000 + "<sheetData>"))
    packed("sparse.xlsx", data.format('<row r="1"><c r="A1"><v>1</v></c></row><c r="XFD1048576"><v>1</v></c>'))
    packed(
        "repeated.xlsx",
        data.format(("<row>" + '<c t="s"><v>0</v></c>' * 1000 + "</row>") * 300),
        f"<si><t>{'x' * 30_000}</t></si>",
    )
    packed("elements.xlsx", data.format("<c/>" * 2_100_000))
    far = data.format('<row r="1"><c r="A1"><v>1</v></c></row><c r="AA50000"><v>1</v></c>')
    packed("sheets.xlsx", "", sheets_of={f"s{n}": far for n in range(300)})
    last = '<row r="60000"><c r="A60000"><v>1</v></c></row></sheetData><mergeCells>'
    merges = '<mergeCell ref="A1:B1048576"/>' * 500_000
    packed("merged.xlsx", right.replace("</sheetData>", f"{last}{merges}</mergeCells>"))
    lie(folder / "large.xlsx", folder / "lying.xlsx")
    (folder / "space.json.gz").write_bytes(gzip.compress(b"[" + b" " * 100_000_000 + b"]", 1))
    (folder / "objects.json").write_bytes(b"[" + b"{}," * 3_000_000 + b"{}]")
    (folder / "strings.json").write_bytes(b"[" + b'"ab",' * 3_900_000 + b'"ab"]')
    keys = ",".join(f'"{n}":1' for n in range(300_000))
    (folder / "keys.json").write_text(f"[{{{keys},{keys}}}]")
    (folder / "deep.json").write_bytes(b'[{"category":' * 90_000)


def lie(path: Path, other: Path) -> None:
    """Copy an archive so that its largest part says that it is small."""
    whole = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda info: info.file_size)
    size = largest.file_size.to_bytes(4, "little")
    other.write_bytes(bytes(whole).replace(size, (1000).to_bytes(4, "little")))


READ_ALL = """
import re, sys, time
from pathlib import Path
from kg.errors import SourceError
from kg.registers import ema_medicines
from kg.registers.connector import head_of
from kg.registers.reading import Summary
for path in sorted(Path(sys.argv[1]).iterdir()):
    start = time.monotonic()
    try:
        ema_medicines.recognise(head_of(path))
        list(ema_medicines.read(path, Summary(path.name, "")))
        said = "read"
    except SourceError as error:
        said = str(error)
    took = time.monotonic() - start
    # The peak is of the whole process so far: the first file that is too much shows it.
    status = Path("/proc/self/status")
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) // 1024 if status.exists() else 0
    print(path.name, round(took, 1), peak, said, sep="\\t")
"""


def test_bombs_are_refused_within_bounds(tmp_path: Path) -> None:
    bomb_files(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(tmp_path)], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(lines) == len(list(tmp_path.iterdir()))
    for name, took, peak, said in lines:
        assert said != "read", name
        assert float(took) < 20, (name, took)
        assert int(peak) < 500, (name, peak)


# Mutations

NASTY: list[object] = [
    None, "", "-", 0, -1, 43101, 1e308, 10**40, True, [], {}, [[1]], {"a": []},
    "\x00", "_x0000_", "\u202egnp", "\ud800", "<script>alert(1)</script>", "javascript:alert(1)", "https://a b",
    "30/02/2020", "01/13/2020", "1/1/20", "2024-06-28T00:00:00", "Yes", "No", "Human", "Veterinary",
    "x" * 30_000, "=1+1", "a\nb", "EMEA/H/C/009001", "EU/3/21/9001",
]  # fmt: skip


def scrambled(chance: random.Random, content: bytes) -> bytes:
    """Flip, delete, duplicate or swap bytes, a few times."""
    found = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        if len(found) < 8:
            break
        at, other = sorted(chance.sample(range(len(found)), 2))
        end = min(at + chance.randint(1, 30), other)
        kind = chance.randrange(4)
        if kind == 0:
            found[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del found[at:end]
        elif kind == 2:
            found[other:other] = found[at:end]
        else:
            found[at], found[other] = found[other], found[at]
    return bytes(found)


def mutated_parts(chance: random.Random, path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(sorted(found))
    found[name] = scrambled(chance, found[name])
    with zipfile.ZipFile(path, "w") as archive:
        for key, content in found.items():
            archive.writestr(key, content)


def mutant(chance: random.Random, folder: Path) -> tuple[Connector, Path]:
    """Write a changed sample of one of the tables."""
    connector = chance.choice(CONNECTORS)
    as_feed = connector is not ema_atmp_list.CONNECTOR and chance.random() < 0.5
    path = folder / "mutant"
    if connector is ema_atmp_list.CONNECTOR:
        rows: list[list[object]] = [list(row) for row in ATMP_ROWS]
    else:
        sample: list[dict[str, object]] = [dict(DESIGNATION), {**DESIGNATION, "eu_designation_number": "EU/3/22/9002"}]
        if connector is ema_medicines.CONNECTOR:
            sample = numbered(3)
        header = COLUMNS_2024 if connector is ema_medicines.CONNECTOR else list(DESIGNATION)
        rows = [list(header), *[list(record.values()) for record in sample]]
    how = chance.randrange(3)
    if how == 0:
        for _ in range(chance.randint(1, 5)):
            row = chance.randrange(0 if chance.random() < 0.2 else 1, len(rows))
            rows[row][chance.randrange(len(rows[row]))] = chance.choice(NASTY)
    if as_feed:
        keys = KEYS if connector is ema_medicines.CONNECTOR else list(DESIGNATION)
        feed(path, *[dict(zip(keys, row, strict=True)) for row in rows[1:]])
    else:
        workbooks.workbook(path, rows)
    if how == 1 and not as_feed:
        mutated_parts(chance, path)
    elif how:
        path.write_bytes(scrambled(chance, path.read_bytes()))
    return connector, path


def test_mutations_give_records_or_one_error(tmp_path: Path) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(MUTATIONS):
        connector, path = mutant(random.Random(seed), tmp_path)
        start = time.monotonic()
        try:
            connector.recognise(head_of(path))
            summary, _ = reading(connector, path)
            outcomes["skips" if summary.skips else "repairs" if summary.warnings else "whole"] += 1
        except SourceError:
            outcomes["refused"] += 1
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {connector.name}: {type(error).__name__}: {error}") from error
        assert time.monotonic() - start < 5, seed
    # The mutations reach every depth, not only the archive's directory.
    assert all(outcomes[name] > MUTATIONS // 50 for name in ("skips", "repairs", "refused")), outcomes


# The real files


@needs_registers
@pytest.mark.parametrize(
    ("name", "read", "loaded", "warned", "newest"),
    [
        ("medicines_2018-12-23_older-columns.xlsx", 1562, 1334, 3, "2018-12-23"),
        ("medicines_2024-08-22.xlsx", 2433, 2093, 4, "2024-08-22"),
        ("medicines_2025-07-15.xlsx", 2576, 2210, 2, "2025-07-15"),
        ("atmp_list_2023-04.xlsx", 25, 25, 0, "2023-02-20"),
        ("orphans_20260203.json", 3138, 3096, 1, "2025-11-28"),
    ],
)
def test_real_files(name: str, read: int, loaded: int, warned: int, newest: str) -> None:
    path = REGISTERS / "ema" / name
    head = head_of(path)
    [connector] = [connector for connector in CONNECTORS if connector.recognise(head)]
    summary, records = reading(connector, path)
    assert (summary.read, summary.loaded, len(summary.warnings)) == (read, loaded, warned)
    assert str(summary.newest) == newest
    assert summary.loaded >= connector.floor
    assert len({record.id for record in records}) == len(records)


@needs_registers
def test_real_advanced_therapies_are_flagged_as_the_table_flags_them() -> None:
    _, old = medicines(REGISTERS / "ema" / "medicines_2024-08-22.xlsx")
    _, new = medicines(REGISTERS / "ema" / "medicines_2025-07-15.xlsx")
    assert [sum(record.advanced is True for record in records) for records in (old, new)] == [26, 28]
    by_name = {record.names[0]: record for record in new}
    assert by_name["Aucatzyl"].advanced is False
    assert by_name["Kymriah"].id == "EMEA/H/C/004090"
    assert by_name["Beqvez"].names == ("Beqvez", "Durveqtix")
