"""The command `kg`: every verb one public function, results on stdout, everything else on stderr."""

import sys
from pathlib import Path
from typing import NoReturn, TextIO

import click
from rich.console import Console

from kg import __version__, resources
from kg.build import build as run_build
from kg.check import examine
from kg.cli.asking import QUERY, print_answer
from kg.cli.door import mcp
from kg.cli.drawing import CHART, MATRIX, NETWORK, timeline
from kg.cli.registers import VERBS
from kg.cli.serving import publish, serve
from kg.curated import tidy as tidy_table
from kg.errors import CurationError, KgError, QueryError
from kg.export import FORMATS as EXPORTS
from kg.export import export as run_export
from kg.lookup import search as run_search
from kg.lookup import show as run_show
from kg.output import FORMATS
from kg.query import library
from kg.shapes import shapes
from kg.store import DEFAULT_BUILD, open_release
from kg.terminal import print_graph, print_hits, print_questions, print_thing
from kg.trust import missed, trust
from kg.trust import write as write_report
from kg.vocabularies import check_vocabularies
from kg.writing import put

_ERR = Console(stderr=True, highlight=False)
_FORMAT = click.option("--format", "form", type=click.Choice(FORMATS), default=None, help="How to print the rows.")
_BUILD = click.option(
    "--build", "folder", type=click.Path(path_type=Path), default=None, envvar="KG_BUILD",
    help="The build folder to ask (default: build, or $KG_BUILD).",
)  # fmt: skip
_CURATED = click.option(
    "--curated", "folders", multiple=True, type=click.Path(path_type=Path),
    help="A folder of tables laid over the shipped ones; may be given again.",
)  # fmt: skip


def main() -> NoReturn:
    """Run the command and leave with 0 (done), 1 (a reported error) or 2 (wrong usage)."""
    try:
        sys.exit(cli.main(prog_name="kg", standalone_mode=False) or 0)
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
        # Whoever read us has enough (kg ... | head); Python must not complain at exit either.
        sys.stdout = open("/dev/null", "w")  # noqa: PTH123, SIM115
        sys.exit(0)


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"kg: {' '.join(message.split())}\n")
    sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="kg")
def cli() -> None:
    """The open knowledge graph of cell and gene therapies.

    Start with: kg build, then kg queries, kg query approvals --agency FDA, kg show Kymriah.
    """


@cli.command()
@_CURATED
@click.option("--registers", type=click.Path(path_type=Path), help="A folder of register snapshots.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=DEFAULT_BUILD,
    show_default=True,
    help="The build folder.",
)
def build(folders: tuple[Path, ...], registers: Path | None, out: Path) -> None:
    """Build the graph: tables to a checked, reasoned, frozen release."""
    with _ERR.status("Starting") as status:

        def progress(step: str) -> None:
            status.update(step)
            _ERR.print(f"  {step}")

        built = run_build((resources.CURATED, *folders), registers, out, progress)
    manifest = built.release.manifest
    if built.classification.skipped:
        _ERR.print(f"  Not done: OWL classification ({built.classification.skipped})")
    click.echo(f"release  {manifest['name']}{'' if built.new else ' (unchanged)'}")
    click.echo(f"quads    {manifest['dataset']['quads']:,}")
    click.echo(f"sha256   {manifest['dataset']['sha256']}")
    click.echo(f"report   {out / 'current' / 'report.html'}")


@cli.command()
@_CURATED
@click.option("--floors", is_flag=True, help="Hold the tables to the coverage floors too.")
@click.option(
    "--vocabularies",
    type=click.Path(path_type=Path),
    help="Check ids against the vocabularies in this folder too (MONDO, HGNC, UNII, ISO 3166-1).",
)
@click.option("--report", type=click.Path(path_type=Path), help="Write a trust report: a file .html or .json.")
def check(folders: tuple[Path, ...], floors: bool, vocabularies: Path | None, report: Path | None) -> None:
    """Check tables, ontology, shapes and rules, without building."""
    with _ERR.status("Checking"):
        examined = examine((resources.CURATED, *folders))
        ids = check_vocabularies(examined.tables, vocabularies) if vocabularies is not None else None
        findings = sorted({*examined.findings, *(ids.findings if ids else ()), *(missed(examined) if floors else ())})
        if report is not None:
            write_report(trust(examined, findings, ids), report)
    for finding in findings:
        click.echo(str(finding))
    if ids is not None:
        checked = ", ".join(f"{count} {name}" for name, count in ids.counts.items())
        _ERR.print(f"Ids checked: {checked or 'none'}" + "".join(f"; {name} is absent" for name in ids.absent))
    if report is not None:
        _ERR.print(f"Report: {report}")
    if findings:
        raise CurationError(findings)
    _ERR.print("No findings.")


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=resources.CURATED)
def tidy(folder: Path) -> None:
    """Write tables in their canonical form: column order, rows by id, minimal quotes."""
    for shape in shapes().values():
        path = folder / f"{shape.table}.csv"
        if not path.is_file():
            continue
        raw = path.read_bytes()
        neat = tidy_table(raw, shape)
        if neat != raw:
            put(path, neat)
            click.echo(f"tidied {path}")


@cli.command()
def queries() -> None:
    """List the questions of the library."""
    print_questions(library().values(), sys.stdout)


for _verb in (QUERY, NETWORK, CHART, MATRIX, timeline, mcp, *VERBS, serve, publish):
    cli.add_command(_verb)


@cli.command()
@click.argument("file", type=click.File(encoding="utf-8"))
@_FORMAT
@_BUILD
def sparql(file: TextIO, form: str | None, folder: Path | None) -> None:
    """Run any SPARQL 1.1 query from FILE, or from standard input where FILE is -."""
    release = open_release(folder)
    try:
        text = file.read()
    except UnicodeDecodeError as error:
        raise QueryError(f"{file.name}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    result = print_graph(release.evaluate(text), sys.stdout)
    if result is not None:
        print_answer(result, form)


@cli.command()
@click.argument("thing")
@_BUILD
def show(thing: str, folder: Path | None) -> None:
    """Show everything about THING, an id or any of its names, with sources."""
    print_thing(run_show(thing, open_release(folder)), sys.stdout)


@cli.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="The most hits.")
@_FORMAT
@_BUILD
def search(text: tuple[str, ...], limit: int, form: str | None, folder: Path | None) -> None:
    """Find things by name in any language, spelling mistakes included."""
    words = " ".join(text)
    hits = run_search(words, open_release(folder), limit)
    if not hits:
        raise KgError(f"nothing is called anything like '{words}'")
    print_hits(hits, form or ("table" if sys.stdout.isatty() else "csv"), sys.stdout)


@cli.command()
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--format",
    "forms",
    multiple=True,
    type=click.Choice(list(EXPORTS)),
    help="Only this format; may be given again.",
)
@_BUILD
def export(target: Path, forms: tuple[str, ...], folder: Path | None) -> None:
    """Write linked data and tables to the folder TARGET, with checksums."""
    release = open_release(folder)
    with _ERR.status("Exporting"):
        written = run_export(release, target, forms or tuple(EXPORTS))
    for path in written:
        click.echo(path)
