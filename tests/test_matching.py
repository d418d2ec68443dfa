"""Texts of registers are linked to what they mean, and to nothing that only looks like it."""

import csv
import hashlib
import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kg import resources
from kg.curated import Tables, read
from kg.errors import SourceError
from kg.matching import Candidate, Link, Matcher
from kg.matching.measured import labelled, measure
from kg.matching.near import NearNames
from kg.matching.numbers import numbers
from kg.matching.organisations import Organisations
from kg.matching.spelling import key
from kg.records import TextDecision
from kg.registers.records import DesignationRecord, Intervention, ProductRecord, TrialRecord
from tests.support import REGISTERS, ROOT, needs_registers

LABELS = ROOT / "tests" / "data" / "labels"
VOCABULARIES = REGISTERS / "vocabularies"


@pytest.fixture(scope="module")
def tables() -> Tables:
    return read([resources.CURATED])


@pytest.fixture(scope="module")
def matcher(tables: Tables) -> Matcher:
    return Matcher(tables)


@pytest.fixture(scope="module")
def full(tables: Tables) -> Matcher:
    return Matcher(tables, VOCABULARIES)


@pytest.fixture
def decided(tables: Tables) -> Callable[..., Matcher]:
    def make(*decisions: TextDecision) -> Matcher:
        return Matcher(replace(tables, records={**tables.records, "decisions": list(decisions)}))

    return make


def trial(*texts: str, **more: str) -> TrialRecord:
    given = tuple(Intervention("BIOLOGICAL", text) for text in texts)
    return TrialRecord(
        **{"register": "ctgov", "id": "NCT00000000", "where": "", "title": ""} | more, interventions=given
    )  # type: ignore[arg-type]


def things(links: tuple[Link, ...]) -> set[str]:
    return {link.thing for link in links}


NAMED = [
    ("tisagenlecleucel", "tisagenlecleucel"),
    ("KYMRIAH®", "tisagenlecleucel"),
    ("ＫＹＭＲＩＡＨ™ infusion", "tisagenlecleucel"),
    ("CTL-019", "tisagenlecleucel"),
    ("CTL019 cells", "tisagenlecleucel"),
    ("tisagenlecleucel-T", "tisagenlecleucel"),
    ("チサゲンレクルユーセル", "tisagenlecleucel"),
    ("キムリア点滴静注", "tisagenlecleucel"),
    ("킴리아주(티사젠렉류셀)", "tisagenlecleucel"),
    ("Кимрая (тисагенлеклейцел)", "tisagenlecleucel"),
    ("替沙仑赛", "tisagenlecleucel"),
    ("onasemnogene abeparvovec-xioi", "onasemnogene-abeparvovec"),
    ("remestemcel-L-rknd", "remestemcel-l"),
    ("阿基仑赛注射液（奕凯达®）", "axicabtagene-ciloleucel"),
    ("注射用阿基仑赛", "axicabtagene-ciloleucel"),
    ("Infusion of Axicabtagene Ciloleucel", "axicabtagene-ciloleucel"),
    ("Axi-cel", "axicabtagene-ciloleucel"),
    ("G47Δ", "teserpaturev"),
    ("G47delta", "teserpaturev"),
    ("Autologous T cells (JCAR-017), second dose", "lisocabtagene-maraleucel"),
    ("tisa-cel", "tisagenlecleucel"),
    (
        "characterized viable autologous cartilage cells expanded ex vivo expressing specific marker proteins",
        "characterised-viable-autologous-cartilage-cells",
    ),
    ("CD19 CAR-T cells", ""),
    ("CAR-T cells targeting BCMA", ""),
    ("CART-19", ""),
    ("MB-CART19.1", ""),
    ("bb21217", ""),
    ("CTL119", ""),
    ("QH101", ""),
    ("SNC109", ""),
    ("KY-H101", ""),
    ("vitamin H 101 mg", ""),
    ("MACI", ""),
    ("Cyclophosphamide", ""),
    ("autologous mesenchymal stem cells", ""),
    ("", ""),
    ("®", ""),
]


