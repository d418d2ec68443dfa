"""Which records of registers are of cell and gene therapies, of which class, against what, from whom.

The words and the order of the rules are data (`classifier.yaml`) with the names of the curated tables beside them;
this module only looks where what stands: what a trial gives, its titles, its descriptions. A verdict names the rule
that decided and the words it found.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import yaml

from kg.known import Known, known_therapies
from kg.registers.records import DesignationRecord, Intervention, ProductRecord, RegisterRecord, TrialRecord
from kg.resources import PACKAGE
from kg.words import Words, alternation, plain

RULES: Final = PACKAGE / "classifier.yaml"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a record is, and why it is thought so.

    Attributes:
        is_cgt: Whether it is of a cell or gene therapy.
        therapy_class: An id of `class:`; None where the text does not let it be told.
        targets: Ids of `gene:` that engineered receptors recognise; the plain name of an antigen that is no gene's.
        cell_source: An id of `cell-source:`, or None.
        follow_up: Whether the study follows people who got the therapy before.
        rule: The rule that decided.
        words: The words it found.
        therapy: The id of the curated therapy that it names, or None.
    """

    is_cgt: bool
    therapy_class: str | None = None
    targets: tuple[str, ...] = ()
    cell_source: str | None = None
    follow_up: bool = False
    rule: str = "no words of cell or gene therapy"
    words: tuple[str, ...] = ()
    therapy: str | None = None


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    therapy_class: str
    needs: tuple[frozenset[str], ...]
    none: frozenset[str]
    closer: frozenset[str]
    named: str
    treats: bool
    order: int


@dataclass(frozen=True, slots=True)
class _Hit:
    rule: _Rule
    words: tuple[str, ...]
    known: Known | None = None


Found = Mapping[str, list[str]]


