"""Fetching from a server that misbehaves in every way that servers do: politely, whole or not at all."""

import gzip
import hashlib
import io
import json
import os
import random
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from click.testing import CliRunner

from kg import cli
from kg.errors import OutputError, SourceError
from kg.registers.connector import Connector, Head, looks_like_json
from kg.registers.fetching import USER_AGENT, fetch, newest, open_client
from kg.registers.pace import Pace
from kg.registers.snapshots import unfinished, user_cache

CSV = b"number,name,date\n" + b"".join(b"%d,Product %d,2025-01-02\n" % (n, n) for n in range(400))
NEWER = CSV + b"400,Another,2025-02-03\n"
HTML = b"<!DOCTYPE html><html><body>We are sorry: the site is being maintained.</body></html>"
CHANGED = CSV.replace(b"number,name,date", b"nummer,bezeichnung,datum", 1)

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append((self.path, dict(self.headers.items())))
        answers = self.server.answers.get(path)
        if not answers:
            return reply(404, b"nothing here")(self)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer(self)

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Answers each path by its list of answers, the last one again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def headers(self, name: str) -> list[str | None]:
        return [headers.get(name) for _, headers in self.asked]

    def handle_error(self, *_: Any) -> None:
        # A client that has had enough is what several tests are about.
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


class FakeTime:
    """Time that passes only where somebody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []
        self.start = datetime(2026, 3, 10, 12, tzinfo=UTC)

    def clock(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.waits.append(round(seconds, 3))
        self.seconds += seconds

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

    def pace(self, **settings: Any) -> Pace:
        real: dict[str, Any] = {"clock": self.clock, "sleep": self.sleep, "now": self.now, "chance": lambda: 0.5}
        return Pace(**real | settings)


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=5, trust_env=False) as client:
        yield client


def reply(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def honest(body: bytes, etag: str = '"one"', **headers: str) -> Answer:
    """A server as it should be: tags, conditions and ranges."""

    def answer(handler: Handler) -> None:
        wanted = handler.headers.get("Range")
        tags = ({"ETag": etag} if etag else {}) | headers
        dates = headers.get("Last_Modified")
        if not wanted and (
            (etag and handler.headers.get("If-None-Match") == etag)
            or (not etag and dates and handler.headers.get("If-Modified-Since") == dates)
        ):
            return reply(304, **tags)(handler)
        if wanted and handler.headers.get("If-Range") in (etag, dates):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                return reply(416)(handler)
            return reply(206, body[start:], Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}", **tags)(handler)
        return reply(200, body, **tags)(handler)

    return answer


def cut(body: bytes, at: int, etag: str = '"one"') -> Answer:
    """Announce the whole body, send a piece and hang up."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        if etag:
            handler.send_header("ETag", etag)
        handler.end_headers()
        handler.wfile.write(body[:at])
        handler.close_connection = True

    return answer