@pytest.mark.parametrize(("text", "therapy"), NAMED)
def test_an_intervention_means_the_therapy_that_it_names(matcher: Matcher, text: str, therapy: str) -> None:
    assert things(matcher.therapies(trial(text))) == ({f"therapy:{therapy}"} if therapy else set())


def test_an_intervention_may_name_several_therapies(matcher: Matcher) -> None:
    found = matcher.therapies(trial("Commercial product: Yescarta, Tecartus or BREYANZI", "cyclophosphamide"))
    assert things(found) == {
        "therapy:axicabtagene-ciloleucel",
        "therapy:brexucabtagene-autoleucel",
        "therapy:lisocabtagene-maraleucel",
    }
    assert {(link.kind, link.method, link.score) for link in found} == {("therapy", "name", 100.0)}


def test_other_names_of_an_intervention_count(matcher: Matcher) -> None:
    given = replace(trial(), interventions=(Intervention("BIOLOGICAL", "CAR-T", ("anti-CD19", "KTE-X19")),))
    assert things(matcher.therapies(given)) == {"therapy:brexucabtagene-autoleucel"}


def test_a_curated_trial_is_known_by_its_number(matcher: Matcher) -> None:
    (link,) = matcher.therapies(trial("CAR-BCMA T Cells", id="NCT03975907"))
    assert link == Link("therapy", "NCT03975907", "therapy:zevorcabtagene-autoleucel", "id")


def test_a_description_needs_the_organisation(tables: Tables) -> None:
    matcher = Matcher(tables)
    text = "Human CD19Targeted T Cells Injection"
    assert things(matcher.therapies(trial(text, sponsor="Hrain Biotechnology Co., Ltd."))) == {
        "therapy:leinijiaolunsai"
    }
    assert matcher.candidates == ()
    assert matcher.therapies(trial(text, sponsor="A Hospital")) == ()
    assert matcher.candidates == (Candidate("therapy", text, "therapy:leinijiaolunsai", 100.0, "a description"),)


SLIPS = [
    ("Tisagenlecleucal", "tisagenlecleucel"),
    ("tisagenleclucel infusion", "tisagenlecleucel"),
    ("Talikabtagene Autoleucel", "talicabtagene-autoleucel"),
    ("Kymirah", "tisagenlecleucel"),
    ("axicabtagene cilolucel", "axicabtagene-ciloleucel"),
    ("Onasemnogen abeparvovec", "onasemnogene-abeparvovec"),
]


@pytest.mark.parametrize(("text", "therapy"), SLIPS)
def test_a_slip_of_the_pen_is_seen_through(matcher: Matcher, text: str, therapy: str) -> None:
    (link,) = matcher.therapies(trial(text))
    assert (link.thing, link.method) == (f"therapy:{therapy}", "near")
    assert 84 <= link.score < 100


@pytest.mark.parametrize(
    "text",
    [
        "Arlocabtagene Autoleucel",
        "Anitocabtagene Autoleucel",
        "rondecabtagene autoleucel",
        "Rapcabtagene autoleucel",
        "Prizloncabtagene autoleucel",
        "zamtocabtagene autoleucel",
        "giroctocogene fitelparvovec",
        "JWCAR129",
        "CT048",
        "AUTO2",
    ],
)
def test_a_syllable_or_a_digit_makes_another_thing(matcher: Matcher, text: str) -> None:
    assert matcher.therapies(trial(text)) == ()


def test_no_two_therapies_are_nearly_each_other(tables: Tables) -> None:
    named = [(getattr(r, "inn", None) or "", r.id) for r in tables.records["therapies"]]
    names = {key(name): frozenset({thing}) for name, thing in named}
    for name, thing in named:
        others = NearNames({other: owners for other, owners in names.items() if thing not in owners})
        found = others.find(name) if name else None
        assert found is None or found[3], (name, found)


