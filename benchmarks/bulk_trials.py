"""Measure the trial path: studies a second, memory, and loading, each against a named peer in the same run.

    python benchmarks/bulk_trials.py REAL.json[.gz] [--studies 50000] [--rounds 5] [--work FOLDER]

Rounds are interleaved, so that whatever else the machine does meets all alike; of each the best and the median are
given. Processor seconds are given beside seconds: where other work runs, they say more.
"""

import argparse
import gc
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any, NamedTuple

import orjson
import pyoxigraph as ox
import rdflib

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import multiply_studies
from kg import bulk
from kg.mapping import lexical, lines
from kg.namespaces import expand, graph
from kg.records import Trial
from kg.registers.clinicaltrials import read
from kg.registers.reading import Summary
from kg.registers.trials import nothing_known, trial_of
from kg.shapes import shapes
from kg.store import write_store

GRAPH = graph("clinicaltrials-gov")
SOURCE = "source:clinicaltrials-gov"
SAMPLE = 2_000
N_QUADS = ox.RdfFormat.N_QUADS


class Taken(NamedTuple):
    """What one run of something took: seconds, and processor seconds of this process and its children."""

    seconds: float
    processor: float


def timed(run: Callable[[], object]) -> Taken:
    """Run something and say what it took."""
    start, before = time.perf_counter(), _processor()
    run()
    return Taken(time.perf_counter() - start, _processor() - before)


def _processor() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def parse_only(names: list[str]) -> int:
    """The peer of the whole path: orjson, file by file, and nothing else."""
    gc.disable()
    return sum(len(orjson.loads(Path(name).read_bytes())["studies"]) for name in names)


def parse_on(workers: int, pages: Path) -> None:
    """Parse all pages on so many processes."""
    names = sorted(map(str, pages.iterdir()))
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        list(pool.map(parse_only, [names[n : n + 4] for n in range(0, len(names), 4)]))


def write(pages: Path, parts: Path, workers: int) -> bulk.Outcome:
    """The path that is measured: raw JSON to N-Quads."""
    shutil.rmtree(parts, ignore_errors=True)
    return bulk.write([pages], bulk.Order(parts, SOURCE, GRAPH), workers)


def values(trial: Trial) -> list[tuple[str, str | None, str | None, str]]:
    """Path, datatype, language and value of each statement of a trial, for the peers that make objects."""
    found = []
    for field in shapes()["Trial"].fields:
        value = getattr(trial, field.name)
        for item in value if isinstance(value, tuple) else () if value is None else (value,):
            text = lexical(item) if field.datatype else expand(item)
            found.append((field.path, field.datatype, field.language, text))
    return found


def as_oxigraph(trials: list[Trial]) -> bytes:
    """The same trials through pyoxigraph's own objects."""
    quads, home = [], ox.NamedNode(GRAPH)
    for trial in trials:
        subject = ox.NamedNode(expand(trial.id))
        for path, datatype, language, text in values(trial):
            term = (
                ox.NamedNode(text)
                if datatype is None
                else ox.Literal(text, language=language)
                if language
                else ox.Literal(text, datatype=ox.NamedNode(datatype))
            )
            quads.append(ox.Quad(subject, ox.NamedNode(path), term, home))
    return ox.serialize(quads, format=N_QUADS) or b""


def as_rdflib(trials: list[Trial]) -> str:
    """The same trials through rdflib's own objects."""
    data = rdflib.Dataset()
    home = data.graph(rdflib.URIRef(GRAPH))
    for trial in trials:
        subject = rdflib.URIRef(expand(trial.id))
        for path, datatype, language, text in values(trial):
            term = (
                rdflib.URIRef(text)
                if datatype is None
                else rdflib.Literal(text, lang=language)
                if language
                else rdflib.Literal(text, datatype=rdflib.URIRef(datatype))
            )
            home.add((subject, rdflib.URIRef(path), term))
    return data.serialize(format="nquads")


def sample(pages: Path) -> list[Trial]:
    """The first trials of the first pages."""
    found = (r for page in sorted(pages.iterdir()) for r in read(page, Summary("", ""), strict=False))
    return [trial_of(record, nothing_known(record), SOURCE) for record in islice(found, SAMPLE)]


def by_us(trials: list[Trial]) -> None:
    """The same trials through the project's mapping."""
    for trial in trials:
        ("\n".join(lines(trial, GRAPH)) + "\n").encode()


