"""The FDA's registers: Purple Book, orphan designations, openFDA; samples are made up in the registers' layouts."""

import csv
import gzip
import io
import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kg.errors import SourceError
from kg.registers import fda_orphans, fda_tables, openfda, purple_book
from kg.registers.connector import Connector, head_of
from kg.registers.reading import Summary
from kg.registers.records import DesignationRecord, ProductRecord, RegisterRecord
from tests.support import REGISTERS, needs_registers

BIOLOGICS, ORPHANS, OPENFDA = purple_book.CONNECTOR, fda_orphans.CONNECTOR, openfda.CONNECTOR
FUZZ = int(os.environ.get("KG_FUZZ") or 300)

COLUMNS = (
    "N/R/U,Applicant,BLA Number,Proprietary Name,Proper Name,BLA Type,Strength,Dosage Form,Route of Administration,"
    "Product Presentation,Marketing Status,Licensure,Approval Date,Ref. Product Proper Name,"
    "Ref. Product Proprietary Name,Supplement Number,Submission Type,License Number,Product Number,Center,"
    "Date of First Licensure,Exclusivity Expiration Date,First Interchangeable Exclusivity Exp. Date,"
    "Ref. Product Exclusivity Exp. Date,Orphan Exclusivity Exp. Date"
)
COLUMNS_2026 = (
    COLUMNS.replace("BLA Type", "License Type")
    .replace("Approval Date,", "Approval Date,Inter. Approval Date,")
    .replace("Submission Type,", "Submission Type,Inter. Supplement Number,")
    + ",Patent List Provided"
)
EXAMPLECEL = {
    "Applicant": "Example Cells, Inc.",
    "BLA Number": "125999",
    "Proprietary Name": "Examplecel",
    "Proper Name": "exampleucel",
    "BLA Type": "351(a)",
    "License Type": "351(a)",
    "Strength": "1 BAG",
    "Product Presentation": "Bag",
    "Marketing Status": "Rx",
    "Licensure": "Licensed",
    "Approval Date": "30-Aug-17",
    "Supplement Number": "0",
    "Submission Type": "Original",
    "Product Number": "1",
    "Center": "CBER",
}
ORPHAN_COLUMNS = (
    "Generic Name,Trade Name,Date Designated,Orphan Designation,Orphan Designation Status,"
    "Date Designation Withdrawn or Revoked,FDA Orphan Approval Status,Approved Labeled Indication,"
    "Marketing Approval Date,Exclusivity End Date,"
    '"Exclusivity Protected Indication * (Shown for approvals from Jan. 1, 2013, to the present)",Sponsor Company,'
    "Sponsor Address 1,Sponsor Address 2,Sponsor City,Sponsor State,Sponsor Zip,Sponsor Country,CF Grid Key"
)
ORPHAN_COLUMNS_18 = ORPHAN_COLUMNS.replace("Date Designation Withdrawn or Revoked,", "")
DESIGNATION = {
    "Generic Name": "exampleucel",
    "Trade Name": "Examplecel",
    "Date Designated": "2014-01-31",
    "Orphan Designation": "Treatment of example leukaemia",
    "Orphan Designation Status": "Designated/Approved",
    "Approved Labeled Indication": "Treatment of adults",
    "Marketing Approval Date": "2017-08-30",
    "Sponsor Company": "Example Cells, Inc.",
    "Sponsor Zip": "' 01234 ' ",
    "CF Grid Key": "415199.0",
}


