"""Records: what every row and every register's record is turned into before it becomes quads.

A field's meaning, type and place are in `ontology/shapes.ttl` under the same name; what a class means is
in `ontology/cgt.ttl`. Things are referred to by compact id; a text in `names` ends in `@` and its language.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import get_args


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """A public body, or part of one, that decides, advises, assesses value or pays."""

    id: str
    label: str
    full_name: str
    kind: str
    jurisdiction: str
    sources: tuple[str, ...]
    names: tuple[str, ...] = ()
    parent: str | None = None
    website: str | None = None
    wikidata: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A category of a published classification, as its publisher draws it."""

    id: str
    label: str
    classification: str
    sources: tuple[str, ...]
    names: tuple[str, ...] = ()
    broader: str | None = None
    position: int | None = None
    exact_match: tuple[str, ...] = ()
    close_match: tuple[str, ...] = ()
    broad_match: tuple[str, ...] = ()
    narrow_match: tuple[str, ...] = ()
    definition: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one source states of one field of one fact, with its exact words or its record locator."""

    id: str
    fact: str
    field: str
    value: str
    source: str
    quotation: str | None = None
    locator: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """A published way of dividing the field into categories, by an agency or an author."""

    id: str
    label: str
    sources: tuple[str, ...]
    names: tuple[str, ...] = ()
    agency: str | None = None
    definition: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disease:
    """A disease as the Mondo Disease Ontology defines it."""

    id: str
    label: str
    sources: tuple[str, ...]
    names: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinction:
    """A decision that things with nearly the same name are not the same thing."""

    id: str
    things: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gene:
    """A human gene or the molecule it codes for, as something that a therapy recognises, delivers or edits."""

    id: str
    label: str
    symbol: str
    hgnc: str
    sources: tuple[str, ...]
    names: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Indication:
    """A disease together with the line of treatment, age, severity or biomarker for which a product is authorised."""

    id: str
    label: str
    sources: tuple[str, ...]
    diseases: tuple[str, ...] = ()
    line: str | None = None
    age_group: str | None = None
    severity: str | None = None
    biomarker: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Jurisdiction:
    """A country, or a group of countries with a common procedure, in which an agency's decisions hold."""

    id: str
    label: str
    sources: tuple[str, ...]
    names: tuple[str, ...] = ()
    iso_alpha2: str | None = None
    iso_alpha3: str | None = None
    part_of: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The finding that a record of a register speaks of a thing of this graph, with the method and its score."""

    id: str
    record: str
    thing: str
    text: str
    method: str
    score: Decimal
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A dated act of an agency, or towards it, about a product, a therapy or a class of therapies."""

    id: str
    kind: str
    about: str
    agency: str
    date: date
    date_precision: str
    sources: tuple[str, ...]
    approval_type: str | None = None
    outcome: str | None = None
    pathways: tuple[str, ...] = ()
    holder: str | None = None
    indications: tuple[str, ...] = ()
    application_number: str | None = None
    reason: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A published figure about the field, with its measure, area, period and unit."""

    id: str
    measure: str
    area: str
    period: str
    period_end: date
    value: Decimal
    unit: str
    status: str
    sources: tuple[str, ...]
    therapy_class: tuple[str, ...] = ()
    stage: str | None = None
    agency: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A company or institution that develops, makes, holds or sponsors a therapy."""

    id: str
    label: str
    sources: tuple[str, ...]
    names: tuple[str, ...] = ()
    jurisdiction: str | None = None
    parent: str | None = None
    wikidata: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pathway:
    """A programme or legal route of an agency by which therapies are advised on, designated, reviewed or approved."""

    id: str
    label: str
    agency: str
    kind: str
    sources: tuple[str, ...]
    names: tuple[str, ...] = ()
    legal_basis: str | None = None
    start: date | None = None
    start_precision: str | None = None
    close_match: tuple[str, ...] = ()
    related_match: tuple[str, ...] = ()
    mapping_note: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A therapy as it is put on a market under one brand."""

    id: str
    label: str
    therapy: str
    sources: tuple[str, ...]
    names: tuple[str, ...] = ()
    holder: str | None = None
    wikidata: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterChange:
    """A difference between two snapshots of a register."""

    id: str
    label: str
    date: date
    record: str
    kind: str
    sources: tuple[str, ...]
    about: str | None = None
    field: str | None = None
    old: str | None = None
    new: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Something that was proposed for the graph, checked, and refused for a reason."""

    id: str
    label: str
    kind: str
    reason: str
    sources: tuple[str, ...]
    agency: str | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondEntry:
    """A second, independent pass over a fact by a curator who had not seen its row, and what came of it."""

    id: str
    fact: str
    fields: tuple[str, ...]
    entered: date
    outcome: str
    note: str | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A document, page or register snapshot that states facts and that a reader can open."""

    id: str
    label: str
    publisher: str
    url: str
    accessed: date
    kind: str
    names: tuple[str, ...] = ()
    published: date | None = None
    published_precision: str | None = None
    language: str | None = None
    licence: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Therapy:
    """An active substance of cells, tissues, genes or replicating microorganisms, at the level of an INN."""

    id: str
    label: str
    therapy_class: str
    active_substance: str
    actions: tuple[str, ...]
    sources: tuple[str, ...]
    names: tuple[str, ...] = ()
    inn: str | None = None
    codes: tuple[str, ...] = ()
    cell_types: tuple[str, ...] = ()
    cell_source: tuple[str, ...] = ()
    tissue_of_origin: tuple[str, ...] = ()
    modifications: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    genes: tuple[str, ...] = ()
    combined_with: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    originator: str | None = None
    unii: str | None = None
    ncit: str | None = None
    wikidata: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A registered clinical trial."""

    id: str
    label: str
    phase: str
    status: str
    sources: tuple[str, ...]
    official_title: str | None = None
    study_type: str | None = None
    therapy_class: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    cell_source: tuple[str, ...] = ()
    therapies: tuple[str, ...] = ()
    diseases: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    interventions: tuple[str, ...] = ()
    sponsor: str | None = None
    sponsor_name: str | None = None
    collaborators: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    enrolment: int | None = None
    start: date | None = None
    start_precision: str | None = None
    completion: date | None = None
    completion_precision: str | None = None
    first_posted: date | None = None
    updated: date | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDecision:
    """A curator's answer to the question whether a text of a register means a thing."""

    id: str
    text: str
    kind: str
    verdict: str
    thing: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnId:
    """An id that was given up, and what stands in its place."""

    id: str
    date: date
    reason: str
    replaced_by: str | None = None


Record = (
    Agency | Category | Claim | Classification | Disease | Distinction | Gene | Indication | Jurisdiction | Link
    | Milestone | Observation | Organisation | Pathway | Product | RegisterChange | Rejection | SecondEntry
    | Source | TextDecision | Therapy | Trial | WithdrawnId
)  # fmt: skip
RECORDS: dict[str, type[Record]] = {kind.__name__: kind for kind in get_args(Record)}
"""Every record class by its name, which is its shape's."""
