"""The verbs about registers: fetch, read, classify, and what came of reading them."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from kg import resources
from kg.build import CANDIDATES
from kg.changes import FORMATS, as_text, between_releases, compare, facts_of, patch, release_changes
from kg.classify import classify as run_classify
from kg.cli.asking import FOLDER
from kg.cli.paths import Named
from kg.errors import OutputError, ReleaseError, SourceError
from kg.labelled import measure
from kg.registered import lines_of, scores
from kg.registers import Summary, named
from kg.registers import read as read_file
from kg.registers.fetching import fetch as run_fetch
from kg.registers.fetching import open_client
from kg.registers.snapshots import user_cache
from kg.shapes import shapes
from kg.store import CURRENT, MANIFEST, open_release

_ERR = Console(stderr=True, highlight=False)
_REGISTER = click.option("--register", help="The register's short name (default: told by the content).")
_ROWS = click.option(
    "--format", "form", type=click.Choice(("csv", "json")), default="csv", show_default=True, help="How to print."
)


@click.command()
@click.argument("source")
@click.option(
    "--cache",
    type=Named(file_okay=False),
    help="The folder to keep it in (default: the user's cache).",
)
def fetch(source: str, cache: Path | None) -> None:
    """Fetch the newest snapshot of the register SOURCE, and print where it is."""
    connector = named(source)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=_ERR, transient=True, disable=not _ERR.is_terminal) as bar, open_client() as client:
        task = bar.add_task(connector.name, total=None)
        fetched = run_fetch(
            connector, client, cache or user_cache(), lambda done, total: bar.update(task, completed=done, total=total)
        )
    said = "fetched" if fetched.new else "unchanged since it was fetched"
    _ERR.print(f"{connector.name}: {said} {fetched.snapshot.fetched}, {fetched.snapshot.bytes:,} bytes", markup=False)
    click.echo(fetched.path)


@click.command()
@click.argument("file", type=Named())
@_REGISTER
@_ROWS
def read(file: Path, register: str | None, form: str) -> None:
    """Show what the register file FILE holds; what was left out or repaired goes to standard error."""
    summary, records = read_file(_there(file), register)
    print_rows((facts_of(record) for record in records), form)
    print_summary(summary)


def _there(file: Path) -> Path:
    if not file.exists():
        raise SourceError(f"{file}: no such file")
    return file


def print_summary(summary: Summary) -> None:
    """Print what became of a file's records: every record left out, every repair, and the sum."""
    for skip in summary.skips:
        sys.stderr.write(f"skipped {skip}\n")
    for warning in summary.warnings:
        sys.stderr.write(f"repaired {warning}\n")
    sys.stderr.write(f"{summary}\n")


def print_rows(rows: Iterable[dict[str, Any]], form: str) -> None:
    """Print rows as they come, with the columns of the first, as CSV or as a JSON array."""
    found = iter(rows)
    first = next(found, None)
    if form == "json":
        sys.stdout.write("[")
        for index, row in enumerate(_from(first, found)):
            sys.stdout.write(("," if index else "") + "\n" + json.dumps(row, ensure_ascii=False))
        sys.stdout.write("\n]\n")
    elif first is not None:
        writer = csv.DictWriter(sys.stdout, list(first), lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(_from(first, found))


def _from(first: dict[str, Any] | None, rest: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    if first is not None:
        yield first
        yield from rest


@click.command()
@click.argument("file", type=Named())
@_REGISTER
@_ROWS
def classify(file: Path, register: str | None, form: str) -> None:
    """Say of each record of the register file FILE whether it is of a cell or gene therapy, of which, and why."""
    summary, records = read_file(_there(file), register)

    def rows() -> Iterator[dict[str, Any]]:
        for record in records:
            verdict = run_classify(record)
            yield {
                "id": record.id, "is_cgt": "yes" if verdict.is_cgt else "no",
                "therapy_class": verdict.therapy_class or "", "target": "|".join(verdict.targets),
                "cell_source": verdict.cell_source or "", "therapy": verdict.therapy or "",
                "follow_up": "yes" if verdict.follow_up else "no", "rule": verdict.rule,
                "words": "|".join(verdict.words),
            }  # fmt: skip

    print_rows(rows(), form)
    print_summary(summary)


@click.command()
@click.argument("folder", type=Named())
@click.option(
    "--labels",
    type=Named(),
    default=resources.LABELS,
    show_default="those of the checkout",
    help="A folder of records labelled by hand.",
)
@_ROWS
def evaluate(folder: Path, labels: Path, form: str) -> None:
    """Measure the classifier on labelled records of the register files in FOLDER: precision and recall."""
    if not _there(folder).is_dir():
        raise SourceError(f"{folder}: is a file; name the folder that register files are in")
    measured = measure(folder, labels)
    if not any(part.scores for part in measured.values()):
        raise SourceError(f"{folder}: no register file here with a record that is labelled in {labels}")
    print_rows(scores(measured), form)


@click.command()
@click.option(
    "--table",
    default="milestones",
    show_default=True,
    help="The table whose rows are suggested; 'decisions' for texts that may mean a thing.",
)
@_ROWS
@FOLDER
def candidates(table: str, form: str, folder: Path | None) -> None:
    """Print facts that registers state and the tables lack, in the table's own columns."""
    release = open_release(folder)
    try:
        found = json.loads((release.path / CANDIDATES).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{release.path / CANDIDATES}: cannot be read: {error}") from error
    if table == "decisions":
        print_rows(found["decisions"], form)
        return
    columns = {shape.table: shape.columns for shape in shapes().values()}
    if table not in columns:
        raise OutputError(f"no table '{table}'; tables are {', '.join(sorted(columns))}")
    rows = [row for row in found["rows"] if row["table"] == table]
    print_rows([{c: row["cells"].get(c, "") for c in columns[table]} for row in rows], form)
    _ERR.print(f"{len(rows)} rows suggested for {table}.csv")


@click.command()
@click.argument("old", type=Named())
@click.argument("new", type=Named())
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print.")
@_REGISTER
def diff(old: Path, new: Path, form: str, register: str | None) -> None:
    """Show what changed from OLD to NEW: two releases, or two snapshots of a register.

    In `rdf` two releases give a patch of quads, `A` for added and `D` for deleted.
    """
    if (_there(old) / MANIFEST).is_file() or (old / CURRENT).exists():
        releases = open_release(old), open_release(_there(new))
        if form == "rdf":
            for line in patch(between_releases(*releases)):
                click.echo(line)
            return
        day = date.fromisoformat(str(releases[1].manifest["modified"]))
        sys.stdout.write(as_text(release_changes(*releases, day), form))
        return
    sides = []
    for path in (old, new):
        summary, records = read_file(_there(path), register)
        sides.append({record.id: facts_of(record) for record in records})
        sys.stderr.write(f"{summary}\n")
        register, newest = summary.register, summary.newest
    changes = list(compare(sides[0], sides[1], newest or date.today()))
    if form == "rdf":
        for line in lines_of(changes, register or ""):
            click.echo(line)
    else:
        sys.stdout.write(as_text(changes, form))
