"""Checks: tables, ontology, shapes and rules, every finding with its file, line, field, value and mend.

Checked is what was stated, before anything is inferred. Rules live where their subject does: record shapes in
`ontology/shapes.ttl` and term shapes in `ontology/style.ttl` (SHACL), questions that must return nothing in
`queries/rules/` (joins, which SHACL engines are slow at), and names that are nearly the same in `kg.near`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyoxigraph as ox
import pyshacl
import rdflib
from rapidfuzz import process
from rdflib.namespace import RDF, SH

from kg import ontology, resources
from kg.curated import Tables
from kg.curated import read as read_tables
from kg.errors import Finding, OntologyError
from kg.mapping import lines
from kg.namespaces import PREFIXES, compact, graph
from kg.near import near
from kg.shapes import SHAPES_FILE, shapes

STYLE_FILE: Final = "style.ttl"
_HEADER = re.compile(r"^#\+\s*(\w+):\s*(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rule:
    """A question that must return nothing.

    Attributes:
        name: The file's name without its suffix.
        rule: What must hold, in a sentence.
        mend: What to do where it does not.
        text: The SPARQL text; it selects ?thing and may select ?field and ?value.
    """

    name: str
    rule: str
    mend: str
    text: str


def rules(kind: str, folder: Path = resources.QUERIES) -> list[Rule]:
    """Read the rules of a kind, `data` or `ontology`.

    Raises:
        OntologyError: A file does not say its rule and its mend.
    """
    found = []
    for path in sorted((folder / "rules" / kind).glob("*.rq")):
        text = path.read_text(encoding="utf-8")
        header = dict(_HEADER.findall(text))
        if not {"rule", "mend"} <= header.keys():
            raise OntologyError(f"{path}: a rule says `#+ rule:` and `#+ mend:` in its first lines")
        found.append(Rule(path.stem, header["rule"], header["mend"], text))
    return found


def stated(tables: Tables) -> list[str]:
    """Return what tables state as N-Quads lines, one named graph a table, sorted and without repetition."""
    by_name = {shape.name: graph(shape.table) for shape in shapes().values()}
    return sorted({line for record in tables for line in lines(record, by_name[type(record).__name__])})


def store_of(nquads: Iterable[str]) -> ox.Store:
    """Return an in-memory store of N-Quads lines."""
    store = ox.Store()
    store.bulk_load("\n".join(nquads).encode(), format=ox.RdfFormat.N_QUADS)
    return store


@dataclass(frozen=True, slots=True)
class Examined:
    """Tables that were checked.

    Attributes:
        tables: The tables.
        store: The ontology's graphs, the stated facts and what rules derive of them, in memory; None where
            the tables or the ontology could not be taken.
        findings: Every finding, by file and line; empty where all is well.
    """

    tables: Tables
    store: ox.Store | None
    findings: list[Finding]


def examine(folders: Sequence[Path] = (resources.CURATED,)) -> Examined:
    """Check curated tables, ontology, shapes and data rules, without building.

    Args:
        folders: Folders of tables; rows of later ones replace those of earlier ones.

    Raises:
        KgError: A folder or an ontology file cannot be read at all.
    """
    terms = ontology.load()
    tables = read_tables(folders)
    findings = [*check_ontology(terms), *tables.findings]
    if findings:
        return Examined(tables, None, sorted(set(findings)))
    store = store_of([*terms, *stated(tables)])
    return Examined(tables, store, check_facts(store, tables))


def check(folders: Sequence[Path] = (resources.CURATED,)) -> list[Finding]:
    """Return the findings of `examine`."""
    return examine(folders).findings


def check_ontology(terms: Sequence[str]) -> list[Finding]:
    """Check the ontology as code is checked: style by SHACL, the rest by rules.

    Args:
        terms: The N-Quads lines of the ontology's graphs.
    """
    store = store_of(terms)
    own = ox.NamedNode(graph("ontology"))
    data = _rdflib(q for q in store if q.graph_name == own)
    style = rdflib.Graph().parse(resources.ONTOLOGY / STYLE_FILE)
    findings = [
        Finding("ontology/cgt.ttl", 0, _short(path or focus), _short(focus), message, "", "style")
        for focus, path, _, message in _shacl(data, style)
    ]
    for rule in rules("ontology"):
        for thing, field, value in _violations(store, rule):
            findings.append(
                Finding("ontology/cgt.ttl", 0, field or thing, value or thing, rule.rule, rule.mend, rule.name)
            )
    return sorted(set(findings))


def check_facts(store: ox.Store, tables: Tables) -> list[Finding]:
    """Check stated facts by record shapes and data rules.

    Args:
        store: The ontology's graphs and the stated facts.
        tables: The tables the facts came from, for their places.

    Returns:
        Every finding. What rules derive has been added to the store.
    """
    skipped = {graph("shapes"), graph("alignments")}
    data = _rdflib(q for q in store if getattr(q.graph_name, "value", "") not in skipped)
    record_shapes = rdflib.Graph().parse(resources.ONTOLOGY / SHAPES_FILE)
    fields = {shape.table: {f.path: f.name for f in shape.fields} for shape in shapes().values()}
    findings = []
    for focus, path, value, message in _shacl(data, record_shapes):
        file, line = tables.places.get(_short(focus), ("", 0))
        name = fields.get(file.removesuffix(".csv"), {}).get(path, _short(path))
        problem, mend = _explain(message, value, name, store)
        findings.append(Finding(file or _short(focus), line, name, _short(value), problem, mend, "shape"))
    findings += near(tables)
    # Rules may use what is derived (the kinds above a kind, the stance of a claim); shapes have been checked.
    ontology.derive(store, ontology.rules("facts"), graph(ontology.DERIVED))
    for rule in rules("data"):
        for thing, field, value in _violations(store, rule):
            file, line = tables.places.get(thing, (thing, 0))
            findings.append(Finding(file, line, field, value, rule.rule, rule.mend, rule.name))
    return sorted(set(findings))


def _short(iri: str) -> str:
    return compact(iri) if iri else ""


def _rdflib(quads: Iterable[ox.Quad]) -> rdflib.Graph:
    raw = ox.serialize((q.triple for q in quads), format=ox.RdfFormat.N_TRIPLES)
    return rdflib.Graph().parse(data=raw, format="nt")


def _shacl(data: rdflib.Graph, shapes_graph: rdflib.Graph) -> Iterator[tuple[str, str, str, str]]:
    """Yield (focus, path, value, message) of every violation."""
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes_graph, inference="none")
    if not isinstance(report, rdflib.Graph):
        raise OntologyError(f"{SHAPES_FILE}: the shapes cannot be run: {report}")
    for result in report.subjects(RDF.type, SH.ValidationResult):
        value = report.value(result, SH.value)
        yield (
            str(report.value(result, SH.focusNode)),
            str(report.value(result, SH.resultPath) or ""),
            "" if value is None or isinstance(value, rdflib.BNode) else str(value),
            str(report.value(result, SH.resultMessage)),
        )


def _explain(message: str, value: str, field: str, store: ox.Store) -> tuple[str, str]:
    """Turn an engine's message into a problem and a mend."""
    if "does not have class" in message or "must conform to" in message:
        short = _short(value)
        if _exists(store, value):
            return "is a thing of another kind", f"refer to something that a {field} can be"
        near = _near(store, short)
        return "no such thing", f"did you mean {near}?" if near else "add its row, or correct the id"
    if "Less than" in message:
        return "is missing", "fill it from a source that was opened"
    if "More than" in message:
        return "has more than one value", "keep the one that is followed; the other is a claim"
    if "match" in message and "pattern" in message:
        return "is not written as it must be", "see its sh:pattern in ontology/shapes.ttl"
    return message.splitlines()[0], "see ontology/shapes.ttl"