def table(columns: str, *rows: dict[str, str]) -> str:
    header = next(csv.reader([columns]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([[row.get(column, "") for column in header] for row in rows])
    return text.getvalue()


def product(**changes: str) -> dict[str, str]:
    return EXAMPLECEL | {key.replace("_", " "): value for key, value in changes.items()}


def designation(**changes: str) -> dict[str, str]:
    return DESIGNATION | {key.replace("_", " "): value for key, value in changes.items()}


def application(**changes: Any) -> dict[str, Any]:
    orphan = [{"code": "Orphan"}]
    return {
        "submissions": [
            {"submission_type": "SUPPL", "submission_status": "AP", "submission_status_date": "20190102"},
            {
                "submission_type": "ORIG",
                "submission_number": "1",
                "submission_status": "AP",
                "submission_status_date": "20170830",
                "submission_property_type": orphan,
            },
        ],
        "application_number": "BLA125999",
        "sponsor_name": "EXAMPLE CELLS",
        "openfda": {"generic_name": ["EXAMPLEUCEL"], "product_type": ["CELLULAR THERAPY"]},
        "products": [
            {
                "product_number": "001",
                "brand_name": "EXAMPLECEL",
                "active_ingredients": [{"name": "EXAMPLEUCEL", "strength": "1 BAG"}],
                "marketing_status": "Prescription",
            }
        ],
    } | changes


def label(**changes: Any) -> dict[str, Any]:
    return {
        "set_id": "0f3a1b2c-0000-4000-8000-000000000001",
        "id": "0f3a1b2c-0000-4000-8000-000000000002",
        "effective_time": "20240305",
        "indications_and_usage": ["1 INDICATIONS AND USAGE Examplecel is indicated for <b>example</b> leukaemia."],
        "openfda": {
            "application_number": ["BLA125999"],
            "brand_name": ["Examplecel"],
            "generic_name": ["EXAMPLEUCEL"],
            "manufacturer_name": ["Example Cells, Inc."],
            "product_type": ["CELLULAR THERAPY"],
            "substance_name": ["EXAMPLEUCEL"],
        },
    } | changes


def answer(*results: Any, **more: Any) -> str:
    meta = {"disclaimer": "Do not rely on openFDA.", "last_updated": "2026-03-04", "results": {"total": len(results)}}
    return json.dumps({"meta": meta, "results": list(results)} | more, ensure_ascii=False)


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., tuple[list[Any], Summary]]:
    def take(connector: Connector, content: str | bytes) -> tuple[list[Any], Summary]:
        path = tmp_path / "file"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read(connector, path)

    return take


def read(connector: Connector, path: Path) -> tuple[list[RegisterRecord], Summary]:
    summary = Summary(path.name, connector.name)
    records = list(connector.read(path, summary))
    assert len(records) == summary.loaded
    return records, summary


def reasons(summary: Summary) -> list[str]:
    return [str(skip) for skip in summary.skips]


def warnings(summary: Summary) -> list[str]:
    return [str(warning) for warning in summary.warnings]


# Purple Book


def test_a_licence_is_one_record_however_many_rows_and_months_repeat_it(take: Any) -> None:
    small = product(Product_Number="2", Strength="HALF", Supplement_Number="12", Submission_Type="Supplement")
    small["Approval Date"] = "1-May-19"
    text = table(COLUMNS, product(), small, product(), small, product(**{"N/R/U": "U"}))
    (record,), summary = take(BIOLOGICS, text)
    assert record == ProductRecord(
        register="purple-book",
        id="125999:examplecel",
        where="line 6",
        agency="agency:us-fda",
        names=("Examplecel",),
        inn="exampleucel",
        holder="Example Cells, Inc.",
        status="Licensed",
        authorised=record.authorised,
        application="BLA 125999",
        category="CBER; 351(a)",
    )
    assert str(record.authorised) == "2017-08-30"
    assert summary.newest == date(2019, 5, 1)
    assert str(summary) == "file (purple-book): read 5 = loaded 1 + skipped 4"
    assert reasons(summary) == [
        "line 2: 'Example Cells, Inc.': the same row as on line 4",
        "line 3: 'Example Cells, Inc.': the same row as on line 5",
        "line 4: product: '1, 1 BAG, Bag': folded into line 6: the same product of BLA 125999, examplecel",
        "line 5: product: '2, HALF, Bag': folded into line 6: a strength or presentation of BLA 125999, examplecel",
    ]


def test_a_monthly_download_has_titles_changes_and_then_the_whole_list(take: Any) -> None:
    change = table(COLUMNS_2026, product(**{"N/R/U": "U", "Approval Date": "August 30, 2017"}))
    whole = table(COLUMNS_2026, product(), product(BLA_Number="125998", Proprietary_Name="Otherce"))
    text = (
        "Purple Book Monthly Historical Data Changes Report - March 2024,,,\r\n,,,\r\n"
        "Newly Approved Products (N)  / Products Added in Current Release (R) / Updated Products (U),,,\r\n"
        f"{change}\r\nPurple Book Database Extract,,,\r\n{whole}"
    )
    (first, second), summary = take(BIOLOGICS, text)
    assert (first.id, second.id) == ("125999:examplecel", "125998:otherce")
    assert first.category == "CBER; 351(a)"
    assert summary.newest == date(2024, 3, 1)
    assert (summary.read, summary.warnings) == (3, [])


def test_columns_may_change_between_months(take: Any) -> None:
    records, summary = take(BIOLOGICS, table(COLUMNS, product()) + table(COLUMNS_2026, product(BLA_Number="125998")))
    assert [(one.application, one.status) for one in records] == [
        ("BLA 125999", "Licensed"),
        ("BLA 125998", "Licensed"),
    ]
    assert not summary.skips


@pytest.mark.parametrize(
    ("number", "written", "expected"),
    [
        ("101382", "14-Jun-30", "1930-06-14"),
        ("101382", "3-Mar-44", "1944-03-03"),
        ("103174", "2-Dec-87", "1987-12-02"),
        ("103174", "1-Jan-00", "2000-01-01"),
        ("103174", "14-Jun-25", "1925-06-14"),
        ("125646", "30-Aug-17", "2017-08-30"),
        ("125646", "8/30/2017", "2017-08-30"),
        ("125646", "2017-08-30", "2017-08-30"),
    ],
)
def test_a_year_of_two_digits_is_the_latest_that_the_file_can_mean(
    number: str, written: str, expected: str, take: Any
) -> None:
    recent = product(Approval_Date="8-Nov-24")
    records, _ = take(BIOLOGICS, table(COLUMNS, recent, product(BLA_Number=number, Approval_Date=written)))
    assert str(records[-1].authorised) == expected


def test_a_file_tells_its_own_year_and_it_is_never_in_the_future(take: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    old = product(BLA_Number="101382", Approval_Date="14-Jun-30")
    text = table(COLUMNS, product(Approval_Date="8-Nov-24"), old)
    monkeypatch.setattr(purple_book, "this_year", lambda: 2035)
    assert str(take(BIOLOGICS, text)[0][1].authorised) == "1930-06-14"
    title = "Purple Book Monthly Historical Data Changes Report - May 2032\r\n"
    assert str(take(BIOLOGICS, title + text)[0][1].authorised) == "2030-06-14"
    monkeypatch.setattr(purple_book, "this_year", lambda: 2026)
    assert str(take(BIOLOGICS, title + text)[0][1].authorised) == "1930-06-14"
    records, summary = take(
        BIOLOGICS, table(COLUMNS, product(), product(BLA_Number="125998", Approval_Date="8-Nov-31"))
    )
    assert records[1].authorised is None
    assert any("long before licences had such numbers" in one for one in warnings(summary))


def test_names_are_joined_by_commas_or_not_there(take: Any) -> None:
    records, summary = take(
        BIOLOGICS,
        table(
            COLUMNS,
            product(Proprietary_Name="bayrab,HyperRAB"),
            product(Proprietary_Name="Bayrab, Hyperrab, Third", Product_Number="2"),
            product(Proprietary_Name="Epo/Pro"),
            product(Proprietary_Name="N/A", Proper_Name="Pollens - Grasses, Fescue"),
            product(Proprietary_Name="N/A", Proper_Name="Pollens - Grasses, Redtop"),
            product(Proprietary_Name="®", Proper_Name="单抗"),
        ),
    )
    assert [one.names for one in records] == [("Bayrab", "Hyperrab", "Third"), ("Epo/Pro",), (), (), ("®",)]
    assert [one.id.partition(":")[2] for one in records] == [
        "bayrab",
        "epo-pro",
        "pollens-grasses-fescue",
        "pollens-grasses-redtop",
        "单抗",
    ]
    assert summary.read == 6


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["Revoked"], "Revoked"),
        (["voluntarily revoked "], "Voluntarily Revoked"),
        (["Voluntarily Revoked", "Licensed"], "Licensed"),
        (["Licensed", "Suspended"], "Licensed"),
        (["Suspended"], ""),
        ([""], ""),
    ],
)
def test_licensure_is_a_closed_list(words: list[str], expected: str, take: Any) -> None:
    rows = [product(Licensure=word, Product_Number=str(n)) for n, word in enumerate(words)]
    (record,), summary = take(BIOLOGICS, table(COLUMNS, *rows))
    assert record.status == expected
    assert any("not a word" in one for one in warnings(summary)) == ("Suspended" in words)


