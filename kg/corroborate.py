"""What registers say of curated facts: claims that corroborate or contradict, and candidates that the tables lack.

A register's record of a product or designation is matched to what the tables know. Where the tables have the fact,
the record becomes a claim about it; where they have the thing but not the fact, or neither, a candidate row.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol, TypeVar

from kg.curated import Tables
from kg.mapping import lexical
from kg.records import Claim, Milestone, Product
from kg.registers.records import Day, DesignationRecord, ProductRecord

APPROVAL: Final = "cgt:Approval"
ENDS: Final = ("cgt:Withdrawal", "cgt:Expiry", "cgt:Revocation")
DESIGNATION: Final = "cgt:DesignationGrant"
DOUBTFUL: Final = "doubtful"
"""The status of records that may speak of what is known but suggest nothing."""
_Kind = TypeVar("_Kind")
_PRECISION: Final = {"day": 10, "month": 7, "year": 4}


class Named(Protocol):
    """What matching gives: a thing that a record speaks of."""

    @property
    def thing(self) -> str:
        """Its compact id."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that a register suggests and the tables lack.

    Attributes:
        table: The table it belongs in.
        cells: Its columns, as the table writes them.
        why: Why it is suggested.
    """

    table: str
    cells: dict[str, str]
    why: str


@dataclass(slots=True)
class Corroboration:
    """What came of comparing registers with the tables.

    Attributes:
        claims: One a field and record that speaks of a curated fact.
        candidates: Rows that the tables lack.
        covered: For each curated approval that a register speaks of, `corroborated` or `contradicted`.
        agencies: Agencies of which a register was read, with the newest day that each reaches.
    """

    claims: list[Claim] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    covered: dict[str, str] = field(default_factory=dict)
    agencies: dict[str, date] = field(default_factory=dict)


class Corroborator:
    """Compares register records with curated tables, one after another."""

    def __init__(self, tables: Tables) -> None:
        self.result = Corroboration()
        self._rows = {record.id: record for record in tables}
        self._numbers: Counter[str] = Counter()
        self._products: dict[str, list[Product]] = defaultdict(list)
        for product in _of(tables, "products", Product):
            self._products[product.therapy].append(product)
        self._therapy_of = {p.id: p.therapy for p in _of(tables, "products", Product)}
        self._milestones: dict[tuple[str, str], list[Milestone]] = defaultdict(list)
        for milestone in _of(tables, "milestones", Milestone):
            self._milestones[milestone.about, milestone.agency].append(milestone)

    def reaches(self, agency: str, newest: date | None) -> None:
        """Note that a register of an agency was read, which reaches to a day."""
        if agency and newest is not None:
            self.result.agencies[agency] = max(newest, self.result.agencies.get(agency, newest))

    def product(self, record: ProductRecord, links: Sequence[Named], source: str, licence: str) -> None:
        """Take a product's record that matched, or did not match and is a cell or gene therapy.

        Args:
            record: The record.
            links: The products and therapies it matched, surest first.
            source: The id of the snapshot's source row.
            licence: The register's title, for the locator.
        """
        locator = f"{licence}; {record.application or record.id}; {', '.join(record.names) or record.inn}"[:300]
        products = self._candidates_of(links, record)
        approvals = [m for p in products for m in self._milestones[p, record.agency] if m.kind == APPROVAL]
        if approvals:
            self._approval(approvals[0], record, source, locator)
            self._end(approvals[0].about, record, source, locator)
        elif record.authorised is not None and record.status != DOUBTFUL:
            about = products[0] if products else next((link.thing for link in links), "")
            self._lacking(about, record, source)

    def _candidates_of(self, links: Sequence[Named], record: ProductRecord) -> list[str]:
        """The products that a record can be about: those it matched, or those of the therapy it matched."""
        direct = [link.thing for link in links if link.thing.startswith("product:")]
        if direct:
            return list(dict.fromkeys(direct))
        of_therapies = [p.id for link in links for p in self._products.get(link.thing, ())]
        # One therapy can have several brands; without the brand only an only product of this agency can be meant.
        here = [p for p in of_therapies if any(m.kind == APPROVAL for m in self._milestones[p, record.agency])]
        return here if len(set(here)) == 1 and not record.names else []

    def _approval(self, approval: Milestone, record: ProductRecord, source: str, locator: str) -> None:
        agrees = True
        if record.authorised is not None:
            agrees = self._claim(approval.id, "date", _as_far(record.authorised), source, locator)
            agrees = agrees or _same_day(approval, record.authorised)
            verdict = "corroborated" if agrees else "contradicted"
            # One register that agrees is enough; what the others say stands in their claims.
            if self.result.covered.get(approval.id) != "corroborated":
                self.result.covered[approval.id] = verdict
        if record.application and approval.application_number:
            self._claim(approval.id, "application_number", record.application, source, locator)
        converted = any(m.kind == "cgt:ApprovalConversion" for m in self._milestones[approval.about, approval.agency])
        # Registers show the kind of today; after a conversion that is no longer the kind of the first approval.
        if record.approval_type and not converted:
            self._claim(approval.id, "approval_type", record.approval_type, source, locator)

    def _end(self, product: str, record: ProductRecord, source: str, locator: str) -> None:
        if record.ended is None:
            return
        ends = [m for m in self._milestones[product, record.agency] if m.kind in ENDS]
        if ends:
            self._claim(ends[0].id, "date", _as_far(record.ended), source, locator)
        else:
            cells = {
                "kind": ENDS[0], "about": product, "agency": record.agency, "date": record.ended.date.isoformat(),
                "date_precision": record.ended.precision, "reason": "reason:unknown",
                "application_number": record.application, "sources": source,
            }  # fmt: skip
            self._suggest("milestones", cells, f"the register says {record.status or 'ended'}")

    def _lacking(self, about: str, record: ProductRecord, source: str) -> None:
        assert record.authorised is not None
        name = (record.names or (record.inn,))[0]
        if not about:
            cells = {"label": name, "therapy": "", "holder": "", "note": record.inn, "sources": source}
            self._suggest("products", cells, "a cell or gene therapy of which the tables know no product")
        cells = {
            "kind": APPROVAL, "about": about, "agency": record.agency, "date": record.authorised.date.isoformat(),
            "date_precision": record.authorised.precision, "approval_type": record.approval_type or "",
            "application_number": record.application, "note": name, "sources": source,
        }  # fmt: skip
        self._suggest("milestones", cells, f"the register has {name} and the tables have no approval by this agency")

    def designation(self, record: DesignationRecord, links: Sequence[Named], source: str, licence: str) -> None:
        """Take a designation's record that matched a therapy or a product, or is of a cell or gene therapy."""
        if record.designated is None:
            return
        locator = f"{licence}; {record.id}; {record.substance}"[:300]
        things = {link.thing for link in links}
        things |= {self._therapy_of[t] for t in things if t in self._therapy_of}
        things |= {p.id for t in list(things) for p in self._products.get(t, ())}
        granted = [
            m for thing in sorted(things) for m in self._milestones[thing, record.agency]
            if m.kind == DESIGNATION and record.pathway in m.pathways
        ]  # fmt: skip
        same = [m for m in granted if m.application_number == record.id] or [
            m for m in granted if _same_day(m, record.designated)
        ]
        for milestone in same[:1]:
            self._claim(milestone.id, "date", _as_far(record.designated), source, locator)
        if things and not same:
            cells = {
                "kind": DESIGNATION, "about": next(link.thing for link in links), "agency": record.agency,
                "date": record.designated.date.isoformat(), "date_precision": record.designated.precision,
                "pathways": record.pathway, "application_number": record.id, "note": record.condition[:200],
                "sources": source,
            }  # fmt: skip
            self._suggest("milestones", cells, f"the register has this designation of {record.substance[:80]}")

    def _claim(self, fact: str, name: str, value: str, source: str, locator: str) -> bool:
        """Add a claim; return whether it states just what the row does."""
        stated = getattr(self._rows[fact], name, None)
        agrees = stated is not None and lexical(stated) == value
        self._numbers[fact] += 1
        self.result.claims.append(
            Claim(
                id=f"claim:register-{fact.partition(':')[2]}-{self._numbers[fact]}",
                fact=fact,
                field=name,
                value=value,
                source=source,
                locator=locator,
                reason=None if agrees else "Found in a register by matching; no curator has judged it yet.",
            )
        )
        return agrees

    def _suggest(self, table: str, cells: dict[str, str], why: str) -> None:
        self.result.candidates.append(Candidate(table, {k: v for k, v in cells.items() if v}, why))


