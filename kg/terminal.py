"""Things, hits and lists of questions, printed for people; CONSTRUCT and ASK results, printed for programs."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, TextIO

import pyoxigraph as ox
from rich import box
from rich.table import Table
from rich.text import Text

from kg.lookup import Hit, Statement, Thing
from kg.namespaces import PREFIXES
from kg.output import Paper, write
from kg.query import Question
from kg.store import Answer

_MANY = 12


def _console(stream: TextIO) -> Paper:
    return Paper(file=stream, width=None if stream.isatty() else 160, highlight=False)


def print_questions(questions: Iterable[Question], stream: TextIO) -> None:
    """Print the library, by subject: each question's name, words and parameters."""
    console = _console(stream)
    for subject, group in groupby(questions, key=lambda question: question.subject):
        console.print(Text(subject, style="bold"))
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
        for question in group:
            takes = " ".join(f"--{parameter.name.replace('_', '-')}" for parameter in question.parameters)
            table.add_row(Text(question.name, style="cyan"), Text(question.question), Text(takes, style="dim"))
        console.print(table)


def print_hits(hits: Sequence[Hit], form: str, stream: TextIO) -> None:
    """Print search hits in one of the formats of `kg.output`."""
    columns = ("id", "label", "kind", "matched", "score")
    rows = tuple(tuple(ox.Literal(getattr(hit, column)) for column in columns) for hit in hits)
    write(Answer(columns, rows), form, stream)


def print_thing(thing: Thing, stream: TextIO) -> None:
    """Print everything about a thing, its sources last."""
    console = _console(stream)
    title = Text(thing.label, style="bold")
    title.append(f"   {', '.join(thing.kinds)}   {thing.id}", style="dim")
    console.print(title)
    console.print(Text(thing.iri, style="dim"))
    _statements(console, thing.says)
    if thing.said:
        console.print(Text("\nreferred to by", style="bold"))
        _statements(console, thing.said, most=200)
    if thing.claims:
        console.print(Text("\nwhat sources say", style="bold"))
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for column in ("field", "value", "", "source", "words or record"):
            table.add_column(column, overflow="fold")
        for claim in thing.claims:
            evidence = claim.evidence + (f"  [not followed: {claim.reason}]" if claim.differs else "")
            mark = "differs" if claim.differs else "same"
            table.add_row(*map(Text, (claim.field, claim.value, mark, claim.source, evidence)))
        console.print(table)
    if thing.sources:
        console.print(Text("\nsources", style="bold"))
        for source, name, url in thing.sources:
            console.print(Text(f"  {source}  {name}\n    {url}"))


def _statements(console: Paper, statements: Sequence[Statement], most: int = _MANY) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, group in groupby(statements, key=lambda statement: statement.property):
        members = list(group)
        for index, one in enumerate(members[:most]):
            text = Text(one.label or one.value)
            if one.label and one.label != one.value:
                text.append(f"  {one.value}", style="dim")
            table.add_row(Text(name if index == 0 else "", style="cyan"), text)
        if len(members) > most:
            table.add_row("", Text(f"… and {len(members) - most} more", style="dim"))
    console.print(table)


def print_graph(result: Any, stream: TextIO) -> Answer | None:
    """Print what a CONSTRUCT, DESCRIBE or ASK query gave; return what a SELECT query gave as an answer."""
    if isinstance(result, ox.QueryBoolean):
        stream.write("true\n" if result else "false\n")
        return None
    if isinstance(result, ox.QueryTriples):
        triples = sorted(result, key=str)
        used = {name: start for name, start in PREFIXES.items() if any(start in str(triple) for triple in triples)}
        raw = ox.serialize(triples, format=ox.RdfFormat.TURTLE, prefixes=used)
        stream.write(raw.decode() if raw else "")
        return None
    columns = tuple(variable.value for variable in result.variables)
    return Answer(columns, tuple(tuple(row[column] for column in columns) for row in result))
