"""The verb that serves."""

from pathlib import Path

import click

from kg.web.served import served
from kg.web.server import serve as run_serve
from kg.web.site import routes


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve at.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="The port; 0: any free.")
@click.option(
    "--build", "folder", type=click.Path(path_type=Path), default=None, envvar="KG_BUILD",
    help="The build folder to serve (default: build, or $KG_BUILD).",
)  # fmt: skip
def serve(host: str, port: int, folder: Path | None) -> None:
    """Serve the release in use: pages for people, linked data, and SPARQL at /sparql; new releases are picked up."""
    run_serve(folder, host, port, routes=routes(lambda request: served(request.app).opened))