def test_the_newest_row_of_a_presentation_is_followed(take: Any) -> None:
    sold = product(Licensure="Voluntarily Revoked", Applicant="Buyer LLC")
    (record,), summary = take(BIOLOGICS, table(COLUMNS, product(), sold))
    assert (record.status, record.holder) == ("Voluntarily Revoked", "Buyer LLC")
    assert any("'Example Cells, Inc.': other rows of the record say 'Buyer LLC'" in one for one in warnings(summary))
    (record,), _ = take(BIOLOGICS, table(COLUMNS, product(), sold, product()))
    assert (record.status, record.holder) == ("Licensed", "Example Cells, Inc.")


def test_only_original_submissions_authorise(take: Any) -> None:
    late = product(Submission_Type="Supplement", Supplement_Number="70", Approval_Date="20-Aug-20")
    (record,), summary = take(BIOLOGICS, table(COLUMNS, late))
    assert record.authorised is None
    assert "'Supplement 70 20-Aug-20': no row of an original submission has a day" in warnings(summary)[0]
    (record,), summary = take(BIOLOGICS, table(COLUMNS, product(Approval_Date="5-Jan-24"), product()))
    assert str(record.authorised) == "2017-08-30"
    assert "differ; the first is taken" in warnings(summary)[0]


@pytest.mark.parametrize(
    "written",
    ["30-Feb-17", "30/08/2017", "42977", "8-Nov-", "next week", "NaN", "1e308", "31-Dec-9999", "0-Jan-17", "TBD"],
)
def test_an_impossible_day_is_left_out_with_a_warning(written: str, take: Any) -> None:
    (record,), summary = take(BIOLOGICS, table(COLUMNS, product(Approval_Date=written)))
    assert record.authorised is None
    assert f"approval: {written!r}" in warnings(summary)[0]
    assert summary.newest is None


