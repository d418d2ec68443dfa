"""The command `kg`: every verb one public function, results on stdout, everything else on stderr."""

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from kg import __version__
from kg.errors import KgError

_VERBS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "Build": {
        "build": ("building", "Build the graph: tables to a checked, reasoned, frozen release."),
        "check": ("building", "Check tables, ontology, shapes and rules, without building."),
        "tidy": ("building", "Write tables in their canonical form."),
    },
    "Ask": {
        "queries": ("asking", "List the questions of the library."),
        "query": ("asking", "Ask a question of the library."),
        "show": ("looking", "Show everything about a thing, with sources."),
        "search": ("looking", "Find things by name in any language, spelling mistakes included."),
        "sparql": ("asking", "Run any SPARQL 1.1 query."),
    },
    "Draw": {
        "network": ("drawing", "Draw a network."),
        "chart": ("drawing", "Draw a question's answer as a chart, timeline or map."),
        "timeline": ("drawing", "Draw the milestones of things over time."),
        "matrix": ("drawing", "Draw therapies by agencies: the year of approval in each cell."),
    },
    "Share": {
        "serve": ("serving", "Serve pages for people, linked data, and SPARQL."),
        "mcp": ("door", "Answer language-model clients, over the Model Context Protocol."),
        "publish": ("serving", "Write the site as files, for any web host."),
        "export": ("building", "Write linked data and tables, with checksums."),
    },
    "Registers": {
        "fetch": ("registers", "Fetch the newest snapshot of a register."),
        "read": ("registers", "Show what a register's file holds."),
        "classify": ("registers", "Say of each record whether it is a cell or gene therapy, and why."),
        "candidates": ("registers", "Print facts that registers state and the tables lack."),
        "diff": ("registers", "Show what changed between two releases, or two snapshots."),
        "evaluate": ("registers", "Measure the classifier on labelled records."),
    },
}
"""The verbs by what they are for: the module each is in, and what it does in a line."""
_PLACES: Final = {verb: place for verbs in _VERBS.values() for verb, (place, _) in verbs.items()}


class _Verbs(click.Group):
    """The verbs; each is imported when it is asked for, and pays for no library that only others need."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _PLACES:
            return None
        found = getattr(import_module(f"kg.cli.{_PLACES[cmd_name]}"), cmd_name)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _PLACES and (near := get_close_matches(args[0], _PLACES)):
            ctx.fail(f"No such command '{args[0]}'; did you mean {' or '.join(near)}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Whoever read us has enough (kg ... | head); click would call that a failure.
            _silence()
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        widest = max(map(len, _PLACES))
        for subject, verbs in _VERBS.items():
            with formatter.section(subject):
                formatter.write_dl([(verb.ljust(widest), line) for verb, (_, line) in verbs.items()])


def main() -> NoReturn:
    """Run the command and leave with 0 (done), 1 (a reported error) or 2 (wrong usage)."""
    closed = _streams()
    try:
        if closed:
            _fail("standard output is closed")
        code = cli.main(prog_name="kg", standalone_mode=False) or 0
        # What cannot be written is to be told here, not by Python when it ends.
        sys.stdout.flush()
        sys.exit(code)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        _fail("stopped")
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except KgError as error:
        _fail(str(error))
    except BrokenPipeError:
        _silence()
        sys.exit(0)
    except OSError as error:
        _silence()
        _fail(f"{error.filename or 'standard output'}: {error.strerror or error}")


def _streams() -> bool:
    """Open what whoever began this process had closed, and say whether that was standard output."""
    closed = sys.stdout is None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
    return closed


def _silence() -> None:
    """Keep Python from writing to standard output again when it ends, and from complaining."""
    sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115


def _fail(message: str) -> NoReturn:
    # A name from elsewhere must not speak to the terminal.
    plain = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in " ".join(message.split()))
    sys.stderr.write(f"kg: {plain}\n")
    sys.exit(1)


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="kg")
def cli() -> None:
    """The open knowledge graph of cell and gene therapies.

    Start with: kg build, then kg queries, kg query approvals --agency FDA, kg show Kymriah.
    """
