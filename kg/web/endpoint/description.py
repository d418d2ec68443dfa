"""The service description of the endpoint, and what it says of its bounds."""

from collections.abc import Iterator

import pyoxigraph as ox

from kg.namespaces import PREFIXES
from kg.web.served import Served

_FORMATS = (
    "SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV",
    "Turtle", "N-Triples", "RDF_XML", "JSON-LD", "N-Quads", "TriG",
)  # fmt: skip


def describe(state: Served, endpoint: str, form: str) -> bytes:
    """Return the description in an RDF format.

    Args:
        state: What is served.
        endpoint: The endpoint's address.
        form: What the engine calls the format.
    """
    names = {name: PREFIXES[name] for name in ("sd", "void", "dcterms", "formats", "rdfs")}
    body = ox.serialize(_quads(state, ox.NamedNode(endpoint)), format=getattr(ox.RdfFormat, form), prefixes=names)
    assert body is not None
    return body


def _quads(state: Served, endpoint: ox.NamedNode) -> Iterator[ox.Triple]:
    service, dataset, default = ox.BlankNode("service"), ox.BlankNode("dataset"), ox.BlankNode("default")

    def term(name: str) -> ox.NamedNode:
        prefix, _, local = name.partition(":")
        return ox.NamedNode(PREFIXES[prefix] + local)

    kind = term("rdf:type")
    yield ox.Triple(service, kind, term("sd:Service"))
    yield ox.Triple(service, term("sd:endpoint"), endpoint)
    yield ox.Triple(service, term("sd:supportedLanguage"), term("sd:SPARQL11Query"))
    yield ox.Triple(service, term("sd:feature"), term("sd:UnionDefaultGraph"))
    for form in _FORMATS:
        yield ox.Triple(service, term("sd:resultFormat"), ox.NamedNode(PREFIXES["formats"] + form))
    settings = state.settings
    bounds = (
        f"Read only. A query has at most {settings.query:,} characters and takes at most {settings.deadline:g} seconds "
        f"({settings.longest:g} with the parameter timeout); a result has at most {settings.rows:,} rows and "
        f"{settings.size:,} bytes. What is larger is refused, never cut. SERVICE and updates are refused."
    )
    yield ox.Triple(service, term("rdfs:comment"), ox.Literal(bounds, language="en"))
    yield ox.Triple(service, term("sd:defaultDataset"), dataset)
    # A request may make its dataset of these graphs and of no others; how large each is, VoID says.
    yield ox.Triple(service, term("sd:availableGraphs"), dataset)
    yield ox.Triple(dataset, kind, term("sd:Dataset"))
    yield ox.Triple(dataset, term("dcterms:identifier"), ox.Literal(state.name))
    yield ox.Triple(dataset, term("dcterms:license"), ox.NamedNode(state.licence))
    yield ox.Triple(dataset, term("sd:defaultGraph"), default)
    graphs = sorted(state.release.store.named_graphs(), key=str)
    named = {ox.BlankNode(f"named{number}"): graph for number, graph in enumerate(graphs)}
    for one in named:
        yield ox.Triple(dataset, term("sd:namedGraph"), one)
    for one, graph in named.items():
        yield ox.Triple(one, kind, term("sd:NamedGraph"))
        yield ox.Triple(one, term("sd:name"), graph)
    yield ox.Triple(default, kind, term("sd:Graph"))
    yield ox.Triple(default, term("void:triples"), ox.Literal(str(state.quads), datatype=term("xsd:integer")))
