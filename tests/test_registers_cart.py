"""Daily tables of CAR-T trials, and the doubtful list of approvals that comes with them."""

import csv
import io
import json
import random
import tarfile
from datetime import date
from pathlib import Path

import pytest

from kg.errors import SourceError
from kg.registers import cart_approvals, cart_daily, daily_archive
from kg.registers.cart_daily import CONNECTOR, snapshots
from kg.registers.connector import head_of
from kg.registers.reading import Summary
from kg.registers.records import Intervention, ProductRecord, TrialRecord
from tests.mutations import mutated, reading, survives
from tests.support import REGISTERS, needs_registers

TRIAL = {
    "NCTId": "NCT90000001",
    "BriefTitle": "A Study of Example Cells",
    "OverallStatus": "RECRUITING",
    "Phase": "PHASE1|PHASE2",
    "Conditions": "Lymphoma|Leukemia",
    "Interventions": "CD19 CAR-T|fludarabine",
    "StartDate": "2026-03-02",
    "LastUpdatePostDate": "2026-05-13",
    "EnrollmentCount": "20.0",
    "Countries": "China|United States",
    "BriefSummary": 'Two lines,\n"quoted".',
    "LeadSponsor": "Example Hospital",
    "LeadSponsorClass": "OTHER",
    "TargetCategory": "GUESSED-TARGET",
    "ProductType": "GUESSED-TYPE",
    "ProductName": "GUESSED-NAME",
    "SnapshotDate": "2026-05-15",
}
TRIALS = [
    TRIAL,
    {**TRIAL, "NCTId": "NCT90000002", "OverallStatus": "UNKNOWN", "Phase": "Unknown", "EnrollmentCount": ""},
    {**TRIAL, "NCTId": "NCT90000003", "StartDate": "", "Countries": "", "Interventions": ""},
]


def table(rows: list[dict[str, str]], columns: list[str] | None = None) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns or list(TRIAL), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def single(folder: Path, raw: bytes | None = None, **changed: str) -> Path:
    """Write one table; the changes are made to its second trial."""
    path = folder / "trials.csv"
    path.write_bytes(raw if raw is not None else table([TRIALS[0], {**TRIALS[1], **changed}, TRIALS[2]]))
    return path


def archive(path: Path, members: dict[str, bytes], mode: str = "w:xz", **extra: tarfile.TarInfo) -> Path:
    with tarfile.open(path, mode) as out:  # type: ignore[call-overload]
        for name, raw in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            out.addfile(info, io.BytesIO(raw))
        for info in extra.values():
            out.addfile(info, io.BytesIO(b"\0" * info.size) if info.isreg() else None)
    return path


def days(*names: str) -> dict[str, bytes]:
    return {
        f"snapshots/{name}/trials.csv": table([{**trial, "SnapshotDate": name, "BriefTitle": name} for trial in TRIALS])
        for name in names
    }


def test_a_table_gives_what_the_registry_says_and_no_guesses(tmp_path: Path) -> None:
    path = single(tmp_path)
    assert CONNECTOR.recognise(head_of(path))
    found, summary = reading(CONNECTOR, path)
    assert (summary.read, summary.loaded, summary.warnings, str(summary.newest)) == (3, 3, [], "2026-05-15")
    first, second, third = found
    assert isinstance(first, TrialRecord)
    assert isinstance(second, TrialRecord)
    assert isinstance(third, TrialRecord)
    assert (first.id, first.register, first.where) == ("NCT90000001", "cart-daily", "line 2")
    assert (first.phases, first.conditions) == (("PHASE1", "PHASE2"), ("Lymphoma", "Leukemia"))
    assert first.interventions == (Intervention("", "CD19 CAR-T"), Intervention("", "fludarabine"))
    assert (first.enrolment, str(first.start), str(first.updated)) == (20, "2026-03-02", "2026-05-13")
    assert (first.countries, first.sponsor, first.sponsor_class) == (
        ("China", "United States"),
        "Example Hospital",
        "OTHER",
    )
    assert first.summary == 'Two lines, "quoted".'
    assert "GUESSED" not in repr(found)
    assert (second.where, second.phases, second.enrolment, second.status) == ("line 4", (), None, "UNKNOWN")
    assert (third.start, third.countries, third.interventions) == (None, (), ())