def test_orphan_exclusivity_may_lie_in_the_future(take: Any) -> None:
    said = {"Orphan Exclusivity Exp. Date": "8-Nov-31"}
    (record,), summary = take(BIOLOGICS, table(COLUMNS, product(**said)))
    assert (record.orphan, summary.warnings, summary.newest) == (True, [], date(2017, 8, 30))
    (record,), summary = take(BIOLOGICS, table(COLUMNS, product(**{"Orphan Exclusivity Exp. Date": "31-Nov-31"})))
    assert (record.orphan, len(summary.warnings)) == (None, 1)


@pytest.mark.parametrize("number", ["", "BLA", "12", "9999999999999999", "125 999", "-125999", "12599९"])
def test_a_row_without_a_licence_number_is_skipped(number: str, take: Any) -> None:
    records, summary = take(BIOLOGICS, table(COLUMNS, product(BLA_Number=number), product()))
    assert len(records) == 1
    assert [skip.field for skip in summary.skips] == ["bla"]


def test_spellings_of_a_number_are_one_licence(take: Any) -> None:
    rows = [product(BLA_Number=number) for number in ("125999", "BLA 125999", "0125999", "125999.0")]
    (record,), summary = take(BIOLOGICS, table(COLUMNS, *rows))
    assert record.application == "BLA 125999"
    assert summary.read == 4


def test_rows_that_are_none_are_skipped_with_their_reason(take: Any) -> None:
    text = table(COLUMNS, product(), product(Proprietary_Name="N/A", Proper_Name=" ")) + "\u200b,\u202e\r\n"
    full = product(Applicant="Unquoted", **{"Orphan Exclusivity Exp. Date": "8-Nov-31"})
    text += table(COLUMNS, full).split("\r\n")[1].replace("Unquoted", "Un, quoted")
    text += "\r\nU,Example"
    records, summary = take(BIOLOGICS, text)
    assert len(records) == 1
    assert sorted((skip.where, skip.reason.partition(":")[0]) for skip in summary.skips) == [
        ("line 3", "has neither a proprietary nor a proper name"),
        ("line 4", "nothing that can be read stands in the row"),
        ("line 5", "has 26 cells below a header of 25"),
        ("line 6", "is cut off"),
    ]


def test_a_missing_column_is_named(take: Any) -> None:
    with pytest.raises(SourceError, match=r"no header of a known layout.*like a Purple Book but lacks licensure"):
        take(BIOLOGICS, table(COLUMNS.replace("Licensure", "Licence"), product()))


# Orphan designations


