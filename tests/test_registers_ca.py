"""Health Canada's Drug Product Database."""

import gzip
import random
import zipfile
from pathlib import Path

import pytest

from kg.errors import SourceError
from kg.registers.connector import head_of
from kg.registers.dpd_files import records
from kg.registers.health_canada import CONNECTOR
from kg.registers.records import ProductRecord
from tests.mutations import mutated, reading, survives
from tests.support import REGISTERS, needs_registers

# Made up in the register's layout.
DRUG = (
    '"101","","Human","02900001","EXAMPLA","ONE BAG","N","","1","28-NOV-2025","0160000001","Humain","EXEMPLA",""\n'
    '"102","","Human","02900002","SECUNDA","","N","","2","08-JAN-2026","0160000002","Humain","",""\n'
    '"103","","Veterinary","02900003","TERTIA","","N","","1","02-DEC-2025","0160000003","Vétérinaire","",""\n'
)
COMP = "".join(
    f'"{code}","","1{code}","{name}","DIN_OWNER","Y","Y","N","N","","1 MAIN ST, SUITE 2","TORONTO","ONTARIO","CANADA",'
    '"M1M 1M1","","ONTARIO","CANADA"\n'
    for code, name in (("101", "EXAMPLE CELLS INC"), ("102", "SECOND LTD"), ("103", "THIRD CO"))
)
INGRED = "".join(
    f'"{code}","7{code}","{name}","I","1","VIAL","","","N","","","","FIOLE","",""\n'
    for code, name in (("101", "EXAMPLEUCEL"), ("102", "ALPHA"), ("102", "BETA"), ("102", "ALPHA"), ("103", "GAMMA"))
)
STATUS = (
    '"101","Y","MARKETED","24-MAY-2019","COMMERCIALISÉ","",""\n'
    '"101","N","APPROVED","06-MAR-2024","APPROUVÉ","",""\n'
    '"101","N","APPROVED","05-SEP-2018","APPROUVÉ","",""\n'
    '"102","N","APPROVED","13-FEB-2003","APPROUVÉ","",""\n'
    '"102","Y","CANCELLED POST MARKET","01-APR-2021","ANNULÉ APRÈS COMMERCIALISATION","",""\n'
    '"103","N","CANCELLED POST MARKET","01-APR-2001","ANNULÉ APRÈS COMMERCIALISATION","",""\n'
    '"103","Y","MARKETED","01-APR-2004","COMMERCIALISÉ","",""\n'
)
THER = '"101","L01XL99","EXAMPLEUCEL",""\n"102","B02AB","SOMETHING",""\n"102","B02AB","SOMETHING",""\n'
FILES = {"drug": DRUG, "comp": COMP, "ingred": INGRED, "status": STATUS, "ther": THER}


def extract(folder: Path, packed: bool = False, suffix: str = "", **changed: str | bytes) -> Path:
    """Write an extract, with some files changed, and return its drug file."""
    for name, text in {**FILES, **changed}.items():
        raw = text.encode() if isinstance(text, str) else text
        if packed:
            (folder / f"{name}{suffix}.txt.gz").write_bytes(gzip.compress(raw, 1, mtime=0))
        else:
            (folder / f"{name}{suffix}.txt").write_bytes(raw)
    return folder / f"drug{suffix}.txt{'.gz' if packed else ''}"


def products(path: Path) -> dict[str, ProductRecord]:
    return {record.id: record for record in reading(CONNECTOR, path)[0] if isinstance(record, ProductRecord)}


@pytest.mark.parametrize("packed", [False, True])
def test_the_five_files_become_one_record_a_product(tmp_path: Path, packed: bool) -> None:
    found, summary = reading(CONNECTOR, extract(tmp_path, packed))
    assert (summary.read, summary.loaded, summary.warnings) == (3, 3, [])
    assert str(summary.newest) == "2026-01-08"
    first, second, third = found
    assert isinstance(first, ProductRecord)
    assert isinstance(second, ProductRecord)
    assert isinstance(third, ProductRecord)
    assert (first.id, first.application, first.agency) == ("02900001", "DIN 02900001", "agency:ca-hc")
    assert first.names == ("EXAMPLA", "EXEMPLA")
    assert (first.holder, first.active, first.atc) == ("EXAMPLE CELLS INC", "EXAMPLEUCEL", "L01XL99")
    assert (first.status, str(first.authorised), first.ended) == ("MARKETED", "2018-09-05", None)
    assert first.url.endswith("code=101")
    assert (second.active, second.status) == ("ALPHA; BETA", "CANCELLED POST MARKET")
    assert (str(second.authorised), str(second.ended)) == ("2003-02-13", "2021-04-01")
    assert (third.category, third.authorised, third.atc, third.status) == ("Veterinary", None, "", "MARKETED")
    assert third.ended is None  # cancelled once, on the market again


