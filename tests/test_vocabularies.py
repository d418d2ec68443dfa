"""Ids are checked against vocabularies' files: those of the registers where they are, and small ones made here."""

import json
import lzma
from dataclasses import replace
from pathlib import Path

import pytest

from kg import resources
from kg.curated import Tables, read
from kg.errors import KgError
from kg.vocabularies import FILES, check_vocabularies
from tests.support import REGISTERS, SMALL, needs_registers


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Vocabularies that hold just what the small tables use."""
    made = tmp_path_factory.mktemp("vocabularies")
    tables = read([SMALL])
    mondo = [{"id": d.id.partition(":")[2], "name": d.label} for d in tables.records["diseases"]]
    (made / "mondo.json.xz").write_bytes(lzma.compress(json.dumps(mondo).encode()))
    genes = [f"{g.hgnc}\t{g.symbol}\tApproved" for g in tables.records["genes"]]
    header = "HGNC ID\tApproved symbol\tStatus"
    (made / "hgnc_entries.tsv.xz").write_bytes(lzma.compress("\n".join([header, *genes]).encode()))
    unii = [
        f"{t.label.upper()} [INN]\tcn\t{t.unii.partition(':')[2]}\tX" for t in tables.records["therapies"] if t.unii
    ]
    (made / "unii_cgt_slice.tsv").write_text("\n".join(["Name\tTYPE\tUNII\tDisplay Name", *unii]))
    countries = [
        {"alpha_2": j.iso_alpha2, "alpha_3": j.iso_alpha3, "name": j.label}
        for j in tables.records["jurisdictions"] if j.iso_alpha2
    ]  # fmt: skip
    (made / "iso3166-1.json").write_text(json.dumps({"3166-1": countries}))
    return made


def changed(table: str, index: int, **values: str) -> Tables:
    tables = read([SMALL])
    tables.records[table][index] = replace(tables.records[table][index], **values)
    tables.places[tables.records[table][index].id] = (f"{table}.csv", 2)
    return tables


@needs_registers
def test_every_id_of_the_shipped_tables_exists_under_its_label() -> None:
    checked = check_vocabularies(read([resources.CURATED]), REGISTERS / "vocabularies")
    assert checked.findings == []
    assert checked.absent == []
    assert checked.counts["MONDO"] >= 90
    assert checked.counts["UNII"] >= 55


def test_ids_that_exist_have_no_findings(folder: Path) -> None:
    checked = check_vocabularies(read([SMALL]), folder)
    assert checked.findings == []
    assert set(checked.counts) == set(FILES)
    assert all(checked.counts.values())


@pytest.mark.parametrize(
    ("table", "values", "column", "problem"),
    [
        ("diseases", {"label": "a cold"}, "label", "is labelled"),
        ("diseases", {"id": "MONDO:9999999"}, "id", "is not in MONDO"),
        ("genes", {"symbol": "XYZ"}, "symbol", "(Approved) in HGNC"),
        ("genes", {"hgnc": "HGNC:9999999"}, "hgnc", "is not in HGNC"),
        ("therapies", {"unii": "UNII:AAAAAAAAAA"}, "unii", "has none of the row's names"),
        ("jurisdictions", {"iso_alpha2": "QQ"}, "iso_alpha2", "is not in ISO 3166-1"),
        ("jurisdictions", {"iso_alpha3": "QQQ"}, "iso_alpha3", "in ISO 3166-1"),
        ("jurisdictions", {"label": "Utopia"}, "label", "in ISO 3166-1"),
    ],
)
def test_an_id_that_does_not_fit_is_found(folder: Path, table: str, values, column: str, problem: str) -> None:
    at = next(i for i, r in enumerate(read([SMALL]).records[table]) if getattr(r, "iso_alpha2", "x"))
    (finding,) = check_vocabularies(changed(table, at, **values), folder).findings
    assert (finding.field, finding.file) == (column, f"{table}.csv")
    assert problem in finding.problem
    assert finding.mend


def test_a_file_that_is_absent_is_said_so(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mondo.json.xz").symlink_to(folder / "mondo.json.xz")
    checked = check_vocabularies(read([SMALL]), tmp_path)
    assert set(checked.counts) == {"MONDO"}
    assert len(checked.absent) == len(FILES) - 1


@pytest.mark.parametrize("raw", [b"", b"{}", b"[{}]", b"\xff\xfe", lzma.compress(b"[1]"), lzma.compress(b"\xff")])
def test_a_file_that_is_something_else_is_one_error(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "mondo.json.xz").write_bytes(raw)
    with pytest.raises(KgError, match=r"mondo\.json\.xz: cannot be read as MONDO"):
        check_vocabularies(read([SMALL]), tmp_path)


def test_no_folder_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(KgError, match="no such folder"):
        check_vocabularies(read([SMALL]), tmp_path / "nowhere")