def test_an_archive_gives_its_newest_day_or_each_day(tmp_path: Path) -> None:
    # Not in order, and the columns in another order on one day.
    members = days("2026-05-16", "2026-05-18", "2026-05-15")
    moved = [*reversed(TRIAL), "NewColumn"]
    members["snapshots/2026-05-17/trials.csv"] = table([{**TRIAL, "SnapshotDate": "2026-05-17"}], moved)
    path = archive(tmp_path / "days.tar.xz", members)
    assert CONNECTOR.recognise(head_of(path))
    found, summary = reading(CONNECTOR, path)
    assert {record.title for record in found if isinstance(record, TrialRecord)} == {"2026-05-18"}
    assert (summary.read, summary.warnings, summary.newest) == (3, [], date(2026, 5, 18))
    every = Summary(path.name, CONNECTOR.name)
    counts = [(str(day), len(list(trials))) for day, trials in snapshots(path, every)]
    assert counts == [("2026-05-15", 3), ("2026-05-16", 3), ("2026-05-17", 1), ("2026-05-18", 3)]
    assert (every.loaded, every.read, every.warnings) == (10, 10, [])
    # A day's trials may be taken after the next day has come.
    later = [trials for _, trials in snapshots(path)]
    assert [len(list(trials)) for trials in later] == [3, 3, 1, 3]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_archives_in_every_packing(tmp_path: Path, mode: str) -> None:
    path = archive(tmp_path / "days", days("2026-05-15", "2026-05-16"), mode)
    assert CONNECTOR.recognise(head_of(path))
    assert len(reading(CONNECTOR, path)[0]) == 3


def info(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, link, size
    return member


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (info("/etc/2026-05-17/trials.csv"), "absolute path"),
        (info("C:/2026-05-17/trials.csv"), "absolute path"),
        (info("../2026-05-17/trials.csv"), "leads out"),
        (info("snapshots/../../2026-05-17/trials.csv"), "leads out"),
        (info("snapshots\\2026-05-17\\trials.csv"), "odd path"),
        (info("snapshots/\u202e2026-05-17/trials.csv"), "odd path"),
        (info("snapshots/2026-05-17/trials.csv", tarfile.SYMTYPE, "/etc/passwd"), "no plain file"),
        (info("snapshots/2026-05-17/trials.csv", tarfile.LNKTYPE, "snapshots/x"), "no plain file"),
        (info("snapshots/2026-05-17/trials.csv", tarfile.CHRTYPE), "no plain file"),
        (info("snapshots/2026-05-17/trials.csv", tarfile.FIFOTYPE), "no plain file"),
        (info("snapshots/2026-05-17/trials.csv", size=30_000_000), "more than any real table"),
        (info("other.bin", size=30_000_000), "more than any real table"),
    ],
)
def test_an_archive_with_an_odd_member_is_refused(tmp_path: Path, member: tarfile.TarInfo, reason: str) -> None:
    path = archive(tmp_path / "days.tar.xz", days("2026-05-15"), odd=member)
    with pytest.raises(SourceError, match=f"refused: .*{reason}"):
        reading(CONNECTOR, path)
    with pytest.raises(SourceError, match=f"refused: .*{reason}"):
        next(snapshots(path))


