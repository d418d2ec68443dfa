"""Registers of any size to N-Quads: parallel over cores, in constant memory, resumable.

The files are divided into shares: a large file is a share of its own, small neighbours are one together. A share
becomes one part, `<checksum>.nq`, with `<checksum>.json` beside it that says what became of its studies. The checksum
is of the share's files and of all that decides what is written, so that a part is done again only where something
of that changed. Parts are written under another name and renamed when whole; a run that is killed leaves none.

Rejected: one process that cuts and others that parse, which sends every byte through a pipe; it would only help
where everything is one huge file, which then has one core.
"""

import gc
import hashlib
import json
import os
import pickle
from array import array
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from kg import __version__, resources
from kg.errors import OutputError, SourceError
from kg.mapping import lines
from kg.registers.clinicaltrials import NAME, read
from kg.registers.clinicaltrials import Seen as SeenTrials
from kg.registers.reading import Skip, Summary
from kg.registers.trials import Enrich, links_of, nothing_known, trial_of
from kg.sandbox import end_with_parent
from kg.shapes import SHAPES_FILE
from kg.writing import alone, in_work, put, writing

SHARE: Final = 33_554_432
"""Small files are put together until they have so many bytes,"""
FILES_OF_SHARE: Final = 1_000
"""or are so many."""
ENDINGS: Final = (".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json.xz")
SHOWN: Final = 100
"""How many skips and repeated trials an outcome carries; the rest stands beside the parts."""


@dataclass(frozen=True, slots=True)
class Part:
    """What became of one share.

    Attributes:
        path: The N-Quads.
        files: The names of its files.
        size: How many bytes the N-Quads have.
        read: How many studies the files hold.
        written: How many of them were written.
        left_out: How many were found not to be cell or gene therapies.
        skipped: How many could not be taken.
        warned: How many repairs were made.
        newest: The newest day that the files speak of as past.
        done_before: Whether it was there already.
    """

    path: Path
    files: tuple[str, ...]
    size: int
    read: int
    written: int
    left_out: int
    skipped: int
    warned: int
    newest: date | None
    done_before: bool


@dataclass(slots=True)
class Outcome:
    """What became of all files; always `read == written + left_out + skipped`.

    Attributes:
        parts: The parts, in the order of the files.
        skips: The first skips, each with its file before its place.
        repeated: The first trials that stand in more than one part.
        repetitions: How many do.
    """

    parts: list[Part] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    repetitions: int = 0
    read: int = 0
    written: int = 0
    left_out: int = 0
    skipped: int = 0
    warned: int = 0
    newest: date | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run has come.

    Attributes:
        size: Bytes of the files that are done.
        of_size: Bytes of all files.
        read: Studies of the files that are done.
    """

    size: int
    of_size: int
    read: int


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written, the same for every share.

    Attributes:
        out: The folder of the parts.
        source: The id of the source that trials are stated from.
        graph: The IRI of the graph they are stated in.
        enrich: Finds out what is known of a trial; a function at the top level of a module, or a partial of one.
        knowledge: Whatever `enrich` rests on, such as a checksum of its tables: parts are done again where it changes.
    """

    out: Path
    source: str
    graph: str
    enrich: Enrich = nothing_known
    knowledge: str = ""

    def seal(self) -> bytes:
        """All that decides what is written, but for the files."""
        shape = (resources.ONTOLOGY / SHAPES_FILE).read_bytes()
        told = (__version__, NAME, shape, self.source, self.graph, self.knowledge)
        # Pickled, a function is its module and name: what another process finds it by.
        return repr(told).encode() + pickle.dumps(self.enrich, protocol=5)


Share = tuple[tuple[str, int], ...]
"""Files with their sizes."""


def write(
    paths: Sequence[Path],
    order: Order,
    workers: int | None = None,
    progress: Callable[[Step], None] = lambda _: None,
) -> Outcome:
    """Write the studies of files and folders as N-Quads parts.

    Args:
        paths: Files, and folders of files.
        order: What is to be written, and where.
        workers: How many processes; as many as there are cores where None.
        progress: Told of each step.

    Raises:
        SourceError: Files cannot be read, after all others were; the parts of those are kept for the next run.
        OutputError: The folder cannot be written, another run is at work in it, or a process died.
    """
    try:
        order.seal()
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise OutputError(f"enrich must be a function at the top level of a module: {error}") from None
    of_size = sum(size for _, size in files(paths))
    workers = workers or os.cpu_count() or 1
    outcome, seen, refused, done = Outcome(), SeenTrials(), [], 0
    busy = OutputError(f"{order.out}: another run is at work here; wait for it or use another folder")
    with alone(order.out, busy), writing(order.out), ProcessPoolExecutor(workers, get_context("spawn"), _begin) as pool:
        try:
            for share, future in _in_order(pool, shares(paths), order, 4 * workers):
                done += sum(size for _, size in share)
                try:
                    _add(outcome, future.result(), seen)
                except SourceError as error:
                    refused.append(error)
                progress(Step(done, of_size, outcome.read))
        except BrokenProcessPool:
            raise OutputError(f"{order.out}: a process died; was it killed, or memory short?") from None
        finally:
            pool.shutdown(cancel_futures=True)
    if refused:
        more = f" (and {len(refused) - 1} more files)" if len(refused) > 1 else ""
        raise SourceError(f"{refused[0]}{more}")
    return outcome