class Classifier:
    """The rules, compiled.

    Args:
        known: Curated therapies whose names are rules too.
        rules: The content of `classifier.yaml`.
    """

    def __init__(self, known: Iterable[Known], rules: Mapping[str, Any]) -> None:
        self._rules = tuple(_rules(rules["classes"]))
        self._rank = {rule.therapy_class: rule.order for rule in reversed(self._rules)}
        self._known = {one.therapy: one for one in known}
        self._names = {
            plain(name): one for one in self._known.values() for name in one.names if len(plain(name)) > _SHORTEST
        }
        self._exact = {plain(name): one for one in self._known.values() for name in one.names}
        needed = {word for rule in self._rules for need in rule.needs for word in need}
        evidence = {word: phrases for word, phrases in rules["words"].items() if word in needed - _NOT_ALONE}
        named: dict[str, Iterable[str]] = {
            one.therapy: [name for name, of in self._names.items() if of is one] for one in self._known.values()
        }
        self._words = Words(rules["words"])
        self._codes = {f"code {number}": _code(one) for number, one in enumerate(rules["codes"])}
        codes = {name: one.names for name, one in self._codes.items()}
        self._known |= self._codes
        named |= codes
        self._prepares = Words({"prepares": rules["prepares"]})
        self._lists = frozenset(rules["lists-of-car-t"])
        self._known_words = Words({therapy: names for therapy, names in named.items() if names})
        known_names = {"known": [name for names in named.values() for name in names]}
        strong = {word for rule in self._rules if not rule.named for need in rule.needs for word in need}
        self._quick = Words(evidence | known_names)
        self._strong = Words({word: phrases for word, phrases in evidence.items() if word in strong} | known_names)
        self._targets = Words(rules["targets"])
        self._sources = Words(rules["sources"])
        self._follow_up = Words({"follow-up": rules["follow-up"]})
        self._giving = Words({"giving": rules["giving"]})
        self._laboratory = Words({"laboratory": rules["laboratory"]})
        self._asides = Words({"aside": rules["asides"]})
        self._masks = alternation(rules["masks"])
        self._cuts = alternation(rules["cuts"], r"[^.;,:()]*")
        self._title_cuts = alternation([*rules["cuts"], *rules["title-cuts"]], r"[^.;,:()]*")
        self._not_kinds = frozenset(rules["kinds-not-given"])

    def classify(self, record: RegisterRecord) -> Verdict:
        """Say what a record is."""
        if isinstance(record, TrialRecord):
            return self._trial(record)
        if isinstance(record, ProductRecord):
            return self._product(record)
        return self._designation(record)

    def _product(self, record: ProductRecord) -> Verdict:
        if record.category.casefold() == "veterinary":
            return Verdict(False, rule="a medicine for animals")
        flag = "advanced therapy flag" if record.advanced else ""
        text = " ; ".join((record.inn, record.active, *record.names, flag, f"atc {record.atc}" if record.atc else ""))
        return self._substance(text, (record.inn, record.active, *record.names), record.indication)

    def _designation(self, record: DesignationRecord) -> Verdict:
        text = " ; ".join((record.substance, *record.names))
        return self._substance(text, (record.substance, *record.names), record.condition)

    def _substance(self, text: str, names: tuple[str, ...], purpose: str) -> Verdict:
        if not self._quick.touches(plain(text)) and not self._exactly(names):
            return Verdict(False)
        text = self._masked(text)
        hit = self._decide(text, names, purpose, given="given")
        if hit is None:
            return Verdict(False, rule="words of cell or gene therapy, but another kind of medicine")
        return self._verdict(hit, (text, self._masked(purpose)), follow_up=False)

    def _trial(self, record: TrialRecord) -> Verdict:
        given = [one for one in record.interventions if one.kind not in self._not_kinds]
        titles = f"{record.title} ; {record.official_title}"
        names = [" ; ".join((one.name, *one.other_names)) for one in given]
        described = " ; ".join(one.description for one in given)
        observed = record.study_type.upper() == "OBSERVATIONAL" or not (given or record.study_type)
        telling = bool(given) and not observed and any(one.kind in _BIOLOGICAL for one in given)
        if not (
            self._quick.touches(plain(" ; ".join((titles, *names))))
            or (telling and self._strong.touches(plain(f"{described} ; {record.summary}")))
            or any(self._exactly((one.name, *one.other_names)) for one in given)
        ):
            return self._listed(record) or Verdict(False)
        conditions = " ; ".join(record.conditions)
        hits = [self._given(one, titles, conditions) for one in given]
        title = self._masked(self._title_cuts.sub(" ", titles.casefold()))
        followed = bool(self._follow_up.find(plain(titles)))
        text = self._masked(self._cuts.sub(" ", " . ".join((described, record.summary)).casefold()))
        named = max(filter(None, hits), key=self._weight, default=None)
        where = " in an intervention"
        if named is None:
            named, where = self._decide(title, (), conditions), " in the title"
            if named is not None and not self._may_be_given(named, given, titles, observed):
                named = None
        if named is None and (observed or followed) and not self._laboratory.find(plain(titles)):
            named, where = self._decide(self._masked(titles), (), conditions), " in the title, of people followed"
            if named is not None and (named.rule.named or not (observed or "safety" in titles.casefold())):
                named = None
            followed = True
        if named is None and telling:
            named, where = self._described(text, given, titles, conditions), " in the description"
        if named is None:
            return self._listed(record) or Verdict(
                False, rule="words of cell or gene therapy, but nothing of the kind is given"
            )
        if len({_class_of(hit) for hit in hits if hit} - {None}) > _SEVERAL:
            named = _Hit(_PLATFORM, named.words)
        named = self._closer(named, (title, text, plain(" ".join(record.keywords))))
        zones = (self._masked(" ; ".join(self._cut(name) for name in names)), title, text)
        return self._verdict(named, zones, followed or (observed and not given), where)

    def _listed(self, record: TrialRecord) -> Verdict | None:
        """A code that says nothing, given alone or with what prepares for cells, in a list of CAR-T trials only."""
        if record.register not in self._lists or self._asides.find(plain(record.title)):
            return None
        others = [_KIND.sub("", one.name) for one in record.interventions if not self._prepares.find(plain(one.name))]
        codes = [name for name in others if _CODES.match(name) and "outside" not in self._words.find(plain(name))]
        if not others or len(codes) < len(others) or _DRUG.search(f"{record.title} {record.summary}".casefold()):
            return None
        zones = (plain(" ; ".join(others)), self._masked(record.title), self._masked(record.summary))
        return self._verdict(_Hit(_LISTED, tuple(others[:1])), zones, follow_up=False)

    def _weight(self, hit: _Hit) -> tuple[int, bool]:
        """Among what is given, the class that rules come to first tells most; among the same, a name does."""
        return -self._rank.get((_class_of(hit) or "").removeprefix("class:"), 0), hit.known is not None

    def _given(self, one: Intervention, titles: str, conditions: str) -> _Hit | None:
        """What one intervention is by its names."""
        text = self._masked(self._cut(" ; ".join((one.name, *one.other_names))))
        return self._decide(text, (one.name, *one.other_names), f"{titles} ; {conditions}", given="trial")

    def _may_be_given(self, hit: _Hit, given: list[Intervention], titles: str, observed: bool) -> bool:
        """Whether what only a title names may be what is given: nothing there speaks of the people who had it."""
        text = plain(titles)
        if self._laboratory.find(text) or (hit.rule.named and not self._giving.find(text)):
            return False
        if observed:
            return not hit.rule.named or any(self._giving.find(plain(word)) for word in hit.words)
        return (hit.known is not None or self._carried(given)) and not self._asides.find(text)

    def _carried(self, given: list[Intervention]) -> bool:
        """Whether any of what is given may be what titles and descriptions speak of."""
        return any(
            one.kind in _BIOLOGICAL and "outside" not in self._words.find(plain(part))
            for one in given
            for part in _PARTS.split(one.name)
        )

    def _described(self, text: str, given: list[Intervention], titles: str, conditions: str) -> _Hit | None:
        """What a trial gives whose names and titles are codes, by its descriptions."""
        if self._asides.find(plain(titles)) or not self._carried(given):
            return None
        hit = self._decide(text, (), f"{titles} ; {conditions}")
        return hit if hit is not None and not hit.rule.named else None

    def _cut(self, text: str) -> str:
        return self._cuts.sub(" ", text.casefold())

    def _masked(self, text: str) -> str:
        return plain(self._masks.sub(" ; ", text.casefold()))

    def _exactly(self, names: Iterable[str]) -> Known | None:
        """The curated therapy that one of some names is, whole."""
        return next((self._exact[p] for p in map(plain, names) if p in self._exact), None)

    def _decide(self, text: str, names: tuple[str, ...], purpose: str, given: str = "") -> _Hit | None:
        """Apply the rules to a masked plain text, to all of them where it names what is given."""
        known = self._exactly(names) or next((self._known[therapy] for therapy in self._known_words.find(text)), None)
        if known is not None:
            names_found = self._known_words.find(text)
            return _Hit(
                _KNOWN if known.therapy else _CODE,
                tuple(names_found.get(known.therapy, ())) or next(iter(map(tuple, names_found.values())), names[:1]),
                known,
            )
        found = self._words.find(text)
        if not found or "measured" in found:
            return None
        if self._targets.find(text):
            found["target"] = []
        for rule in self._rules:
            if all(not need.isdisjoint(found) for need in rule.needs) and rule.none.isdisjoint(found):
                if rule.named in ("given", "trial") and given not in ("trial", rule.named):
                    continue
                if rule.treats and self._prevents(found, purpose):
                    continue
                words = [word for need in rule.needs for name in sorted(need) for word in found.get(name, ())]
                return _Hit(rule, tuple(dict.fromkeys(words)))
        return None

    def _prevents(self, found: Found, purpose: str) -> bool:
        """Whether a vaccine is against an infection, to prevent it."""
        if "preventive" in found:
            return True
        about = self._words.find(plain(purpose))
        if "vaccine" not in found and "vaccine" not in about:
            return False
        return bool({"infection"} & (found.keys() | about.keys())) and "cancer" not in about

    def _closer(self, hit: _Hit, zones: tuple[str, ...]) -> _Hit:
        """Take a class that other texts give more closely, where the rule says that they may."""
        if not hit.rule.closer:
            return hit
        for zone in zones:
            found = self._words.find(zone)
            if self._targets.find(zone):
                found["target"] = []
            for rule in self._rules:
                if rule.order >= hit.rule.order:
                    break
                if rule.therapy_class in hit.rule.closer and (
                    all(not need.isdisjoint(found) for need in rule.needs) and rule.none.isdisjoint(found)
                ):
                    words = [word for need in rule.needs for name in sorted(need) for word in found.get(name, ())]
                    return _Hit(rule, (*hit.words, *dict.fromkeys(words)))
        return hit

    def _verdict(self, hit: _Hit, zones: tuple[str, ...], follow_up: bool, where: str = "") -> Verdict:
        """Fill in targets and the source of cells: from the first zone that speaks of them."""
        known = hit.known
        therapy_class = _class_of(hit)
        targets: tuple[str, ...] = known.targets if known and therapy_class in _TARGETED else ()
        if not targets and therapy_class in _TARGETED:
            near = {name for zone in zones[:2] for name in self._targets.find(zone)}
            targets = tuple(sorted(map(_gene, near or self._targets.find(zones[-1]))))
        source = known.cell_source if known else None
        if not source and therapy_class not in _NO_CELLS:
            sources = next(filter(None, (self._sources.find(zone) for zone in zones)), {})
            source = f"cell-source:{next(iter(sources))}" if len(sources) == 1 else None
        return Verdict(
            True, therapy_class, targets, source, follow_up, f"{hit.rule.name}{where}", hit.words,
            known.therapy or None if known else None,
        )  # fmt: skip


