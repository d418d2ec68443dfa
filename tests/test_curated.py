"""Every curated table reads and is tidy, and bad cells are named by file, line, field, value and mend."""

import shutil
from pathlib import Path

import pytest

from kg import resources
from kg.curated import Tables, parse, read, tidy
from kg.errors import CurationError, KgError
from kg.records import Product
from kg.shapes import shapes
from tests.support import SMALL

PRODUCTS = shapes()["Product"]
HEADER = ",".join(PRODUCTS.columns) + "\n"
GOOD = "product:a,A,,therapy:t,,,,source:s\n"


def findings(raw: bytes, table: str = "Product") -> list[str]:
    tables = Tables()
    list(parse(raw, f"{shapes()[table].table}.csv", shapes()[table], tables))
    return [str(finding) for finding in tables.findings]


@pytest.mark.parametrize("shape", shapes().values(), ids=lambda shape: shape.table)
@pytest.mark.parametrize("folder", [resources.CURATED, SMALL], ids=["shipped", "small"])
def test_tables_are_tidy(shape, folder: Path) -> None:
    path = folder / f"{shape.table}.csv"
    if shape.by_builds and folder == resources.CURATED:
        assert not path.exists()
        return
    raw = path.read_bytes()
    assert raw == tidy(raw, shape), "run `kg tidy`"


def test_shipped_tables_read_without_findings_and_lose_no_row() -> None:
    tables = read([resources.CURATED])
    assert tables.findings == []
    assert tables.rows == {name: len(records) for name, records in tables.records.items() if records}


def test_every_record_has_its_place() -> None:
    tables = read([SMALL])
    for record in tables:
        file, line = tables.places[record.id]
        text = (SMALL / file).read_text(encoding="utf-8").splitlines()
        assert record.id in text[line - 1] or file == "claims.csv"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("product:a,,,therapy:t,,,,source:s\n", "products.csv:2: label: is empty but required"),
        ("product:a,A,,therapy:t,,,,\n", "products.csv:2: sources: is empty but required"),
        ("product:a,A,,therapy:t,,,,source:s,x\n", "products.csv:2: 9 cells, not 8"),
        ("product:a, A,,therapy:t,,,,source:s\n", "products.csv:2: label: ' A': has spaces at its ends"),
        ("product:a,A,名,therapy:t,,,,source:s\n", "products.csv:2: names: '名': a name without its language"),
        ("product:a,A,,kymriah,,,,source:s\n", "products.csv:2: therapy: 'kymriah': not an id"),
        ("product:a,A,,thearpy:t,,,,source:s\n", "unknown prefix 'thearpy'"),
        ("product:a,A,,therapy:t,,,,source:s|\n", "products.csv:2: sources: 'source:s|': an empty or padded item"),
        ("prod uct,A,,therapy:t,,,,source:s\n", "products.csv:2: id: 'prod uct'"),
        ("product:a,A\u202eB,,therapy:t,,,,source:s\n", "U+202E"),
        ("product:a,A\u200b,,therapy:t,,,,source:s\n", "U+200B"),
        ("product:a,\x00,,therapy:t,,,,source:s\n", "U+0000"),
        (f"product:a,{'x' * 5001},,therapy:t,,,,source:s\n", "more than 5000 characters"),
        ('product:a,"A,,therapy:t,,,,source:s\n', "is not CSV"),
    ],
)
def test_a_bad_cell_is_named(row: str, expected: str) -> None:
    found = findings((HEADER + row).encode())
    assert any(expected in text for text in found), found
    assert all("(" in text for text in found), "each finding has a mend"


@pytest.mark.parametrize(
    ("cell", "ok"),
    [
        ("2025-01-02", True), ("2025-02-30", False), ("02/01/2025", False), ("2025-1-2", False),
        ("45000", False), ("20250102", False), ("2025-01-02T00:00:00", False), ("25-01-02", False),
    ],
)  # fmt: skip
def test_dates_are_iso_days(cell: str, ok: bool) -> None:
    shape = shapes()["Milestone"]
    row = dict.fromkeys(shape.columns, "") | {
        "id": "milestone:a", "kind": "cgt:Approval", "about": "product:a", "agency": "agency:a",
        "date": cell, "date_precision": "day", "sources": "source:s",
    }  # fmt: skip
    raw = ",".join(shape.columns) + "\n" + ",".join(row[c] for c in shape.columns) + "\n"
    assert (findings(raw.encode(), "Milestone") == []) is ok


