"""openFDA's answers about drugs (JSON): Drugs@FDA applications and labels. Public domain (CC0).

openFDA leaves out most licences of the FDA's centre for biologics and most labels of cell therapies: what is not here
may well be in the Purple Book.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.errors import SourceError
from kg.registers.connector import Connector, Head, json_of, looks_like_json
from kg.registers.fda_tables import distinct, this_year
from kg.registers.reading import Summary, Unfit, clean, day, decoded, raw_bytes, shown
from kg.registers.records import Day, ProductRecord

NAME: Final = "openfda"
AGENCY: Final = "agency:us-fda"
LARGEST: Final = 64_000_000
"""The most bytes of an answer; openFDA gives at most a thousand results at once."""
MOST_VALUES: Final = 1_000_000
"""The most values of an answer, by its commas and brackets: each takes far more memory than its text."""

_APPLICATION: Final = re.compile(r"(ANDA|NDA|BLA|BN)\s*(\d{4,6})", re.IGNORECASE | re.ASCII)
_LABEL_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")


def recognise(head: Head) -> bool:
    """Whether a file is an answer of openFDA."""
    text = head.text
    return looks_like_json(text) and '"meta"' in text and ("openFDA" in text or "open.fda.gov" in text)


def read(path: Path, summary: Summary) -> Iterator[ProductRecord]:
    """Yield each application or label of one answer.

    Raises:
        SourceError: It is no answer of openFDA, or openFDA's word that it failed.
    """
    newest = this_year()
    seen: dict[str, str] = {}
    for count, result in enumerate(_results(path, summary, newest), 1):
        where = f"result {count}"
        if not isinstance(result, dict):
            summary.skip(where, "", result, "not an object")
            continue
        found = _Result(where, result, summary, newest)
        read_one = next((read_one for field, read_one in _KINDS.items() if field in result), None)
        if read_one is None:
            summary.skip(where, "", ", ".join(map(str, result)), "neither an application nor a label")
            continue
        try:
            record = read_one(found)
        except Unfit as reason:
            summary.skip(where, *reason.args)
            continue
        if record.id in seen:
            summary.skip(where, "id", record.id, f"the same as {seen[record.id]}")
            continue
        seen[record.id] = where
        summary.loaded += 1
        yield record


def _results(path: Path, summary: Summary, newest: int) -> list[object]:
    text = decoded(raw_bytes(path, LARGEST), path, summary)
    if sum(map(text.count, ",{[")) > MOST_VALUES:
        raise SourceError(f"{path}: has more than {MOST_VALUES:,} values; ask openFDA for fewer results at a time")
    answer = json_of(text, path, summary)
    if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
        error = answer["error"]
        raise SourceError(f"{path}: openFDA says {shown(error.get('code'))}: {shown(error.get('message'))}")
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(results, list):
        raise SourceError(f"{path}: no answer of openFDA, which is an object with a list 'results'")
    meta = answer.get("meta")
    if isinstance(meta, dict):
        summary.seen(_Result("meta", meta, summary, newest).day("last_updated", "iso"))
    return results


@dataclass(frozen=True, slots=True)
class _Result:
    """An object of an answer, and what its fields hold where they hold what they should."""

    where: str
    fields: Mapping[str, object]
    summary: Summary
    newest: int

    def _unlike(self, field: str, value: object, should: str) -> None:
        self.summary.warn(self.where, field, value, f"not {should}; left out")

    def texts(self, field: str) -> tuple[str, ...]:
        """The texts of a field that is a text or a list of texts."""
        value = self.fields.get(field)
        if value is None:
            return ()
        listed = value if isinstance(value, list) else [value]
        for one in listed:
            if not isinstance(one, str):
                self._unlike(field, one, "a text")
        return distinct([text for one in listed if isinstance(one, str) and (text := clean(one))])

    def text(self, field: str) -> str:
        """The text of a field; the first one of a list."""
        return next(iter(self.texts(field)), "")

    def object(self, field: str) -> "_Result":
        """The object of a field; an empty one where there is none."""
        value = self.fields.get(field, {})
        if not isinstance(value, dict):
            self._unlike(field, value, "an object")
            value = {}
        return _Result(self.where, value, self.summary, self.newest)

    def objects(self, field: str) -> "list[_Result]":
        """The objects of a list."""
        value = self.fields.get(field)
        listed = value if isinstance(value, list) else []
        if value is not None and not isinstance(value, list):
            self._unlike(field, value, "a list")
        for one in listed:
            if not isinstance(one, dict):
                self._unlike(field, one, "an object")
        return [_Result(self.where, one, self.summary, self.newest) for one in listed if isinstance(one, dict)]

    def day(self, field: str, form: str) -> Day | None:
        """The day in a field; what is no day is left out with a warning."""
        try:
            return day(self.text(field), form, newest=self.newest)
        except Unfit as reason:
            self.summary.warn(self.where, field, self.text(field), f"{reason}; left out")
            return None


def _application(result: _Result) -> ProductRecord:
    """Read an answer of drug/drugsfda.

    Raises:
        Unfit: Its number is none; field, value and reason are its arguments.
    """
    written = result.text("application_number")
    number = _APPLICATION.fullmatch(written)
    if number is None:
        raise Unfit("application_number", written, "not the number of an application")
    products, terms = result.objects("products"), result.object("openfda")
    submissions = result.objects("submissions")
    days = {index: one.day("submission_status_date", "compact") for index, one in enumerate(submissions)}
    result.summary.seen(*days.values())
    originals = [
        found
        for index, one in enumerate(submissions)
        if one.text("submission_type") == "ORIG"
        and one.text("submission_status") == "AP"
        and (found := days[index]) is not None
    ]
    active = [one.text("name") for product in products for one in product.objects("active_ingredients")]
    kinds = [one.text("code") for each in submissions for one in each.objects("submission_property_type")]
    return ProductRecord(
        register=NAME,
        id=f"{number[1].upper()}{number[2]}",
        where=result.where,
        agency=AGENCY,
        names=distinct([brand for one in products if (brand := one.text("brand_name"))]),
        inn="; ".join(terms.texts("generic_name")),
        active="; ".join(distinct([one for one in active if one])),
        group="; ".join(terms.texts("pharm_class_epc")),
        holder=result.text("sponsor_name"),
        status="; ".join(distinct([one for product in products if (one := product.text("marketing_status"))])),
        authorised=min(originals, key=lambda one: one.date, default=None),
        application=f"{number[1].upper()} {number[2]}",
        advanced=_advanced(terms),
        orphan=True if "orphan" in map(str.casefold, kinds) else None,
        category="; ".join(terms.texts("product_type")),
    )


def _label(result: _Result) -> ProductRecord:
    """Read an answer of drug/label.

    Raises:
        Unfit: It has no id; field, value and reason are its arguments.
    """
    label_id = result.text("set_id") or result.text("id")
    if not _LABEL_ID.fullmatch(label_id):
        raise Unfit("set_id", label_id, "not the id of a label")
    terms = result.object("openfda")
    applications = []
    for written in terms.texts("application_number"):
        number = _APPLICATION.fullmatch(written)
        if number is not None:
            applications.append(f"{number[1].upper()} {number[2]}")
        else:
            result.summary.warn(result.where, "application_number", written, "not the number of an application")
    if len(applications) > 1:
        listed = ", ".join(applications)
        result.summary.warn(result.where, "application_number", listed, "a label of several; the first is kept")
    result.summary.seen(result.day("effective_time", "compact"))
    return ProductRecord(
        register=NAME,
        id=label_id,
        where=result.where,
        agency=AGENCY,
        names=terms.texts("brand_name"),
        inn="; ".join(terms.texts("generic_name")),
        active="; ".join(terms.texts("substance_name")),
        group="; ".join(terms.texts("pharm_class_epc")),
        holder=terms.text("manufacturer_name"),
        application=next(iter(applications), ""),
        advanced=_advanced(terms),
        indication=result.text("indications_and_usage"),
        category="; ".join(terms.texts("product_type")),
    )


def _advanced(terms: _Result) -> bool | None:
    return True if "CELLULAR THERAPY" in terms.texts("product_type") else None


_KINDS: Final[Mapping[str, Callable[[_Result], ProductRecord]]] = {
    "submissions": _application,
    "application_number": _application,
    "set_id": _label,
    "effective_time": _label,
}
"""How a result is read, by the first of these fields that it has."""

CONNECTOR: Final = Connector(
    name=NAME,
    title="openFDA: Drugs@FDA and labels",
    publisher="US Food and Drug Administration",
    agency=AGENCY,
    licence="public domain, CC0 1.0; openFDA asks not to rely on it for medical care",
    url="https://api.fda.gov/drug/drugsfda.json?search=application_number:BLA*&limit=1000",
    page="https://open.fda.gov/apis/drug/drugsfda/",
    floor=1,
    recognise=recognise,
    read=read,
)
