"""A folder of register snapshots, taken into the graph: trials as records, products and designations as claims.

Snapshots of one register are compared, and what changed between them becomes dated changes. Nothing here is curated:
what registers say stands in graphs of their own, one a register.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from kg import bulk, classify, resources
from kg.changes import Change, follow
from kg.corroborate import Candidate, Corroboration, Corroborator, coverage, uncovered
from kg.curated import Tables
from kg.enrich import enriching
from kg.errors import SourceError
from kg.evaluate import Evaluation
from kg.labelled import measure
from kg.mapping import lines
from kg.matching import Matcher
from kg.matching.links import Candidate as Unsure
from kg.namespaces import compact, expand, graph
from kg.records import Record, RegisterChange, Source
from kg.registers import CONNECTORS, Connector, Summary, cart_daily, clinicaltrials, health_canada, named, recognise
from kg.registers.records import DesignationRecord, ProductRecord, TrialRecord
from kg.registers.trials import links_of, trial_of
from kg.terms import new_terms
from kg.vocabularies import FILES

Progress = Callable[[str], None]
FOLLOWED: Final = ("status", "phases", "enrolment", "completion", "authorised", "ended", "approval_type", "advanced")
"""The fields whose changes become dated changes; the rest of a record is prose, or changes with every visit."""
_PARTS: Final = "parts"
_UPDATED: Final = expand("cgt:updated")


@dataclass(slots=True)
class Registered:
    """What came of a folder of registers.

    Attributes:
        lines: N-Quads, each in its register's graph.
        report: What a build report says of it.
        candidates: Rows that registers suggest and the tables lack.
        review: Texts that may mean a thing, for a curator to decide.
    """

    lines: set[str] = field(default_factory=set)
    report: dict[str, Any] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)
    review: list[Unsure] = field(default_factory=list)


@dataclass(slots=True)
class _Snapshot:
    path: Path
    connector: Connector
    summary: Summary
    source: Source | None = None


class _Taking:
    """One run over one folder."""

    def __init__(self, folder: Path, tables: Tables, folders: Sequence[Path], work: Path, progress: Progress) -> None:
        self.folder, self.tables, self.folders = folder, tables, folders
        self.work, self.progress = work, progress
        self.vocabularies = next((p.parent for p in sorted(folder.rglob("mondo.json.xz"))), None)
        self.matcher = Matcher(tables, self.vocabularies)
        self.corroborator = Corroborator(tables)
        self.lines: set[str] = set()
        self.unread: list[str] = []
        self.snapshots: list[_Snapshot] = []
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.changes: list[dict[str, Any]] = []

    def run(self) -> Registered:
        by_register = self._find()
        trials = by_register.pop(clinicaltrials.NAME, [])
        daily = by_register.pop(cart_daily.NAME, [])
        for connector in CONNECTORS:
            found = by_register.get(connector.name, [])
            if found:
                self._products(connector, found)
        self._trials(trials, daily)
        result = self.corroborator.result
        self._state((*result.claims, *(s.source for s in self.snapshots if s.source)), "register-claims")
        self._state(new_terms(self.lines, self.tables, self.vocabularies), "register-terms")
        return Registered(self.lines, self._report(result), result.candidates, list(self.matcher.candidates))

    def _find(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = defaultdict(list)
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(self.folder).parts):
                try:
                    found[recognise(path).name].append(path)
                except SourceError:
                    self.unread.append(str(path.relative_to(self.folder)))
        # Vocabularies are read as such, and the Drug Product Database comes in files that are read with its first.
        joined = {path.parent for path in found[health_canada.NAME]}
        known = {name for name, _ in FILES.values()}
        self.unread = [
            name for name in self.unread
            if Path(name).name not in known and (self.folder / name).parent not in joined
        ]  # fmt: skip
        return found

    def _source(self, connector: Connector, summary: Summary, one: bool = False) -> str:
        """Make the source row of a snapshot, or of all files of a register as one, and return its id."""
        newest = summary.newest
        day = "" if one or newest is None else f"-{newest.isoformat()}"
        source = Source(
            id=f"source:register-{connector.name.replace('.', '-')}{day}",
            label=f"{connector.title}{f', snapshot to {newest.isoformat()}' if newest else ''}",
            publisher=connector.publisher,
            url=connector.page,
            accessed=newest or date(1970, 1, 1),
            kind="source-kind:register",
            published=newest,
            published_precision="day" if newest else None,
            licence=connector.licence,
        )
        self.snapshots.append(_Snapshot(Path(summary.file), connector, summary, source))
        return source.id

    def _state(self, records: Iterable[Record], name: str) -> None:
        for record in records:
            self.lines.update(lines(record, graph(name)))

    def _products(self, connector: Connector, paths: list[Path]) -> None:
        """Read products and designations, compare them with the tables, and their snapshots with one another."""
        kept: list[tuple[date, list[ProductRecord | DesignationRecord]]] = []
        for path in paths:
            self.progress(f"Reading {path.name}")
            summary = Summary(path.name, connector.name)
            records = [r for r in connector.read(path, summary) if isinstance(r, ProductRecord | DesignationRecord)]
            source = self._source(connector, summary)
            if any(isinstance(record, ProductRecord) for record in records):
                self.corroborator.reaches(connector.agency, summary.newest)
            ours = []
            for record in records:
                product = self.matcher.product(record)
                links = [link for link in (product, *self.matcher.therapies(record)) if link is not None]
                verdict = classify.classify(record)
                self.counts[connector.name]["read"] += 1
                if not links and not verdict.is_cgt:
                    continue
                self.counts[connector.name]["ours"] += 1
                self.counts[connector.name]["matched"] += bool(links)
                ours.append(record)
                if isinstance(record, ProductRecord):
                    self.corroborator.product(record, links, source, connector.title)
                else:
                    self.corroborator.designation(record, links, source, connector.title)
            if summary.newest is not None:
                kept.append((summary.newest, ours))
        kept.sort(key=lambda one: one[0])
        if len(kept) > 1:
            self._follow(connector, kept)

    def _follow(
        self, connector: Connector, snapshots: Iterable[tuple[date, Iterable[Any]]], trials: bool = False
    ) -> None:
        """State what changed from each snapshot to the next."""
        name = f"changes-{connector.name.replace('.', '-')}"
        source = f"source:register-{name}"
        total, first, last = 0, None, None
        for day, changes in follow(snapshots, FOLLOWED):
            first, last = first or day, day
            for number, change in enumerate(changes, 1):
                self._state((_record_of(change, number, connector, source, trials),), name)
            counts = Counter(change.kind for change in changes)
            self.changes.append(
                {
                    "register": connector.name,
                    "day": day.isoformat(),
                    **{k: counts[k] for k in ("new", "gone", "changed")},
                }
            )
            total += len(changes)
        if last is not None:
            self._state(
                (
                    Source(
                        id=source, label=f"{connector.title}: snapshots to {last.isoformat()}, compared",
                        publisher=connector.publisher, url=connector.page, accessed=last,
                        kind="source-kind:register", published=last, published_precision="day",
                        licence=connector.licence,
                    ),
                ),
                name,
            )  # fmt: skip

    def _trials(self, studies: list[Path], daily: list[Path]) -> None:
        """Read trials: whole studies in parallel, the newest day of daily tables; of one trial the newest stands."""
        enrich, knowledge = enriching(self.folders, self.vocabularies)
        stated: dict[str, tuple[str, list[str]]] = {}
        if studies:
            connector = clinicaltrials.CONNECTOR
            self.progress(f"Reading trials of {connector.title}")
            summary = Summary(", ".join(p.name for p in studies)[:80], connector.name)
            source = f"source:register-{connector.name.replace('.', '-')}"
            order = bulk.Order(self.work / _PARTS, source, graph(_graph_of(connector)), enrich, knowledge)
            outcome = bulk.write(studies, order, progress=lambda step: self.progress(f"  {step.read:,} studies read"))
            summary.newest, summary.loaded, summary.skips = (
                outcome.newest,
                outcome.read - outcome.skipped,
                outcome.skips,
            )
            self._source(connector, summary, one=True)
            self.counts[connector.name].update(read=outcome.read, ours=outcome.written)
            for part in outcome.parts:
                _newer(stated, part.path.read_text(encoding="utf-8").splitlines())
        for path in daily:
            self.progress(f"Reading {path.name}")
            connector = cart_daily.CONNECTOR
            summary = Summary(path.name, connector.name)
            made = [r for r in connector.read(path, summary) if isinstance(r, TrialRecord)]
            source = self._source(connector, summary)
            for record in made:
                facts = enrich(record)
                self.counts[connector.name].update(read=1, ours=int(facts.ours))
                if facts.ours:
                    written = list(lines(trial_of(record, facts, source), graph(_graph_of(connector))))
                    for link in links_of(record.id, facts, source):
                        written += lines(link, graph(_graph_of(connector)))
                    _newer(stated, written)
            self.progress(f"Comparing the days of {path.name}")
            self._follow(connector, cart_daily.snapshots(path), trials=True)
        curated = {record.id for record in self.tables.records.get("trials", ())}
        for subject, (_, written) in stated.items():
            self.lines.update(self._beside_curated(written) if subject in curated else written)

    def _beside_curated(self, written: list[str]) -> Iterator[str]:
        """What a register adds to a curated trial: properties that the table leaves empty."""
        subject = written[0].split(" ", 1)[0]
        row = next(r for r in self.tables.records["trials"] if f"<{expand(r.id)}>" == subject)
        said = {line.split(" ", 2)[1] for line in lines(row, graph("trials"))}
        return (line for line in written if line.split(" ", 2)[1] not in said or not line.startswith(subject))

    def _measured(self) -> dict[str, Evaluation]:
        if not resources.LABELS.is_dir():
            return {}
        self.progress("Measuring the classifier on labelled records")
        return measure(self.folder, resources.LABELS)

    def _report(self, result: Corroboration) -> dict[str, Any]:
        evaluations = self._measured()
        return {
            "files": [
                {
                    "file": s.summary.file, "register": s.connector.name, "read": s.summary.read,
                    "loaded": s.summary.loaded, "skipped": len(s.summary.skips), "repaired": len(s.summary.warnings),
                    "newest_day": s.summary.newest.isoformat() if s.summary.newest else "",
                }
                for s in self.snapshots
            ],
            "not_registers": self.unread,
            "ours": [
                {"register": name, "read": c["read"], "ours": c["ours"], "matched": c["matched"]}
                for name, c in sorted(self.counts.items())
            ],
            "coverage": coverage(self.tables, result),
            "uncovered": uncovered(self.tables, result),
            "claims": len(result.claims),
            "candidates": len(result.candidates),
            "to_review": len(self.matcher.candidates),
            "classifier": scores(evaluations),
            "confusion": confusion(evaluations),
            "changes": self.changes,
        }  # fmt: skip


def scores(evaluations: dict[str, Evaluation]) -> list[dict[str, Any]]:
    """Return the classifier's scores on labelled records, a row a question and part."""
    return [
        {
            "part": part, "of": score.name, "precision": round(score.precision, 3), "recall": round(score.recall, 3),
            "labelled": score.right + score.missed,
        }
        for part, evaluation in evaluations.items()
        for score in evaluation.scores
    ]  # fmt: skip


