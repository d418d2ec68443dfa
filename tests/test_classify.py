"""The classifier: one case for each trap, each kind of therapy and each zone of a record; and how well it does."""

from typing import Any

import pytest
import yaml

from kg.classify import RULES, Classifier, Verdict, classify, shipped
from kg.evaluate import evaluate
from kg.known import Known
from kg.registers.records import DesignationRecord, Intervention, ProductRecord, TrialRecord
from kg.words import Words, plain
from tests.labelled import labels, records
from tests.support import needs_registers


def trial(title: str, *given: str, **more: Any) -> TrialRecord:
    """A trial whose interventions are written `KIND: name - description`."""
    interventions = []
    for one in given:
        kind, _, rest = one.partition(": ")
        name, _, description = rest.partition(" - ")
        interventions.append(Intervention(kind, name, (), description))
    fields = {"register": "ctgov", "id": "NCT00000000", "where": "", "study_type": "INTERVENTIONAL"} | more
    return TrialRecord(title=title, interventions=tuple(interventions), **fields)


def product(inn: str, name: str = "", **more: Any) -> ProductRecord:
    return ProductRecord(register="r", id="1", where="", agency="agency:eu-ema", names=(name,), inn=inn, **more)


def orphan(substance: str) -> DesignationRecord:
    return DesignationRecord(register="r", id="1", where="", agency="agency:eu-ema", pathway="", substance=substance)


TRAPS = {
    "a cephalosporin in Korean": product("", "세포탁심나트륨주"),
    "another cephalosporin in Korean": product("세포페라존나트륨", "세포라탐"),
    "a cell line in which a protein is made": product("hepatitis B surface antigen made in C127I cells"),
    "diploid cells in which a vaccine is made": product("Rabies Vaccine, Human Diploid Cell"),
    "gene in a title": trial("Azacitidine in Infants With KMT2A Gene Rearrangement", "DRUG: Azacitidine"),
    "a gene that is measured": trial("Gene Expression in Asthma", "GENETIC: gene expression analysis"),
    "a TIGIT antibody": trial(
        "Anti-TIGIT Antibody in Advanced Cancer", "BIOLOGICAL: IBI939 - antibody against T-cell immunoreceptor"
    ),
    "a B7-H3 antibody": trial("MGD009 in B7-H3-expressing Tumors", "BIOLOGICAL: MGD009 - B7-H3 x CD3 DART"),
    "a bispecific": trial("BCMA/CD3 Bispecific Antibody Before CAR-T Cell Infusion", "DRUG: CM336 (bispecific)"),
    "CAR-T as earlier treatment": trial("Nivolumab in Myeloma After Idecabtagene Vicleucel", "DRUG: Nivolumab"),
    "CAR-T in whom another drug treats": trial(
        "Tocilizumab for Cytokine Release Syndrome After CAR-T Cell Therapy", "DRUG: Tocilizumab"
    ),
    "a vaccine for those who had CAR-T": trial("RSV Vaccination of CAR-T Recipients", "BIOLOGICAL: RSVpreF"),
    "CAR-T in the background only": trial(
        "Glofitamab in Lymphoma", "DRUG: Glofitamab", summary="Patients relapse after CAR-T cells."
    ),
    "dental stem cells in the laboratory": trial(
        "Viability of Dental Pulp Stem Cells Stored in Milk", "OTHER: storage medium"
    ),
    "dental stem cells that are looked at": trial(
        "Isolation and Characterization of Dental Pulp Stem Cells", study_type="OBSERVATIONAL"
    ),
    "exosomes of stem cells": trial("Exosomes in Wounds", "BIOLOGICAL: mesenchymal stem cell derived exosomes"),
    "a conditioned medium": trial("Wound Gel", "BIOLOGICAL: umbilical cord MSC conditioned medium"),
    "antisense": orphan("antisense oligonucleotide targeted to the SMN2 gene (nusinersen)"),
    "antisense by its stem": product("tofersen", "Qalsody"),
    "siRNA": orphan("synthetic double-stranded siRNA oligonucleotide directed against TMPRSS6 mRNA"),
    "siRNA by its stem": product("inclisiran", "Leqvio"),
    "an mRNA vaccine": product("Respiratory Syncytial Virus Vaccine, mRNA", "mresvia"),
    "an mRNA vaccine against cancer": trial("mRNA-4157 in Melanoma", "BIOLOGICAL: mRNA-4157 - mRNA vaccine"),
    "an adenoviral vaccine": product("COVID-19 Vaccine (ChAdOx1-S [recombinant])", "Vaxzevria", atc="J07BN02"),
    "an adenoviral vaccine in a trial": trial(
        "Adenoviral Vector Vaccine Against Ebola", "BIOLOGICAL: adenovirus vector vaccine Ad26.ZEBOV"
    ),
    "a DNA vaccine that prevents": trial("DNA Vaccine Against HIV", "BIOLOGICAL: HIV DNA plasmid vaccine"),
    "faecal microbiota": trial("FMT in Colitis", "BIOLOGICAL: fecal microbiota transplantation"),
    "platelet-rich plasma": trial("PRP in Knees", "BIOLOGICAL: autologous platelet rich plasma"),
    "ordinary transplantation": trial(
        "Conditioning for Autologous Stem Cell Transplantation", "PROCEDURE: Autologous Stem Cell Transplantation"
    ),
    "transplantation of marrow": trial("Marrow", "PROCEDURE: allogeneic bone marrow transplantation"),
    "mantle cells": trial("Ibrutinib in Mantle Cell Lymphoma", "DRUG: Ibrutinib"),
    "T-cell leukaemia": trial("Venetoclax in T-cell Leukemia", "DRUG: Venetoclax"),
    "NK cells that are measured": trial(
        "NK Cells in Leukemia", "OTHER: flow cytometry test", study_type="OBSERVATIONAL"
    ),
    "tumour lymphocytes that are measured": trial(
        "Cannabis and Tumor Infiltrating Lymphocytes", "OTHER: mass spectrometry assays"
    ),
    "BCG": trial("BCG in Bladder Cancer", "BIOLOGICAL: BCG"),
    "insulin whose name begins like a receptor": product("insulin human", "Actrapid"),
    "a sealant that ends in cel": product("human fibrinogen; human thrombin", "Evicel"),
    "a vaccine that ends in cel": product("prepandemic influenza vaccine, prepared in cell culture", "Vepacel"),
    "a dietary supplement": trial("Diet", "DIETARY_SUPPLEMENT: mesenchymal stem cell enhancer"),
    "a questionnaire about CAR-T": trial("Life With CAR-T", "BEHAVIORAL: questionnaire on CAR-T"),
    "a medicine for animals": product("equine mesenchymal stem cells", "Stemmy", category="Veterinary"),
    "an advanced flag that is wrong": product("adalimumab monoclonal antibody", "Humira", advanced=True),
}


