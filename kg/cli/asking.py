"""The verbs that ask: every question of the library is a command of its own, below `query` and `network`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from kg.network import network as make_network
from kg.output import FORMATS, write
from kg.pictures import SUFFIXES, draw
from kg.query import Question, ask, library
from kg.query import find as find_question
from kg.store import open_release

_ERR = Console(stderr=True, highlight=False)


class _Questions(click.Group):
    """Each question is a command of its own, with its parameters as options and its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(library())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:  # noqa: ARG002
        return _question_command(find_question(cmd_name), self.act, self.extra)

    def __init__(self, act: Callable[..., None], extra: list[click.Parameter], **settings: Any) -> None:
        super().__init__(**settings)
        self.act = act
        self.extra = extra


def _question_command(question: Question, act: Callable[..., None], extra: list[click.Parameter]) -> click.Command:
    options: list[click.Parameter] = [
        click.Option(
            [f"--{parameter.name.replace('_', '-')}", parameter.name],
            help=f"{parameter.help}, as in {parameter.example}",
            metavar={"date": "YYYY-MM-DD", "integer": "N"}.get(parameter.type, "NAME"),
            required=parameter.required,
        )
        for parameter in question.parameters
    ]

    def callback(**values: Any) -> None:
        own = {option.name for option in extra}
        act(
            question,
            {k: v for k, v in values.items() if k not in own},
            **{k: v for k, v in values.items() if k in own},
        )

    return click.Command(
        question.name, params=[*options, *extra], callback=callback, help=question.question,
        short_help=question.title, epilog=f"Columns: {', '.join(question.result)}",
    )  # fmt: skip


def _run_query(
    question: Question,
    values: dict[str, str | None],
    form: str | None,
    limit: int | None,
    folder: Path | None,
) -> None:
    answer = ask(question.name, open_release(folder), limit, **values)
    print_answer(answer, form, question.screen)
    if question.registers and not answer.rows:
        _ERR.print("This question is about registers: build with --registers to have answers.")


def print_answer(answer: Any, form: str | None, screen: tuple[str, ...] = ()) -> None:
    """Write rows as asked for; where nothing is, a terminal gets a table and a pipe CSV."""
    # A terminal wants a table, a pipe wants rows.
    write(answer, form or ("table" if sys.stdout.isatty() else "csv"), sys.stdout, screen=screen)


_PRINTING: list[click.Parameter] = [
    click.Option(
        ["--format", "form"], type=click.Choice(FORMATS), help="How to print (default: table; csv in a pipe)."
    ),
    click.Option(["--limit"], type=click.IntRange(min=0), help="The most rows to print."),
    click.Option(
        ["--build", "folder"],
        type=click.Path(path_type=Path),
        envvar="KG_BUILD",
        help="The build folder to ask.",
    ),
]
QUERY = _Questions(
    _run_query,
    _PRINTING,
    name="query",
    help="Ask a question of the library.",
    subcommand_metavar="NAME [OPTIONS]",
)


def _run_network(question: Question, values: dict[str, str | None], out: Path, folder: Path | None) -> None:
    if not question.network:
        known = ", ".join(name for name, other in library().items() if other.network)
        raise click.UsageError(f"question {question.name} is not a network; these are: {known}")
    graph = make_network(question.name, open_release(folder), **values)
    draw(graph, out, question.title)
    _ERR.print(f"{graph.number_of_nodes()} nodes, {graph.number_of_edges()} edges")
    click.echo(out)


class _Networks(_Questions):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [name for name, question in library().items() if question.network]


NETWORK = _Networks(
    _run_network,
    [
        click.Option(
            ["--out"],
            type=click.Path(path_type=Path),
            required=True,
            help=f"The file: {' '.join(SUFFIXES)}.",
        ),
        click.Option(
            ["--build", "folder"],
            type=click.Path(path_type=Path),
            envvar="KG_BUILD",
            help="The build folder to ask.",
        ),
    ],
    name="network",
    help="Draw a network to a file.",
    subcommand_metavar="NAME --out FILE",
)