def confusion(evaluations: dict[str, Evaluation]) -> list[dict[str, Any]]:
    """Return which class was taken for which, a row a pair that differs and part."""
    return [
        {"part": part, "labelled": told, "taken_for": found, "records": count}
        for part, evaluation in evaluations.items()
        for (told, found), count in evaluation.confusion.items()
        if told != found
    ]


def take(
    folder: Path, tables: Tables, folders: Sequence[Path], work: Path, progress: Progress = lambda _: None
) -> Registered:
    """Take every register snapshot in a folder.

    Args:
        folder: The folder; what is of no register known here is listed in the report.
        tables: The curated tables.
        folders: The folders that they were read from, for processes that read in parallel.
        work: A folder for what is kept between runs.
        progress: Told of each step.

    Raises:
        SourceError: A register's file is not what it should be.
    """
    return _Taking(folder, tables, folders, work, progress).run()


def lines_of(changes: Iterable[Change], register: str) -> Iterator[str]:
    """Yield changes between two snapshots of a register as N-Quads."""
    connector = named(register)
    trials = connector.name in (clinicaltrials.NAME, cart_daily.NAME)
    name = f"changes-{connector.name.replace('.', '-')}"
    for number, change in enumerate(changes, 1):
        yield from lines(_record_of(change, number, connector, f"source:register-{name}", trials), graph(name))