def test_other_members_are_passed_over_with_a_word(tmp_path: Path) -> None:
    extra = {"README.md": b"x", "snapshots/2026-02-30/trials.csv": b"x", "./snapshots/2026-05-15/trials.csv": b""}
    members = {**extra, **days("2026-05-15")}
    path = archive(tmp_path / "days.tar", members, "w", folder=info("snapshots", tarfile.DIRTYPE))
    found, summary = reading(CONNECTOR, path)
    assert (len(found), summary.read) == (3, 4)
    assert [(skip.value, skip.reason[:11]) for skip in summary.skips] == [("2026-02-30", "no such day")]
    assert [warning.reason for warning in summary.warnings] == [
        "not a daily table; passed over",
        "the day is there twice; the last one is taken",
    ]
    with pytest.raises(SourceError, match="holds no daily table"):
        reading(CONNECTOR, archive(tmp_path / "other.tar", {"README.md": b"x" * 9_000}, "w"))


def test_headers_that_swell_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "days.tar.xz"
    archive(path, days("2026-05-15"), long=info("a" * 600_000))
    with pytest.raises(SourceError, match="header is larger than any real one"):
        reading(CONNECTOR, path)
    archive(path, days("2026-05-15", "2026-05-16"))
    monkeypatch.setattr(daily_archive, "LARGEST_ARCHIVE", 3_000)
    with pytest.raises(SourceError, match="unpacks to more than"):
        reading(CONNECTOR, path)


def test_a_cut_off_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "days.tar.xz", days("2026-05-15", "2026-05-16"))
    whole = path.read_bytes()
    for length in (len(whole) // 2, len(whole) - 10, 100):
        path.write_bytes(whole[:length])
        with pytest.raises(SourceError):
            reading(CONNECTOR, path)
    plain = archive(tmp_path / "days.tar", days("2026-05-15"), "w")
    whole = plain.read_bytes()
    second = archive(plain, days("2026-05-15", "2026-05-16"), "w").read_bytes().index(b"snapshots/2026-05-16")
    both = bytearray(plain.read_bytes())
    both[second + 150] ^= 1
    # Within a member, between two of them, and with a damaged header between them.
    for raw in (whole[:900], plain.read_bytes()[:second], both):
        plain.write_bytes(raw)
        with pytest.raises(SourceError, match="damaged"):
            reading(CONNECTOR, plain)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("NCTId", "NCT9", "not an NCT number"),
        ("NCTId", "", "not an NCT number"),
        ("NCTId", "NCT90000001", "stands on line 2 too"),
    ],
)
def test_bad_ids_are_skipped(tmp_path: Path, field: str, value: str, reason: str) -> None:
    found, summary = reading(CONNECTOR, single(tmp_path, **{field: value}))
    assert (len(found), summary.read) == (2, 3)
    assert [(skip.where, skip.reason) for skip in summary.skips] == [("line 4", reason)]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("StartDate", "2026-02-30", "no such day; left out"),
        ("StartDate", "02/03/26", "not a date written as iso; left out"),
        ("LastUpdatePostDate", "46000", "a spreadsheet's serial number, not a date; left out"),
        ("LastUpdatePostDate", "0026-01-01", "a year that cannot be meant; left out"),
        ("SnapshotDate", "soon", "not a date written as iso; left out"),
        ("EnrollmentCount", "NaN", "not a whole number that can be meant; left out"),
        ("EnrollmentCount", "9" * 30, "not a whole number that can be meant; left out"),
        ("EnrollmentCount", "-1", "not a whole number that can be meant; left out"),
        ("OverallStatus", "RECRUITED", "not a status known here; kept as it is"),
        ("Phase", "PHASE9", "not a phase known here; kept as it is"),
        ("BriefTitle", "", "is empty"),
    ],
)
def test_bad_values_are_warned_of(tmp_path: Path, field: str, value: str, reason: str) -> None:
    found, summary = reading(CONNECTOR, single(tmp_path, **{field: value}))
    assert len(found) == 3
    assert [(warning.where, warning.reason) for warning in summary.warnings] == [("line 4", reason)]


def test_text_is_cleaned_and_kept_as_text(tmp_path: Path) -> None:
    found, _ = reading(CONNECTOR, single(tmp_path, BriefTitle="<b>A</b>\x00\u202e\n B", Countries="China||China| "))
    assert isinstance(found[1], TrialRecord)
    assert (found[1].title, found[1].countries) == ("<b>A</b> B", ("China",))


