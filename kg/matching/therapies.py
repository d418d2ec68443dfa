"""Which therapies and products a text names, before anybody asks whose record it stands in."""

from collections.abc import Iterable, Iterator
from typing import Final

from kg.curated import Tables
from kg.matching.decisions import Decisions
from kg.matching.index import Hit, Names
from kg.matching.near import NearNames
from kg.matching.numbers import numbers
from kg.matching.spelling import key
from kg.records import Claim, Milestone, Organisation, Product, Therapy

_KEPT: Final = 200_000
"""How many texts' results are kept; the same interventions stand in thousands of trials."""


class TherapyNames:
    """Names and numbers of therapies and products, out of curated tables.

    Args:
        tables: The tables.
        decisions: What curators decided on texts.
        substances: Names of substances and their UNII codes; those of curated codes are further names, all others
            are never taken for slips of the pen.
    """

    def __init__(self, tables: Tables, decisions: Decisions, substances: Iterable[tuple[str, str]] = ()) -> None:
        therapies = [r for r in tables.records.get("therapies", ()) if isinstance(r, Therapy)]
        products = [r for r in tables.records.get("products", ()) if isinstance(r, Product)]
        self.therapy_of = {product.id: product.therapy for product in products}
        self.products_of: dict[str, list[str]] = {}
        for product in products:
            self.products_of.setdefault(product.therapy, []).append(product.id)
        self.codes = {r.unii.partition(":")[2]: r.id for r in therapies if r.unii}
        self.organisations = _organisations(tables, therapies, products, self.therapy_of)
        self.numbers = _numbers(tables)
        brands = list(_names(products))
        own = [*_names(therapies), *((name, self.therapy_of[thing]) for name, thing in brands)]
        # A curator's names come first: UNII files the cells of several products under one code.
        curated = {key(name) for name, _ in own}
        others = []
        for name, code in substances:
            plain = key(name)
            if code not in self.codes:
                others.append(plain)
            elif plain not in curated:
                own.append((name, self.codes[code]))
        own += decisions.names("therapy")
        self._names = Names(own, decisions.barred("therapy"))
        self.brands = Names([*brands, *decisions.names("product")], decisions.barred("product"))
        self._near = NearNames(self._names.plain, others)
        self._found: dict[str, tuple[Hit, ...]] = {}
        self._slips: dict[str, tuple[str, str, float, str] | None] = {}

    def find(self, text: str) -> tuple[Hit, ...]:
        """Return the therapies' names in a text."""
        found = self._found.get(text)
        if found is None:
            if len(self._found) >= _KEPT:
                self._found.clear()
            found = self._found[text] = self._names.find(text)
        return found

    def near(self, text: str) -> tuple[str, str, float, str] | None:
        """Return what `NearNames.find` returns, each text being compared once."""
        if text not in self._slips:
            if len(self._slips) >= _KEPT:
                self._slips.clear()
            self._slips[text] = self._near.find(text)
        return self._slips[text]

    def of(self, things: frozenset[str], organisations: frozenset[str]) -> frozenset[str]:
        """Return those of some therapies or products that are of one of some organisations."""
        return frozenset(t for t in things if self.organisations.get(t, frozenset()) & organisations)

    def holder_product(self, therapy: str, organisations: frozenset[str]) -> str | None:
        """Return the one product of a therapy that is of one of some organisations; None where there are several."""
        own = self.of(frozenset(self.products_of.get(therapy, ())), organisations)
        return min(own) if len(own) == 1 else None


def _names(records: Iterable[Therapy | Product]) -> Iterator[tuple[str, str]]:
    for record in records:
        yield record.label, record.id
        for name in record.names:
            yield name.rpartition("@")[0] or name, record.id
        if isinstance(record, Therapy):
            if record.inn:
                yield record.inn, record.id
            for code in record.codes:
                yield code, record.id


def _organisations(
    tables: Tables, therapies: Iterable[Therapy], products: Iterable[Product], therapy_of: dict[str, str]
) -> dict[str, frozenset[str]]:
    """Return the organisations that each therapy and product is of, and those above and below them."""
    own: dict[str, set[str]] = {r.id: {r.originator} for r in therapies if r.originator}
    for product in products:
        if product.holder:
            own.setdefault(product.id, set()).add(product.holder)
    for record in tables.records.get("milestones", ()):
        if isinstance(record, Milestone) and record.holder:
            own.setdefault(record.about, set()).add(record.holder)
    for product_id, therapy in therapy_of.items():
        own.setdefault(therapy, set()).update(own.get(product_id, ()))
    near: dict[str, set[str]] = {}
    for record in tables.records.get("organisations", ()):
        if isinstance(record, Organisation) and record.parent:
            near.setdefault(record.id, set()).add(record.parent)
            near.setdefault(record.parent, set()).add(record.id)
    return {thing: frozenset(orgs.union(*(near.get(org, ()) for org in orgs))) for thing, orgs in own.items()}


def _numbers(tables: Tables) -> dict[str, frozenset[str]]:
    """Return what each number of an application, authorisation or designation is about."""
    found: dict[str, set[str]] = {}
    milestones = {r.id: r for r in tables.records.get("milestones", ()) if isinstance(r, Milestone)}
    given = [(r, r.application_number) for r in milestones.values() if r.application_number]
    for claim in tables.records.get("claims", ()):
        if isinstance(claim, Claim) and claim.field == "application_number" and claim.fact in milestones:
            given.append((milestones[claim.fact], claim.value))
    for milestone, text in given:
        for number in numbers(text or "", milestone.agency):
            found.setdefault(number, set()).add(milestone.about)
    return {number: frozenset(about) for number, about in found.items()}
