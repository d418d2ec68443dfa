"""The one object that links what registers say to what curated tables hold."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from kg.curated import Tables
from kg.matching.decisions import Decisions
from kg.matching.index import Hit
from kg.matching.links import DECISION, ID, NAME, NEAR, Candidate, Link
from kg.matching.numbers import UNII, numbers
from kg.matching.organisations import Organisations
from kg.matching.spelling import key
from kg.matching.therapies import TherapyNames
from kg.matching.vocabularies import (
    FORMER,
    Terms,
    country_forms,
    disease_forms,
    disease_key,
    gene_key,
    hgnc,
    iso,
    mondo,
    unii,
)
from kg.records import Disease, Gene, Jurisdiction, Organisation, Trial
from kg.registers.records import DesignationRecord, ProductRecord, RegisterRecord, TrialRecord


class Matcher:
    """Links register records to therapies, products, organisations, diseases, genes and jurisdictions.

    Exact ids come first, then curators' decisions, then names as they are normalised, then names that are nearly the
    same. What is less sure is kept as candidates.

    Args:
        tables: The curated tables.
        vocabularies: A folder with MONDO, HGNC, ISO 3166-1 and UNII, any of which may be absent; None for none.

    Raises:
        SourceError: A vocabulary is there and cannot be read.
    """

    def __init__(self, tables: Tables, vocabularies: Path | None = None) -> None:
        self._decisions = Decisions(tables)
        self._names = TherapyNames(tables, self._decisions, unii(vocabularies))
        self._trials = {r.id: r.therapies for r in tables.records.get("trials", ()) if isinstance(r, Trial)}
        organisations = [r for r in tables.records.get("organisations", ()) if isinstance(r, Organisation)]
        self._parents = {r.id: r.parent for r in organisations if r.parent}
        named = [(name, r.id) for r in organisations for name in (r.label, *map(_untagged, r.names))]
        self._organisations = Organisations(
            [*named, *self._decisions.names("organisation")], self._decisions.barred("organisation")
        )
        self._sponsors: dict[str, Link | None] = {}
        self._tables, self._folder = tables, vocabularies
        self._termed: dict[tuple[str, str], Link | None] = {}
        self._candidates: dict[tuple[str, str, str], Candidate] = {}

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What was met so far that may mean something, sorted; none of it was ever decided."""
        return tuple(sorted(self._candidates.values()))

    def therapies(self, record: RegisterRecord) -> tuple[Link, ...]:
        """Return the therapies that a record is about, each once.

        A trial is about those that its interventions name; what only describes cells or a target names none.
        """
        links = list(self._therapies(record))
        best: dict[str, Link] = {}
        for link in links:
            best.setdefault(link.thing, link)
        return tuple(best.values())

    def product(self, record: ProductRecord | DesignationRecord) -> Link | None:
        """Return the product that a register's product or designation is, by its number, else by its brand."""
        for text, number in _numbers(record):
            about = self._names.numbers.get(number, frozenset())
            products = [thing for thing in about if thing in self._names.therapy_of]
            if len(products) == 1:
                return Link("product", text, products[0], ID)
        own = self._own(record)
        branded = next((link for name in record.names for link in self._branded(name, own)), None)
        return branded or self._held(record, own)

    def organisation(self, text: str) -> Link | None:
        """Return the organisation that a sponsor's, holder's or applicant's name means."""
        if text not in self._sponsors:
            self._sponsors[text] = self._organisation(text)
        return self._sponsors[text]

    def parents(self, organisation: str) -> tuple[str, ...]:
        """Return the organisations above one, the nearest first."""
        found: list[str] = []
        above = self._parents.get(organisation)
        while above is not None and above != organisation and above not in found:
            found.append(above)
            above = self._parents.get(above)
        return tuple(found)

    def diseases(self, texts: Iterable[str]) -> tuple[Link, ...]:
        """Return the diseases that conditions mean, each once: curated ones first, else terms of MONDO."""
        return self._linked("disease", texts)

    def genes(self, texts: Iterable[str]) -> tuple[Link, ...]:
        """Return the genes that names of targets mean, each once: curated ones first, else genes of HGNC."""
        return self._linked("gene", texts)

    def countries(self, texts: Iterable[str]) -> tuple[Link, ...]:
        """Return the jurisdictions that names or codes of countries mean, each once."""
        return self._linked("jurisdiction", texts)

    @cached_property
    def _diseases(self) -> Terms:
        own = [r for r in self._tables.records.get("diseases", ()) if isinstance(r, Disease)]
        named = [(name, r.id, r.label) for r in own for name in (r.label, *map(_untagged, r.names))]
        return Terms(named, *mondo(self._folder), keyed=disease_key, preferred=frozenset(r.id for r in own))

    @cached_property
    def _genes(self) -> Terms:
        own = [r for r in self._tables.records.get("genes", ()) if isinstance(r, Gene)]
        ids = {r.hgnc: r.id for r in own}
        named = [(name, r.id, r.label) for r in own for name in (r.label, r.symbol, *map(_untagged, r.names))]
        ranks = ([(name, ids.get(thing, thing), symbol) for name, thing, symbol in rank] for rank in hgnc(self._folder))
        return Terms(named, *ranks, keyed=gene_key)

    @cached_property
    def _countries(self) -> Terms:
        own = [r for r in self._tables.records.get("jurisdictions", ()) if isinstance(r, Jurisdiction)]
        ids = {r.iso_alpha2: r.id for r in own if r.iso_alpha2}
        codes = [(code, r.id, r.label) for r in own for code in (r.iso_alpha2, r.iso_alpha3) if code]
        named = [(name, r.id, r.label) for r in own for name in (r.label, *map(_untagged, r.names))]
        others = [
            (name, ids.get(code, f"jurisdiction:{code.lower()}"), label) for name, code, label in iso(self._folder)
        ]
        former = [(name, ids[code], name) for name, code in FORMER.items() if code in ids]
        return Terms([*named, *codes], others, former)

    def _branded(self, name: str, own: frozenset[str]) -> Iterator[Link]:
        """Yield the products whose brand is in a name; a brand of several needs the record's organisations."""
        if self._decisions.nothing("product", name):
            return
        for hit in self._names.brands.find(name):
            things = hit.things if len(hit.things) == 1 else self._names.of(hit.things, own)
            if len(things) == 1:
                thing = min(things)
                method = DECISION if self._decisions.decided("product", name) == thing else NAME
                yield Link("product", name, thing, method)
            else:
                self._keep("product", name, hit.things, 100.0, "several have this name")

    def _held(self, record: ProductRecord | DesignationRecord, own: frozenset[str]) -> Link | None:
        """Return the one product of a therapy, named as a whole, that is of the record's organisations."""
        if isinstance(record, ProductRecord) and own:
            for text in filter(None, (record.inn, record.active)):
                for hit in self._names.find(text)[:1]:
                    found = {self._names.holder_product(therapy, own) for therapy in hit.things} - {None}
                    if hit.whole and len(found) == 1:
                        return Link("product", text, str(found.pop()), NAME)
        return None

    def _therapies(self, record: RegisterRecord) -> Iterator[Link]:
        if isinstance(record, TrialRecord):
            for therapy in self._trials.get(f"trial:{record.id}", ()):
                yield Link("therapy", record.id, therapy, ID)
            given = [text for i in record.interventions for text in (i.name, *i.other_names)]
            yield from self._named(record, given, named=False)
            return
        for text, number in _numbers(record):
            for thing in sorted(self._names.numbers.get(number, ())):
                therapy = self._names.therapy_of.get(thing, thing)
                if therapy.startswith("therapy:"):
                    yield Link("therapy", text, therapy, ID)
                    return
        substances = (record.substance,) if isinstance(record, DesignationRecord) else (record.inn, record.active)
        for text in substances:
            if UNII.fullmatch(text) and text in self._names.codes:
                yield Link("therapy", text, self._names.codes[text], ID)
        yield from self._named(record, [*record.names, *substances], named=isinstance(record, ProductRecord))

    def _named(self, record: RegisterRecord, texts: Iterable[str], named: bool) -> Iterator[Link]:
        """Yield what some texts of a record mean; its organisations are looked up where a name is not enough."""
        own: frozenset[str] | None = None
        for text in filter(None, texts):
            hits = self._names.find(text)
            if own is None and any(hit.weak or len(hit.things) > 1 for hit in hits):
                own = self._own(record)
            yield from self._resolved(text, hits, own or frozenset(), named)

    def _resolved(self, text: str, hits: tuple[Hit, ...], own: frozenset[str], named: bool) -> Iterator[Link]:
        """Yield what the names in a text mean.

        Args:
            text: The text.
            hits: The names in it.
            own: The organisations that the record is of.
            named: Whether the text stands where a register gives names, and a whole text is thus a name.
        """
        if self._decisions.nothing("therapy", text):
            return
        if not hits:
            yield from self._nearly(text)
            return
        for hit in hits:
            things, reason = hit.things, hit.weak
            if len(things) > 1 or (reason and not (named and hit.whole)):
                theirs = self._names.of(things, own)
                reason = reason or "several have this name"
                things, reason = (theirs, "") if len(theirs) == 1 else (things, reason)
            elif reason:
                reason = ""
            if reason:
                self._keep("therapy", text, things, 100.0, reason)
                continue
            thing = min(things)
            if not self._decisions.refused("therapy", text, thing):
                method = DECISION if self._decisions.decided("therapy", hit.name) == thing else NAME
                yield Link("therapy", text, thing, method)

    def _nearly(self, text: str) -> Iterator[Link]:
        found = self._names.near(text)
        if found is None:
            return
        thing, _, score, reason = found
        if reason:
            self._keep("therapy", text, (thing,), score, reason)
        elif not self._decisions.refused("therapy", text, thing):
            yield Link("therapy", text, thing, NEAR, score)

    def _organisation(self, text: str) -> Link | None:
        if not key(text) or self._decisions.nothing("organisation", text):
            return None
        found = self._organisations.find(text)
        if found is None:
            return None
        thing, score, reason = found
        if reason:
            self._keep("organisation", text, (thing,), score, reason)
            return None
        decided = self._decisions.decided("organisation", text) == thing
        return Link("organisation", text, thing, DECISION if decided else NAME if score == 100 else NEAR, score)

    def _own(self, record: RegisterRecord) -> frozenset[str]:
        """Return the curated organisations of a record, with those above them."""
        if isinstance(record, TrialRecord):
            texts = [record.sponsor, *record.collaborators]
        else:
            texts = [record.holder if isinstance(record, ProductRecord) else record.sponsor]
        links = [link for link in map(self.organisation, texts) if link is not None]
        return frozenset(t for link in links for t in (link.thing, *self.parents(link.thing)))

    def _linked(self, kind: str, texts: Iterable[str]) -> tuple[Link, ...]:
        best: dict[str, Link] = {}
        for text in texts:
            if (kind, text) not in self._termed:
                self._termed[kind, text] = self._term(kind, text)
            link = self._termed[kind, text]
            if link is not None:
                best.setdefault(link.thing, link)
        return tuple(best.values())

    def _term(self, kind: str, text: str) -> Link | None:
        if not key(text) or self._decisions.nothing(kind, text):
            return None
        if kind == "disease":
            terms, forms = self._diseases, disease_forms(text)
        elif kind == "gene":
            terms, forms = self._genes, (text,)
        else:
            terms, forms = self._countries, country_forms(text)
        decided = self._decisions.decided(kind, text)
        thing = decided or terms.find(*forms)
        if thing is None or self._decisions.refused(kind, text, thing):
            return None
        return Link(kind, text, thing, DECISION if decided else NAME, 100.0, terms.labels.get(thing, ""))

    def _keep(self, kind: str, text: str, things: Iterable[str], score: float, reason: str) -> None:
        for thing in things:
            if not self._decisions.refused(kind, text, thing):
                self._candidates.setdefault((kind, text, thing), Candidate(kind, text, thing, score, reason))


def _numbers(record: ProductRecord | DesignationRecord) -> Iterator[tuple[str, str]]:
    texts = (record.application, record.id) if isinstance(record, ProductRecord) else (record.product_number, record.id)
    for text in dict.fromkeys(filter(None, texts)):
        for number in numbers(text, record.agency):
            yield text, number


def _untagged(name: str) -> str:
    return name.rpartition("@")[0] or name