@pytest.mark.parametrize(
    ("columns", "days"),
    [(ORPHAN_COLUMNS, ("2014-01-31", "2017-08-30")), (ORPHAN_COLUMNS_18, ("01/31/2014", "8/30/2017"))],
)
def test_a_designation_is_read_from_either_layout(columns: str, days: tuple[str, str], take: Any) -> None:
    row = designation(Date_Designated=days[0], Marketing_Approval_Date=days[1])
    (record,), summary = take(ORPHANS, table(columns, row))
    assert record == DesignationRecord(
        register="fda-orphans",
        id="415199",
        where="line 2",
        agency="agency:us-fda",
        pathway="pathway:us-orphan",
        substance="exampleucel",
        names=("Examplecel",),
        condition="Treatment of example leukaemia",
        sponsor="Example Cells, Inc.",
        status="Designated/Approved",
        designated=record.designated,
        approved=record.approved,
        url="https://www.accessdata.fda.gov/scripts/opdlisting/oopd/detailedIndex.cfm?cfgridkey=415199",
    )
    assert (str(record.designated), str(record.approved)) == ("2014-01-31", "2017-08-30")
    assert summary.newest == date(2017, 8, 30)


def test_approvals_under_one_designation_are_folded(take: Any) -> None:
    second = designation(Trade_Name="EXAMPLECEL; Examplecel Two", Marketing_Approval_Date="2022-05-27")
    other = designation(CF_Grid_Key="1", Date_Designated="")
    note = {"Generic Name": "Note: indications are shown from 2013."}
    records, summary = take(ORPHANS, table(ORPHAN_COLUMNS, second, designation(), other, other, note))
    assert [(one.id, one.names, str(one.approved)) for one in records] == [
        ("415199", ("EXAMPLECEL", "Examplecel Two"), "2017-08-30"),
        ("1", ("Examplecel",), "2017-08-30"),
    ]
    assert sorted(skip.reason for skip in summary.skips) == [
        "a note of the register, not a designation",
        "folded into line 2: another approval of designation 415199",
        "the same row as on line 5",
    ]
    assert summary.newest == date(2022, 5, 27)


def test_rows_of_one_designation_that_disagree_are_warned_of(take: Any) -> None:
    _, summary = take(ORPHANS, table(ORPHAN_COLUMNS, designation(), designation(Generic_Name="otherleucel")))
    assert "substance: 'otherleucel': other rows of the record say 'exampleucel', which is kept" in warnings(summary)[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("CF Grid Key", key) for key in ("", "0", "NaN", "9" * 400, "4.15e5")),
        *(("Generic Name", name) for name in ("", "\u202e")),
    ],
)
def test_a_designation_without_its_number_or_substance_is_skipped(field: str, value: str, take: Any) -> None:
    records, summary = take(ORPHANS, table(ORPHAN_COLUMNS, DESIGNATION | {field: value}))
    assert not records
    assert summary.read == 1


@pytest.mark.parametrize("written", ["2014-02-30", "31/01/2014", "41670", "31-01-2014", "2099-01-01", "NaN"])
def test_a_designation_with_an_impossible_day_goes_without(written: str, take: Any) -> None:
    (record,), summary = take(ORPHANS, table(ORPHAN_COLUMNS, designation(Date_Designated=written)))
    assert record.designated is None
    assert f"designated: {written!r}" in warnings(summary)[0]


def test_an_end_of_a_designation(take: Any) -> None:
    status = {"Orphan Designation Status": "Designated/Approved/Designation Withdrawn or Revoked"}
    ended = {"Date Designation Withdrawn or Revoked": "2024-09-12"}
    (record,), summary = take(ORPHANS, table(ORPHAN_COLUMNS, DESIGNATION | status | ended))
    assert (str(record.ended), summary.warnings) == ("2024-09-12", [])
    before = {"Date Designation Withdrawn or Revoked": "2004-09-12", "Orphan Designation Status": "Lapsed"}
    (record,), summary = take(ORPHANS, table(ORPHAN_COLUMNS, DESIGNATION | before))
    assert record.ended is None
    assert [warning.field for warning in summary.warnings] == ["status", "ended"]


# openFDA


def test_an_application(take: Any) -> None:
    (record,), summary = take(OPENFDA, answer(application()))
    assert record == ProductRecord(
        register="openfda",
        id="BLA125999",
        where="result 1",
        agency="agency:us-fda",
        names=("EXAMPLECEL",),
        inn="EXAMPLEUCEL",
        active="EXAMPLEUCEL",
        holder="EXAMPLE CELLS",
        status="Prescription",
        authorised=record.authorised,
        application="BLA 125999",
        advanced=True,
        orphan=True,
        category="CELLULAR THERAPY",
    )
    assert str(record.authorised) == "2017-08-30"
    assert (summary.newest, summary.warnings) == (date(2026, 3, 4), [])


