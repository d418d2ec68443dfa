"""The verb that opens the graph to language models."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--http", "port", type=click.IntRange(1, 65535), metavar="PORT",
    help="Streamable HTTP at /mcp on this port of the loopback interface (default: standard input and output).",
)  # fmt: skip
@click.option("--build", "folder", type=click.Path(path_type=Path), envvar="KG_BUILD", help="The build folder to ask.")
def mcp(port: int | None, folder: Path | None) -> None:
    """Answer language-model clients, over the Model Context Protocol."""
    # The protocol's package takes most of a second to import, which no other verb should pay.
    from kg.door import serve

    serve(folder, port)