@pytest.mark.parametrize("name", TRAPS)
def test_traps_are_not_taken(name: str) -> None:
    verdict = classify(TRAPS[name])
    assert not verdict.is_cgt, verdict
    assert verdict.rule
    assert (verdict.therapy_class, verdict.targets, verdict.cell_source) == (None, (), None)


OURS = {
    "CAR-T": (trial("CD19 CAR-T in Lymphoma", "BIOLOGICAL: CD19 CAR-T cells"), "car-t"),
    "glued": (trial("Glioblastoma", "DRUG: B7-H3CART"), "car-t"),
    "fourth generation": (trial("Tumours", "BIOLOGICAL: 4SCAR-276"), "car-t"),
    "a receptor written out": (trial("T", "BIOLOGICAL: Chimeric Antigen Receptor T-Cell Therapy"), "car-t"),
    "in Chinese": (trial("嵌合抗原受体T细胞治疗淋巴瘤", "BIOLOGICAL: 嵌合抗原受体T细胞"), "car-t"),
    "in Korean": (product("키메라 항원 수용체 T세포", ""), "car-t"),
    "in Japanese": (product("ヒト(自己)キメラ抗原受容体T細胞"), "car-t"),
    "an INN in -leucel": (product("zorpocabtagene autoleucel"), "car-t"),
    "a known name in Chinese": (product("", "瑞基奥仑赛注射液"), "car-t"),
    "T cells against a target": (trial("T", "BIOLOGICAL: Human CD19-CD22 Targeted T Cells Injection"), "car-t"),
    "CAR-NK": (trial("CAR-NK in Myeloma", "BIOLOGICAL: anti-BCMA CAR-NK cells"), "car-nk"),
    "NK cells with a CAR in the title": (
        trial("Engineered NK Cells Containing Chimeric Antigen Receptor in Glioma", "BIOLOGICAL: NK Cells"),
        "car-nk",
    ),
    "CAR-NKT": (trial("T", "BIOLOGICAL: GD2 CAR NKT cells"), "other-gene-modified-immune-cell"),
    "CAR macrophages": (trial("T", "BIOLOGICAL: HER2 CAR macrophages"), "other-gene-modified-immune-cell"),
    "TCR-T": (trial("T", "BIOLOGICAL: NY-ESO-1 TCR-T cells"), "tcr-t"),
    "TIL": (trial("T", "BIOLOGICAL: autologous tumor infiltrating lymphocytes"), "til"),
    "NK": (
        trial("NK Cell Therapy in Cancer", "BIOLOGICAL: allogeneic natural killer cells"),
        "non-gene-modified-immune-cell",
    ),
    "DLI": (trial("T", "BIOLOGICAL: Donor Lymphocyte Infusion"), "non-gene-modified-immune-cell"),
    "virus-specific": (trial("T", "BIOLOGICAL: CMV-specific T cells"), "non-gene-modified-immune-cell"),
    "dendritic": (trial("T", "BIOLOGICAL: dendritic cells pulsed with peptide"), "dendritic-cell-vaccine"),
    "MSC": (trial("T", "BIOLOGICAL: human umbilical cord mesenchymal stem cells"), "msc"),
    "MSC in Korean": (product("자가골수유래중간엽줄기세포", ""), "msc"),
    "MSC in Spanish": (trial("T", "BIOLOGICAL: células madre mesenquimales"), "msc"),
    "MSC in Russian": (product("мезенхимальные стромальные клетки"), "msc"),
    "HSC": (orphan("autologous CD34+ cells transduced with a lentiviral vector encoding NCF1"), "gene-modified-hsc"),
    "an INN in -temcel": (product("zorpogene autotemcel"), "gene-modified-hsc"),
    "cord blood": (product("HPC, Cord Blood", ""), "hpc-cord-blood"),
    "iPSC": (orphan("allogeneic induced pluripotent stem cell-derived dopaminergic neurons"), "ipsc-derived"),
    "limbus": (orphan("allogeneic ABCB5-positive limbal stem cells"), "other-stem-cell"),
    "fibroblasts": (orphan("allogeneic human dermal fibroblasts"), "non-immune-somatic-cell"),
    "hepatocytes": (trial("Hepatocyte Infusion", "BIOLOGICAL: human hepatocytes"), "non-immune-somatic-cell"),
    "a cell sheet": (orphan("autologous corneal epithelial cell sheet"), "tissue-engineered"),
    "skin with a gene": (
        orphan("autologous keratinocytes transduced with a retroviral vector"),
        "gene-modified-tissue",
    ),
    "AAV": (orphan("adeno-associated viral vector serotype 8 containing the human F9 gene"), "aav"),
    "AAV with adeno alone": (orphan("adenovirus associated viral vector serotype 4"), "aav"),
    "an INN in -parvovec": (product("zorpogene tiraparvovec-abcd"), "aav"),
    "adenovirus": (orphan("recombinant adenoviral vector encoding interferon"), "adenoviral"),
    "an INN in -denovec": (product("aglatimagene besadenovec"), "adenoviral"),
    "oncolytic": (trial("T", "BIOLOGICAL: oncolytic virus injection"), "oncolytic-virus"),
    "an INN in -repvec": (product("zorpogene laherparepvec"), "oncolytic-virus"),
    "an INN in -turev": (product("tasadenoturev"), "oncolytic-virus"),
    "herpes": (orphan("replication-incompetent herpes simplex virus-1 expressing collagen"), "hsv-vector"),
    "a plasmid": (orphan("DNA plasmid encoding IL-12"), "plasmid"),
    "an INN in -plasmid": (product("zorpogene perplasmid"), "plasmid"),
    "editing": (orphan("messenger RNA encoding Cas9, single guide RNA targeting KLKB1"), "in-vivo-genome-editing"),
    "in vivo CAR": (trial("In Vivo CAR-T Therapy", "BIOLOGICAL: in vivo CAR-T"), "other-in-vivo-gene-therapy"),
    "in vivo CAR by lentivirus": (trial("T", "BIOLOGICAL: in vivo CAR-T lentiviral injection"), "lentiviral-in-vivo"),
    "a tumour vaccine": (trial("T", "BIOLOGICAL: autologous tumor cell vaccine"), "other-therapeutic-vaccine"),
    "bacteria": (orphan("live attenuated Listeria monocytogenes expressing mesothelin"), "oncolytic-bacterium"),
    "a code known by its sponsor": (trial("T", "DRUG: CTX130"), "car-t"),
    "a description": (trial("Study of XY-1", "BIOLOGICAL: XY-1 - autologous CAR-T cells against BCMA"), "car-t"),
    "a title": (trial("ALLO-9999, an Allogeneic CAR T Cell Therapy", "BIOLOGICAL: ALLO-9999"), "car-t"),
}


