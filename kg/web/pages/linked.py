"""Data about one thing: its statements in every RDF format, and a description for search engines."""

import json
from collections.abc import Iterable
from typing import Any, Final

import pyoxigraph as ox

from kg.namespaces import PREFIXES, compact, expand
from kg.store import Release
from kg.web.opened import node
from kg.web.pages.facts import View

FORMATS: Final = {
    "ttl": ("text/turtle", ox.RdfFormat.TURTLE),
    "jsonld": ("application/ld+json", ox.RdfFormat.JSON_LD),
    "nt": ("application/n-triples", ox.RdfFormat.N_TRIPLES),
    "rdf": ("application/rdf+xml", ox.RdfFormat.RDF_XML),
    "nq": ("application/n-quads", ox.RdfFormat.N_QUADS),
    "trig": ("application/trig", ox.RdfFormat.TRIG),
}
"""The formats by suffix, in the order that a client without a preference is given them."""
SUFFIXES: Final = {media: suffix for suffix, (media, _) in FORMATS.items()}

_SCHEMA: Final = {
    "agency": "GovernmentOrganization", "class": "DefinedTerm", "gene": "Gene", "jurisdiction": "AdministrativeArea",
    "milestone": "Event", "MONDO": "MedicalCondition", "observation": "Observation", "organisation": "Organization",
    "product": "Drug", "scheme": "DefinedTermSet", "source": "CreativeWork", "therapy": "MedicalTherapy",
    "trial": "MedicalTrial",
}  # fmt: skip
"""What a kind of thing is to schema.org."""


def about(release: Release, iri: str) -> list[ox.Quad]:
    """Return what is stated of a thing, what refers to it, its claims, and the labels of its neighbours."""
    store = release.store
    thing = ox.NamedNode(iri)
    found = set(store.quads_for_pattern(None, None, thing, None))
    todo: list[Any] = [thing, *(q.subject for q in found if q.predicate == node("cgt:fact"))]
    done = set()
    while todo:
        subject = todo.pop()
        if subject in done:
            continue
        done.add(subject)
        quads = list(store.quads_for_pattern(subject, None, None, None))
        found.update(quads)
        todo += [q.object for q in quads if isinstance(q.object, ox.BlankNode)]
    for other in {end for q in found for end in (q.subject, q.object) if isinstance(end, ox.NamedNode)} - {thing}:
        found.update(store.quads_for_pattern(other, node("rdfs:label"), None, None))
    return sorted(found, key=str)


def written(quads: Iterable[ox.Quad], suffix: str) -> bytes:
    """Return quads in one of `FORMATS`; formats of triples get their union."""
    form = FORMATS[suffix][1]
    content: Any = list(quads)
    if not form.supports_datasets:
        content = sorted({quad.triple for quad in content}, key=str)
    raw = ox.serialize(content, format=form, prefixes=dict(PREFIXES))
    assert raw is not None
    return raw


def described(view: View) -> str:
    """Return a thing as JSON-LD that can stand inside a script element: schema.org beside the project's own terms."""
    used = {"cgt", "rdfs", "skos", "prov", "xsd"}
    content: dict[str, Any] = {
        "@id": view.iri,
        "@type": [_SCHEMA.get(view.prefix, "Thing"), *(compact(v.value) for v in view.values(view.iri, "rdf:type"))],
        "name": view.label,
        "alternateName": [
            {"@value": link.text, "@language": link.language or "en"} for link in view.names
        ],
        "identifier": view.id,
        "url": view.iri,
        "subjectOf": [source.address for source in view.sources(view.iri) if source.address],
    }  # fmt: skip
    for name, holder in (("manufacturer", "cgt:holder"), ("sameAs", "cgt:wikidataItem"), ("startDate", "cgt:date")):
        values = view.values(view.iri, holder)
        if values and (name != "startDate" or view.prefix == "milestone"):
            content[name] = _value(values[0]) if isinstance(values[0], ox.NamedNode) else values[0].value
    for name, value in view.out(view.iri):
        short = compact(name)
        if short.startswith("cgt:") and not isinstance(value, ox.BlankNode | ox.Triple):
            content.setdefault(short, []).append(_value(value))
    content["@type"] = [one for one in content["@type"] if ":" not in one or one.startswith("cgt:")]
    context = {"@vocab": expand("schema:X")[:-1]} | {name: PREFIXES[name] for name in sorted(used)}
    text = json.dumps({"@context": context} | {k: v for k, v in content.items() if v}, ensure_ascii=False, indent=1)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _value(term: Any) -> dict[str, str]:
    if isinstance(term, ox.NamedNode):
        return {"@id": term.value}
    if term.language:
        return {"@value": term.value, "@language": term.language}
    return {"@value": term.value, "@type": term.datatype.value}
