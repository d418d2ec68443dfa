"""Closed lists of words that say what something is, not which one it is."""

import re
from typing import Final

_DESCRIPTIVE: Final = """
a activated active adeno adenoviral adenovirus adherent adipose adult allogeneic allogenic allograft amniotic and
anti antigen apheresis applied as associated autograft autologous avian b bead beads biological blood bm bone bovine
c car cardiac cars cartilage cb cd cd34 cd4 cd8 cell cells cellular characterised characterized chimeric chondrocyte
chondrocytes class collagen combination commercial conditioned containing cord corneal costal ctl ctls culture
cultured cytotoxic de dendritic depleted derived dermal differentiated directed donor dose drug dual ebv endothelial
engineered enriched epidermal epidermis epithelial epithelium ex expanded expressing expression fat fetal fibroblast
fibroblasts film for from fully gene generation genetic genetically graft granulocyte growth hematopoietic
heterologous hpc hsc hscs hsct hsv hsv1 human humanised humanized hyaluronan i ii immune immunotherapy implant in
induced infiltrating infusion injectable injection intravenous ips ipsc irradiated islet islets k keratinocyte
keratinocytes kinase lentiviral limbal limbus liver lymphocyte lymphocytes lysate macrophage manipulated marrow
matrix membrane mesenchymal minimally mobilised mobilized modified mononuclear mononucleated msc mscs mucosa mucosal
multi muscle myoblast myoblasts n naked natural nk of on oncolytic oral osteoblast osteoblastic osteoblasts p
pancreatic peripheral placenta placental plasmid pooled porcine positive precursor preparation processed product
progenitor progenitors rad receptor recombinant redirected regulatory retroviral scaffold second serotype sheet
simplex single skeletal skin solution somatic specific spheroid spheroids stem stromal suspension synovial t targeted
targeting tcr therapeutic therapy third thymidine thymocyte thymus til tils tissue tk transduced transgenic
transplant transplantation treated treg tregs tumor type umbilical unit units universal using vaccine vector vectors
viable viral virus vitro vivo with xenogeneic
"""
_LEGAL: Final = """
ab activity ag aps as asa branch bv cjsc co companies company corp corporation dac designated eeig eirl eood ets gk
gmbh holding holdings inc incorporated joint jsc k kg kgaa kk limited llc llp lp ltd ltda mbh nv oao ooo oy oyj pjsc
plc private pte pty public pvt s sa sab sarl sas sau se sl slu spa sprl spzoo srl sro stock uc unlimited zoo 有限会社
株式会社 주식회사
"""
_TRADES: Final = """
pharma: ema europharm medicine medicines pharm pharma pharmaceutica pharmaceutical pharmaceuticals product products
bio: bio biologic biologics biopharma biopharmaceutical biopharmaceuticals bioscience biosciences biotech
bio: biotechnologies biotechnology biotherapeutics genetherapies
therapy: gene therapeutic therapeutics therapies therapy
care: healthcare medical
work: center d development global group international laboratories labs manufacturing operations r registration
work: research sciences services
"""
_SEATS: Final = """
america americas asia australia austria beijing belgium brazil canada china czech denmark deutschland eu europe
european france germany guangzhou hangzhou hellas iberica india ireland israel italia italy japan korea mexico
nanjing netherlands nordic north poland portugal russia shanghai shenzhen singapore spain suzhou sweden switzerland
taiwan turkey uk us usa
"""
_LINKING: Final = "a an and at by de del der des di et for fur für in la le of the und y"

DESCRIPTIVE: Final = frozenset(_DESCRIPTIVE.split())
"""Words of which descriptions of cells, tissues and vectors are made; a name of nothing else names no one therapy."""

TARGET: Final = re.compile(
    r"(cd|car|cart|cartcd|cldn|claudin|gpc|her|muc|nkg2|il|gprc|b7h|ror|bcma|cs|cll|fltp?|psma|gd|egfr|p|hpv|aav|ad|hsv)"
    r"\d+[a-z]{0,2}|cart|bcma|tnfrsf17|mesothelin|msln|psma|egfr|egfrviii|slamf7|baff|psca|trop2|ceacam5|cea|epcam|steap1"
)
"""Targets, alone or with CAR: CD19, CART19, BCMA."""

FORMS: Final = (
    "注射用混悬液", "静脉输注", "点滴静注", "脳内移植用注", "注射液", "注射剂", "髄注", "静注", "筋注用4mg", "筋注",
    "ゲル", "注", "주사제", "주사액", "주사", "주",
)  # fmt: skip
"""Words of dosage forms at the end of names in scripts that put no space before them."""

LEGAL: Final = frozenset(_LEGAL.split())
"""Legal forms of companies, points left out."""

LEADING: Final = frozenset(("ao", "ooo", "jsc", "pjsc", "cjsc", "pt", "laboratoires", "laboratorios"))
"""Legal forms that stand before a name."""

TRADE: Final = {
    word: kind for kind, _, words in (line.partition(": ") for line in _TRADES.split("\n")) for word in words.split()
}
"""Words about a firm's trade, by the kind of trade; names of one firm differ by them."""

SEAT: Final = frozenset(_SEATS.split())
"""Places that registers add to a firm's name."""

LINKING: Final = frozenset(_LINKING.split())
"""Words that names of institutions may have or lack."""