@pytest.mark.parametrize("name", OURS)
def test_ours_are_taken_and_of_their_class(name: str) -> None:
    record, expected = OURS[name]
    verdict = classify(record)
    assert verdict.is_cgt, verdict
    assert verdict.therapy_class == f"class:{expected}", verdict
    assert verdict.words


def test_a_verdict_says_which_rule_and_which_words() -> None:
    verdict = classify(trial("T", "BIOLOGICAL: anti-mesothelin CAR-T cells of healthy donors"))
    assert (verdict.rule, verdict.words) == ("CAR in an intervention", ("car t",))
    assert (verdict.targets, verdict.cell_source) == (("gene:msln",), "cell-source:allogeneic")


def test_a_known_name_gives_all_that_is_known() -> None:
    verdict = classify(product("obecabtagene autoleucel", "Aucatzyl", atc="L01XL", advanced=False))
    assert verdict == Verdict(
        True, "class:car-t", ("gene:cd19",), "cell-source:autologous", False,
        "a name of a curated therapy", verdict.words, "therapy:obecabtagene-autoleucel",
    )  # fmt: skip


def test_the_register_s_flag_and_the_atc_code_count_where_no_word_tells() -> None:
    assert classify(product("zorpo", advanced=True)).rule == "advanced therapy by the register"
    assert classify(product("zorpo", atc="L01XL99")).is_cgt
    assert not classify(product("zorpo", advanced=False)).is_cgt