def test_only_an_approved_original_authorises(take: Any) -> None:
    tentative = {"submission_type": "ORIG", "submission_status": "TA", "submission_status_date": "20170830"}
    (record,), _ = take(OPENFDA, answer(application(submissions=[tentative])))
    assert record.authorised is None


def test_a_label(take: Any) -> None:
    (record,), summary = take(OPENFDA, answer(label()))
    assert (record.id, record.application, record.names) == (label()["set_id"], "BLA 125999", ("Examplecel",))
    assert (record.holder, record.advanced, record.authorised) == ("Example Cells, Inc.", True, None)
    assert record.indication.endswith("for <b>example</b> leukaemia.")
    assert summary.warnings == []


def test_a_label_without_terms_is_kept(take: Any) -> None:
    (record,), summary = take(OPENFDA, answer(label(openfda={})))
    assert (record.application, record.names, summary.warnings) == ("", (), [])


def test_results_that_repeat_or_are_none_are_skipped(take: Any) -> None:
    results = [application(), application(), 3, [], {"report": 1}, application(application_number=None)]
    records, summary = take(OPENFDA, answer(*results, label(set_id=["<script>"]), label(), label()))
    assert len(records) == 2
    assert [str(skip) for skip in summary.skips] == [
        "result 2: id: 'BLA125999': the same as result 1",
        "result 3: '3': not an object",
        "result 4: '[]': not an object",
        "result 5: 'report': neither an application nor a label",
        "result 6: application_number: not the number of an application",
        "result 7: set_id: '<script>': not the id of a label",
        "result 9: id: '0f3a1b2c-0000-4000-8000-000000000001': the same as result 8",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"submissions": {"submission_type": "ORIG"}},
        {"submissions": [None, 3, "ORIG"]},
        {"submissions": [{"submission_status_date": "20170230"}]},
        {"submissions": [{"submission_status_date": 1e300}]},
        {"submissions": [{"submission_status_date": "99990101"}]},
        {"products": "EXAMPLECEL"},
        {"products": [{"brand_name": {"a": 1}}]},
        {"openfda": []},
        {"openfda": {"generic_name": [None, ["x"]]}},
        {"sponsor_name": 10**300},
    ],
)
def test_a_wrong_type_is_left_out_with_a_warning(changes: dict[str, Any], take: Any) -> None:
    (record,), summary = take(OPENFDA, answer(application(**changes)))
    assert record.application == "BLA 125999"
    assert summary.warnings


def test_an_error_of_openfda_is_told(take: Any) -> None:
    with pytest.raises(SourceError, match="openFDA says NOT_FOUND: No matches found!"):
        take(OPENFDA, json.dumps({"error": {"code": "NOT_FOUND", "message": "No matches found!"}}))


@pytest.mark.parametrize(
    "text",
    ["[]", "3", "null", "{}", '{"results": {}}', '{"results": [NaN]}', "{" * 9, "[" * 200_000, answer(label())[:-9]],
)
def test_an_answer_that_is_none_is_one_error(text: str, take: Any) -> None:
    with pytest.raises(SourceError):
        take(OPENFDA, text)


def test_a_key_given_twice_is_warned_of_and_quick(take: Any) -> None:
    many = ",".join(f'"k{n}": 1' for n in range(100_000))
    started = time.monotonic()
    _, summary = take(
        OPENFDA, answer(application()).replace('"meta": {', f'"many": {{"k0": 2, {many}}}, "meta": {{', 1)
    )
    assert time.monotonic() - started < 5
    assert any("given twice" in one for one in warnings(summary))


# All three

