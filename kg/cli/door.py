"""The verb that opens the graph to language models."""

import sys
from contextlib import suppress
from pathlib import Path

import click

from kg.cli.asking import FOLDER
from kg.door import serve


@click.command()
@click.option(
    "--http", "port", type=click.IntRange(1, 65535), metavar="PORT",
    help="Streamable HTTP at /mcp on this port of the loopback interface (default: standard input and output).",
)  # fmt: skip
@FOLDER
def mcp(port: int | None, folder: Path | None) -> None:
    """Answer language-model clients, over the Model Context Protocol."""
    if port is None and sys.stdin.isatty():
        click.echo("Waiting for a client of the Model Context Protocol on standard input (Ctrl-C ends it)", err=True)
    with suppress(KeyboardInterrupt):
        serve(folder, port, lambda address: click.echo(f"Answering at {address}/mcp (Ctrl-C ends it)", err=True))