def test_targets_are_genes_and_an_antigen_that_is_none_keeps_its_name() -> None:
    verdict = classify(trial("4SCAR-T Targeting GD2, PSMA and CD276", "BIOLOGICAL: GD2, PSMA and CD276 CAR-T cells"))
    assert verdict.targets == ("GD2", "gene:cd276", "gene:folh1")


def test_earlier_targets_are_not_targets() -> None:
    title = "CD22 CAR T-cells to Extend Remission Following Commercial CD19 CAR T-cells"
    assert classify(trial(title, "BIOLOGICAL: CD22 CAR-transduced T cells")).targets == ("gene:cd22",)


def test_both_sources_are_no_source() -> None:
    assert classify(trial("T", "BIOLOGICAL: autologous or allogeneic CAR-T cells")).cell_source is None


@pytest.mark.parametrize(
    "record",
    [
        trial("Long-term Follow-up of Patients Treated With WU-CART-007", "GENETIC: WU-CART-007"),
        trial("Early Cardiac Function After Treatment With CAR-T Cells", study_type="OBSERVATIONAL"),
        trial("Long-term Safety in Patients Treated With AAV Gene Therapy", study_type="OBSERVATIONAL"),
    ],
)
def test_studies_of_people_who_got_it_are_follow_up(record: TrialRecord) -> None:
    verdict = classify(record)
    assert (verdict.is_cgt, verdict.follow_up) == (True, True), verdict


def test_a_code_counts_only_where_the_register_lists_nothing_but_car_t() -> None:
    given = trial("Study of QQQ-123 in Myeloma", "DRUG: QQQ-123", "DRUG: Fludarabine")
    listed = TrialRecord(register="cart-daily", id="1", where="", title=given.title, interventions=given.interventions)
    assert not classify(given).is_cgt
    assert classify(listed).rule.startswith("a code in a list of CAR-T trials")