def test_headers_are_known_by_a_closed_list(tmp_path: Path) -> None:
    renamed = table(TRIALS).replace(b"NCTId", b"NCT Number").replace(b"OverallStatus", b"Overall Status")
    assert len(reading(CONNECTOR, single(tmp_path, renamed))[0]) == 3
    with pytest.raises(SourceError, match="lacks status"):
        reading(CONNECTOR, single(tmp_path, table(TRIALS).replace(b"OverallStatus", b"State")))
    _, summary = reading(CONNECTOR, single(tmp_path, table(TRIALS).replace(b"Countries", b"Lands")))
    assert [warning.value for warning in summary.warnings] == ["countries"]
    assert not CONNECTOR.recognise(head_of(single(tmp_path, b"a,b\n1,2\n")))


def test_rows_that_do_not_fit_and_open_quotation_marks(tmp_path: Path) -> None:
    _, summary = reading(CONNECTOR, single(tmp_path, table(TRIALS) + b"NCT90000009,too,short\n"))
    assert [skip.reason for skip in summary.skips] == ["3 cells, not 17"]
    with pytest.raises(SourceError, match="is not CSV"):
        reading(CONNECTOR, single(tmp_path, table(TRIALS) + b'NCT90000009,"never closed\n'))
    with pytest.raises(SourceError, match="do not fit; the first"):
        reading(CONNECTOR, single(tmp_path, table(TRIALS) + b"x,y\n" * 150_000))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    name = "Société" if encoding == "latin-1" else "国家医院研究"
    raw = table([{**TRIAL, "LeadSponsor": name}]).decode().encode(encoding)
    found, _ = reading(CONNECTOR, single(tmp_path, raw))
    assert isinstance(found[0], TrialRecord)
    assert found[0].sponsor == name


def test_empty_files(tmp_path: Path) -> None:
    for raw in (b"", b"\n \n", table([])[:40]):
        with pytest.raises(SourceError):
            reading(CONNECTOR, single(tmp_path, raw))


def test_nothing_but_a_source_error_comes_out_of_damaged_tables(tmp_path: Path) -> None:
    whole = table(TRIALS * 3)
    outcomes = list(survives(CONNECTOR, lambda dice: single(tmp_path, mutated(whole, dice)), 2))
    assert any(not isinstance(outcome, SourceError) and outcome.loaded for outcome in outcomes)


def test_nothing_but_a_source_error_comes_out_of_damaged_archives(tmp_path: Path) -> None:
    path = archive(tmp_path / "days.tar", days("2026-05-15", "2026-05-16"), "w", folder=info("x", tarfile.DIRTYPE))
    packed = archive(tmp_path / "days.tar.xz", days("2026-05-15", "2026-05-16")).read_bytes()
    plain = path.read_bytes()

    def write(dice: random.Random) -> Path:
        path.write_bytes(mutated(plain if dice.random() < 0.7 else packed, dice))
        return path

    outcomes = list(survives(CONNECTOR, write, 3))
    assert any(not isinstance(outcome, SourceError) and outcome.loaded for outcome in outcomes)


APPROVALS = [
    {"year": 2017, "name": "exa-cel (Exampla)", "target": "CD19", "regulator": "FDA", "disease": "Lymphoma"},
    {"year": 2018, "name": "exa-cel (Exampla)", "target": "CD19", "regulator": "EMA", "disease": "Lymphoma"},
    {"year": "2021", "name": "sec-cel", "target": "BCMA", "regulator": "NMPA", "disease": "Myeloma"},
]
LIST = cart_approvals.CONNECTOR


def listed(folder: Path, value: object) -> Path:
    path = folder / "list.json"
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    return path