def _exists(store: ox.Store, iri: str) -> bool:
    try:
        return next(store.quads_for_pattern(ox.NamedNode(iri), None, None), None) is not None
    except ValueError:
        return False


def _near(store: ox.Store, short: str) -> str:
    prefix = short.partition(":")[0]
    start = PREFIXES.get(prefix)
    if start is None:
        return ""
    known = {
        compact(q.subject.value)
        for q in store.quads_for_pattern(None, ox.NamedNode(str(RDF.type)), None)
        if isinstance(q.subject, ox.NamedNode) and q.subject.value.startswith(start)
    }
    match = process.extractOne(short, sorted(known), score_cutoff=75)
    return match[0] if match else ""


def _violations(store: ox.Store, rule: Rule) -> Iterator[tuple[str, str, str]]:
    try:
        rows = store.query(rule.text, use_default_graph_as_union=True)
    except SyntaxError as error:
        raise OntologyError(f"rule {rule.name}: {error}") from error
    assert isinstance(rows, ox.QuerySolutions)
    names = [variable.value for variable in rows.variables]
    for row in rows:
        cells = []
        for name in ("thing", "field", "value"):
            term = row[name] if name in names else None
            cells.append(_short(term.value) if isinstance(term, ox.NamedNode | ox.Literal) else "")
        yield cells[0], cells[1], cells[2]
