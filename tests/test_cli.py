"""The command as people and programs use it: results on stdout, the rest on stderr, exit codes, no traceback."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from python_calamine import CalamineWorkbook

from kg.cli import cli
from kg.store import Release
from tests.support import COUNTEREXAMPLES, ROOT, SMALL


@pytest.fixture(scope="module")
def run(small: Release):
    def call(*words: str, code: int = 0, text: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "kg", *words],
            check=False, capture_output=True, text=True, input=text, cwd=ROOT,
            env=os.environ | {"KG_BUILD": str(small.path), "COLUMNS": "110"} | env,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        return done

    return call


def test_help_and_version(run) -> None:
    assert "approvals --agency FDA" in run("--help").stdout
    assert run("--version").stdout.startswith("kg, version 0.")
    assert "--therapy-class" in run("query", "approvals", "--help").stdout


def test_every_verb_is_told_and_explained(run) -> None:
    told = run("--help").stdout
    for verb in cli.list_commands(click.Context(cli)):
        assert re.search(rf"^  {verb}  ", told, re.MULTILINE), verb
        assert run(verb, "--help").stdout.startswith(f"Usage: kg {verb} ")
    assert "did you mean query or queries?" in run("querys", code=2).stderr


def test_a_verb_pays_for_no_library_that_only_others_need() -> None:
    code = "import sys, kg.cli; kg.cli.cli.get_command(None, 'query'); print(*sys.modules)"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
        ).stdout.split()
    )
    assert "pyoxigraph" in loaded
    assert not loaded & {"networkx", "pyshacl", "owlready2", "starlette", "mcp", "httpx", "pyvis", "kg.build"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full here")
@pytest.mark.parametrize(
    "words", ["query products", "query products --format table", "queries", "show Kymriah", "--help"]
)
def test_what_cannot_be_printed_is_one_line(small: Release, words: str) -> None:
    code = f"{sys.executable} -m kg {words}"
    env = os.environ | {"KG_BUILD": str(small.path)}
    for ending, said in (("> /dev/full", "standard output: No space left"), (">&-", "standard output is closed")):
        done = subprocess.run(
            ["sh", "-c", f"{code} {ending}"], check=False, capture_output=True, text=True, cwd=ROOT, env=env
        )
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert said in done.stderr


def test_a_closed_input_and_a_mute_endpoint_are_one_line(run, small: Release, tmp_path: Path) -> None:
    env = os.environ | {"KG_BUILD": str(small.path)}
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m kg sparql - <&-"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=env,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    query = tmp_path / "elsewhere.rq"
    query.write_text("SELECT * { SERVICE <http://127.0.0.1:9/sparql> { ?a ?b ?c } }")
    assert run("sparql", str(query), code=1).stderr.startswith("kg: the query failed: ")


def test_queries_are_listed(run) -> None:
    text = run("queries").stdout
    assert "first-by-target" in text
    assert "--target" in text


def test_query_in_a_pipe_is_csv_and_nothing_else(run) -> None:
    done = run("query", "approvals", "--agency", "FDA", "--therapy-class", "CAR-T")
    found = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["brand_name"] for row in found} == {"Kymriah", "Yescarta", "Abecma"}
    assert done.stderr == ""


def test_query_formats_and_limit(run) -> None:
    assert len(json.loads(run("query", "products", "--format", "json", "--limit", "2").stdout)) == 2
    assert run("query", "products", "--format", "md").stdout.startswith("| product | label |")
    assert "Kymriah" in run("query", "products", "--format", "table").stdout


def test_query_writes_files_of_every_format(run, tmp_path: Path) -> None:
    words = ("query", "approvals", "--agency", "FDA", "--therapy-class", "CAR-T")
    for suffix, form in ((".csv", "csv"), (".tsv", "tsv"), (".json", "json"), (".md", "md"), (".txt", "table")):
        out = tmp_path / "new" / f"rows{suffix}"
        assert run(*words, "--out", str(out)).stdout == f"{out}\n"
        assert out.read_text(encoding="utf-8") == run(*words, "--format", form).stdout
    out = tmp_path / "rows.xlsx"
    run(*words, "--out", str(out))
    book = CalamineWorkbook.from_path(str(out))
    sheet, about = (book.get_sheet_by_index(number).to_python() for number in (0, 1))
    plain = list(csv.reader(io.StringIO(run(*words).stdout)))
    assert sheet[0] == plain[0]
    assert [row[0] for row in sheet] == [row[0] for row in plain]
    assert ["agency", "FDA"] in [row[:2] for row in about]
    first = out.read_bytes()
    run(*words, "--out", str(out))
    assert out.read_bytes() == first
    assert not list(tmp_path.glob(".work-*"))


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["query", "approvals", "--out", "rows.doc"], 1, "rows are written as .csv, .tsv, .json, .md, .txt, .xlsx"),
        (["query", "approvals", "--out", "docs"], 1, "docs: is a folder; rows are written as .csv"),
        (["query", "approvals", "--out", "rows"], 1, "rows: has no suffix; rows are written as .csv"),
        (["query", "approvals", "--out", "/dev/null/rows.csv"], 1, "cannot be written: a file is where a folder"),
        (["query", "approvals", "--out", "rows.csv", "--format", "csv"], 2, "leave --format out"),
        (["query", "approvals", "--product", "Kymriha"], 1, "kg: no product 'Kymriha'; did you mean Kymriah"),
        (["query", "aprovals"], 1, "did you mean approvals"),
        (["query", "history"], 2, "--product"),
        (["query", "approvals", "--colour", "x"], 2, "--colour"),
        (["query", "approvals", "--as-of", "soon"], 1, "YYYY-MM-DD"),
        (["query", "approvals", "--build", "/nowhere"], 1, "kg build"),
        (["show", "Kymriha"], 1, "did you mean Kymriah"),
        (["search", "zzzzqqqqxxxx"], 1, "nothing is called anything like"),
        (["network", "approvals", "--out", "x.html"], 2, "is not a network"),
        (["network", "agencies-shared", "--out", "x.doc"], 1, ".html"),
        (["network", "agencies-shared"], 2, "--out"),
        (["sparql", "nowhere.rq"], 2, "nowhere.rq"),
        (["frobnicate"], 2, "frobnicate"),
        (["export", "/dev/null/x"], 1, "cannot be written"),
        (["check", "--curated", "/nowhere"], 1, "no such folder"),
        (["check", "--vocabularies", "/nowhere"], 1, "no such folder of vocabularies"),
        (["read", "/nowhere"], 1, "no such file"),
        (["read", "README.md"], 1, "of no register known here"),
        (["read", "README.md", "--register", "nope"], 1, "no register 'nope'; known are clinicaltrials.gov"),
        (["classify", "LICENSE"], 1, "of no register known here"),
        (["fetch", "nope"], 1, "no register 'nope'"),
        (["candidates", "--table", "nope"], 1, "no table 'nope'; tables are agencies"),
        (["diff", "/nowhere", "/nowhere"], 1, "no such file"),
        (["evaluate", "docs", "--labels", "docs"], 1, "no table of labels"),
        (["evaluate", "README.md"], 1, "README.md: is a file; name the folder that register files are in"),
        (["evaluate", "docs"], 1, "docs: no register file here with a record that is labelled"),
        (["tidy", "docs"], 1, "docs: no table here"),
        (["publish", "."], 1, "kg: .: a folder is replaced as a whole; give the name of one"),
        (["publish", "x", "--base", "nope"], 1, "kg: 'nope' is not the address of a folder on the web"),
        (["read", ""], 2, "its name is empty"),
        (["export", ""], 2, "its name is empty"),
        (["query", "approvals", "--out", ""], 2, "its name is empty"),
        (["query", "approvals", "--agency", " "], 1, "agency is empty; give an agency, or leave it out"),
        (["query", "approvals", "--build", "README.md"], 1, "README.md: no release here; make one with `kg build`"),
        (["show", "product:kymria"], 1, "did you mean product:kymriah?"),
        (["show", "nope"], 1, "no thing 'nope'; search finds things by any name"),
        (["show", "\x1b]0;x\x07"], 1, "no thing '\ufffd]0;x\ufffd'"),
        (["search", " "], 1, "nothing is called anything like ' '"),
        (["build", "--registers", "/nowhere", "--out", "/tmp/never"], 1, "no such folder of registers"),
        (["check", "--report", "trust.pdf"], 1, "trust.pdf: ends in .pdf; a report is written as .html, .json"),
    ],
)  # fmt: skip
def test_errors_are_one_line_with_their_code(words: list[str], code: int, message: str, run) -> None:
    done = run(*words, code=code)
    assert message in done.stderr
    assert done.stdout == ""
    if code == 1:
        assert done.stderr.count("\n") == 1


def test_check_lists_findings_and_fails(run) -> None:
    assert "No findings" in run("check").stderr
    done = run("check", "--curated", str(COUNTEREXAMPLES / "data" / "end-after-approval"), code=1)
    assert done.stdout.startswith("milestones.csv:2: date: '2016-01-01'")


def test_build_says_what_it_did(run, tmp_path: Path) -> None:
    done = run("build", "--out", str(tmp_path / "b"), "--registers", str(SMALL))
    assert "release  20" in done.stdout
    assert str(tmp_path / "b" / "current" / "report.html") in done.stdout
    assert "Classifying therapies" in done.stderr
    again = run("build", "--out", str(tmp_path / "b"))
    assert "(unchanged)" in again.stdout
    failed = run(
        "build", "--out", str(tmp_path / "b"), "--curated", str(COUNTEREXAMPLES / "data" / "quotation-length"), code=1
    )
    assert "claims.csv:2: quotation" in failed.stderr


def test_show_by_any_name_with_sources(run) -> None:
    for name in ("Kymriah", "product:kymriah", "キムリア"):
        text = run("show", name).stdout
        assert "tisagenlecleucel" in text
        assert "Kymriah: approval, FDA, 2017-08-30" in text
    text = run("show", "milestone:us-fda-kymriah-2017").stdout
    assert "2017-08-30" in text
    assert "what sources say" in text
    assert "http" in text


def test_search_in_any_script_with_mistakes(run) -> None:
    for words, first in (
        ("Kymriha", "product:kymriah"),
        ("奕凯达", "product:yikaida"),
        ("Zolgesma", "product:zolgensma"),
    ):
        found = list(csv.DictReader(io.StringIO(run("search", words).stdout)))
        assert found[0]["id"] == first


def test_sparql_from_standard_input_in_every_form(run) -> None:
    done = run("sparql", "-", text="SELECT ?p WHERE { ?p a cgt:Product } ORDER BY ?p LIMIT 1")
    assert done.stdout.splitlines()[0] == "p"
    assert run("sparql", "-", text="ASK { ?p a cgt:Product }").stdout == "true\n"
    turtle = run("sparql", "-", text="CONSTRUCT WHERE { <https://w3id.org/cgt-kg/id/product/kymriah> a ?type }").stdout
    assert "product:kymriah a cgt:Product" in turtle


def test_sparql_errors_and_updates_are_refused(run) -> None:
    for text, said in (
        ("SELEKT ?x", "not a SPARQL 1.1 query: line 1, column 10, at its end; a query is one of SELECT, ASK,"),
        ("", "not a SPARQL 1.1 query: line 1, column 1, at its end; a query is one of"),
        ("ASK {\n  ?x a cgt:Product", 'line 2, column 19, at its end; expected here: "."'),
        ("ASK {\n ?x a cgtt:Product }", "prefix cgtt: is neither declared nor one of the project's: line 2, column 7"),
        ("SELECT ?x (COUNT(*) AS ?n) { ?x a ?y }", "a variable that is neither bound nor grouped by"),
        ("DELETE WHERE { ?s ?p ?o }", "the graph is read only: updates are refused"),
    ):
        done = run("sparql", "-", text=text, code=1)
        assert said in done.stderr
        assert done.stderr.count("\n") == 1


def test_sparql_warns_of_ids_that_the_graph_does_not_have(run) -> None:
    done = run("sparql", "-", text="SELECT ?x { ?x a cgt:Aproval ; cgt:agency agency:us-fda }")
    assert done.stdout == "x\n"
    assert done.stderr.startswith("kg: warning: cgt:Aproval is not in the graph; did you mean cgt:Approval or ")
    assert done.stderr.count("\n") == 1


def test_files_that_are_not_text_are_named(run, tmp_path: Path) -> None:
    (tmp_path / "bad.rq").write_bytes(b"\xff\xfe")
    assert "bad.rq: is not UTF-8 text" in run("sparql", str(tmp_path / "bad.rq"), code=1).stderr
    (tmp_path / "tables" / "products.csv").mkdir(parents=True)
    assert "products.csv: cannot be read" in run("check", "--curated", str(tmp_path / "tables"), code=1).stderr


def test_network_and_export_write_files(run, tmp_path: Path) -> None:
    done = run("network", "agency-product-class", "--agency", "FDA", "--out", str(tmp_path / "deep" / "x.html"))
    assert done.stdout.strip() == str(tmp_path / "deep" / "x.html")
    done = run("export", str(tmp_path / "e"), "--format", "turtle")
    assert (tmp_path / "e" / "cgt-kg.ttl").is_file()
    assert done.stdout.splitlines() == [str(tmp_path / "e" / "cgt-kg.ttl"), str(tmp_path / "e" / "SHA256SUMS")]


def test_tidy_mends_a_table(run, tmp_path: Path) -> None:
    raw = (SMALL / "products.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "products.csv").write_text(
        "\r\n".join([raw[0], *reversed(raw[1:])]) + "\r\n", encoding="utf-8", newline=""
    )
    assert "products.csv" in run("tidy", str(tmp_path)).stdout
    assert (tmp_path / "products.csv").read_bytes() == (SMALL / "products.csv").read_bytes()


@pytest.mark.parametrize("words", ["query approvals", "query approvals --format table", "show FDA", "queries"])
def test_a_reader_that_stops_early_is_no_error(words: str, small: Release) -> None:
    command = f"{sys.executable} -m kg {words} | true"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], check=False, capture_output=True, text=True, cwd=ROOT,
        env=os.environ | {"KG_BUILD": str(small.path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_check_writes_a_report_and_holds_to_floors(run, tmp_path: Path) -> None:
    done = run("check", "--floors", "--report", str(tmp_path / "trust.json"))
    assert "No findings." in done.stderr
    sections = json.loads((tmp_path / "trust.json").read_text(encoding="utf-8"))["sections"]
    assert all(row["passed"] for row in sections[0]["rows"])


def test_check_says_which_vocabularies_it_had(run, tmp_path: Path) -> None:
    done = run("check", "--vocabularies", str(tmp_path))
    assert "Ids checked: none" in done.stderr
    assert "mondo.json.xz is absent" in done.stderr


ORPHANS = [
    {"medicine_name": "", "related_ema_product_number": "", "active_substance": substance,
     "date_of_designation_or_refusal": day, "intended_use": "Treatment of a made-up disease",
     "eu_designation_number": number, "status": "Positive", "first_published_date": "17/09/2009",
     "last_updated_date": updated, "orphan_designation_url": "https://example.org/a"}
    for substance, day, number, updated in (
        ("adeno-associated viral vector serotype 9 with the human GAA gene", "03/06/2020", "EU/3/20/1", "28/11/2025"),
        ("carfilzomib", "30/02/2020", "EU/3/20/2", "28/11/2025"),
        ("carfilzomib", "03/06/2020", "EU/3/20/3", "27/11/2025"),
    )
]  # fmt: skip


@pytest.fixture
def orphans(tmp_path: Path) -> Path:
    path = tmp_path / "anything.json"
    path.write_text(json.dumps(ORPHANS), encoding="utf-8")
    return path


def test_read_shows_records_and_says_what_became_of_each(run, orphans: Path) -> None:
    done = run("read", str(orphans))
    found = list(csv.DictReader(io.StringIO(done.stdout)))
    assert found[0]["id"] == "EU/3/20/1"
    assert "read 3 = loaded " in done.stderr
    assert "EU/3/20/2" in done.stdout or "30/02/2020" in done.stderr
    assert json.loads(run("read", str(orphans), "--format", "json").stdout)[0]["id"] == "EU/3/20/1"


def test_classify_says_what_and_why(run, orphans: Path) -> None:
    found = {row["id"]: row for row in csv.DictReader(io.StringIO(run("classify", str(orphans)).stdout))}
    assert found["EU/3/20/1"]["is_cgt"] == "yes"
    assert found["EU/3/20/1"]["therapy_class"] == "class:aav"
    assert found["EU/3/20/1"]["words"]
    assert found["EU/3/20/3"]["is_cgt"] == "no"
    assert {"id", "is_cgt", "therapy_class", "target", "cell_source", "therapy", "rule"} <= set(found["EU/3/20/1"])


def test_diff_of_two_snapshots(run, orphans: Path, tmp_path: Path) -> None:
    later = tmp_path / "later.json"
    later.write_text(json.dumps([ORPHANS[0] | {"status": "Withdrawn"}]), encoding="utf-8")
    text = run("diff", str(orphans), str(later)).stdout
    assert "~ EU/3/20/1  status: Positive -> Withdrawn" in text
    assert "- EU/3/20/3  carfilzomib" in text
    assert "change:ema-orphans" in run("diff", str(orphans), str(later), "--format", "rdf").stdout.replace("/", ":")


def test_candidates_are_rows_of_a_table(run) -> None:
    done = run("candidates")
    assert "0 rows suggested for milestones.csv" in done.stderr


def test_two_releases_are_compared(run, small: Release) -> None:
    assert run("diff", str(small.path), str(small.path)).stdout == ""