def test_slips_are_found_and_never_taken_for_another(matcher: Matcher, tables: Tables) -> None:
    dice = random.Random(5)
    found = tried = 0
    for record in tables.records["therapies"]:
        inn = getattr(record, "inn", None) or ""
        for _ in range(2 if len(inn) > 10 else 0):
            at = dice.randrange(2, len(inn) - 1)
            slip = inn[:at] + dice.choice(("", inn[at] * 2, dice.choice("aeioustr"))) + inn[at + 1 :]
            links = things(matcher.therapies(trial(slip)))
            assert links <= {record.id}, slip
            found, tried = found + bool(links), tried + 1
    assert found / tried > 0.8


def test_numbers_come_before_names(matcher: Matcher) -> None:
    record = ProductRecord(
        register="purple-book", id="125646", where="", agency="agency:us-fda", names=("Yescarta",), inn="something else"
    )
    assert matcher.product(record) == Link("product", "125646", "product:kymriah", "id")
    assert matcher.therapies(record) == (Link("therapy", "125646", "therapy:tisagenlecleucel", "id"),)


@pytest.mark.parametrize(
    ("agency", "number", "product"),
    [
        ("us-fda", "BLA 125646", "kymriah"),
        ("us-fda", "BLA125646", "kymriah"),
        ("us-fda", "STN: BL 125646", "kymriah"),
        ("eu-ema", "EMEA/H/C/004090", "kymriah"),
        ("eu-ema", "EMEA/H/C/4090", "kymriah"),
        ("eu-ema", "EU/3/14/1266", "kymriah"),
        ("au-tga", "327906", "zolgensma"),
        ("ca-hc", "Control 213698", "kymriah"),
        ("cn-nmpa", "国药准字S20210019", "yikaida"),
        ("cn-nhsa", "医保发〔2025〕33号", None),
        ("us-fda", "999999", None),
        ("eu-ema", "", None),
    ],
)
def test_a_product_is_known_by_its_number(matcher: Matcher, agency: str, number: str, product: str | None) -> None:
    record = ProductRecord(register="x", id="-", where="", agency=f"agency:{agency}", application=number)
    found = matcher.product(record)
    assert (found and found.thing) == (product and f"product:{product}")


def test_numbers_of_one_agency_are_not_another_s() -> None:
    assert list(numbers("67575", "agency:ch-swissmedic")) == ["ch:67575"]
    assert list(numbers("no number", "agency:ch-swissmedic")) == []


def test_a_product_is_known_by_its_brand(matcher: Matcher) -> None:
    record = ProductRecord(register="dpd", id="97104", where="", agency="agency:ca-hc", names=("KYMRIAH",))
    assert matcher.product(record) == Link("product", "KYMRIAH", "product:kymriah", "name")
    renamed = replace(record, names=("Beqvez (previously Durveqtix)",))
    assert matcher.product(renamed) == Link("product", "Beqvez (previously Durveqtix)", "product:beqvez", "name")


def test_a_shared_brand_needs_the_holder(matcher: Matcher) -> None:
    record = ProductRecord(register="x", id="-", where="", agency="agency:kr-mfds", names=("Chondron",))
    assert matcher.product(record) is None
    held = matcher.product(replace(record, holder="Regrow Biosciences Pvt. Ltd."))
    assert held is not None
    assert held.thing == "product:chondron-aci"


def test_a_proper_name_and_a_holder_are_a_product(matcher: Matcher) -> None:
    record = ProductRecord(
        register="x", id="-", where="", agency="agency:us-fda", inn="HPC, Cord Blood", holder="Bloodworks"
    )
    found = matcher.product(record)
    assert found is not None
    assert found.thing == "product:bloodworks-hpc-cord-blood"
    assert things(matcher.therapies(record)) == {"therapy:hpc-cord-blood"}


def test_a_designation_is_linked_by_number_or_substance(matcher: Matcher) -> None:
    record = DesignationRecord(
        register="ema-orphans",
        id="EU/3/20/2271",
        where="",
        agency="agency:eu-ema",
        pathway="",
        substance="blood progenitors",
    )
    assert things(matcher.therapies(record)) == {"therapy:dorocubicel"}
    named = replace(record, id="EU/3/99/1", substance="autologous T cells with a receptor for CD19 (tisagenlecleucel)")
    assert things(matcher.therapies(named)) == {"therapy:tisagenlecleucel"}
    unii = replace(record, id="", substance="Q6C9WHR03O")
    assert matcher.therapies(unii)[0].method == "id"