@pytest.mark.parametrize("cell", ["1,5", "1.50", "NaN", "Infinity", "1e3", "0x1", "١"])
def test_numbers_are_plain(cell: str) -> None:
    shape = shapes()["Observation"]
    row = dict.fromkeys(shape.columns, "") | {
        "id": "observation:a", "measure": "measure:m", "area": "jurisdiction:cn", "period": "2024",
        "period_end": "2024-12-31", "value": f'"{cell}"', "unit": "unit:u", "status": "observation-status:count",
        "sources": "source:s",
    }  # fmt: skip
    raw = ",".join(shape.columns) + "\n" + ",".join(row[c] for c in shape.columns) + "\n"
    assert any("value" in text for text in findings(raw.encode(), "Observation"))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "the table is empty"),
        (b"id,label\n", "missing column"),
        ((HEADER.rstrip() + ",colour\n").encode(), "colour: unknown column"),
        ((HEADER.rstrip() + ",label\n").encode(), "label: column given twice"),
        (HEADER.encode() + b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_a_bad_table_is_named(raw: bytes, expected: str) -> None:
    assert any(expected in text for text in findings(raw))


def test_a_spreadsheet_s_byte_order_mark_and_line_ends_do_no_harm() -> None:
    tables = Tables()
    raw = b"\xef\xbb\xbf" + (HEADER + GOOD).replace("\n", "\r\n").encode()
    ((record, line),) = parse(raw, "products.csv", PRODUCTS, tables)
    assert (record, line, tables.findings) == (
        Product(id="product:a", label="A", therapy="therapy:t", sources=("source:s",)),
        2,
        [],
    )


def test_lines_are_counted_through_cells_with_line_ends() -> None:
    raw = HEADER + 'product:a,A,,therapy:t,,,"one\ntwo",source:s\n' + GOOD.replace("product:a", "product:b,")
    assert [text.split(": ")[0] for text in findings(raw.encode())] == ["products.csv:2", "products.csv:4"]


def test_the_same_id_twice_is_found(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text(HEADER + GOOD + GOOD, encoding="utf-8")
    found = read([tmp_path]).findings
    assert [(f.line, f.field, f.value) for f in found] == [(3, "id", "product:a")]
    assert "products.csv:2" in found[0].problem


def test_a_later_folder_replaces_and_adds(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text(
        HEADER + "product:kymriah,Other,,therapy:t,,,,source:s\n" + GOOD, encoding="utf-8"
    )
    tables = read([SMALL, tmp_path])
    by_id = {record.id: record for record in tables.records["products"]}
    assert by_id["product:kymriah"].label == "Other"
    assert "product:a" in by_id
    assert "product:yescarta" in by_id
    assert tables.places["product:kymriah"] == ("products.csv", 2)


def test_a_label_beside_an_id_is_checked(tmp_path: Path) -> None:
    shutil.copytree(SMALL, tmp_path / "t")
    path = tmp_path / "t" / "products.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines = [lines[0] + ",therapy_label"] + [line + "," for line in lines[1:]]
    at = next(i for i, line in enumerate(lines) if line.startswith("product:kymriah,"))
    lines[at] += "axicabtagene ciloleucel"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (finding,) = read([tmp_path / "t"]).findings
    assert (finding.line, finding.field) == (at + 1, "therapy_label")
    lines[at] = lines[at].replace("axicabtagene ciloleucel", "tisagenlecleucel")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert read([tmp_path / "t"]).findings == []


def test_a_strange_file_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(KgError, match="no such folder"):
        read([tmp_path / "nowhere"])
    with pytest.raises(KgError, match="no tables"):
        read([tmp_path])
    (tmp_path / "prodcuts.csv").write_text("x\n", encoding="utf-8")
    assert "not a table of this graph" in str(read([tmp_path]).findings[0])


def test_tidy_sorts_strips_and_keeps_every_row() -> None:
    raw = HEADER + 'product:b,"B",  ,therapy:t,,,,source:s\n' + GOOD
    assert tidy(raw.encode(), PRODUCTS).decode() == HEADER + GOOD + "product:b,B,,therapy:t,,,,source:s\n"
    with pytest.raises(CurationError, match=r"products\.csv"):
        tidy(b"id,label\nx,y\n", PRODUCTS)


def test_tidy_names_claims() -> None:
    shape = shapes()["Claim"]
    raw = (
        ",".join(shape.columns)
        + "\n,product:kymriah,label,Kymriah,source:s,words,,\n,product:kymriah,label,K,source:s,words,,why\n"
    )
    ids = [line.split(",")[0] for line in tidy(raw.encode(), shape).decode().splitlines()[1:]]
    assert ids == ["claim:kymriah-label-1", "claim:kymriah-label-2"]