def files(paths: Sequence[Path]) -> Iterator[tuple[str, int]]:
    """Yield the files of some files and folders with their sizes, each folder's in the order of their names.

    Raises:
        SourceError: There is no such file or folder.
    """
    for path in paths:
        try:
            if not path.is_dir():
                yield str(path), path.stat().st_size
                continue
            for folder, folders, names in os.walk(path):
                folders.sort()
                for name in sorted(names):
                    if name.endswith(ENDINGS):
                        yield f"{folder}/{name}", (Path(folder) / name).stat().st_size
        except OSError as error:
            raise SourceError(f"{path}: cannot be read: {error}") from error


def shares(paths: Sequence[Path]) -> Iterator[Share]:
    """Divide files into shares; the same files always into the same ones."""
    held: list[tuple[str, int]] = []
    size = 0
    for one in files(paths):
        if held and (size + one[1] > SHARE or len(held) == FILES_OF_SHARE):
            yield tuple(held)
            held, size = [], 0
        held.append(one)
        size += one[1]
    if held:
        yield tuple(held)


def _in_order(
    pool: ProcessPoolExecutor, todo: Iterator[Share], order: Order, ahead: int
) -> Iterator[tuple[Share, "Future[tuple[Part, bytes, list[Skip]]]"]]:
    """Yield the shares in their order when done; no more than so many are under way or wait to be taken."""
    waiting = [(share, pool.submit(part, share, order)) for share in islice(todo, ahead)]
    while waiting:
        share, future = waiting.pop(0)
        wait([future], return_when=FIRST_COMPLETED)
        for another in islice(todo, 1):
            waiting.append((another, pool.submit(part, another, order)))
        yield share, future


def _begin() -> None:
    end_with_parent()
    # Parsed JSON has no cycles; looking for some among its millions of objects takes as long as parsing.
    gc.disable()


def _add(outcome: Outcome, found: tuple[Part, bytes, list[Skip]], seen: SeenTrials) -> None:
    made, numbers, skips = found
    outcome.parts.append(made)
    outcome.read += made.read
    outcome.written += made.written
    outcome.left_out += made.left_out
    outcome.skipped += made.skipped
    outcome.warned += made.warned
    outcome.skips += skips[: SHOWN - len(outcome.skips)]
    if made.newest and (outcome.newest is None or made.newest > outcome.newest):
        outcome.newest = made.newest
    for number in array("I", numbers):
        if not seen.add(number):
            outcome.repetitions += 1
            if len(outcome.repeated) < SHOWN:
                outcome.repeated.append(f"NCT{number:08d}")


def part(share: Share, order: Order) -> tuple[Part, bytes, list[Skip]]:
    """Write one share, unless its part is there.

    Returns:
        What became of it, the numbers of the trials written, and the first skips.

    Raises:
        SourceError: A file cannot be read.
    """
    digest = hashlib.sha256(order.seal())
    for name, _ in share:
        try:
            with Path(name).open("rb") as file:
                digest.update(Path(name).name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise SourceError(f"{name}: cannot be read: {error}") from error
    checksum = digest.hexdigest()
    target, beside = order.out / f"{checksum}.nq", order.out / f"{checksum}.json"
    told = _told(target, beside)
    done_before = told is not None
    if told is None:
        told = _written(share, order, target)
        put(beside, json.dumps(told, ensure_ascii=False).encode())
    gc.collect()
    made = Part(
        path=target,
        files=tuple(told["files"]),
        newest=date.fromisoformat(told["newest"]) if told["newest"] else None,
        done_before=done_before,
        **{name: told[name] for name in ("size", "read", "written", "left_out", "skipped", "warned")},
    )
    return made, array("I", told["numbers"]).tobytes(), [Skip(**skip) for skip in told["skips"][:SHOWN]]


def _told(target: Path, beside: Path) -> dict[str, Any] | None:
    """What stands beside a part, where the part is whole."""
    try:
        told = json.loads(beside.read_bytes())
        return told if isinstance(told, dict) and target.stat().st_size == told["size"] else None
    except (OSError, ValueError, KeyError):
        return None


def _written(share: Share, order: Order, target: Path) -> dict[str, Any]:
    """Write a share's part and return what is to stand beside it."""
    numbers = array("I")
    told: dict[str, Any] = {"files": [Path(name).name for name, _ in share], "written": 0, "left_out": 0, "warned": 0}
    skips: list[dict[str, str]] = []
    newest: date | None = None
    part = in_work(target)
    with part.open("wb", buffering=1_048_576) as out:
        for name, _ in share:
            summary = Summary(Path(name).name, NAME)
            for record in read(Path(name), summary, strict=False):
                facts = order.enrich(record)
                if not facts.ours:
                    told["left_out"] += 1
                    continue
                numbers.append(int(record.id[3:]))
                made = list(lines(trial_of(record, facts, order.source), order.graph))
                for link in links_of(record.id, facts, order.source):
                    made += lines(link, order.graph)
                out.write(("\n".join(made) + "\n").encode())
            told["warned"] += len(summary.warnings)
            skips += [asdict(skip) | {"where": f"{summary.file}: {skip.where}"} for skip in summary.skips]
            newest = max(filter(None, (newest, summary.newest)), default=None)
        out.flush()
        os.fsync(out.fileno())
        told["size"] = out.tell()
    part.replace(target)
    told["written"], told["skipped"], told["skips"] = len(numbers), len(skips), skips
    told["read"] = told["written"] + told["left_out"] + told["skipped"]
    told["newest"] = newest.isoformat() if newest else ""
    told["numbers"] = numbers.tolist()
    return told