def decision(text: str, verdict: str, thing: str | None = None, kind: str = "therapy") -> TextDecision:
    return TextDecision(id="decision:x", text=text, kind=kind, verdict=verdict, thing=thing)


def test_a_decision_links(decided: Callable[..., Matcher]) -> None:
    matcher = decided(decision("Zug-cel", "yes", "therapy:tisagenlecleucel"))
    assert matcher.therapies(trial("ZUG CEL")) == (Link("therapy", "ZUG CEL", "therapy:tisagenlecleucel", "decision"),)
    assert things(matcher.therapies(trial("zug-cel infusion"))) == {"therapy:tisagenlecleucel"}


def test_a_refusal_never_links_and_never_comes_back(decided: Callable[..., Matcher]) -> None:
    text = "Human CD19 targeted T cells injection"
    for refusal in (decision(text, "no", "therapy:leinijiaolunsai"), decision(text, "no")):
        matcher = decided(refusal)
        assert matcher.therapies(trial(text.upper(), sponsor="Hrain Biotechnology")) == ()
        assert matcher.therapies(trial(text)) == ()
        assert matcher.candidates == ()
    near = decided(decision("Kymirah", "no", "therapy:tisagenlecleucel"))
    assert near.therapies(trial("Kymirah")) == ()
    assert near.candidates == ()


def test_decisions_on_other_kinds(decided: Callable[..., Matcher]) -> None:
    matcher = decided(
        decision("Penn", "yes", "organisation:university-of-pennsylvania", "organisation"),
        decision("Novartis", "no", None, "organisation"),
        decision("DLBCL-ish", "yes", "MONDO:0018905", "disease"),
        decision("lymphoma", "no", "MONDO:0005062", "disease"),
        decision("Kimriya", "yes", "product:kymriah", "product"),
    )
    assert matcher.organisation("PENN") == Link(
        "organisation", "PENN", "organisation:university-of-pennsylvania", "decision"
    )
    assert matcher.organisation("Novartis") is None
    assert [(link.thing, link.method) for link in matcher.diseases(["DLBCL-ish", "Lymphoma"])] == [
        ("MONDO:0018905", "decision")
    ]
    record = ProductRecord(register="x", id="-", where="", agency="agency:us-fda", names=("Kimriya",))
    found = matcher.product(record)
    assert found is not None
    assert (found.thing, found.method) == ("product:kymriah", "decision")


def test_a_sponsor_has_parents(matcher: Matcher) -> None:
    link = matcher.organisation("Juno Therapeutics, Inc., a Bristol-Myers Squibb Company")
    assert link is not None
    assert link.thing == "organisation:juno-therapeutics"
    assert matcher.parents(link.thing) == ("organisation:bristol-myers-squibb",)
    assert matcher.parents("organisation:nobody") == ()


def test_what_is_nearly_an_organisation_is_shown(tables: Tables) -> None:
    matcher = Matcher(tables)
    assert matcher.organisation("Immune Cell, Inc.") is None
    assert [c.thing for c in matcher.candidates] == ["organisation:immuneel-therapeutics"]
    assert Organisations([("Sarepta Therapeutics", "organisation:x")]).find("Sareptta Therapeutics Inc") == (
        "organisation:x",
        93.3,
        "",
    )


