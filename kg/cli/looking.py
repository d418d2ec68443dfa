"""The verbs that look for a thing, and at it."""

import sys
from pathlib import Path

import click

from kg.cli.asking import FOLDER, PRINTED
from kg.errors import KgError
from kg.lookup import search as run_search
from kg.lookup import show as run_show
from kg.store import open_release
from kg.terminal import print_hits, print_thing

_SHOWN = 100


@click.command()
@click.argument("thing")
@FOLDER
def show(thing: str, folder: Path | None) -> None:
    """Show everything about THING, an id or any of its names, with sources."""
    print_thing(run_show(thing, open_release(folder)), sys.stdout)


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="The most hits.")
@PRINTED
@FOLDER
def search(text: tuple[str, ...], limit: int, form: str | None, folder: Path | None) -> None:
    """Find things by name in any language, spelling mistakes included."""
    words = " ".join(text)
    hits = run_search(words, open_release(folder), limit)
    if not hits:
        raise KgError(f"nothing is called anything like '{words[:_SHOWN]}{'…' * (len(words) > _SHOWN)}'")
    print_hits(hits, form or ("table" if sys.stdout.isatty() else "csv"), sys.stdout)