SAMPLES: dict[str, tuple[Connector, str]] = {
    "purple-book": (
        BIOLOGICS,
        "Purple Book Monthly Historical Data Changes Report - March 2024,,\r\n"
        + table(COLUMNS_2026, product(**{"N/R/U": "U", "Approval Date": "August 30, 2017"}))
        + "Purple Book Database Extract\r\n"
        + table(
            COLUMNS_2026,
            product(),
            product(Product_Number="2", Strength="10 × 10^6CELL/ML"),
            product(BLA_Number="103174", Proprietary_Name="prolong,prolong-c", Approval_Date="2-Dec-87"),
            product(BLA_Number="101382", Proprietary_Name="N/A", Approval_Date="14-Jun-30"),
            product(BLA_Number="761888", Licensure="Revoked", Center="CDER", Proper_Name='"quoted"\nname'),
        ),
    ),
    "fda-orphans": (
        ORPHANS,
        table(
            ORPHAN_COLUMNS,
            designation(),
            designation(Trade_Name="Two; Three", Marketing_Approval_Date="2022-05-27"),
            designation(CF_Grid_Key="7", Generic_Name="β-cells, <i>human</i>"),
            {"Generic Name": "Note: shown from 2013."},
        ),
    ),
    "openfda": (OPENFDA, answer(application(), label(), application(application_number="NDA021234"))),
}
CASES = pytest.mark.parametrize(("connector", "text"), SAMPLES.values(), ids=SAMPLES)
TABLES = pytest.mark.parametrize(
    ("connector", "text"), [SAMPLES["purple-book"], SAMPLES["fda-orphans"]], ids=["purple-book", "fda-orphans"]
)