def test_the_list_of_approvals_is_doubtful(tmp_path: Path) -> None:
    path = listed(tmp_path, APPROVALS)
    assert LIST.recognise(head_of(path))
    assert not CONNECTOR.recognise(head_of(path))
    found, summary = reading(LIST, path)
    assert (summary.read, summary.loaded, summary.warnings) == (3, 3, [])
    first, _, third = found
    assert isinstance(first, ProductRecord)
    assert isinstance(third, ProductRecord)
    assert (first.register, first.status, first.agency) == ("cart-approvals-list", "doubtful", "agency:us-fda")
    assert (first.names, first.active, str(first.authorised)) == (("Exampla",), "exa-cel", "2017")
    assert (third.names, third.active, third.agency) == ((), "sec-cel", "agency:cn-nmpa")
    assert "CD19" not in repr(found)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"regulator": "FAD"}, "not one of ANVISA"),
        ({"regulator": None}, "not one of"),
        ({"regulator": ["FDA"]}, "a text is due"),
        ({"name": ""}, "is empty"),
        ({"name": {"x": 1}}, "a text is due"),
    ],
)
def test_bad_approvals_are_skipped(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    _, summary = reading(LIST, listed(tmp_path, [APPROVALS[0], {**APPROVALS[1], **change}]))
    assert (summary.loaded, summary.read) == (1, 2)
    assert reason in summary.skips[0].reason
    assert summary.skips[0].where == "record 2"


@pytest.mark.parametrize("year", [20170, 17, "30 Feb", 2017.5, True, [2017], {"y": 1}])
def test_bad_years_are_left_out(tmp_path: Path, year: object) -> None:
    found, summary = reading(LIST, listed(tmp_path, [{**APPROVALS[0], "year": year}]))
    assert isinstance(found[0], ProductRecord)
    assert found[0].authorised is None
    assert [warning.field for warning in summary.warnings] == ["year"]


def test_repeated_foreign_and_wrong_approvals(tmp_path: Path) -> None:
    found, summary = reading(LIST, listed(tmp_path, [APPROVALS[0], APPROVALS[0], 7, [], {**APPROVALS[1], "x": 1}]))
    assert (len(found), summary.read) == (2, 5)
    assert [skip.reason for skip in summary.skips] == ["the same as record 1", *["an object is due"] * 2]
    assert [warning.field for warning in summary.warnings] == ["x"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"[", b'{"a": 1}', b'[{"year": 1}]', b"[" * 100_000, b'[{"year": NaN, "name": "x", "regulator": "FDA"}]',
     b'[{"year": ' + b"9" * 5_000 + b"}]", b" " * 1_100_000],
)  # fmt: skip
def test_files_that_are_no_list_of_approvals(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(SourceError):
        reading(LIST, listed(tmp_path, raw))


def test_nothing_but_a_source_error_comes_out_of_a_damaged_list(tmp_path: Path) -> None:
    whole = json.dumps(APPROVALS, indent=1).encode()
    outcomes = list(survives(LIST, lambda dice: listed(tmp_path, mutated(whole, dice)), 4))
    assert any(not isinstance(outcome, SourceError) and outcome.loaded for outcome in outcomes)


@needs_registers
def test_the_real_tables() -> None:
    folder = REGISTERS / "cart-trials-daily"
    path = folder / "trials_2026-04-24_to_2026-07-31.tar.xz"
    assert CONNECTOR.recognise(head_of(path))
    found, summary = reading(CONNECTOR, path)
    assert (len(found), summary.read, summary.warnings) == (2_257, 2_257, [])
    assert summary.newest == date(2026, 7, 31)
    days = snapshots(path)
    counts = [(str(day), sum(1 for _ in trials)) for day, trials in (next(days), next(days))]
    assert counts == [("2026-04-24", 2_152), ("2026-05-15", 2_178)]
    approvals = folder / "doubtful_cart_approvals_2026-04-24.json"
    assert LIST.recognise(head_of(approvals))
    listing, summary = reading(LIST, approvals)
    assert (len(listing), summary.read, summary.warnings) == (23, 23, [])
    assert cart_daily.CONNECTOR is CONNECTOR