def test_a_folder_and_an_archive_are_read_like_the_file(tmp_path: Path) -> None:
    one = products(extract(tmp_path))
    assert products(tmp_path) == one
    packed = tmp_path / "x" / "allfiles.zip"
    packed.parent.mkdir()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in FILES:
            archive.write(tmp_path / f"{name}.txt", f"{name}.txt")
    assert products(packed) == one
    for path in (tmp_path, packed, tmp_path / "drug.txt"):
        assert CONNECTOR.recognise(head_of(path))
    for path in (tmp_path / "comp.txt", tmp_path / "status.txt", packed.parent):
        assert not CONNECTOR.recognise(head_of(path))


def test_extracts_with_a_suffix_are_joined_with_their_own(tmp_path: Path) -> None:
    extract(tmp_path)
    inactive = extract(tmp_path, suffix="_ia", drug=DRUG.splitlines()[1] + "\n")
    assert list(products(inactive)) == ["02900002"]
    with pytest.raises(SourceError, match=r"several extracts; give one of drug\.txt, drug_ia\.txt"):
        products(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    path = extract(tmp_path)
    (tmp_path / "comp.txt").unlink()
    (tmp_path / "ther.txt").unlink()
    with pytest.raises(SourceError, match=r"comp\.txt, ther\.txt .* must lie beside it"):
        products(path)
    with pytest.raises(SourceError, match=r"give drug\.txt or the folder"):
        products(tmp_path / "status.txt")
    with pytest.raises(SourceError, match=r"holds no drug\.txt"):
        products(tmp_path.parent)
    with pytest.raises(SourceError):
        products(tmp_path / "none" / "drug.txt")


def test_a_file_in_the_place_of_another_is_told_by_its_columns(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"comp\.txt is not the comp file .* looks like the status file"):
        products(extract(tmp_path, comp=STATUS))
    with pytest.raises(SourceError, match=r"rows of 11 or 14 cells are due, most have 3"):
        products(extract(tmp_path, drug='"1","2","3"\n' * 5))


def test_older_files_with_fewer_columns_are_read(tmp_path: Path) -> None:
    def first(text: str, count: int) -> str:
        return "".join(",".join(line.split('","')[:count]).replace(",", '","') + '"\n' for line in text.splitlines())

    assert len(products(extract(tmp_path, drug=first(DRUG, 11), status=first(STATUS, 4), ther=first(THER, 3)))) == 3


def test_a_header_that_somebody_added_is_known(tmp_path: Path) -> None:
    header = '"DRUG_CODE","CURRENT_STATUS_FLAG","STATUS","HISTORY_DATE","STATUS_F","LOT_NUMBER","EXPIRATION_DATE"\n'
    assert len(products(extract(tmp_path, status=header + STATUS))) == 3
    with pytest.raises(SourceError, match="header whose columns are not those of status"):
        products(extract(tmp_path, status=header.replace("STATUS_F", "STATE_F") + STATUS))


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ("02900002", "2900002", "DIN", "not a Drug Identification Number"),
        ("02900002", "02900001", "DIN", "stands on line 1 too"),
        ('"102",', '"101",', "drug code", "stands on line 1 too"),
        ('"SECUNDA",', "", "", "13 cells, not 14"),
        ('"SECUNDA"', '"SEC"UNDA"', "", "quotation marks out of place"),
    ],
)
def test_bad_products_are_skipped_with_their_place(tmp_path: Path, old: str, new: str, field: str, reason: str) -> None:
    _, summary = reading(CONNECTOR, extract(tmp_path, drug=DRUG.replace(old, new)))
    assert (summary.read, summary.loaded) == (3, 2)
    (skip,) = summary.skips
    assert skip.where.endswith("line 2")
    assert skip.field == field
    assert reason in skip.reason


def test_a_broken_row_does_not_take_its_neighbours_along(tmp_path: Path) -> None:
    for broken in (DRUG.replace('EXAMPLA"', "EXAMPLA"), DRUG.replace('"102",', '"1x02",')):
        _, summary = reading(CONNECTOR, extract(tmp_path, drug=broken))
        assert (summary.read, summary.loaded) == (3, 2)


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ("05-SEP-2018", "30-FEB-2018", "date", "no such day; left out"),
        ("05-SEP-2018", "05-SEP-18", "date", "not a date written as"),
        ("05-SEP-2018", "43348", "date", "a spreadsheet's serial number"),
        ("05-SEP-2018", "05-SEP-9018", "date", "a year that cannot be meant"),
        ('"101","Y"', '"101","?"', "current status flag", "neither Y nor N"),
        ('"101","Y"', '"101","N"', "status", "0 statuses are current"),
        ('"101","N"', '"101","Y"', "status", "3 statuses are current"),
        ('"101","Y","MARKETED"', '"101","Y","LOST"', "status", "not a status known here"),
        ('"103","Y"', '"999","Y"', "drug code", "1 codes are of no product here"),
        ('"","ANNULÉ', '"ANNULÉ', "", ""),
    ],
)
def test_bad_values_beside_are_warned_of(tmp_path: Path, old: str, new: str, field: str, reason: str) -> None:
    _, summary = reading(CONNECTOR, extract(tmp_path, status=STATUS.replace(old, new)))
    assert (summary.read, summary.loaded) == (3, 3)
    if reason:
        assert [w for w in summary.warnings if w.field == field and reason in w.reason]


