"""Every question has its expected answer on the small tables, answers on the real ones, and safe parameters."""

import csv
import io
import os
from datetime import date
from statistics import median_low

import pyoxigraph as ox
import pytest

from kg.errors import QueryError
from kg.output import write
from kg.query import Question, ask, bind, find, library, read, resolve
from kg.report import rows
from kg.store import Release
from tests.support import GOLDEN

QUESTIONS = pytest.mark.parametrize("question", library().values(), ids=lambda question: question.name)
PARAMETERS = [
    pytest.param(question, parameter, id=f"{question.name}-{parameter.name}")
    for question in library().values()
    for parameter in question.parameters
]


SPANS = {
    "lag": ("date", "other_date", "lag_days"),
    "extensions": ("approved", "date", "days"),
    "expedited": ("date", "outcome_date", "days"),
    "withdrawn": ("approved", "date", "days_authorised"),
    "designated-then-approved": ("designated", "approved", "days"),
    "opinion-to-approval": ("opinion", "approval", "days"),
    "review-times": ("applied", "approved", "days"),
    "reimbursed-after": ("approved", "decided", "days"),
}
"""The two dates of a question, and the column that counts the days between them."""


def required(question: Question) -> dict[str, str]:
    return {p.name: p.example for p in question.parameters if p.required}


def as_csv(name: str, release: Release, **values: str) -> str:
    out = io.StringIO()
    write(ask(name, release, **values), "csv", out)
    return out.getvalue()


@QUESTIONS
def test_the_expected_answer_on_the_small_tables(question: Question, small: Release) -> None:
    answer = as_csv(question.name, small, **required(question))
    path = GOLDEN / f"{question.name}.csv"
    if os.environ.get("KG_WRITE_GOLDEN"):
        path.write_text(answer, encoding="utf-8")
    assert answer == path.read_text(encoding="utf-8")


def test_no_expected_answer_without_its_question() -> None:
    assert {path.stem for path in GOLDEN.glob("*.csv")} == set(library())


@QUESTIONS
def test_there_is_an_answer_on_the_real_tables(question: Question, real: Release) -> None:
    answer = ask(question.name, real, **required(question))
    # What only registers answer is asked of a release built with them, in test_registered.py.
    assert bool(answer.rows) != question.registers
    assert answer.columns == question.result


@QUESTIONS
def test_rows_are_in_a_total_order(question: Question, real: Release) -> None:
    again = ask(question.name, real, **required(question))
    first = ask(question.name, real, **required(question))
    assert first == again
    if not question.name.startswith(("history",)):
        assert len(set(map(str, first.rows))) == len(first.rows), "no row twice"


@QUESTIONS
def test_a_question_that_counts_days_says_how_well_the_dates_are_known(question: Question) -> None:
    if any("days" in column.split("_") for column in question.result):
        assert {"precision", "not_measured"} & set(question.result)


@pytest.mark.parametrize(("name", "columns"), SPANS.items(), ids=SPANS)
def test_days_are_counted_with_their_sign_and_only_between_days(name: str, columns: tuple[str, str, str], real) -> None:
    found = rows(ask(name, real))
    assert {row["precision"] for row in found} > {"day"}
    for row in found:
        start, end, days = (row[column] for column in columns)
        known = row["precision"] == "day"
        assert days == ((date.fromisoformat(end) - date.fromisoformat(start)).days if known else None), row


def test_a_first_date_is_as_precise_as_its_milestone(real: Release) -> None:
    known = {(row["about"], row["date"]): row["precision"] for row in rows(real.select(
        "SELECT ?about ?date (MIN(?how) AS ?precision) WHERE { ?act a cgt:CommitteeOpinion ; cgt:about ?about ; "
        "cgt:date ?date ; cgt:datePrecision ?how } GROUP BY ?about ?date"
    ))}  # fmt: skip
    coarse = [row for row in rows(ask("opinion-to-approval", real)) if known[row["product"], row["opinion"]] != "day"]
    assert coarse
    assert all(row["precision"] != "day" and row["days"] is None for row in coarse)


