"""What a thing is in one sentence, and how it stands with each agency: from the graph alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from kg.namespaces import compact, expand
from kg.report import rows
from kg.web.opened import node
from kg.web.pages.facts import Link, View
from kg.web.pages.wording import count, day, known, placed

_APPROVALS: Final = {
    "agency": "agency",
    "class": "therapy_class",
    "gene": "target",
    "product": "product",
    "therapy": "therapy",
}
"""Kinds of thing whose approvals the library lists, and the parameter that narrows the list to one."""
_CONVERSION: Final = node("cgt:ApprovalConversion")
_STANDING: Final = "authorised"
_DAYS: Final = "day"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a product stands with an agency: when it was approved, how long after the first, and what it is now."""

    agency: Link
    product: Link
    milestone: Link
    date: str
    type: str
    after: int | None
    status: str
    since: str


class Summary:
    """A thing in short.

    Args:
        view: The thing.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        parameter = _APPROVALS.get(view.prefix)
        found = rows(answer) if parameter and (answer := view.asked("approvals", parameter)) else []
        self._approvals: list[dict[str, Any]] = sorted(found, key=lambda row: str(row["date"]))

    @property
    def standings(self) -> list[Standing]:
        """For a product or a therapy: how it stands with every agency that approved it, the first first."""
        if self._view.prefix not in ("product", "therapy"):
            return []
        return [self._standing(row) for row in self._approvals]

    def _standing(self, row: dict[str, Any]) -> Standing:
        opened = self._view.opened
        first = self._approvals[0]
        exact = row["date_precision"] == first["date_precision"] == _DAYS
        after = (date.fromisoformat(row["date"]) - date.fromisoformat(first["date"])).days if exact else None
        agency = opened.called("agency").get(row["agency"], "")
        return Standing(
            agency=Link(row["agency"], opened.path(agency) if agency else None),
            product=Link(opened.cell(row["product"])["text"], opened.cell(row["product"])["href"]),
            milestone=Link(opened.cell(row["milestone"])["text"], opened.cell(row["milestone"])["href"]),
            date=known(row["date"], row["date_precision"]),
            type=self._type(row),
            after=after,
            status=row["status"] or "",
            since=known(*self._changed(row)),
        )

    @staticmethod
    def _changed(row: dict[str, Any]) -> tuple[str, str]:
        """When the status became what it is, and how precisely that is known; nothing where it never changed."""
        return row["status_date"] or "", row["status_precision"] or _DAYS

    def _type(self, row: dict[str, Any]) -> str:
        """The kind of the approval, and what it was converted to since."""
        view = self._view
        said = [row["approval_type"] or ""]
        for act, _ in view.subjects(node("cgt:about"), expand(row["product"])):
            agencies = {view.opened.labels.get(by.value) for by in view.values(act, "cgt:agency")}
            days = [value.value for value in view.values(act, "cgt:date")]
            if _CONVERSION in view.values(act, "rdf:type") and row["agency"] in agencies and row["date"] <= days[0]:
                kinds = [view.link(value).text for value in view.values(act, "cgt:approvalType")]
                said.append(f"{kinds[0] if kinds else 'conditions fulfilled'} since {days[0]}")
        return ", ".join(said)

    @property
    def sentence(self) -> list[Link]:
        """What it is, in the pieces of one sentence; nothing where the graph says no more than its label."""
        tell = getattr(self, f"_{self._view.prefix}", None)
        pieces: list[Link] = [one for one in (tell() if tell else []) if one.text]
        return [*pieces, Link(".")] if pieces else []

    def _product(self) -> list[Link]:
        therapy = self._view.values(self._view.iri, "cgt:therapy")
        kind = self._kind(therapy[0].value) if therapy else [Link("Product")]
        return [*kind, *self._by("cgt:holder", ", of "), *self._approved()]

    def _therapy(self) -> list[Link]:
        return [*self._kind(self._view.iri), *self._by("cgt:originator", ", first developed by "), *self._approved()]

    def _kind(self, therapy: str) -> list[Link]:
        view = self._view
        classes = [view.link(v) for v in view.values(therapy, "cgt:therapyClass")]
        targets = [view.link(v) for v in view.values(therapy, "cgt:target")]
        head = [Link(c.text[:1].upper() + c.text[1:], c.href) for c in classes[:1]] or [Link("Therapy")]
        return [*head, *_joined(" against ", targets)]

    def _by(self, name: str, before: str) -> list[Link]:
        return _joined(before, [self._view.link(v) for v in self._view.values(self._view.iri, name)])

    def _of_place(self, before: str) -> list[Link]:
        places = [self._view.link(v) for v in self._view.values(self._view.iri, "cgt:jurisdiction")]
        return _joined(before, [replace(one, text=placed(one.text)) for one in places])

    def _approved(self) -> list[Link]:
        if not self._approvals:
            return [Link("; no approval is in the graph")]
        agencies = list(dict.fromkeys(row["agency"] for row in self._approvals))
        standing = {row["agency"] for row in self._approvals if row["status"] == _STANDING}
        first = self._standing(self._approvals[0])
        said = [Link("; first approved by "), first.agency, Link(f" {self._on(self._approvals[0])}")]
        if len(agencies) > 1:
            said.append(Link(f"; approved by {len(agencies)} agencies"))
        now = len(standing)
        state = "" if now == len(agencies) else f", still authorised by {count(now, 'agency', 'agencies')}"
        if not now:
            since = day(*self._changed(self._approvals[0]))
            state = ", and no longer by any" if len(agencies) > 1 else f"; {first.status} since {since}"
        return [*said, Link(state)]

    def _on(self, row: dict[str, Any]) -> str:
        words = day(row["date"], row["date_precision"])
        return f"on {words}" if row["date_precision"] == _DAYS else f"in {words}"

    def _agency(self) -> list[Link]:
        view = self._view
        kind = [view.link(v) for v in view.values(view.iri, "cgt:kind")]
        head = [Link(k.text[:1].upper() + k.text[1:], k.href) for k in kind[:1]] or [Link("Public body")]
        said = [*head, *self._of_place(" of ")]
        if self._approvals:
            first, last = self._approvals[0], self._approvals[-1]
            products = len({row["product"] for row in self._approvals})
            said += [
                Link(f"; has approved {count(products, 'product')} since "),
                Link(day(first["date"], first["date_precision"])),
            ]
            said += [Link(", the newest "), self._called(last), Link(f" {self._on(last)}")]
        return said

    def _called(self, row: dict[str, Any]) -> Link:
        cell = self._view.opened.cell(row["product"])
        return Link(cell["text"], cell["href"])

    def _class(self) -> list[Link]:
        above = self._by("skos:broader", " of ")
        return [Link("Class" if above else "Class of therapies"), *above, *self._products()]

    def _gene(self) -> list[Link]:
        said = [*self._told("cgt:target", "target of", "therapy", "therapies")]
        said += self._told("cgt:deliversGene", "delivered or edited by", "therapy", "therapies")
        return [Link("Gene"), *said, *self._products()]

    def _organisation(self) -> list[Link]:
        said = self._told("cgt:holder", "holder of", "product", "products")
        said += self._told("cgt:originator", "originator of", "therapy", "therapies")
        said += self._told("cgt:sponsor", "sponsor of", "trial", "trials")
        where = self._of_place(" in ")
        return [Link("Organisation"), *where, *self._by("cgt:partOf", ", part of "), *said]

    def _told(self, name: str, words: str, one: str, many: str) -> list[Link]:
        """How many things of a kind refer to it by a property."""
        found = [s for s, _ in self._view.subjects(node(name), self._view.iri) if compact(s).startswith(f"{one}:")]
        return [Link(f"; {words} {count(len(found), one, many)}")] if found else []

    def _products(self) -> list[Link]:
        """How many products were approved, by how many agencies, and which was the first."""
        if not self._approvals:
            return []
        first = self._approvals[0]
        products = len({row["product"] for row in self._approvals})
        agencies = len({row["agency"] for row in self._approvals})
        return [
            Link(f"; {count(products, 'product')} approved by {count(agencies, 'agency', 'agencies')}, the first "),
            self._called(first), Link(f" by {first['agency']} {self._on(first)}"),
        ]  # fmt: skip

    def _milestone(self) -> list[Link]:
        view = self._view
        when = next((v.value for v in view.values(view.iri, "cgt:date")), "")
        precision = next((v.value for v in view.values(view.iri, "cgt:datePrecision")), _DAYS)
        kinds = ", ".join(view.kinds(view.iri))
        said = [Link(kinds[:1].upper() + kinds[1:]), *self._by("cgt:about", " of "), *self._by("cgt:agency", " by ")]
        return [*said, Link(f" {self._on({'date': when, 'date_precision': precision})}")] if when else []

    def _trial(self) -> list[Link]:
        said = [*self._by("cgt:phase", ""), Link(" trial"), *self._by("cgt:therapy", " of ")]
        return [*said, *self._by("cgt:sponsor", ", sponsored by "), *self._by("cgt:trialStatus", "; ")]


def _joined(before: str, links: Sequence[Link]) -> list[Link]:
    """Links as one says them, after what comes before them; nothing where there are none."""
    found: list[Link] = []
    for place, one in enumerate(links):
        between = before if not place else " and " if place == len(links) - 1 else ", "
        found += [Link(between), one]
    return found
