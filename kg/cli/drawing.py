"""The verbs that draw: networks, charts, timelines and matrices, to files."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from kg.charts import SUFFIXES, draw, milestones_of, picture
from kg.charts.looks import Page
from kg.cli.asking import BUILD, FOLDER, Questions, command
from kg.cli.paths import Named
from kg.figures import FORMS
from kg.network import network as make_network
from kg.pictures import FILES
from kg.pictures import draw as draw_network
from kg.query import Question, ask, library
from kg.query import find as find_question
from kg.report import rows
from kg.store import Release, open_release

_ERR = Console(stderr=True, highlight=False)
_MATRIX = "approval-matrix"


def _out(suffixes: Any) -> click.Option:
    words = f"The file: {' '.join(suffixes)}."
    return click.Option(["--out"], type=Named(), required=True, help=words)


def _finished(spec: dict[str, Any] | None, out: Path) -> None:
    draw(spec, out)
    click.echo(out)


def _about(release: Release, values: dict[str, str | None]) -> list[str]:
    said = ", ".join(value for _, value in sorted(values.items()) if value)
    return [*([said] if said else []), f"cgt-kg, release {release.manifest['name']}"]


def _run_network(question: Question, values: dict[str, str | None], out: Path, folder: Path | None) -> None:
    if not question.network:
        known = ", ".join(name for name, other in library().items() if other.network)
        raise click.UsageError(f"question {question.name} is not a network; these are: {known}")
    graph = make_network(question.name, open_release(folder), **values)
    draw_network(graph, out, question.title)
    _ERR.print(f"{graph.number_of_nodes()} nodes, {graph.number_of_edges()} edges")
    click.echo(out)


def _run_chart(
    question: Question, values: dict[str, str | None], out: Path, folder: Path | None, form: str | None = None
) -> None:
    kinds = {figure.kind: figure for figure in question.pictures}
    if not kinds:
        raise click.UsageError(f"question {question.name} has no picture; `kg chart --help` lists those that have")
    if form and form not in kinds:
        raise click.UsageError(f"question {question.name} is drawn as {' or '.join(kinds)}, not as {form}")
    release = open_release(folder)
    found = rows(ask(question.name, release, **values))
    figure = kinds[form] if form else question.pictures[0]
    _finished(picture(figure, found, release, Page(question.title, _about(release, values))), out)


class _Drawn(Questions):
    """The questions that can be drawn in a way."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        known = library().items()
        return [name for name, question in known if (question.network if self.networks else question.pictures)]

    def __init__(self, *words: Any, networks: bool = False, **settings: Any) -> None:
        super().__init__(*words, **settings)
        self.networks = networks


network = _Drawn(
    _run_network, [_out(FILES), BUILD], networks=True,
    name="network", help="Draw a network to a file.", subcommand_metavar="NAME --out FILE",
)  # fmt: skip
chart = _Drawn(
    _run_chart,
    [
        click.Option(["--as", "form"], type=click.Choice(list(FORMS)), help="Which picture (default: its first)."),
        _out(SUFFIXES),
        BUILD,
    ],
    name="chart", help="Draw a question's answer as a chart, timeline or map to a file.",
    subcommand_metavar="NAME --out FILE",
)  # fmt: skip


def _matrix() -> click.Command:
    found = command(find_question(_MATRIX), _run_chart, [_out(SUFFIXES), BUILD])
    found.name, found.help = "matrix", "Draw therapies by agencies to a file: the year of approval in each cell."
    found.short_help = found.help
    return found


matrix = _matrix()


@click.command()
@click.argument("things", metavar="THING...", nargs=-1, required=True)
@click.option("--out", type=Named(), required=True, help=f"The file: {' '.join(SUFFIXES)}.")
@FOLDER
def timeline(things: tuple[str, ...], out: Path, folder: Path | None) -> None:
    """Draw the milestones of one or several THINGs, ids or any of their names, over time and by agency to a file."""
    release = open_release(folder)
    _finished(milestones_of(things, release, _about(release, {})), out)