@pytest.mark.parametrize("name", SAMPLES)
def test_each_file_is_known_by_its_content_alone(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    for raw in (SAMPLES[name][1].encode(), gzip.compress(SAMPLES[name][1].encode())):
        path.write_bytes(raw)
        head = head_of(path)
        assert [other for other in SAMPLES if SAMPLES[other][0].recognise(head)] == [name]
    path.write_bytes(b"PK\x03\x04")
    assert not SAMPLES[name][0].recognise(type(head)(path, "zip", "", ()))


@CASES
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030", "latin-1"])
def test_encodings(connector: Connector, text: str, encoding: str, take: Any) -> None:
    text = text.replace("Example Cells", "Société" if encoding == "latin-1" else "上海细胞治疗")
    raw = text.replace("β", "b").encode(encoding)
    records, summary = take(connector, raw)
    holder = records[0].holder if isinstance(records[0], ProductRecord) else records[0].sponsor
    assert holder.startswith(("Société", "上海细胞治疗", "EXAMPLE"))
    names = {"gb18030": "GB18030", "latin-1": "Latin-1"}
    said = [one for one in warnings(summary) if "read as" in one]
    assert len(said) == (encoding in names)
    assert all(names[encoding] in one for one in said)


@CASES
@pytest.mark.parametrize("raw", [b"", b" \r\n", b"\x1f\x8b\x08", b"\x89PNG\r\n\x1a\n" + b"\x00\xff" * 90])
def test_what_is_no_file_of_the_register_is_one_error(connector: Connector, text: str, raw: bytes, take: Any) -> None:
    with pytest.raises(SourceError):
        take(connector, raw)
    with pytest.raises(SourceError):
        take(connector, gzip.compress(text.encode())[:-20])
    with pytest.raises(SourceError):
        take(connector, "<!DOCTYPE html><title>503 Service Unavailable</title>")


@TABLES
def test_a_quotation_mark_that_never_closes_swallows_nothing(connector: Connector, text: str, take: Any) -> None:
    with pytest.raises(SourceError, match="is not CSV"):
        take(connector, text + '"' + text)


@TABLES
def test_hostile_text_is_kept_as_text_on_one_line(connector: Connector, text: str, take: Any) -> None:
    hostile = "\"<img src=x onerror=alert(1)>\r\n\x07\u202ejavascript:alert(1)\x00 'x'\""
    records, summary = take(connector, text.replace('"Example Cells, Inc."', hostile))
    holders = {one.holder if isinstance(one, ProductRecord) else one.sponsor for one in records}
    assert holders == {"<img src=x onerror=alert(1)> javascript:alert(1) 'x'"}
    assert not [one for one in warnings(summary) if "\n" in one or "\u202e" in one]


@CASES
def test_bombs_are_refused(connector: Connector, text: str, take: Any) -> None:
    started = time.monotonic()
    with pytest.raises(SourceError, match="unpacks to more than"):
        take(connector, gzip.compress(text.encode() + b" " * 70_000_000))
    with pytest.raises(SourceError, match="more than"):
        take(connector, gzip.compress(f"{text}{'a,' * 9}\r\n".encode() * (fda_tables.MOST_ROWS + 9)))
    assert time.monotonic() - started < 20


def test_an_answer_of_millions_of_values_is_refused(take: Any) -> None:
    with pytest.raises(SourceError, match="more than 1,000,000 values"):
        take(OPENFDA, gzip.compress(('{"meta": {}, "results": [' + "{}," * 1_000_000 + "{}]}").encode()))


def mutated(raw: bytes, rng: random.Random) -> bytes:
    made = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        at, until = sorted(rng.randrange(len(made) + 1) for _ in range(2))
        until = min(until, at + rng.choice((1, 1, 8, 200)))
        match rng.randrange(6):
            case 0 if made:
                made[at % len(made)] = rng.randrange(256)
            case 1:
                del made[at:until]
            case 2:
                made[at:at] = made[at:until]
            case 3:
                made[at:until] = made[at:until][::-1]
            case 4:
                made[at:until] = rng.choice(NASTY).encode("utf-8", "surrogatepass")
            case _:
                made = made[:until] if rng.random() < 0.1 else made
    return bytes(made)


NASTY = (
    *('"', "\r\n", "\x00", "\u202e", ",", "{", "}", "[", "]", "null", "NaN", "1e999", "-1", "9" * 60, "30-Feb-30"),
    *(
        "02/30/2020",
        "44927",
        "<b>",
        "javascript:alert(1)",
        "=cmd()",
        "\ud800",
        "N/A",
        "\ufeff",
        "'",
        "\\u0000",
        "",
        "é",
    ),
)


def mutated_cells(text: str, rng: random.Random) -> str:
    rows = list(csv.reader(io.StringIO(text, newline="")))
    for _ in range(rng.randint(1, 6)):
        row = rng.choice(rows)
        if row:
            row[rng.randrange(len(row))] = rng.choice((*NASTY, *rng.choice(rows))).encode("utf-8", "replace").decode()
        if rng.random() < 0.2:
            rows.insert(rng.randrange(len(rows)), list(rng.choice(rows)))
    made = io.StringIO()
    csv.writer(made).writerows(rows)
    return made.getvalue()


def mutations(text: str, json_: bool) -> Iterator[bytes]:
    rng = random.Random(4)
    for count in range(FUZZ):
        if count % 3 == 0 and not json_:
            yield mutated_cells(text, rng).encode("utf-8", "replace")
        elif count % 3 == 0:
            # Every value is replaced by turns, so that wrong types come up in valid JSON.
            yield re.sub(
                r'"[^"]*"(?!:)', lambda m: rng.choice(JSON_NASTY) if rng.random() < 0.1 else m[0], text
            ).encode()
        else:
            yield mutated(text.encode(), rng)


JSON_NASTY = ("null", "3", "[]", "{}", "[[]]", '[{"a": "b"}]', "true", "1e400", '""', '"\\u202e"', "-0.0", '"20170230"')


@CASES
def test_mutations_end_in_records_or_one_error(connector: Connector, text: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    ends: Counter[str] = Counter()
    for raw in mutations(text, connector is OPENFDA):
        path.write_bytes(raw)
        summary = Summary(path.name, connector.name)
        try:
            records = list(connector.read(path, summary))
            ends["read"] += 1
        except SourceError:
            ends["refused"] += 1
            continue
        assert len(records) == summary.loaded
        assert summary.read == summary.loaded + len(summary.skips)
        assert len({record.id for record in records}) == len(records)
    assert ends["read"] > FUZZ // 20
    assert ends["refused"] > FUZZ // 20


@needs_registers
def test_the_real_purple_book() -> None:
    records, summary = read(BIOLOGICS, REGISTERS / "fda" / "purplebook_2025-03.csv.gz")
    assert (summary.read, summary.loaded, summary.newest) == (6279, 814, date(2025, 3, 14))
    assert Counter(skip.reason.partition(" line")[0] for skip in summary.skips) == {
        "the same row as on": 4158,
        "folded into": 1307,
    }
    found = {record.id: record for record in records if isinstance(record, ProductRecord)}
    assert len(found) == 814
    kymriah = found["125646:kymriah"]
    assert (kymriah.inn, str(kymriah.authorised), kymriah.status) == ("tisagenlecleucel", "2017-08-30", "Licensed")
    assert {record.status for record in found.values()} == {"Licensed", "Revoked", "Voluntarily Revoked"}
    assert min(str(record.authorised) for record in found.values() if record.authorised) == "1930-06-14"


@needs_registers
def test_the_real_orphan_designations() -> None:
    records, summary = read(ORPHANS, REGISTERS / "fda" / "orphan_approved_2025-05-28.csv")
    assert (summary.read, summary.loaded, summary.newest) == (1325, 1019, date(2025, 5, 28))
    assert all(isinstance(record, DesignationRecord) and record.designated and record.approved for record in records)
