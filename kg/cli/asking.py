"""The verbs that ask, and what they share with those that draw: every question of the library is a command."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Console

from kg.cli.paths import Named
from kg.errors import QueryError
from kg.output import FORMATS, SUFFIXES, write
from kg.query import Question, ask, library
from kg.query import find as find_question
from kg.store import Answer, Release, open_release
from kg.strangers import strangers
from kg.terminal import print_graph, print_questions
from kg.workbook import workbook
from kg.writing import put, suffix_of

_ERR = Console(stderr=True, highlight=False)
_WORKBOOK = ".xlsx"
_FILES = (*SUFFIXES, _WORKBOOK)
PRINTED = click.option("--format", "form", type=click.Choice(FORMATS), default=None, help="How to print the rows.")
_BUILD: dict[str, Any] = {
    "type": Named(), "envvar": "KG_BUILD", "help": "The build folder (default: build or $KG_BUILD).",
}  # fmt: skip
FOLDER = click.option("--build", "folder", **_BUILD)
BUILD = click.Option(["--build", "folder"], **_BUILD)


class Questions(click.Group):
    """Each question is a command of its own, with its parameters as options and its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, D102 - as click says
        return list(library())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:  # noqa: ARG002, D102 - as click says
        return command(find_question(cmd_name), self.act, self.extra)

    def __init__(self, act: Callable[..., None], extra: list[click.Parameter], **settings: Any) -> None:
        super().__init__(**settings)
        self.act = act
        self.extra = extra


def command(question: Question, act: Callable[..., None], extra: list[click.Parameter]) -> click.Command:
    """Return a question as a command.

    Args:
        question: The question; its parameters are options.
        act: What is done with it: takes the question, the values of its parameters, and the further options.
        extra: The further options.
    """
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
    out: Path | None,
    folder: Path | None,
) -> None:
    if out and form:
        raise click.UsageError("the suffix of --out says the format; leave --format out")
    suffix = suffix_of(out, _FILES, "rows are") if out else ""
    release = open_release(folder)
    answer = ask(question.name, release, limit, **values)
    if out:
        put(out, _filed(answer, question, {k: v for k, v in values.items() if v}, release, suffix))
        click.echo(out)
    else:
        print_answer(answer, form, question.screen)
    if question.registers and not answer.rows:
        _ERR.print("This question is about registers: build with --registers to have answers.")


def _filed(answer: Answer, question: Question, given: dict[str, str], release: Release, suffix: str) -> bytes:
    if suffix == _WORKBOOK:
        return workbook(answer, question, given, release.manifest)
    text = io.StringIO()
    write(answer, SUFFIXES[suffix], text, screen=question.screen)
    return text.getvalue().encode()


def print_answer(answer: Any, form: str | None, screen: tuple[str, ...] = ()) -> None:
    """Write rows as asked for; where nothing is, a terminal gets a table and a pipe CSV."""
    # A terminal wants a table, a pipe wants rows.
    write(answer, form or ("table" if sys.stdout.isatty() else "csv"), sys.stdout, screen=screen)


_PRINTING: list[click.Parameter] = [
    click.Option(
        ["--format", "form"], type=click.Choice(FORMATS), help="How to print (default: table; csv in a pipe)."
    ),
    click.Option(["--limit"], type=click.IntRange(min=0), help="The most rows to print."),
    click.Option(["--out"], type=Named(), help=f"Write them to this file instead: {' '.join(_FILES)}."),
    BUILD,
]
query = Questions(
    _run_query,
    _PRINTING,
    name="query",
    help="Ask a question of the library.",
    subcommand_metavar="NAME [OPTIONS]",
)


@click.command()
def queries() -> None:
    """List the questions of the library."""
    print_questions(library().values(), sys.stdout)


@click.command()
@click.argument("file", type=click.File(encoding="utf-8"))
@PRINTED
@FOLDER
def sparql(file: TextIO, form: str | None, folder: Path | None) -> None:
    """Run any SPARQL 1.1 query from FILE, or from standard input where FILE is -. SERVICE asks other endpoints."""
    release = open_release(folder)
    try:
        text = file.read()
    except UnicodeDecodeError as error:
        raise QueryError(f"{file.name}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    try:
        result = print_graph(release.evaluate(text), sys.stdout)
    except OSError as error:
        # The engine's own have no number: an endpoint that SERVICE asks does not answer.
        if error.errno is None:
            raise QueryError(f"the query failed: {error}") from error
        raise
    for said in strangers(text, release):
        _ERR.print(f"kg: warning: {said}", markup=False, soft_wrap=True)
    if result is not None:
        print_answer(result, form)
