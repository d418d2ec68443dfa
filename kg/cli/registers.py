"""The verbs about registers: fetch, read, classify, and what came of reading them."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from kg.changes import facts_of
from kg.errors import SourceError
from kg.registers import Summary, named
from kg.registers import read as read_file
from kg.registers.fetching import fetch as run_fetch
from kg.registers.fetching import open_client
from kg.registers.snapshots import user_cache

_ERR = Console(stderr=True, highlight=False)
_REGISTER = click.option("--register", help="The register's short name (default: told by the content).")
_ROWS = click.option(
    "--format", "form", type=click.Choice(("csv", "json")), default="csv", show_default=True, help="How to print."
)


@click.command()
@click.argument("source")
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to keep it in (default: the user's cache).",
)
def fetch(source: str, cache: Path | None) -> None:
    """Fetch the newest snapshot of the register SOURCE, and print where it is."""
    connector = named(source)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=_ERR, transient=True) as bar, open_client() as client:
        task = bar.add_task(connector.name, total=None)
        fetched = run_fetch(
            connector, client, cache or user_cache(), lambda done, total: bar.update(task, completed=done, total=total)
        )
    said = "fetched" if fetched.new else "unchanged since it was fetched"
    _ERR.print(f"{connector.name}: {said} {fetched.snapshot.fetched}, {fetched.snapshot.bytes:,} bytes", markup=False)
    click.echo(fetched.path)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
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


VERBS: Final = (fetch, read)