def coverage(tables: Tables, result: Corroboration) -> list[dict[str, object]]:
    """Return, for each agency, its curated approvals corroborated, contradicted and not covered, and why not."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for milestone in _of(tables, "milestones", Milestone):
        if milestone.kind == APPROVAL:
            rows[milestone.agency][result.covered.get(milestone.id) or why_not(milestone, result)] += 1
    return [
        {
            "agency": agency,
            "approvals": counts.total(),
            "corroborated": counts["corroborated"],
            "contradicted": counts["contradicted"],
            "not_covered": counts.total() - counts["corroborated"] - counts["contradicted"],
            "why_not": "; ".join(
                f"{n} {why}" for why, n in sorted(counts.items()) if why not in ("corroborated", "contradicted")
            ),
        }
        for agency, counts in sorted(rows.items())
    ]


def uncovered(tables: Tables, result: Corroboration) -> list[dict[str, str]]:
    """Return the curated approvals of agencies whose registers were read of which none speaks, each with why."""
    return [
        {"milestone": m.id, "date": m.date.isoformat(), "why": why_not(m, result)}
        for m in _of(tables, "milestones", Milestone)
        if m.kind == APPROVAL and m.agency in result.agencies and m.id not in result.covered
    ]


def why_not(approval: Milestone, result: Corroboration) -> str:
    """Say why no register speaks of a curated approval."""
    newest = result.agencies.get(approval.agency)
    if newest is None:
        return "no register of this agency was read"
    if approval.date > newest:
        return "later than the register's newest day"
    return "not found in the register"


def _of(tables: Tables, table: str, kind: type[_Kind]) -> Iterable[_Kind]:
    return (record for record in tables.records.get(table, ()) if isinstance(record, kind))


def _as_far(day: Day) -> str:
    return str(day)


def _same_day(milestone: Milestone, day: Day) -> bool:
    length = min(_PRECISION[day.precision], _PRECISION[milestone.date_precision])
    return milestone.date.isoformat()[:length] == day.date.isoformat()[:length]