def test_a_trial_of_many_therapies_has_no_one_class() -> None:
    given = ("BIOLOGICAL: MSC", "BIOLOGICAL: CD19 CAR-T", "BIOLOGICAL: oncolytic virus")
    verdict = classify(trial("A Platform of Innovative Therapies", *given))
    assert (verdict.is_cgt, verdict.therapy_class) == (True, None)


def test_other_names_can_be_passed_in() -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    mine = Classifier([Known("therapy:mine", "class:msc", ("Zorpocure",))], rules)
    assert mine.classify(product("", "Zorpocure")).therapy == "therapy:mine"
    assert not shipped().classify(product("", "Zorpocure")).is_cgt


def test_every_class_and_word_that_rules_name_is_there() -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    words = {*rules["words"], "target"}
    classes = {rule["class"] for rule in rules["classes"]} | {code["class"] for code in rules["codes"]}
    for rule in rules["classes"]:
        assert {word for need in rule["all"] for word in need.split("|")} <= words, rule
        assert set(rule.get("none", ())) <= words, rule
        assert set(rule.get("closer", ())) <= classes, rule
    for code in rules["codes"]:
        assert set(code["targets"]) <= set(rules["targets"]), code


@pytest.mark.parametrize("text", ["", " ", "\x00", "ﬃ" * 5000, "car t " * 3000, "﷽", "א" * 20, "[" * 999])
def test_strange_texts_do_no_harm(text: str) -> None:
    assert isinstance(classify(trial(text, f"DRUG: {text}", summary=text)), Verdict)
    assert isinstance(classify(orphan(text)), Verdict)


def test_words_are_found_whole_and_wildcards_within_a_word() -> None:
    words = Words({"stem": ["*leucel"], "car": ["car t"], "code": ["lcar c#*"], "zh": ["间充质"]})
    assert words.find(plain("Zorpoleucel and CAR-Ts")) == {"stem": ["zorpoleucel"], "car": ["car t"]}
    assert words.find(plain("LCAR-C182A, cart")) == {"code": ["lcar c182a"]}
    assert words.find(plain("人间充质干细胞")) == {"zh": ["间充质"]}
    assert not words.touches(plain("cartilage; car tax"))


FLOORS = {
    "is CGT": (0.97, 0.95),
    "class:car-t": (0.95, 0.92),
    "class:msc": (0.95, 0.92),
    "in vivo gene therapy": (0.95, 0.92),
    "class:oncolytic-virus": (0.95, 0.92),
}


@needs_registers
@pytest.mark.parametrize("part", ["open", "held-out"])
@pytest.mark.parametrize("sure", [True, False])
def test_it_does_as_well_as_was_asked(part: str, sure: bool) -> None:
    found = records()
    rows = [row for name in ("trials", "products") for row in labels(name) if row["part"] == part]
    rows = [row for row in rows if row["sure"] == "yes" or not sure]
    pairs = [(row, classify(found[row["register"], row["id"]])) for row in rows]
    scores = {score.name: score for score in evaluate(pairs).scores}
    for name, (precision, recall) in FLOORS.items():
        score = scores[name]
        # Two or three doubtful rows say nothing of a class.
        if sure or score.right + score.missed > 5:
            assert score.precision >= precision, str(score)
            assert score.recall >= recall, str(score)


def test_scores_count_what_they_should() -> None:
    label = {
        "is_cgt": "yes",
        "therapy_class": "class:msc",
        "targets": "CD19|CD22",
        "cell_source": "",
        "follow_up": "no",
    }
    other = label | {"is_cgt": "no", "therapy_class": "", "targets": ""}
    right = Verdict(True, "class:msc", ("gene:cd19",))
    result = evaluate([(label, right), (label, Verdict(False)), (other, right)])
    scores = {score.name: score for score in result.scores}
    assert (scores["is CGT"].right, scores["is CGT"].missed, scores["is CGT"].too_many) == (1, 1, 1)
    assert (scores["is CGT"].precision, scores["is CGT"].recall) == (0.5, 0.5)
    assert (scores["targets"].right, scores["targets"].missed) == (1, 1)
    assert result.confusion == {
        ("class:msc", "class:msc"): 1, ("class:msc", "no"): 1, ("no", "class:msc"): 1,
    }  # fmt: skip