def test_sponsors_are_linked_as_labelled(matcher: Matcher) -> None:
    right = wrong = missed = 0
    with (LABELS / "sponsors.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            link = matcher.organisation(row["text"])
            found = link.thing if link else ""
            right += bool(found) and found == row["organisation"]
            wrong += bool(found) and found != row["organisation"]
            missed += not found and bool(row["organisation"])
    assert right >= 50
    assert wrong == 0
    assert missed <= 2


@pytest.mark.parametrize("part", ["open", "held-out"])
@pytest.mark.parametrize("kind", ["trials", "products"])
def test_precision_and_recall_on_labelled_texts(matcher: Matcher, part: str, kind: str) -> None:
    texts = [
        one
        for one in labelled(LABELS / "matches.csv")
        if one.part == part and (one.register in ("ctgov", "daily")) == (kind == "trials")
    ]
    measured = measure(matcher, texts)
    print(f"{kind}, {part}: {measured}")
    assert measured.precision >= 0.98, measured.wrong
    # Trials of the University of Pennsylvania, all held out, call tisagenlecleucel CART-19, as other hospitals call
    # other cells and as it calls donors' cells: a curator decided that the text names nothing.
    assert measured.recall >= 0.88, measured.missed


def test_precision_and_recall_of_interventions_and_of_products(matcher: Matcher) -> None:
    for trials in (True, False):
        texts = [t for t in labelled(LABELS / "matches.csv") if (t.register in ("ctgov", "daily")) == trials]
        for numbered in (True, False):
            measured = measure(matcher, texts, numbered)
            assert measured.precision >= 0.98, measured.wrong
            assert measured.recall >= 0.9, measured.missed


def test_labels_are_of_known_therapies_and_parted_by_their_text(tables: Tables) -> None:
    known = {record.id for record in tables.records["therapies"]} | {""}
    texts = list(labelled(LABELS / "matches.csv"))
    assert {one.therapy for one in texts} <= known
    assert sum(one.register in ("ctgov", "daily") for one in texts) >= 300
    assert sum(one.register not in ("ctgov", "daily") for one in texts) >= 100
    for one in texts:
        first = hashlib.sha256(one.text.casefold().encode()).digest()[0]
        assert one.part == ("open" if first < 128 else "held-out")


def test_curated_diseases_and_places_need_no_vocabulary(matcher: Matcher) -> None:
    conditions = ["Relapsed or Refractory Mantle Cell Lymphoma", "Lymphoma, Follicular", "Haemophilia A", "Nothing"]
    assert [link.thing for link in matcher.diseases(conditions)] == [
        "MONDO:0018876",
        "MONDO:0018906",
        "MONDO:0010602",
    ]
    assert things(matcher.countries(["Germany", "DE", "日本", "Turkey (Türkiye)", "Turkey", "", "Atlantis"])) == {
        "jurisdiction:de",
        "jurisdiction:jp",
        "jurisdiction:tr",
    }
    assert things(matcher.genes(["CD-19", "BCMA", "claudin 18.2", "p53", "was", "x"])) == {
        "gene:cd19",
        "gene:tnfrsf17",
        "gene:cldn18",
        "gene:tp53",
    }


@needs_registers
def test_vocabularies_add_what_is_not_curated(full: Matcher) -> None:
    (link,) = full.diseases(["Crohn's Colitis"])
    assert link.label == "Crohn disease of colon" or link.thing.startswith("MONDO:")
    assert full.diseases(["obsolete disease"]) == ()
    assert things(full.diseases(["Non-Small Cell Lung Cancer"])) == {"MONDO:0005233"}
    assert [(link.thing, link.label) for link in full.genes(["mesothelin", "HER2", "PSMA", "CD3"])][:2] == [
        ("HGNC:7371", "MSLN"),
        ("HGNC:3430", "ERBB2"),
    ]
    (place,) = full.countries(["Korea, Democratic People's Republic of"])
    assert (place.thing, place.label) == ("jurisdiction:kp", "North Korea")


@needs_registers
def test_the_labels_hold_with_vocabularies_too(full: Matcher) -> None:
    measured = measure(full, labelled(LABELS / "matches.csv"))
    assert measured.precision >= 0.98
    assert measured.recall >= 0.9


@needs_registers
def test_no_other_substance_is_linked(tables: Tables) -> None:
    matcher = Matcher(tables)
    known = {getattr(r, "unii", None) for r in tables.records["therapies"]}
    with (VOCABULARIES / "unii_cgt_slice.tsv").open(encoding="utf-8") as file:
        others = [row for row in csv.DictReader(file, delimiter="\t") if f"UNII:{row['UNII']}" not in known]
    near = [row["Name"] for row in others for link in matcher.therapies(trial(row["Name"])) if link.method == "near"]
    assert len(others) > 500
    assert near == []


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_small_vocabularies(tables: Tables, tmp_path: Path) -> None:
    terms = [
        {"id": "9000001", "name": "wobbly knee", "synonyms": ["knee wobble", "shared"]},
        {"id": "9000002", "name": "obsolete wobbly hip", "synonyms": ["hip wobble"]},
        {"id": "9000003", "name": "wobbly toe", "synonyms": ["shared", "wobbly knee"]},
        {"id": "9000004", "name": "wobble, non-human animal", "synonyms": ["paw wobble"]},
    ]
    header = "HGNC ID\tApproved symbol\tApproved name\tStatus\tAlias symbols\tPrevious symbols\n"
    write(tmp_path, "mondo.json.xz", json.dumps(terms))
    write(
        tmp_path,
        "hgnc_entries.tsv.xz",
        header + "HGNC:1\tAAA1\tfirst\tApproved\tZZ1, YY1\tXX1\nHGNC:2\tAAA2\tsecond\tApproved\tYY1\t\n"
        "HGNC:3\tAAA3\tthird\tEntry Withdrawn\tWW1\t\nHGNC:1633\tCD19\tCD19 molecule\tApproved\tB4\t\n",
    )
    matcher = Matcher(tables, tmp_path)
    found = matcher.diseases(
        ["Wobbly  Knee", "KNEE WOBBLE", "shared", "hip wobble", "obsolete wobbly hip", "paw wobble"]
    )
    assert found == (Link("disease", "Wobbly  Knee", "MONDO:9000001", "name", 100.0, "wobbly knee"),)
    genes = matcher.genes(["AAA1", "XX1", "YY1", "WW1", "AAA3", "B4"])
    assert [(link.text, link.thing) for link in genes] == [("AAA1", "HGNC:1"), ("B4", "gene:cd19")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mondo.json.xz", "{"),
        ("mondo.json.xz", "{}"),
        ("mondo.json.xz", '[{"name": 1}]'),
        ("mondo.json.xz", "[" * 100_000),
        ("hgnc_entries.tsv.xz", "a\tb\n1\t2\n"),
        ("iso3166-1.json", "[]"),
        ("unii_cgt_slice.tsv", "Name\nx\n"),
    ],
)
def test_a_vocabulary_that_cannot_be_read_is_named(tables: Tables, tmp_path: Path, name: str, text: str) -> None:
    folder = write(tmp_path, name, text)

    def use() -> None:
        matcher = Matcher(tables, folder)
        for method in (matcher.diseases, matcher.genes, matcher.countries):
            method(["x"])

    with pytest.raises(SourceError, match=name):
        use()


def test_odd_texts_do_no_harm(matcher: Matcher) -> None:
    dice = random.Random(1)
    letters = "aZ9-–/.()[]®™ \t\n\0\u202eé細胞세포キムリア阿Δ'’,;" + "ctl019"
    for _ in range(2_000):
        text = "".join(dice.choice(letters) for _ in range(dice.randrange(60)))
        matcher.therapies(trial(text, sponsor=text))
        matcher.organisation(text)
        matcher.diseases([text])
        matcher.genes([text])
        matcher.countries([text])
        matcher.product(
            ProductRecord(register="x", id=text, where="", agency=text, names=(text,), inn=text, holder=text)
        )
    long = "CAR-T cells " * 2_000
    assert matcher.therapies(trial(long)) == ()
    assert len(key(long)) > 10_000


def test_trials_are_linked_fast(matcher: Matcher) -> None:
    records = [
        trial(
            f"CD19 CAR-T cells batch {n}", "Cyclophosphamide", "Fludarabine", "Axicabtagene ciloleucel", sponsor="Kite"
        )
        for n in range(4_000)
    ]
    start = time.process_time()
    for record in records:
        matcher.therapies(record)
        matcher.organisation(record.sponsor)
    # Half of what a core does here, for slower machines.
    assert len(records) / (time.process_time() - start) > 5_000