def _rules(listed: Iterable[Mapping[str, Any]]) -> Iterator[_Rule]:
    for order, one in enumerate(listed):
        yield _Rule(
            one["rule"],
            one["class"],
            tuple(frozenset(need.split("|")) for need in one["all"]),
            frozenset(one.get("none", ())),
            frozenset(one.get("closer", ())),
            str(one.get("named", "")),
            one.get("treats", False),
            order,
        )


def _class_of(hit: _Hit) -> str | None:
    if hit.known:
        return hit.known.therapy_class
    return f"class:{hit.rule.therapy_class}" if hit.rule.therapy_class else None


def _code(one: Mapping[str, Any]) -> Known:
    return Known("", f"class:{one['class']}", tuple(one["names"]), tuple(map(_gene, one["targets"])))


def _gene(symbol: str) -> str:
    return symbol if symbol in _NOT_GENES else f"gene:{symbol.lower()}"


_CODES: Final = re.compile(r"[A-Za-z]{1,8}(?:[- ]?[A-Za-z]{1,6})?[- ]?\d{2,}")
_KIND: Final = re.compile(r"^(?:biological|drug|genetic)[^:]{0,20}: ", re.IGNORECASE)
_PARTS: Final = re.compile(r" ?[+±/&;,] ?| and ")
_DRUG: Final = re.compile(
    r"antibod|bispecific|inhibitor|tablet|\boral\b|capsule|engager|degrader|conjugate|agonist|small molecule"
)
_SHORTEST: Final = 6
"""Names of four letters and fewer, and the spaces around them, are known only where they stand alone."""
_NOT_GENES: Final = frozenset({"GD2"})
_NOT_ALONE: Final = frozenset({"hsc", "t-cell", "modified", "in-vivo", "myeloid", "vaccine", "target", "cells", "nk"})
"""Words that mean nothing without others beside them."""
_BIOLOGICAL: Final = frozenset({"", "BIOLOGICAL", "GENETIC", "DRUG", "COMBINATION_PRODUCT", "OTHER", "PROCEDURE"})
_CODE: Final = _Rule("a code of development", "", (), frozenset(), frozenset(), "", False, -1)
_LISTED: Final = _Rule("a code in a list of CAR-T trials", "car-t", (), frozenset(), frozenset(), "", False, -1)
_PLATFORM: Final = _Rule("therapies of several classes", "", (), frozenset(), frozenset(), "", False, -1)
_SEVERAL: Final = 2
"""A trial that gives therapies of more classes than this is of none of them."""
_KNOWN: Final = _Rule("a name of a curated therapy", "", (), frozenset(), frozenset(), "", False, -1)


_TARGETED: Final = frozenset(
    f"class:{name}"
    for name in (
        "car-t",
        "car-nk",
        "tcr-t",
        "til",
        "other-gene-modified-immune-cell",
        "lentiviral-in-vivo",
        "other-in-vivo-gene-therapy",
    )
)
_NO_CELLS: Final = frozenset(
    f"class:{name}"
    for name in (
        "aav", "adenoviral", "hsv-vector", "plasmid", "lentiviral-in-vivo", "oncolytic-virus", "in-vivo-genome-editing",
        "other-in-vivo-gene-therapy", "oncolytic-bacterium",
    )
)  # fmt: skip


@cache
def shipped() -> Classifier:
    """Return the classifier of the shipped rules and tables; read once."""
    return Classifier(known_therapies(), yaml.safe_load(RULES.read_text(encoding="utf-8")))


def classify(record: RegisterRecord) -> Verdict:
    """Say what a record is, by the shipped rules and tables."""
    return shipped().classify(record)