def loader_alone(nquads: Path, folder: Path) -> None:
    """The peer of loading: Oxigraph's bulk loader on one file, and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    ox.Store(str(folder)).bulk_load(path=str(nquads), format=N_QUADS)


def loaded(parts: list[Path], folder: Path) -> None:
    """The store as a release has it: every part, flushed and compacted."""
    shutil.rmtree(folder, ignore_errors=True)
    write_store(folder, None, parts)


def peak_of(command: list[str]) -> int:
    """The most bytes that a command and its children held together at any moment (proportional set size)."""
    peak, ended = 0, Event()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - this very file

    def look() -> None:
        nonlocal peak
        while not ended.wait(0.05):
            peak = max(peak, sum(map(_held, _family(process.pid))))

    looking = Thread(target=look)
    looking.start()
    code = process.wait()
    ended.set()
    looking.join()
    if code:
        raise SystemExit(f"the measured command ended with {code}")
    return peak


def _family(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for listed in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += map(int, listed.read_text().split())
            except OSError:
                continue
    return found


def _held(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def shown(name: str, taken: list[Taken], studies: int) -> dict[str, Any]:
    """Print and return what something took."""
    seconds, processor = [one.seconds for one in taken], [one.processor for one in taken]
    print(
        f"{name:44} {studies / min(seconds):>9,.0f} best  {studies / median(seconds):>9,.0f} median  "
        f"{min(processor) / studies * 1e6:>7.1f} processor µs a study, best"
    )
    return {"name": name, "studies": studies, "seconds": seconds, "processor": processor}


def ratio(ours: list[Taken], theirs: list[Taken]) -> str:
    """Ours by theirs, round by round, which had the same disturbance: the median, and by processor seconds."""
    by_clock = median(a.seconds / b.seconds for a, b in zip(ours, theirs, strict=True))
    by_processor = min(a.processor for a in ours) / min(b.processor for b in theirs)
    return f"{by_clock:.2f} (median of rounds), {by_processor:.2f} (processor seconds, best)"


def main() -> None:
    """Read the command line, measure, print."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("real", type=Path)
    asked.add_argument("--studies", type=int, default=50_000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--work", type=Path)
    asked.add_argument("--only", choices=("write", "load"), help=argparse.SUPPRESS)
    given = asked.parse_args()
    work = given.work or Path(tempfile.mkdtemp(prefix="bulk-trials-"))
    pages, parts, one = work / f"pages-{given.studies}", work / "parts", work / "all.nq"
    if given.only == "write":
        write(pages, parts, given.workers)
        return
    if given.only == "load":
        loaded(sorted(parts.glob("*.nq")), work / "store")
        return
    if not pages.exists():
        multiply_studies.write(
            multiply_studies.studies(multiply_studies.load(given.real), given.studies, 1), pages, "pages"
        )
    size = sum(page.stat().st_size for page in pages.iterdir())
    print(f"{given.studies:,} studies, {size / given.studies:,.0f} bytes each, {given.workers} processes, "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")  # fmt: skip

    trials = sample(pages)
    runs: dict[str, list[Taken]] = {}

    def run(name: str, what: Callable[[], object]) -> None:
        gc.collect()
        runs.setdefault(name, []).append(timed(what))

    for turn in range(given.rounds):
        run("raw JSON to N-Quads", lambda: write(pages, parts, given.workers))
        run("peer: orjson parse alone", lambda: parse_on(given.workers, pages))
        made = sorted(parts.glob("*.nq"))
        if turn == 0:
            with one.open("wb") as joined:
                for path in made:
                    joined.write(path.read_bytes())
        run("parts to store", partial(loaded, made, work / "store"))
        run("peer: bulk loader alone", lambda: loader_alone(one, work / "store"))
        run("record to N-Quads, one process", lambda: by_us(trials))
        run("peer: pyoxigraph objects", lambda: as_oxigraph(trials))
        if turn == 0:
            run("peer: rdflib objects", lambda: as_rdflib(trials))

    of_sample = {name for name in runs if name.endswith(("one process", "objects"))}
    counts = {name: SAMPLE if name in of_sample else given.studies for name in runs}
    told = [shown(name, taken, counts[name]) for name, taken in runs.items()]
    print(f"whole path / orjson alone:       {ratio(runs['raw JSON to N-Quads'], runs['peer: orjson parse alone'])}")
    print(f"store / bulk loader alone:       {ratio(runs['parts to store'], runs['peer: bulk loader alone'])}")
    ours = runs["record to N-Quads, one process"]
    print(f"pyoxigraph objects / our writer: {ratio(runs['peer: pyoxigraph objects'], ours)}")
    print(f"rdflib objects / our writer:     {ratio(runs['peer: rdflib objects'], ours[:1])}")
    again = [sys.executable, __file__, str(given.real), "--studies", str(given.studies), "--work", str(work), "--only"]
    peaks = {what: peak_of([*again, what]) for what in ("write", "load")}
    for what, peak in peaks.items():
        print(f"most memory of all processes together, {what}: {peak / 1e6:,.0f} MB")
    (work / "measured.json").write_text(json.dumps({"runs": told, "peaks": peaks, "bytes": size}, indent=2))
    print(f"measurements: {work / 'measured.json'}")


if __name__ == "__main__":
    main()
