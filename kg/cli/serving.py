"""The verb that serves."""

from pathlib import Path

import click

from kg.web.server import serve as run_serve


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve at.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="The port; 0: any free.")
@click.option(
    "--build", "folder", type=click.Path(path_type=Path), default=None, envvar="KG_BUILD",
    help="The build folder to serve (default: build, or $KG_BUILD).",
)  # fmt: skip
def serve(host: str, port: int, folder: Path | None) -> None:
    """Serve the release in use: SPARQL endpoint at /sparql, read only; new releases are picked up."""
    run_serve(folder, host, port)
