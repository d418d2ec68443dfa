"""Prefixes and identifiers: the only module that spells IRIs.

Ids in tables are compact: `product:kymriah`, `MONDO:0004948`, `cgt:Approval`. A prefix that is not a
vocabulary of somebody else's is a kind of thing of this project and expands under `id/<kind>/`.
"""

import re
from functools import lru_cache
from typing import Final

from kg.errors import IdentifierError

BASE: Final = "https://w3id.org/cgt-kg/"
THINGS: Final = f"{BASE}id/"
GRAPHS: Final = f"{BASE}graph/"
ONTOLOGY: Final = f"{BASE}ontology"
OWN: Final = (THINGS, f"{ONTOLOGY}#")
"""How the IRIs begin of the project's things, classes and properties."""
FEED: Final = "https://jsonfeed.org/version/1.1"
"""What a JSON Feed says it is."""
CSVW: Final = "http://www.w3.org/ns/csvw"
"""The JSON-LD context of metadata on CSV files."""
RESOURCES: Final = "cgt-kg://"
"""How the addresses begin that the Model Context Protocol's clients read resources by."""
VEGA_LITE: Final = "https://vega.github.io/schema/vega-lite/v5.json"
"""What a Vega-Lite specification says it is."""
WEB: Final = ("http://", "https://")
"""How an address starts that a page may link to."""

VOCABULARIES: Final[dict[str, str]] = {
    "cgt": f"{ONTOLOGY}#",
    "graph": GRAPHS,
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "formats": "http://www.w3.org/ns/formats/",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "qb": "http://purl.org/linked-data/cube#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vann": "http://purl.org/vocab/vann/",
    "void": "http://rdfs.org/ns/void#",
    "vs": "http://www.w3.org/2003/06/sw-vocab-status/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "HGNC": "https://identifiers.org/hgnc/",
    "MONDO": "http://purl.obolibrary.org/obo/MONDO_",
    "NCIT": "http://purl.obolibrary.org/obo/NCIT_",
    "UNII": "https://identifiers.org/unii/",
    "wikidata": "http://www.wikidata.org/entity/",
}
KINDS: Final = (
    "action", "agency", "agency-kind", "approval-type", "category", "cell", "cell-source", "change",
    "claim", "class", "classification", "combination", "decision", "distinction", "entry-outcome",
    "gene", "indication", "jurisdiction", "link", "measure", "milestone", "modification",
    "observation", "observation-status", "organisation", "outcome", "pathway", "pathway-kind",
    "phase", "product", "programme", "reason", "rejection", "rejection-kind", "route", "scheme",
    "second-entry", "source", "source-kind", "stage", "substance", "therapy", "tissue", "trial",
    "trial-status", "unit", "vector",
)  # fmt: skip
"""The kinds of thing that have ids of their own."""

PREFIXES: Final[dict[str, str]] = VOCABULARIES | {kind: f"{THINGS}{kind}/" for kind in KINDS}

LICENCES: Final = {
    "facts": "https://creativecommons.org/publicdomain/zero/1.0/",
    "ontology": "https://creativecommons.org/licenses/by/4.0/",
}

_LOCAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST_FIRST = sorted(PREFIXES.items(), key=lambda item: -len(item[1]))


def expand(curie: str) -> str:
    """Return the IRI that a compact id stands for.

    Args:
        curie: A prefix and a local name joined by a colon.

    Raises:
        IdentifierError: The prefix is unknown, or the local name has a character that ids lack.

    >>> expand("product:kymriah")
    'https://w3id.org/cgt-kg/id/product/kymriah'
    >>> expand("nope:1")
    Traceback (most recent call last):
        ...
    kg.errors.IdentifierError: unknown prefix 'nope' in 'nope:1'
    """
    prefix, colon, local = curie.partition(":")
    if not colon or not _LOCAL.fullmatch(local):
        raise IdentifierError(f"not an id of the form prefix:name: {curie!r}")
    if prefix not in PREFIXES:
        raise IdentifierError(f"unknown prefix {prefix!r} in {curie!r}")
    return PREFIXES[prefix] + local


@lru_cache(maxsize=65_536)
def compact(iri: str) -> str:
    """Return the compact id of an IRI, or the IRI itself where no prefix fits.

    >>> compact("https://w3id.org/cgt-kg/id/product/kymriah")
    'product:kymriah'
    >>> compact("https://example.org/x")
    'https://example.org/x'
    """
    for prefix, start in _LONGEST_FIRST:
        if iri.startswith(start) and _LOCAL.fullmatch(iri[len(start) :]):
            return f"{prefix}:{iri[len(start) :]}"
    return iri


def graph(name: str) -> str:
    """Return the IRI of one of the project's named graphs.

    >>> graph("ontology")
    'https://w3id.org/cgt-kg/graph/ontology'
    """
    return GRAPHS + name