def _graph_of(connector: Connector) -> str:
    return f"register-{connector.name.replace('.', '-')}"


def _newer(stated: dict[str, tuple[str, list[str]]], written: list[str]) -> None:
    """Take trials' lines; of a trial that is there already, the one that was updated last stands.

    A trial's lines come one after another, the trial's own before those of its links.
    """
    block: list[str] = []
    subject, updated = "", ""

    def done() -> None:
        if block and (subject not in stated or updated >= stated[subject][0]):
            stated[subject] = (updated, list(block))

    for line in written:
        start, predicate, rest = line.split(" ", 2)
        iri = compact(start[1:-1])
        if iri.startswith("trial:") and iri != subject:
            done()
            block, subject, updated = [], iri, ""
        block.append(line)
        if predicate == f"<{_UPDATED}>":
            updated = rest[1:11]
    done()


def _record_of(change: Change, number: int, connector: Connector, source: str, trials: bool) -> RegisterChange:
    short = "".join(c if c.isascii() and c.isalnum() else "-" for c in change.about.lower()).strip("-")[:60]
    what = f"{change.field}: {change.old or 'none'} to {change.new or 'none'}" if change.field else change.kind
    return RegisterChange(
        id=f"change:{connector.name.replace('.', '-')}-{change.date.isoformat()}-{number}-{short}",
        label=f"{change.about} {what}"[:200],
        date=change.date,
        record=change.about,
        about=f"trial:{change.about}" if trials else None,
        kind=change.kind,
        field=change.field or None,
        old=change.old[:500] or None,
        new=change.new[:500] or None,
        sources=(source,),
    )