def test_the_summary_of_lags_is_what_the_lags_say(real: Release) -> None:
    lags: dict[tuple[str, str], list[dict[str, object]]] = {}
    for row in rows(ask("lag", real)):
        lags.setdefault((row["agency"], row["other_agency"]), []).append(row)
    summary = rows(ask("lag-summary", real))
    assert {(row["agency"], row["other_agency"]) for row in summary} == set(lags)
    for row in summary:
        own = lags[row["agency"], row["other_agency"]]
        days = [one["lag_days"] for one in own if one["lag_days"] is not None]
        figures = [row[f"{name}_lag_days"] for name in ("median", "least", "greatest")]
        assert figures == ([median_low(days), min(days), max(days)] if days else [None] * 3), row
        letters = [{"day": 10, "month": 7, "year": 4}[one["precision"]] for one in own]
        order = [(one["other_date"][:n], one["date"][:n]) for one, n in zip(own, letters, strict=True)]
        assert row["later"] == sum(there > here for there, here in order)
        assert row["earlier"] == sum(there < here for there, here in order)
        assert row["order_unknown"] + row["same_day"] == len(own) - row["later"] - row["earlier"]
        assert row["not_measured"] == len(own) - len(days)


def test_the_newest_day_of_publication_is_said_also_where_other_sources_have_none(small: Release) -> None:
    found = {row["agency"]: row for row in rows(ask("source-age", small))}
    assert (found["EMA"]["newest_published"], found["EMA"]["age_days"]) == ("2026-09-04", 79)


def test_an_approval_is_one_row_also_where_its_holder_is_not_known(real: Release) -> None:
    answer = ask("approvals", real)
    milestones = [row[answer.columns.index("milestone")] for row in answer.rows]
    assert len(milestones) == len(set(milestones))
    found = real.select("SELECT (COUNT(DISTINCT ?m) AS ?n) { ?m a cgt:Approval }")
    assert len(milestones) == int(found.rows[0][0].value)
    assert None in [row[answer.columns.index("holder")] for row in answer.rows]


@pytest.mark.parametrize(("question", "parameter"), PARAMETERS)
def test_a_parameter_narrows_and_its_example_has_answers(question, parameter, real: Release) -> None:
    if question.registers:
        return
    base = required(question)
    narrowed = ask(question.name, real, **{**base, parameter.name: parameter.example})
    assert narrowed.rows, "the example in the header has no answer"
    if parameter.name not in base and "count" not in " ".join(question.result):
        whole = ask(question.name, real, **base)
        assert len(narrowed.rows) <= len(whole.rows)


def test_contract_columns() -> None:
    expected = {
        "approvals": "milestone product brand_name other_names inn agency jurisdiction date date_precision "
        "approval_type therapy_class target vector_or_cell_source holder indication status status_date sources",
        "milestones": "milestone kind product agency date date_precision detail sources",
        "statistics": "observation measure therapy_class stage area agency period value unit sources",
        "conflicts": "fact field followed_value claimed_value claiming_source followed_source reason",
    }
    for name, columns in expected.items():
        assert set(columns.split()) <= set(find(name).result), name
    for name in ("therapies", "products", "agencies", "organisations", "pathways", "trials", "sources"):
        assert find(name).result[1] == "label"


@QUESTIONS
def test_a_screen_shows_columns_of_the_result(question: Question) -> None:
    assert set(question.screen) <= set(question.result)


def test_a_screen_shows_what_matters_first(small: Release) -> None:
    out = io.StringIO()
    write(ask("approvals", small), "table", out, width=90, screen=find("approvals").screen)
    assert out.getvalue().split()[:3] == ["brand_name", "agency", "date"]


def test_the_library_is_as_large_as_it_says() -> None:
    assert len(library()) >= 75


def test_a_thing_is_found_by_id_iri_and_any_name(small: Release) -> None:
    iri = "https://w3id.org/cgt-kg/id/product/yikaida"
    for text in ("product:yikaida", iri, "yikaida", "奕凯达"):
        assert resolve(text, small, "cgt:Product").value == iri