def unframed(body: bytes) -> Answer:
    """Send a body without its length; it ends where the connection does."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return answer


def hang(handler: Handler) -> None:
    handler.server.over.wait(5)
    handler.close_connection = True


def hang_up(handler: Handler) -> None:
    handler.close_connection = True


def drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CSV)))
    handler.end_headers()
    for letter in CSV:
        handler.wfile.write(bytes([letter]))
        if handler.server.over.wait(0.02):
            break
    handler.close_connection = True


def is_csv(head: Head) -> bool:
    return head.text.startswith("number,name,date")


def is_json(head: Head) -> bool:
    return looks_like_json(head.text) and '"studies"' in head.text


def register(url: str, recognise: Callable[[Head], bool] = is_csv, **settings: Any) -> Connector:
    known: dict[str, Any] = {
        "name": "made-up", "title": "the made-up register", "publisher": "nobody",
        "agency": "", "licence": "none", "page": "//made.up/page",
        "floor": 1,
    }  # fmt: skip
    return Connector(url=url, recognise=recognise, read=lambda _path, _summary: iter(()), **known | settings)


def contents(cache: Path) -> dict[str, bytes]:
    """All that a reader of the cache sees."""
    return {path.name: path.read_bytes() for path in cache.glob("*") if path.is_file()}


def unfinished_files(cache: Path) -> set[str]:
    return {path.name for path in cache.glob(".unfinished/made-up/**/*") if path.is_file()} - {".lock"}


def test_a_file_and_its_note(server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
    server.answers["/products.csv"] = [honest(CSV, Last_Modified="Tue, 10 Mar 2026 06:00:00 GMT")]
    seen: list[tuple[int, int | None]] = []
    connector = register(f"{server.url}/products.csv")
    done = fetch(connector, client, tmp_path / "cache", lambda *told: seen.append(told), pace=time.pace())
    sha256 = hashlib.sha256(CSV).hexdigest()
    assert done.path == tmp_path / "cache" / f"made-up-{sha256}.csv"
    assert done.files == (done.path,)
    assert done.new
    assert done.path.read_bytes() == CSV
    assert json.loads(done.path.with_name(f"{done.path.name}.note.json").read_text(encoding="utf-8")) == {
        "register": "made-up", "name": done.path.name, "url": connector.url, "etag": '"one"',
        "last_modified": "Tue, 10 Mar 2026 06:00:00 GMT", "sha256": sha256, "bytes": len(CSV),
        "fetched": "2026-03-10T12:00:00+00:00",
    }  # fmt: skip
    assert seen[-1] == (len(CSV), len(CSV))
    assert server.headers("User-Agent") == [USER_AGENT]
    assert "cgt-kg" in USER_AGENT
    assert len(contents(tmp_path / "cache")) == 2
    assert unfinished_files(tmp_path / "cache") == set()
    assert newest(tmp_path / "cache", "made-up") == done.path


@pytest.mark.parametrize("etag", ['"one"', 'W/"one"', ""])
def test_what_is_unchanged_is_not_sent_again(
    etag: str, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    server.answers["/a"] = [honest(CSV, etag, Last_Modified="Tue, 10 Mar 2026 06:00:00 GMT")]
    first = fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace())
    before = contents(tmp_path)
    again = fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace())
    assert (again.path, again.new, again.snapshot) == (first.path, False, first.snapshot)
    assert contents(tmp_path) == before
    assert server.headers("If-None-Match") == [None, etag or None]
    assert server.headers("If-Modified-Since")[1]


def test_a_newer_one_lies_beside_the_older(
    server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    server.answers["/a"] = [honest(CSV), honest(NEWER, '"two"'), honest(CSV, '"three"')]
    pace = time.pace()
    paths = []
    for expected in (CSV, NEWER, CSV):
        done = fetch(register(f"{server.url}/a"), client, tmp_path, pace=pace)
        assert done.path.read_bytes() == expected
        assert newest(tmp_path, "made-up") == done.path
        paths.append(done.path)
    assert paths[0] == paths[2] != paths[1]
    assert paths[1].is_file()
    assert not done.new


def test_a_damaged_snapshot_is_fetched_again(
    server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    server.answers["/a"] = [honest(CSV)]
    first = fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace())
    first.path.write_bytes(CSV[:-2] + b"!\n")
    assert fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace()).path.read_bytes() == CSV
    assert server.headers("If-None-Match") == [None, None]


def test_one_request_a_second(server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
    server.answers |= {"/a": [reply(302, Location="/b")], "/b": [honest(CSV)]}
    pace = time.pace()
    fetch(register(f"{server.url}/a"), client, tmp_path, pace=pace)
    fetch(register(f"{server.url}/a", name="another"), client, tmp_path, pace=pace)
    assert time.waits == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("trouble", [reply(500), reply(503, HTML), hang, hang_up, reply(408), cut(CSV, 0)])
def test_what_may_pass_is_asked_again(
    trouble: Answer, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    if trouble is hang:
        client.timeout = httpx.Timeout(0.4)
    server.answers["/a"] = [trouble, trouble, honest(CSV)]
    done = fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace(interval=0))
    assert done.path.read_bytes() == CSV
    assert time.waits == [1.0, 2.0]


def test_it_gives_up_after_some_attempts(server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
    server.answers["/a"] = [reply(500)]
    with pytest.raises(SourceError, match="given up after 6 attempts: 500 Internal Server Error"):
        fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace(interval=0))
    assert time.waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert contents(tmp_path) == {}


def test_it_gives_up_after_some_time(server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
    server.answers["/a"] = [reply(500)]
    with pytest.raises(SourceError, match=r"after 3 attempts: 500 .*; it would be 4 s until the next attempt"):
        fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace(interval=0, patience=5))


def test_a_certificate_that_does_not_hold_is_no_passing_trouble(time: FakeTime, tmp_path: Path) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired")

    with httpx.Client(transport=httpx.MockTransport(answer)) as client, pytest.raises(SourceError, match="expired"):
        fetch(register("https://register.example/a"), client, tmp_path, pace=time.pace())
    assert time.waits == []


def test_nobody_there(client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
    with Server() as gone:
        url = f"{gone.url}/a"
    with pytest.raises(SourceError, match=r"given up after 6 attempts: .*refused"):
        fetch(register(url), client, tmp_path, pace=time.pace())


def test_pauses_are_spread_and_bounded() -> None:
    low, high = Pace(chance=lambda: 0.0), Pace(chance=lambda: 1.0)
    assert [low.pause(n) for n in (1, 2, 3, 20)] == [0.5, 1.0, 2.0, 30.0]
    assert [high.pause(n) for n in (1, 2, 3, 20)] == [1.5, 3.0, 6.0, 90.0]


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ("7", 7.0),
        (format_datetime(datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC), usegmt=True), 30.0),
        (format_datetime(datetime(2020, 3, 10, tzinfo=UTC), usegmt=True), 1.0),
        ("soon", 1.0),
        ("-5", 1.0),
        ("9" * 400, 1.0),
        ("٣", 1.0),
        ("", 1.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(
    status: int, said: str, waits: float, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    encoded = said.encode().decode("latin-1")
    server.answers["/a"] = [reply(status, Retry_After=encoded), honest(CSV)]
    fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace(interval=0))
    assert time.waits == [waits]


def test_a_server_that_wants_too_long_a_pause(
    server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    server.answers["/a"] = [reply(429, Retry_After="86400")]
    with pytest.raises(SourceError, match=r"after 1 attempt: 429 .*86,400 s until"):
        fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace())
    assert time.waits == []


def test_a_transfer_that_broke_off_is_taken_up(
    server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    server.answers["/a"] = [cut(CSV, 5_000), honest(CSV)]
    seen: list[int] = []
    done = fetch(register(f"{server.url}/a"), client, tmp_path, lambda n, _: seen.append(n), pace=time.pace())
    assert done.path.read_bytes() == CSV
    assert server.headers("Range") == [None, "bytes=5000-"]
    assert server.headers("If-Range") == [None, '"one"']
    assert seen == sorted(seen)


def test_it_is_taken_up_in_a_later_run_too(
    server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    server.answers["/a"] = [cut(CSV, 5_000)]
    with pytest.raises(SourceError, match="given up"):
        fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace(attempts=1))
    assert contents(tmp_path) == {}
    assert newest(tmp_path, "made-up") is None
    server.answers["/a"] = [honest(CSV)]
    assert fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace()).path.read_bytes() == CSV
    assert server.headers("Range")[-1] == "bytes=5000-"
    assert unfinished_files(tmp_path) == set()


def test_a_part_of_another_address_or_version_is_not_taken_up(
    server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    server.answers |= {"/a": [cut(CSV, 5_000)], "/b": [cut(CSV, 6_000), honest(NEWER, '"two"')]}
    with pytest.raises(SourceError, match="given up"):
        fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace(attempts=1))
    done = fetch(register(f"{server.url}/b"), client, tmp_path, pace=time.pace())
    assert done.path.read_bytes() == NEWER
    assert server.headers("Range") == [None, None, "bytes=6000-"]


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_strong_validator_it_begins_anew(
    etag: str, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    server.answers["/a"] = [cut(CSV, 5_000, etag), honest(CSV)]
    assert fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace()).path.read_bytes() == CSV
    assert server.headers("Range") == [None, None]


def part_of(body: bytes, start: int, etag: str = '"one"', total: int | None = None) -> Answer:
    return reply(206, body[start:], ETag=etag, Content_Range=f"bytes {start}-{len(body) - 1}/{total or len(body)}")


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, CSV, ETag='"one"'),
        part_of(CSV, 4_000),
        part_of(NEWER, 5_000, '"two"'),
        part_of(CSV, 5_000, total=len(CSV) + 9),
        reply(206, CSV[5_000:], ETag='"one"'),
        reply(206, CSV[5_000:], ETag='"one"', Content_Range="lines 1-2/3"),
        reply(416),
    ],
    ids=["ignored", "elsewhere", "another version", "another size", "unsaid", "nonsense", "refused"],
)
def test_ranges_that_are_not_what_was_asked_for(
    answer: Answer, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    server.answers["/a"] = [cut(CSV, 5_000), answer, honest(CSV)]
    assert fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace()).path.read_bytes() == CSV


def test_a_range_sent_in_pieces(server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
    some = reply(206, CSV[3_000:6_000], ETag='"one"', Content_Range=f"bytes 3000-5999/{len(CSV)}")
    server.answers["/a"] = [cut(CSV, 3_000), some, honest(CSV)]
    assert fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace()).path.read_bytes() == CSV
    assert server.headers("Range")[-1] == "bytes=6000-"


def test_a_drip_counts_as_stalled(server: Server, client: httpx.Client, tmp_path: Path) -> None:
    server.answers["/a"] = [drip, honest(CSV)]
    pace = Pace(interval=0, window=0.3, chance=lambda: -0.49)
    assert fetch(register(f"{server.url}/a"), client, tmp_path, pace=pace).path.read_bytes() == CSV
    server.answers["/a"] = [drip]
    with pytest.raises(SourceError, match=r"after 2 attempts: stalled: \d+ bytes in \d+ s"):
        fetch(register(f"{server.url}/a"), client, tmp_path, pace=Pace(interval=0, window=0.3, attempts=2))


def archive(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return made.getvalue()


JSON = json.dumps({"studies": [{"id": number} for number in range(900)]}).encode()
PACKED = gzip.compress(CSV, mtime=0)
ZIP = archive({"drug.txt": CSV, "comp.txt": CSV})


@pytest.mark.parametrize(
    ("broken", "whole", "recognise"),
    [
        (JSON[:5_000], JSON, is_json),
        (JSON[:5_000] + b"\njava.util.concurrent.TimeoutException: query took too long", JSON, is_json),
        (PACKED[:-20], PACKED, is_csv),
        (PACKED[:-8] + bytes(8), PACKED, is_csv),
        (ZIP[:-30], ZIP, lambda head: "drug.txt" in head.members),
    ],
    ids=["json", "json with an error behind", "gzip", "gzip with another checksum", "zip"],
)
def test_bodies_of_no_stated_length_that_are_cut_off(
    broken: bytes, whole: bytes, recognise: Any, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    server.answers["/a"] = [unframed(broken), unframed(whole)]
    done = fetch(register(f"{server.url}/a", recognise), client, tmp_path, pace=time.pace())
    assert done.path.read_bytes() == whole
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (HTML, "is not the made-up register in a layout known here .it begins with '<!DOCTYPE html>"),
        (CHANGED, "is not the made-up register in a layout known here .it begins with 'nummer,bezeichnung,datum"),
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b"\x00\x01\xff\xfe" * 900, "is not text"),
        (b"\xff\xfe\x00", "UTF-16"),
        (JSON, "is not the made-up register"),
        (ZIP, "begins with 'drug.txt, comp.txt'"),
        (archive({}), "is not the made-up register"),
        (gzip.compress(ZIP), "damaged archive"),
    ],
)
def test_what_is_not_the_registers_is_refused_and_the_cache_is_as_it_was(
    body: bytes, message: str, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    server.answers["/a"] = [honest(CSV), reply(200, body, ETag='"two"')]
    first = fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace())
    before = contents(tmp_path)
    with pytest.raises(SourceError, match=message) as caught:
        fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace())
    assert str(caught.value).startswith(f"{server.url}/a: ")
    assert contents(tmp_path) == before
    assert newest(tmp_path, "made-up") == first.path
    assert unfinished_files(tmp_path) == set()
    assert len(server.asked) == 2, "what is not passing is not asked for again"


@pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 404, 410])
def test_a_refusal_is_final(status: int, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
    server.answers["/a"] = [reply(status)]
    with pytest.raises(SourceError, match=f"answers {status}"):
        fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace())
    assert len(server.asked) == 1


def test_files_that_are_too_large(server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
    bomb = gzip.compress(b"number,name,date\n" + bytes(9_000_000))
    for answer, message in [
        (honest(CSV), "has .* bytes, more than the 9,000"),
        (unframed(CSV), "has more than the 9,000 bytes"),
        (reply(200, bomb), "unpacks to more than 9,000 bytes"),
    ]:
        server.answers["/a"] = [answer]
        with pytest.raises(SourceError, match=message):
            fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace(), largest=9_000)
        assert unfinished_files(tmp_path) == set()
    assert len(server.asked) == 3


def test_an_encoding_that_was_not_asked_for(
    server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    server.answers["/a"] = [reply(200, CSV, Content_Encoding="br")]
    with pytest.raises(SourceError, match="encoding"):
        fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace())
    assert server.headers("Accept-Encoding") == ["identity"]


class TestRedirects:
    """Followed a few times, on the web only, and never to where it is less safe."""

    def test_it_is_followed(self, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
        server.answers |= {f"/{n}": [reply(302, Location=f"{n + 1}")] for n in range(5)} | {"/5": [honest(CSV)]}
        done = fetch(register(f"{server.url}/0"), client, tmp_path, pace=time.pace())
        assert done.snapshot.url == f"{server.url}/0"

    def test_a_circle_ends(self, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
        server.answers |= {"/a": [reply(301, Location="/b")], "/b": [reply(308, Location="/a")]}
        with pytest.raises(SourceError, match="redirected more than 5 times"):
            fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace())
        assert len(server.asked) == 6

    @pytest.mark.parametrize(
        ("start", "target", "message"),
        [
            ("https", "http://register.example/b", "not encrypted"),
            ("https", "https://127.0.0.1/b", "private network"),
            ("https", "https://localhost:8443/b", "private network"),
            ("http", "http://files.localhost/b", "private network"),
            ("http", "http://10.1.2.3/b", "private network"),
            ("http", "http://169.254.169.254/latest/meta-data", "private network"),
            ("http", "http://[::1]/b", "private network"),
            ("http", "http://[::ffff:127.0.0.1]/b", "private network"),
            ("http", "http://[fe80::1%25eth0]/b", "private network|no address|given up"),
            ("http", "http://0.0.0.0/b", "private network"),
            ("http", "http://999.1.1.1/b", "private network|no address|given up"),
            ("http", "http://inside.example/b", "private network"),
            ("http", "http://2130706433/b", "private network"),
            ("http", "file:///etc/passwd", "no web address|given up"),
            ("http", "ftp://register.example/b", "no web address"),
            ("http", "http://", "no web address|redirected more"),
            ("http", "javascript:1", "no address|no web address"),
            ("http", "http://x:99999999/", "no web address|given up"),
        ],
    )
    def test_where_it_may_not_lead(self, start: str, target: str, message: str, time: FakeTime, tmp_path: Path) -> None:
        asked = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(str(request.url))
            return httpx.Response(302, headers={"Location": target})

        names = {
            "register.example": ["8.8.8.8"],
            "inside.example": ["8.8.8.8", "192.168.1.1"],
            "2130706433": ["127.0.0.1"],
        }
        with httpx.Client(transport=httpx.MockTransport(answer)) as client, pytest.raises(SourceError, match=message):
            fetch(
                register(f"{start}://register.example/a"), client, tmp_path, pace=time.pace(),
                addresses=lambda host: names.get(host, []),
            )  # fmt: skip
        assert set(asked) == {f"{start}://register.example/a"}

    def test_to_another_public_host_it_is_followed(self, time: FakeTime, tmp_path: Path) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.host == "files.example":
                return httpx.Response(200, stream=httpx.ByteStream(CSV))
            return httpx.Response(302, headers={"Location": "https://files.example/b"})

        with httpx.Client(transport=httpx.MockTransport(answer)) as client:
            url = "http://register.example/a"
            done = fetch(register(url), client, tmp_path, pace=time.pace(), addresses=lambda _: ["8.8.8.8"])
        assert done.path.read_bytes() == CSV
        assert time.waits == [], "another host has a pace of its own"


def test_the_newest_month_that_there_is(server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
    time.start = datetime(2026, 1, 3, tzinfo=UTC)
    connector = register(f"{server.url}/{{year}}/list-{{month}}.csv")
    server.answers |= {"/2025/list-december.csv": [reply(200, HTML)], "/2025/list-november.csv": [honest(CSV)]}
    done = fetch(connector, client, tmp_path, pace=time.pace())
    assert done.snapshot.url.endswith("/2025/list-november.csv")
    assert [path for path, _ in server.asked] == [
        "/2026/list-january.csv", "/2025/list-december.csv", "/2025/list-november.csv",
    ]  # fmt: skip
    assert not fetch(connector, client, tmp_path, pace=time.pace()).new
    # Another layout is not hidden by going back to an older file.
    server.answers["/2025/list-december.csv"] = [reply(200, CHANGED)]
    with pytest.raises(SourceError, match="nummer"):
        fetch(connector, client, tmp_path, pace=time.pace())
    server.answers.clear()
    with pytest.raises(SourceError, match=r"2025/list-august.csv: answers 404"):
        fetch(connector, client, tmp_path, pace=time.pace())


def page(token: str, following: str, number: int = 3, packed: bool = False) -> bytes:
    body = {"studies": [{"id": f"{token}-{n}"} for n in range(number)]} | (
        {"nextPageToken": following} if following else {}
    )
    raw = json.dumps(body).encode()
    return gzip.compress(raw, mtime=0) if packed else raw


def by_token(pages: dict[str, Answer]) -> Answer:
    def answer(handler: Handler) -> None:
        token = parse_qs(urlsplit(handler.path).query).get("pageToken", [""])[0]
        return pages.get(token, reply(400, b"unknown token"))(handler)

    return answer


class TestPages:
    """Registers whose snapshots come page by page."""

    def start(self, server: Server, pages: dict[str, Answer], **settings: Any) -> Connector:
        server.answers["/studies"] = [by_token(pages)]
        return register(f"{server.url}/studies?pageSize=3", is_json, paging="token", **settings)

    def pages(self) -> dict[str, Answer]:
        return {
            "": reply(200, page("", "b&c")),
            "b&c": reply(200, page("b&c", "d", packed=True), Content_Encoding="gzip"),
            "d": reply(200, page("d", "")),
        }

    def test_each_page_is_a_file(self, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
        seen: list[int] = []
        connector = self.start(server, self.pages())
        done = fetch(connector, client, tmp_path, lambda n, _: seen.append(n), pace=time.pace())
        assert [path.name for path in done.files] == ["page-00001.json", "page-00002.json.gz", "page-00003.json"]
        assert done.path.is_dir()
        assert done.path.name == f"made-up-{done.snapshot.sha256}"
        assert json.loads(gzip.decompress(done.files[1].read_bytes()))["studies"][0]["id"] == "b&c-0"
        assert [path for path, _ in server.asked] == [
            "/studies?pageSize=3", "/studies?pageSize=3&pageToken=b%26c", "/studies?pageSize=3&pageToken=d",
        ]  # fmt: skip
        assert newest(tmp_path, "made-up") == done.path
        assert seen == sorted(seen)
        assert seen[-1] == done.snapshot.bytes == sum(path.stat().st_size for path in done.files)
        assert unfinished_files(tmp_path) == set()
        assert time.waits == [1.0, 1.0]
        again = fetch(connector, client, tmp_path, pace=time.pace())
        assert (again.path, again.new) == (done.path, False)

    def test_it_goes_on_after_the_last_page(
        self, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
    ) -> None:
        pages = self.pages()
        connector = self.start(server, pages | {"d": reply(500)})
        with pytest.raises(SourceError, match="given up"):
            fetch(connector, client, tmp_path, pace=time.pace(attempts=2))
        assert newest(tmp_path, "made-up") is None
        assert contents(tmp_path) == {}
        self.start(server, pages)
        server.asked.clear()
        assert len(fetch(connector, client, tmp_path, pace=time.pace()).files) == 3
        assert len(server.asked) == 1

    @pytest.mark.parametrize("spoil", ["forgotten token", "old", "lost page", "cut page", "bad note", "other address"])
    def test_where_it_cannot_go_on_it_begins_anew(
        self, spoil: str, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
    ) -> None:
        connector = self.start(server, self.pages() | {"d": reply(500)})
        with pytest.raises(SourceError):
            fetch(connector, client, tmp_path, pace=time.pace(attempts=1))
        folder = tmp_path / ".unfinished" / "made-up"
        pages = self.pages()
        if spoil == "forgotten token":
            pages = {"": reply(200, page("", "x")), "x": reply(200, page("x", ""))}
        elif spoil == "old":
            time.start += timedelta(days=3)
        elif spoil == "lost page":
            (folder / "pages" / "page-00001.json").unlink()
        elif spoil == "cut page":
            (folder / "pages" / "page-00001.json").write_bytes(b"{}")
        elif spoil == "bad note":
            (folder / "pages.json").write_text('{"url": 3', encoding="utf-8")
        self.start(server, pages)
        if spoil == "other address":
            connector = register(f"{server.url}/studies?pageSize=4", is_json, paging="token")
        done = fetch(connector, client, tmp_path, pace=time.pace())
        assert len(done.files) == (2 if spoil == "forgotten token" else 3)
        assert len({path.name for path in done.path.iterdir()}) == len(done.files)

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (page("d", "b&c"), "page 3 leads back"),
            (page("d", "d"), "page 3 leads back"),
            (b'{"studies": [], "nextPageToken": 7}', "no page with a nextPageToken"),
            (b'[{"studies": []}]', "no page with a nextPageToken"),
            (b'{"studies": [NaN]}', "is not JSON"),
            (HTML, "is not the made-up register"),
        ],
    )
    def test_pages_that_are_none(
        self, body: bytes, message: str, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
    ) -> None:
        connector = self.start(server, self.pages() | {"d": reply(200, body)})
        with pytest.raises(SourceError, match=message):
            fetch(connector, client, tmp_path, pace=time.pace())
        assert newest(tmp_path, "made-up") is None
        self.start(server, self.pages())
        server.asked.clear()
        assert len(fetch(connector, client, tmp_path, pace=time.pace()).files) == 3
        assert len(server.asked) == 1, "the pages before it are kept"

    def test_a_page_is_asked_for_again(
        self, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
    ) -> None:
        one, two = page("", "b"), page("b", "")
        answers = [reply(429), cut(one, 20, ""), reply(200, one), cut(two, 20, ""), reply(200, two)]
        server.answers["/studies"] = answers
        connector = register(f"{server.url}/studies", is_json, paging="token")
        assert [path.read_bytes() for path in fetch(connector, client, tmp_path, pace=time.pace()).files] == [one, two]

    def test_pages_linked_by_a_header(
        self, server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
    ) -> None:
        server.answers |= {
            "/one": [reply(200, page("1", ""), Link=f'<{server.url}/two?after=1>; rel="next"')],
            "/two": [reply(200, page("2", ""))],
        }
        connector = register(f"{server.url}/one", is_json, paging="link")
        assert len(fetch(connector, client, tmp_path, pace=time.pace()).files) == 2
        server.answers["/one"] = [reply(200, page("1", ""), Link='<http://127.0.0.1:1/two>; rel="next"')]
        with pytest.raises(SourceError, match="on another server"):
            fetch(connector, client, tmp_path, pace=time.pace())


class Rough(httpx.SyncByteStream):
    """A body in random pieces that may break off."""

    def __init__(self, body: bytes, chance: random.Random) -> None:
        self.body, self.chance = body, chance

    def __iter__(self) -> Iterator[bytes]:
        at = 0
        while at < len(self.body):
            size = self.chance.randrange(1, 6_000)
            yield self.body[at : at + size]
            at += size
            if self.chance.random() < 0.1:
                raise self.chance.choice((httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError))("broken")


def rough_answer(chance: random.Random, request: httpx.Request, paged: bool) -> httpx.Response:
    body = chance.choice((page("", "b"), page("b", ""))) if paged else CSV
    start = int(wanted.removeprefix("bytes=").removesuffix("-")) if (wanted := request.headers.get("Range")) else 0
    status = 206 if start and chance.random() < 0.7 else 200
    if chance.random() < 0.4:
        status = chance.choice((100, 199, 200, 204, 206, 301, 302, 304, 307, 400, 404, 416, 418, 429, 500, 503, 599))
    if chance.random() < 0.2:
        body = chance.choice(
            (b"", HTML, CHANGED, body[: chance.randrange(len(body))], gzip.compress(body), ZIP, bytes(99))
        )
    if status == 206:
        body = body[start:]
    junk = (
        b"",
        b"-1",
        b"7",
        b'"one"',
        b"W/",
        b"\xe9\xff",
        b"9" * 30,
        b"bytes 0-1/2",
        b"bytes */*",
        b"x" * 5_000,
        b"gzip",
    )
    headers = {
        b"ETag": b'"one"',
        b"Content-Range": b"bytes %d-%d/%d" % (start, start + len(body) - 1, start + len(body)),
    }
    links = (b"/b", b"/a", b"//", b"http://[", b"https://x:1/", b"http://\xff/", b"http://10.0.0.1/", b"javascript:1")
    headers[b"Location"] = chance.choice(links)
    headers[b"Link"] = b"<" + chance.choice(links) + b'>; rel="next"'
    if chance.random() < 0.5:
        headers[b"Content-Length"] = b"%d" % len(body)
    for name in (b"ETag", b"Content-Range", b"Content-Length", b"Last-Modified", b"Retry-After", b"Content-Encoding"):
        if chance.random() < 0.07:
            headers[name] = chance.choice(junk)
    return httpx.Response(status, headers=list(headers.items()), stream=Rough(body, chance))


def test_random_servers_never_break_the_cache(time: FakeTime, tmp_path: Path) -> None:
    """Whatever a server sends: the snapshot or one SourceError, and nothing foreign in the cache."""
    rounds = int(os.environ.get("KG_FUZZ") or 400)
    got = 0
    for seed in range(rounds):
        chance = random.Random(seed)
        paging = chance.choice(("", "", "token", "link"))
        # One cache for some rounds, so that parts of one round are met by the next.
        cache = tmp_path / f"{seed // 5}"
        connector = register("http://register.example/a", is_json if paging else is_csv, paging=paging)
        transport = httpx.MockTransport(lambda request, c=chance, p=paging: rough_answer(c, request, bool(p)))
        with httpx.Client(transport=transport) as client, suppress(SourceError):
            done = fetch(connector, client, cache, pace=time.pace(), addresses=lambda _: ["8.8.8.8"])
            got += 1
            assert newest(cache, "made-up") is not None
            for path in done.files:
                raw = path.read_bytes()
                raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
                assert json.loads(raw)["studies"] if paging else raw.startswith(b"number,name,date")
        for note in cache.glob("*.note.json"):
            path = note.with_name(note.name.removesuffix(".note.json"))
            assert path.is_dir() or hashlib.sha256(path.read_bytes()).hexdigest() in path.name
        assert {path.name for path in cache.glob(".*")} <= {".unfinished"}
    assert rounds // 5 < got < rounds


def test_a_query_asks_for_its_media_type(server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
    server.answers["/sparql"] = [reply(200, JSON, Content_Type="application/sparql-results+json")]
    url = f"{server.url}/sparql?query=SELECT%20%3Fa%20%7B%7D"
    done = fetch(register(url, is_json, accept="application/sparql-results+json"), client, tmp_path, pace=time.pace())
    assert server.headers("Accept") == ["application/sparql-results+json"]
    assert done.path.suffix == ".json"


def test_a_register_that_only_a_person_can_fetch(client: httpx.Client, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no address to fetch from; download it by hand: //made.up/page"):
        fetch(register(""), client, tmp_path)


def test_two_at_once(server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
    server.answers["/a"] = [honest(CSV)]
    with unfinished(tmp_path, "made-up"), pytest.raises(SourceError, match="by another process"):
        fetch(register(f"{server.url}/a"), client, tmp_path, pace=time.pace())
    assert server.asked == []


def test_a_cache_that_cannot_be_written(server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path) -> None:
    server.answers["/a"] = [honest(CSV)]
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"):
        fetch(register(f"{server.url}/a"), client, tmp_path / "file", pace=time.pace())


def test_newest_goes_by_whole_notes_of_that_register_only(
    server: Server, client: httpx.Client, time: FakeTime, tmp_path: Path
) -> None:
    assert newest(tmp_path / "absent", "made-up") is None
    server.answers |= {"/a": [honest(CSV)], "/b": [honest(NEWER)]}
    pace = time.pace()
    first = fetch(register(f"{server.url}/a"), client, tmp_path, pace=pace)
    fetch(register(f"{server.url}/b", name="made-up-too"), client, tmp_path, pace=pace)
    second = fetch(register(f"{server.url}/b"), client, tmp_path, pace=pace)
    assert newest(tmp_path, "made-up") == second.path
    note = second.path.with_name(f"{second.path.name}.note.json")
    whole = note.read_text(encoding="utf-8")
    for spoiled in ("", "[]", "{}", whole[:-9], whole.replace(second.path.name, "../made-up"), whole.replace("1", '"')):
        note.write_text(spoiled, encoding="utf-8")
        assert newest(tmp_path, "made-up") == first.path, spoiled
    note.write_text(whole, encoding="utf-8")
    second.path.write_bytes(CSV)
    assert newest(tmp_path, "made-up") == first.path
    second.path.unlink()
    assert newest(tmp_path, "made-up") == first.path


def test_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == tmp_path / "cgt-kg" / "registers"
    monkeypatch.setenv("HOME", "/home/somebody")
    for unusable in ("", "relative/path"):
        monkeypatch.setenv("XDG_CACHE_HOME", unusable)
        assert user_cache() == Path("/home/somebody/.cache/cgt-kg/registers")


def test_the_client_has_time_limits() -> None:
    with open_client() as client:
        assert None not in client.timeout.as_dict().values()


def test_the_command(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server.answers["/a.csv"] = [honest(CSV)]
    connector = register(f"{server.url}/a.csv")
    monkeypatch.setattr("kg.registers.CONNECTORS", (connector,))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for options, cache in (["--cache", str(tmp_path / "c")], tmp_path / "c"), ([], user_cache()):
        done = CliRunner().invoke(cli.cli, ["fetch", "made-up", *options])
        assert done.exit_code == 0, done.output
        path = newest(cache, "made-up")
        assert path is not None
        assert done.stdout == f"{path}\n"
    with pytest.raises(SourceError, match="no register 'made-down'; known are made-up"):
        CliRunner().invoke(cli.cli, ["fetch", "made-down"], catch_exceptions=False)
