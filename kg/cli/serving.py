"""The verbs that serve, and publish."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.progress import Progress

from kg.cli.asking import FOLDER
from kg.namespaces import WEB
from kg.store import open_release
from kg.web.pages.linked import FORMATS
from kg.web.publish import DEFAULT
from kg.web.publish import publish as run_publish
from kg.web.served import served
from kg.web.server import serve as run_serve
from kg.web.settings import Settings
from kg.web.site import routes


def _address(_: click.Context, __: click.Parameter, value: str) -> str:
    if value and not value.startswith(WEB):
        raise click.BadParameter(f"an address that starts with {' or '.join(WEB)} is needed")
    return value


def _home(context: click.Context, option: click.Parameter, value: str) -> str:
    parts = urlsplit(_address(context, option, value))
    if value and (not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment):
        raise click.BadParameter("links lead from the root of a host: an address without a path is needed")
    return f"{value.rstrip('/')}/" if value else ""


_TRACKER = click.option(
    "--tracker", default="", metavar="URL", callback=_address,
    help="Where readers propose corrections; {id} in it becomes the id of the thing they look at.",
)  # fmt: skip


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve at.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="The port; 0: any free.")
@click.option(
    "--base",
    default="",
    metavar="URL",
    callback=_home,
    help="The address of the start page as readers reach it, where a proxy stands before the server.",
)
@FOLDER
@_TRACKER
def serve(host: str, port: int, base: str, folder: Path | None, tracker: str) -> None:
    """Serve the release in use: pages for people, linked data, and SPARQL at /sparql; new releases are picked up."""
    settings = Settings(tracker=tracker, base=base)
    run_serve(folder, host, port, settings, routes(lambda request: served(request.app).opened))


@click.command()
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--base", help="The address DIR will have: adds a site map and rules for permanent identifiers.")
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(list(FORMATS)),
    help=f"Write each thing's data in this format; may be given again (default: {', '.join(DEFAULT)}).",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(min=1), default=os.cpu_count, show_default="as many as there are cores",
    help="How many processes make pages.",
)  # fmt: skip
@FOLDER
@_TRACKER
def publish(
    target: Path, base: str | None, formats: tuple[str, ...], jobs: int, folder: Path | None, tracker: str
) -> None:
    """Write the site to the folder DIR, for any web host or to open from disk; SPARQL alone needs `kg serve`."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def progress(step: str, done: int, known: int) -> None:
            bar.update(task, description=step, completed=done, total=known)

        made = run_publish(open_release(folder), target, base, formats or DEFAULT, tracker, progress, jobs)
    click.echo(f"release  {made.release}")
    click.echo(f"pages    {made.pages:,} of {made.files:,} files, {made.bytes / 1e6:,.0f} MB")
    click.echo(f"open     {target / 'index.html'}")
