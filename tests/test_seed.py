"""Everything the article that the project starts from states is answered by a question, with the article as source."""

import re

import pytest

from kg.query import ask
from kg.report import rows
from kg.store import Release
from tests.support import ROOT

SEED = "source:seed-article"
ARTICLE = ROOT.parent / "shared" / "seed"


@pytest.mark.parametrize(
    ("measure", "period", "value", "unit"),
    [
        ("market size", "2024", 16.71, "billion US dollars"),
        ("market size", "2031", 52, "billion US dollars"),
        ("compound annual growth rate", "2024/2031", 18.9, "percent"),
        ("IND applications", "2017/2025-Q2", 765, "applications"),
        ("share of IND applications", "2017/2025-Q2", 70, "percent"),
        ("rank by IND applications", "2017/2025-Q2", 1, "rank"),
    ],
)
def test_figures(measure: str, period: str, value: float, unit: str, real: Release) -> None:
    found = [r for r in rows(ask("statistics", real)) if SEED in r["sources"].split("|")]
    assert any((r["measure"], r["period"], r["value"], r["unit"]) == (measure, period, value, unit) for r in found)


@pytest.mark.parametrize(
    ("stage", "value"),
    [("exploratory clinical trial", 72), ("confirmatory clinical trial", 15), ("under review for approval", 7)],
)
def test_car_t_stages(stage: str, value: int, real: Release) -> None:
    found = [r for r in rows(ask("pipeline", real, area="jurisdiction:cn")) if SEED in r["sources"].split("|")]
    assert any((r["stage"], r["value"], r["therapy_class"]) == (stage, value, "CAR-T cell therapy") for r in found)


@pytest.mark.parametrize(
    ("therapy_class", "value"), [(None, 9), ("CAR-T cell therapy", 7), ("stem cell therapy", 1), ("gene therapy", 1)]
)
def test_approved_counts(therapy_class: str | None, value: int, real: Release) -> None:
    found = [r for r in rows(ask("approved-counts", real, area="jurisdiction:cn")) if SEED in r["sources"].split("|")]
    assert any((r["therapy_class"], r["value"]) == (therapy_class, value) for r in found)


@pytest.mark.parametrize(("therapy_class", "value"), [(None, 121), ("CAR-T cell therapy", 5)])
def test_initial_review_list(therapy_class: str | None, value: int, real: Release) -> None:
    found = [r for r in rows(ask("statistics", real, agency="NHSA")) if SEED in r["sources"].split("|")]
    assert any(
        (r["measure"], r["therapy_class"], r["value"]) == ("drugs in an initial review list", therapy_class, value)
        for r in found
    )


def test_the_five_categories_and_their_kinds(real: Release) -> None:
    found = rows(ask("classification", real, classification="classification:cn-cde-cgt-categories"))
    assert all(SEED in row["sources"].split("|") for row in found)
    tops = [row for row in found if row["broader"] is None]
    assert len(tops) == 5
    kinds = {}
    for row in found:
        if row["broader"]:
            kinds[row["broader"]] = kinds.get(row["broader"], 0) + 1
    assert sorted(kinds.values()) == [2, 3, 6]


def test_the_chain(real: Release) -> None:
    found = rows(ask("classification", real, classification="classification:cgt-value-chain"))
    in_order = sorted(found, key=lambda row: row["position"])
    assert [row["label"] for row in in_order] == ["Research and development", "Approval", "Commercialisation"]
    assert all(SEED in row["sources"].split("|") for row in found)


@pytest.mark.parametrize(
    ("name", "month", "kind", "disease"),
    [("Emmetaxel Injection", "2025-01", "conditional", "graft"), ("Xinjiu Ning", "2025-04", "full", "aemophilia B")],
)
def test_the_two_products_are_found_by_the_article_s_names(name, month, kind, disease, real: Release) -> None:
    (row,) = rows(ask("approvals", real, product=name, agency="NMPA"))
    assert row["date"].startswith(month)
    assert row["approval_type"] == kind
    assert disease in row["indication"]
    assert SEED in row["sources"].split("|")
    assert re.search(r"[\u4e00-\u9fff]", row["other_names"]), "the Chinese name"
    assert row["holder"]
    assert row["inn"] or name == "Emmetaxel Injection"


def test_where_the_article_is_loose(real: Release) -> None:
    conflicts = rows(ask("conflicts", real, source=SEED))
    labels = {row["claimed_value"] for row in conflicts if row["field"] == "label"}
    assert {"Emmetaxel Injection", "Xinjiu Ning"} <= labels
    assert all(row["reason"] for row in conflicts)
    sums = [r for r in rows(ask("forecast-check", real)) if r["base_value"] == 16.71 and r["forecast_value"] == 52]
    assert [(r["rate"], r["computed_value"], r["difference"]) for r in sums] == [(18.9, 56.1, 4.1)]


@pytest.mark.skipif(not ARTICLE.is_dir(), reason="the article is not part of the repository")
def test_quotations_are_the_article_s_words(real: Release) -> None:
    (path,) = ARTICLE.glob("*.txt")
    text = " ".join(path.read_text(encoding="utf-8").split())
    found = rows(ask("from-source", real, source=SEED))
    quotations = {row["quotation"] for row in found if row["quotation"]}
    assert len(quotations) >= 20
    for quotation in quotations:
        assert " ".join(quotation.split()) in text, quotation


def test_every_cited_statement_has_its_words(real: Release) -> None:
    found = rows(ask("from-source", real, source=SEED))
    stated = {row["fact"] for row in found if row["stance"] in ("states", "contradicts")}
    figures = {row["fact"] for row in found if row["fact"].startswith("observation:")}
    assert figures <= stated