def test_bad_codes_and_second_owners_are_warned_of(tmp_path: Path) -> None:
    ther = THER.replace("L01XL99", "L01XL99*") + '"102","A01AA01","OTHER",""\n"103","X1","",""\n'
    comp = COMP + COMP.splitlines()[0].replace("EXAMPLE CELLS", "OTHER CELLS") + "\n"
    found, summary = reading(CONNECTOR, extract(tmp_path, ther=ther, comp=comp))
    assert [record.atc for record in found if isinstance(record, ProductRecord)] == ["L01XL99", "B02AB", ""]
    assert sorted(warning.value for warning in summary.warnings) == ["A01AA01", "L01XL99*", "OTHER CELLS INC", "X1"]


@pytest.mark.parametrize(
    ("raw", "warned"),
    [
        (b"\xef\xbb\xbf" + DRUG.encode(), False),
        (DRUG.encode("utf-16"), False),
        (DRUG.encode("latin-1"), True),
        (DRUG.replace("EXEMPLA", "国家药品监督").encode("gb18030"), True),
        (DRUG.replace("\n", "\r\n").encode(), False),
        (DRUG.rstrip("\n").encode(), False),
    ],
)
def test_encodings(tmp_path: Path, raw: bytes, warned: bool) -> None:
    found, summary = reading(CONNECTOR, extract(tmp_path, drug=raw))
    assert len(found) == 3
    assert [warning.where for warning in summary.warnings] == (["drug.txt"] if warned else [])


def test_names_are_cleaned_and_kept_as_text(tmp_path: Path) -> None:
    odd = "EX\u202eAM\x00P\nLA <script>alert(1)</script>"
    first = products(extract(tmp_path, drug=DRUG.replace("EXAMPLA", odd)))["02900001"]
    assert first.names[0] == "EX AMP LA <script>alert(1)</script>"


def test_empty_cut_off_and_swelling_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is empty"):
        products(extract(tmp_path, comp=""))
    with pytest.raises(SourceError, match=r"is not the drug file"):
        products(extract(tmp_path, drug="hello\n"))
    path = extract(tmp_path, packed=True)
    whole = path.read_bytes()
    path.write_bytes(whole[:-12])
    with pytest.raises(SourceError, match="cut off"):
        products(path)
    path.write_bytes(gzip.compress(b"0" * 60_000_000))
    with pytest.raises(SourceError, match="unpacks to more than"):
        products(path)
    packed = tmp_path / "allfiles.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in FILES.items():
            archive.writestr(f"{name}.txt", text if name != "comp" else "0" * 60_000_000)
    with pytest.raises(SourceError, match=r"comp\.txt unpacks to more than"):
        products(packed)


def test_a_file_of_bad_rows_is_given_up(tmp_path: Path) -> None:
    good = '"101","Y","MARKETED","24-MAY-2019","","",""\n' * 60
    with pytest.raises(SourceError, match="do not fit; the first"):
        products(extract(tmp_path, status=good + '"1",\n' * 200_000))


def test_a_file_without_row_starts_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="more than 100,000 rows"):
        products(extract(tmp_path, drug=DRUG * 20 + '"' + "x\n" * 2_000_000))


def test_rows_keep_their_lines() -> None:
    text = '"1","a\nb"\n\n"2","c"\n"3","d"e"\nx\n"4",""\n'
    assert [(line, row[:1]) for line, row in records(text)] == [(1, ["1"]), (4, ["2"]), (5, []), (6, ["x"]), (7, ["4"])]
    assert [line for line, _ in records("1,a\n2,b\n")] == [1, 2]


def test_nothing_but_a_source_error_comes_out_of_damaged_files(tmp_path: Path) -> None:
    path = extract(tmp_path)

    def write(dice: random.Random) -> Path:
        extract(tmp_path)
        name = dice.choice(list(FILES))
        (tmp_path / f"{name}.txt").write_bytes(mutated(FILES[name].encode(), dice))
        return path

    outcomes = list(survives(CONNECTOR, write, 1))
    assert any(not isinstance(outcome, SourceError) and outcome.loaded for outcome in outcomes)


@needs_registers
def test_the_real_extract(tmp_path: Path) -> None:
    path = REGISTERS / "health-canada" / "drug.txt.gz"
    assert CONNECTOR.recognise(head_of(path))
    assert CONNECTOR.recognise(head_of(path.parent))
    found, summary = reading(CONNECTOR, path)
    assert (summary.read, summary.loaded, len(summary.warnings)) == (13_454, 13_454, 2)
    by_din = {record.id: record for record in found if isinstance(record, ProductRecord)}
    kymriah = by_din["02480514"]
    assert (kymriah.names, kymriah.atc, str(kymriah.authorised)) == (("KYMRIAH",), "L01XL04", "2018-09-05")
    assert str(by_din["02527138"].authorised) == "2022-05-06"
    assert all(record.status == "MARKETED" and record.holder and record.active for record in by_din.values())
