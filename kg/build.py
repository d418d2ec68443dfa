"""Tables to a validated, reasoned, frozen release.

Everything is written into a folder of its own and flushed to disk before the link `current` is swapped, so
a build that fails or is killed at any moment leaves the old release as it was; the next build clears up.
"""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox

from kg import __version__, feed, ontology, report, resources
from kg.check import check_facts, check_ontology, stated, store_of
from kg.curated import Tables
from kg.curated import read as read_tables
from kg.describe import describe
from kg.errors import CurationError, OutputError, ReleaseError, SourceError
from kg.namespaces import graph
from kg.reason import Classification, classify
from kg.registered import Registered, take
from kg.store import (
    CURRENT,
    DATASET,
    DEFAULT_BUILD,
    MANIFEST,
    RELEASES,
    STORE,
    Release,
    open_release,
    write_lines,
    write_store,
)
from kg.writing import alone, in_work, writing

Progress = Callable[[str], None]
"""Is told, in a sentence, what is done next."""

KEPT: Final = ".registers"
"""What is kept of registers from one build to the next, in the build folder."""
CANDIDATES: Final = "candidates.json"


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made.

    Attributes:
        release: The release, open.
        new: Whether it differs from every release before it.
        classification: What the reasoner found, or why it was not run.
    """

    release: Release
    new: bool
    classification: Classification


def build(
    folders: Sequence[Path] = (resources.CURATED,),
    registers: Path | None = None,
    out: Path = DEFAULT_BUILD,
    progress: Progress = lambda _: None,
) -> Built:
    """Build a release and put it in use.

    Args:
        folders: Folders of curated tables; rows of later ones replace those of earlier ones.
        registers: A folder of register snapshots, or None.
        out: The build folder.
        progress: Told of each step.

    Returns:
        The release now in use.

    Raises:
        CurationError: Tables, facts or curated classes have findings; nothing is put in use.
        SourceError: A register's file is not what it should be; nothing is put in use.
        OutputError: The build folder cannot be written, or another build is at work in it.
    """
    if registers is not None and not registers.is_dir():
        raise SourceError(f"{registers}: no such folder of registers")
    progress("Reading tables and ontology")
    tables = read_tables(folders)
    terms = ontology.load()
    _stop_at([*tables.findings, *check_ontology(terms)])
    facts = stated(tables)
    taken = Registered()
    if registers is not None:
        out.mkdir(parents=True, exist_ok=True)
        taken = take(registers, tables, folders, out / KEPT, progress)
        facts = [*facts, *taken.lines]
    progress(f"Checking {sum(tables.rows.values()):,} rows against shapes and rules")
    store = store_of([*terms, *facts])
    _stop_at(check_facts(store, tables))
    progress("Classifying therapies with the OWL reasoner")
    classification = classify(store, tables.places)
    _stop_at(classification.findings)
    # From the store only what rules derived: loading renames blank nodes, and the ontology's have canonical names.
    derived = store.quads_for_pattern(None, None, None, ox.NamedNode(graph(ontology.DERIVED)))
    lines = sorted({*terms, *facts, *classification.lines, *ontology.serialize(derived)})
    lines = sorted({*lines, *describe(lines, newest(tables))})
    progress(f"Writing {len(lines):,} quads")
    busy = OutputError(f"{out}: another build is at work here; wait for it or use --out")
    with alone(out, busy), writing(out):
        release, new = _write(lines, tables, classification, out, taken)
    return Built(release, new, classification)


def newest(tables: Tables) -> date:
    """The newest day on which a source of these tables was opened; 1970-01-01 where there is none."""
    days = (getattr(record, "accessed", None) for record in tables.records.get("sources", ()))
    return max((day for day in days if day), default=date(1970, 1, 1))


def _stop_at(findings: Sequence[Any]) -> None:
    if findings:
        raise CurationError(findings)


def _write(
    lines: list[str], tables: Tables, classification: Classification, out: Path, taken: Registered
) -> tuple[Release, bool]:
    work = in_work(out / RELEASES)
    work.mkdir()
    digest = write_lines(work / DATASET, lines)
    day = newest(tables)
    name = f"{day.isoformat()}-{digest[:12]}"
    target = out / RELEASES / name
    if _whole(target, digest):
        shutil.rmtree(work)
        new = False
    else:
        write_store(work / STORE, work / DATASET)
        manifest = {
            "name": name,
            "version": __version__,
            "modified": day.isoformat(),
            "dataset": {"file": DATASET, "sha256": digest, "quads": len(lines)},
            "records": {table: len(records) for table, records in tables.records.items()},
            "reasoner": classification.skipped or f"HermiT classified {classification.classified} therapies",
        }
        _dump(work / MANIFEST, manifest)
        report.write(Release(work, manifest), taken.report)
        _candidates(work, taken)
        feed.write(Release(work, manifest), work)
        _flush(work)
        target.parent.mkdir(exist_ok=True)
        if target.exists():  # a damaged release of the same content
            target.rename(in_work(out / f"damaged-{name}"))
        work.rename(target)
        _flush_folder(target.parent)
        new = True
    _swap(out, target)
    return open_release(out), new


def _candidates(work: Path, taken: Registered) -> None:
    """Write what registers suggest beside the release, for `kg candidates`."""
    rows = [{"table": c.table, "cells": c.cells, "why": c.why} for c in taken.candidates]
    unsure = [
        {"kind": c.kind, "text": c.text, "thing": c.thing, "score": c.score, "reason": c.reason} for c in taken.review
    ]
    _dump(work / CANDIDATES, {"rows": rows, "decisions": unsure})


def _whole(target: Path, digest: str) -> bool:
    """Whether a release of this content is there and can be used."""
    try:
        release = open_release(target)
        return bool(release.manifest["dataset"]["sha256"] == digest) and len(release.store) == int(
            release.manifest["dataset"]["quads"]
        )
    except (ReleaseError, KeyError, OSError):
        return False


def _dump(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _swap(out: Path, target: Path) -> None:
    """Point `current` at a release, in one step."""
    link = in_work(out / CURRENT)
    link.unlink(missing_ok=True)
    link.symlink_to(Path(RELEASES) / target.name)
    link.replace(out / CURRENT)
    _flush_folder(out)


def _flush(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            _flush_folder(path)
    _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
