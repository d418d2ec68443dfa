"""The pool of workers and what it hands out, without a server: caps of every format, room, and what workers die of."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kg.namespaces import PREFIXES
from kg.store import STORE, Release
from kg.web.endpoint.sending import Whole
from kg.web.kept import Kept, Shelf
from kg.web.negotiation import GRAPHS, ROWS
from kg.web.pool.asking import evaluated, never
from kg.web.pool.room import Hold, Room
from kg.web.pool.worker import Job, Reply
from kg.web.pool.workers import Pool
from kg.web.refusal import RefusedError
from kg.web.settings import Settings

EVERYTHING = "{ ?s ?p ?o }"
DEEP = "ASK { FILTER(" + "(" * 20_000 + "1" + ")" * 20_000 + ") }"
DOUBLED = " ".join(f"BIND(CONCAT(?x{i}, ?x{i}) AS ?x{i + 1})" for i in range(40))


def job(query: str, form: str, rows: int = 1000, gzip: bool = False) -> Job:
    kind = "graph" if form in GRAPHS.values() else "rows"
    return Job(query, kind, form, None, None, False, PREFIXES, gzip, rows, 2**25)


def with_pool(release: Release, work: Callable[[Pool], Awaitable[None]], **bounds: int) -> None:
    async def run() -> None:
        pool = Pool(Settings(light=1, heavy=1, width=2, **bounds))  # type: ignore[arg-type]
        await pool.serve(release.path / STORE)
        try:
            await work(pool)
        finally:
            await pool.close()

    asyncio.run(run())


def test_rows_and_triples_are_counted_in_every_format(small: Release) -> None:
    async def ask(pool: Pool) -> None:
        for form in {*ROWS.values(), *GRAPHS.values()}:
            head = "CONSTRUCT WHERE" if form in GRAPHS.values() else "SELECT ?s ?p ?o"
            for most, status in ((50, "whole"), (49, "large")):
                reply = await pool.evaluate(job(f"{head} {EVERYTHING} LIMIT 50", form, most), 10, never)
                assert reply.status == status, form

    with_pool(small, ask)


def test_cells_of_several_lines_are_one_row(small: Release) -> None:
    async def ask(pool: Pool) -> None:
        for form in ("CSV", "TSV", "JSON", "XML"):
            reply = await pool.evaluate(job('SELECT ("a\\nb\\nc" AS ?x) {}', form, 1), 10, never)
            assert reply.status == "whole", form

    with_pool(small, ask)


def test_results_have_so_much_room_together(small: Release) -> None:
    large = job(f"SELECT * {EVERYTHING}", "XML", 10**6)

    async def ask(pool: Pool) -> None:
        first = await pool.evaluate(large, 10, never)
        size = len(first.body)
        assert size > 300_000
        with pytest.raises(RefusedError, match="on their way") as refused:
            await evaluated(pool, large, 10, Settings(), never)
        assert refused.value.status == 503
        assert "Retry-After" in refused.value.headers
        # Once nobody holds the first any more there is room again.
        del first
        assert len((await pool.evaluate(large, 10, never)).body) == size

    with_pool(small, ask, room=_once(small))


def _once(release: Release) -> int:
    """Room for one large result, and not for two."""
    sizes: list[int] = []

    async def ask(pool: Pool) -> None:
        sizes.append(len((await pool.evaluate(job(f"SELECT * {EVERYTHING}", "XML", 10**6), 10, never)).body))

    with_pool(release, ask)
    return sizes[0] * 3 // 2


@pytest.mark.parametrize(("query", "said"), [(DEEP, "nested too deeply"), (f'ASK {{ BIND("x" AS ?x0) {DOUBLED} FILTER(STRLEN(?x40) > 1) }}', "more memory")])  # fmt: skip # noqa: E501
def test_what_a_worker_dies_of_is_said(small: Release, query: str, said: str) -> None:
    async def ask(pool: Pool) -> None:
        with pytest.raises(RefusedError, match=said):
            await evaluated(pool, job(query, "JSON"), 10, Settings(), never)
        assert (await pool.evaluate(job("ASK {}", "JSON"), 10, never)).status == "whole"

    with_pool(small, ask)


def test_a_client_that_takes_nothing_is_left() -> None:
    room = Room(1000)
    hold = Hold(room)
    assert hold.more(600)
    assert not Hold(room).more(600)
    whole = Whole(Reply("whole", "", False, [b"x" * 300, b"y" * 300], "name", hold), 0.05, True, {}, "text/csv")
    sent = []

    async def send(message: object) -> None:
        sent.append(message)
        if len(sent) == 2:
            await never()

    assert room.free == 400
    with pytest.raises(TimeoutError):
        asyncio.run(whole({}, never, send))  # type: ignore[arg-type]
    assert len(sent) == 2
    assert room.free == 1000


def test_only_small_and_lasting_answers_are_sent_again() -> None:
    def again(parts: list[bytes], lasting: bool) -> object:
        reply = Reply("whole", "", False, parts, "name", Hold(Room(10**6)))
        return Whole(reply, 1.0, lasting, {}, "text/csv").again()

    assert again([b"x" * 100], lasting=True) is not None
    assert again([b"x" * 100], lasting=False) is None
    assert again([b"x" * 60_000, b"y" * 10_000], lasting=True) is None


def test_what_is_kept_makes_room_for_what_is_used() -> None:
    shelf: Shelf[str] = Shelf(100)
    for name in ("a", "b", "c"):
        shelf.put(name, name.upper(), 40)
        assert shelf.get("a") == "A", "it was used last"
    assert [shelf.get(name) for name in ("a", "b", "c")] == ["A", None, "C"]
    shelf.put("huge", "HUGE", 101)
    assert [shelf.get(name) for name in ("a", "c", "huge")] == ["A", "C", None], "what never fits pushes nothing out"
    shelf.put("d", "D", 100)
    assert [shelf.get(name) for name in ("a", "c", "d")] == [None, None, "D"]


def test_a_function_is_called_once_for_what_is_kept() -> None:
    made: list[int] = []

    def double(number: int) -> int:
        made.append(number)
        if number < 0:
            raise ValueError
        return 2 * number

    kept = Kept(double, lambda _: 1, 2)
    assert [kept(n) for n in (1, 2, 1, 2)] == [2, 4, 2, 4]
    assert made == [1, 2]
    for _ in range(2):
        with pytest.raises(ValueError):
            kept(-1)
    assert made == [1, 2, -1, -1]
