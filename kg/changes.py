"""What changed: between two snapshots of a register, and between two releases.

A change is one field of one record, or a record that is new or gone, dated by the later snapshot.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from itertools import chain
from typing import Final

import pyoxigraph as ox

from kg.errors import OutputError
from kg.namespaces import compact
from kg.registers.records import Intervention, RegisterRecord
from kg.store import DATASET, Release

FORMATS: Final = ("text", "csv", "json", "rdf")
_NOT_FACTS: Final = ("register", "where", "summary")
"""Fields that are about the file, or prose that editors touch up daily."""


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One change.

    Attributes:
        date: The day of the later snapshot.
        about: The record's id in its register, or a thing's compact id.
        kind: `new`, `gone` or `changed`.
        field: The field that changed; "" where the whole record came or went.
        old: The value before.
        new: The value after; of a new record its name.
    """

    date: date
    about: str
    kind: str
    field: str
    old: str
    new: str


def plain(value: object) -> str:
    """Return a field's value as text that compares and prints: lists joined by `|`, dates as far as they are known."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "|".join(map(plain, value))
    if isinstance(value, Intervention):
        return f"{value.kind}: {value.name}" if value.kind else value.name
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def facts_of(record: RegisterRecord) -> dict[str, str]:
    """Return what a record states, by field."""
    return {f.name: plain(getattr(record, f.name)) for f in fields(record) if f.name not in _NOT_FACTS}


def compare(
    old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]], day: date, only: Iterable[str] = ()
) -> Iterator[Change]:
    """Yield what changed between two snapshots, in the order of the records' ids.

    A field that one of the two snapshots does not have at all is no change: columns come and go.

    Args:
        old: The facts of the earlier snapshot's records by id.
        new: Those of the later one.
        day: The later snapshot's day.
        only: The fields to compare; all where empty.
    """
    shared = _columns(old) & _columns(new)
    wanted = (set(only) or shared) & shared
    for about in sorted(old.keys() | new.keys()):
        before, after = old.get(about), new.get(about)
        if before is None:
            yield Change(day, about, "new", "", "", _name(new[about]))
        elif after is None:
            yield Change(day, about, "gone", "", _name(before), "")
        elif before != after:
            for field in sorted(wanted):
                if before.get(field, "") != after.get(field, ""):
                    yield Change(day, about, "changed", field, before.get(field, ""), after.get(field, ""))


def follow(
    snapshots: Iterable[tuple[date, Iterable[RegisterRecord]]], only: Iterable[str] = ()
) -> Iterator[tuple[date, list[Change]]]:
    """Yield each day's changes along a row of snapshots; two of them are in memory at a time.

    Args:
        snapshots: Days in order, each with its records.
        only: The fields to compare; all where empty.
    """
    before: dict[str, dict[str, str]] | None = None
    for day, records in snapshots:
        now = {record.id: facts_of(record) for record in records}
        if before is not None:
            yield day, list(compare(before, now, day, only))
        before = now


def _columns(snapshot: Mapping[str, Mapping[str, str]]) -> set[str]:
    # A column that is empty in every record of a day was not in that day's file.
    return {field for facts in snapshot.values() for field, value in facts.items() if value}


def _name(facts: Mapping[str, str]) -> str:
    return next((facts[field] for field in ("title", "names", "substance", "label") if facts.get(field)), "")


def between_releases(old: Release, new: Release) -> Iterator[tuple[str, str]]:
    """Yield (`-` or `+`, line) of the N-Quads that two releases do not share, in order; memory stays constant.

    Raises:
        OutputError: A dataset cannot be read.
    """
    try:
        with (old.path / DATASET).open(encoding="utf-8") as left, (new.path / DATASET).open(encoding="utf-8") as right:
            yield from _merge(left, right)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be read: {error.strerror}") from error


def _merge(left: Iterator[str], right: Iterator[str]) -> Iterator[tuple[str, str]]:
    # Both are sorted by their lines without the line's end, as a release is.
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        a, b = (one or "").rstrip("\n"), (other or "").rstrip("\n")
        if other is None or (one is not None and a < b):
            yield "-", a
            one = next(left, None)
        elif one is None or b < a:
            yield "+", b
            other = next(right, None)
        else:
            one, other = next(left, None), next(right, None)


def release_changes(old: Release, new: Release, day: date) -> list[Change]:
    """Return what changed between two releases, one change a property of a thing.

    Claims, and what rules and the reasoner derive, follow from the rest and are left out.
    """
    things: dict[str, dict[str, tuple[list[str], list[str]]]] = {}
    for sign, line in between_releases(old, new):
        quad = next(ox.parse(line.encode(), format=ox.RdfFormat.N_QUADS))
        about = _text(quad.subject)
        if not about.startswith(_FOLLOWS) and _text(quad.graph_name) not in _FOLLOWING:
            gone, come = things.setdefault(about, {}).setdefault(_text(quad.predicate), ([], []))
            (gone if sign == "-" else come).append(_text(quad.object))
    changes = []
    for about, properties in sorted(things.items()):
        label = "".join(chain(*properties.get("rdfs:label", ((), ()))))
        typed = properties.get("rdf:type", ([], []))
        if typed[1] and not any(gone for gone, _ in properties.values()):
            changes.append(Change(day, about, "new", "", "", label))
        elif typed[0] and not any(come for _, come in properties.values()):
            changes.append(Change(day, about, "gone", "", label, ""))
        else:
            for field, (gone, come) in sorted(properties.items()):
                changes.append(Change(day, about, "changed", field, "|".join(sorted(gone)), "|".join(sorted(come))))
    return changes


_FOLLOWS: Final = ("claim:", "graph:", "_:")
_FOLLOWING: Final = ("graph:derived", "graph:claims", "graph:inferred", "graph:dataset")


def _text(term: object) -> str:
    if isinstance(term, ox.NamedNode):
        return compact(term.value)
    return term.value if isinstance(term, ox.Literal) else str(term)


def as_text(changes: Iterable[Change], form: str) -> str:
    """Return changes as text for people, CSV or JSON."""
    rows = list(changes)
    if form == "json":
        made = [{"date": c.date.isoformat(), **{k: getattr(c, k) for k in _COLUMNS[1:]}} for c in rows]
        return json.dumps(made, ensure_ascii=False, indent=2) + "\n"
    out = io.StringIO()
    if form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows([getattr(c, name) for name in _COLUMNS] for c in rows)
        return out.getvalue()
    for c in rows:
        if c.kind == "changed":
            out.write(f"~ {c.about}  {c.field}: {c.old or '(empty)'} -> {c.new or '(empty)'}\n")
        else:
            out.write(f"{'+' if c.kind == 'new' else '-'} {c.about}  {c.new or c.old}\n")
    return out.getvalue()


_COLUMNS: Final = ("date", "about", "kind", "field", "old", "new")


def patch(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield lines of an RDF patch: `D` deletes and `A` adds a quad."""
    for sign, line in pairs:
        yield f"{'D' if sign == '-' else 'A'} {line}"