def test_status_follows_the_day(small: Release) -> None:
    def status(day: str) -> str:
        (row,) = rows(ask("approvals", small, product="Glybera", as_of=day))
        return row["status"]

    assert status("2016-01-01") == "authorised"
    assert status("2020-01-01") == "expired"
    assert ask("approvals", small, product="Glybera", as_of="2010-01-01").rows == ()
    on = {row["product"] for row in rows(ask("authorised-on", small, as_of="2016-01-01"))}
    off = {row["product"] for row in rows(ask("authorised-on", small, as_of="2020-01-01"))}
    assert "product:glybera" in on - off


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"product": "Kymriha"}, "no product 'Kymriha'; did you mean Kymriah"),
        ({"agency": "product:kymriah"}, "no agency 'product:kymriah'"),
        ({"colour": "blue"}, "no parameter 'colour'; it takes: agency, therapy_class"),
        ({"as_of": "30 August"}, "as_of must be a date as YYYY-MM-DD"),
        ({"as_of": "2017-02-30"}, "as_of must be a date"),
        ({"product": "x> } DROP ALL #"}, "no product"),
        ({"product": '" . ?s ?p ?o . "'}, "no product"),
        ({"agency": "https://w3id.org/cgt-kg/id/agency/us-fda> ?x"}, "no agency"),
    ],
)
def test_a_value_that_does_not_fit_is_explained(values, message: str, small: Release) -> None:
    with pytest.raises(QueryError) as caught:
        ask("approvals", small, **values)
    assert message in str(caught.value)


def test_a_missing_required_parameter_is_asked_for(small: Release) -> None:
    with pytest.raises(QueryError, match="history needs product"):
        ask("history", small)


def test_an_unknown_question_comes_with_near_ones() -> None:
    with pytest.raises(QueryError, match="did you mean approvals"):
        find("aprovals")


def test_strings_are_bound_as_terms(tmp_path) -> None:
    path = tmp_path / "q.rq"
    path.write_text(
        "#+ title: t\n#+ question: q\n#+ result: [word]\n#+ parameters:\n#+   word: {type: string, example: a}\n"
        "SELECT (?given_word AS ?word) WHERE { VALUES ?given_word { UNDEF } }\n",
        encoding="utf-8",
    )
    question = read(path)
    store = ox.Store()
    for word in ('a"b', "a\\b", "}", "\n", "'", "\\\\1", "奕凯达"):
        (row,) = store.query(bind(question, {"word": word}, None))  # type: ignore[arg-type, union-attr, misc]
        assert row["word"].value == word


@pytest.mark.parametrize(
    "text",
    ["SELECT * WHERE {}", "#+ title: t\nSELECT * WHERE {}", "#+ title: [\nSELECT * WHERE {}",
     "#+ title: t\n#+ question: q\n#+ result: [a]\n#+ parameters:\n#+   a: {type: iri, example: x}\nSELECT * WHERE {}"],
)  # fmt: skip
def test_a_bad_header_is_named(text: str, tmp_path) -> None:
    path = tmp_path / "bad.rq"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(QueryError, match=r"bad\.rq"):
        read(path)


def test_formats_say_the_same(small: Release) -> None:
    answer = ask("agencies", small)
    texts = {}
    for form in ("csv", "tsv", "json", "md", "table"):
        out = io.StringIO()
        write(answer, form, out)
        texts[form] = out.getvalue()
    parsed = list(csv.DictReader(io.StringIO(texts["csv"])))
    assert len(parsed) == len(answer.rows) == texts["md"].count("\n") - 2
    assert [row["label"] for row in csv.DictReader(io.StringIO(texts["tsv"]), delimiter="\t")] == [
        r["label"] for r in parsed
    ]
    assert all(row["label"] in texts["table"] for row in parsed)


def test_a_narrow_table_fits_and_says_what_it_leaves_out(small: Release) -> None:
    out = io.StringIO()
    write(ask("approvals", small), "table", out, width=100)
    assert max(len(line) for line in out.getvalue().splitlines()) <= 100
    assert "not shown for want of room" in " ".join(out.getvalue().split())


def test_a_query_too_deep_for_the_parser_is_refused(small: Release) -> None:
    deep = "SELECT (" + "(" * 9000 + "1" + ")" * 9000 + " AS ?x) WHERE {}"
    with pytest.raises(QueryError, match="nested more than"):
        small.evaluate(deep)
    fair = "SELECT (" + "(" * 200 + "1" + ")" * 200 + " AS ?x) WHERE {}"
    assert len(small.select(fair).rows) == 1


def test_updates_are_refused(small: Release) -> None:
    for text in ("INSERT DATA { <a:a> <a:b> <a:c> }", "DROP ALL", "CLEAR ALL"):
        with pytest.raises(QueryError):
            small.evaluate(text)
