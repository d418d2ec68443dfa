"""The verbs that make a release and its exports, and that look after the tables it is made of."""

from pathlib import Path

import click
from rich.console import Console

from kg import resources
from kg.build import build as run_build
from kg.check import examine
from kg.cli.asking import FOLDER
from kg.cli.paths import Named
from kg.curated import tidy as tidy_table
from kg.errors import CurationError, OutputError
from kg.export import FORMATS
from kg.export import export as run_export
from kg.shapes import shapes
from kg.store import DEFAULT_BUILD, open_release
from kg.trust import missed, trust
from kg.trust import write as write_report
from kg.vocabularies import check_vocabularies
from kg.writing import put

_ERR = Console(stderr=True, highlight=False)
_CURATED = click.option(
    "--curated", "folders", multiple=True, type=Named(),
    help="A folder of tables laid over the shipped ones; may be given again.",
)  # fmt: skip


@click.command()
@_CURATED
@click.option("--registers", type=Named(), help="A folder of register snapshots.")
@click.option(
    "--out",
    type=Named(),
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


@click.command()
@_CURATED
@click.option("--floors", is_flag=True, help="Hold the tables to the coverage floors too.")
@click.option(
    "--vocabularies",
    type=Named(),
    help="Check ids against the vocabularies in this folder too (MONDO, HGNC, UNII, ISO 3166-1).",
)
@click.option("--report", type=Named(), help="Write a trust report: a file .html or .json.")
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


@click.command()
@click.argument("folder", type=Named(exists=True, file_okay=False), default=resources.CURATED)
def tidy(folder: Path) -> None:
    """Write tables in their canonical form: column order, rows by id, minimal quotes."""
    found = {path: shape for shape in shapes().values() if (path := folder / f"{shape.table}.csv").is_file()}
    if not found:
        raise OutputError(f"{folder}: no table here to write; tables are called as milestones.csv is")
    for path, shape in found.items():
        raw = path.read_bytes()
        neat = tidy_table(raw, shape)
        if neat != raw:
            put(path, neat)
            click.echo(f"tidied {path}")


@click.command()
@click.argument("target", type=Named(file_okay=False))
@click.option(
    "--format",
    "forms",
    multiple=True,
    type=click.Choice(list(FORMATS)),
    help="Only this format; may be given again.",
)
@FOLDER
def export(target: Path, forms: tuple[str, ...], folder: Path | None) -> None:
    """Write linked data and tables to the folder TARGET, with checksums."""
    release = open_release(folder)
    with _ERR.status("Exporting"):
        written = run_export(release, target, forms or tuple(FORMATS))
    for path in written:
        click.echo(path)
