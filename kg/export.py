"""Linked data and tables for people who do not run this program: every format, described, with checksums.

Formats of triples hold the union of all graphs, formats of quads the graphs apart; both come from the same
sorted quads, so two exports of one release are the same bytes.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import networkx as nx
import pyoxigraph as ox
from pyld import jsonld

from kg.curated import LIST_SEPARATOR
from kg.describe import GRAPH as DESCRIPTION
from kg.errors import OutputError
from kg.namespaces import BASE, CSVW, LICENCES, PREFIXES, compact, expand, graph
from kg.network import multigraph
from kg.shapes import ID, Field, Shape, shapes
from kg.store import DATASET, Release
from kg.writing import writing

STEM: Final = "cgt-kg"
CHECKSUMS: Final = "SHA256SUMS"
CONTEXT: Final = "context.jsonld"


def quads(release: Release) -> list[ox.Quad]:
    """Return every quad of a release, sorted by graph, subject, predicate and object."""
    found = ox.parse(path=str(release.path / DATASET), format=ox.RdfFormat.N_QUADS)
    return sorted(found, key=lambda q: (str(q.graph_name), str(q.subject), str(q.predicate), str(q.object)))


def triples(release: Release) -> list[ox.Triple]:
    """Return the union of a release's graphs, each triple once, sorted."""
    return sorted({quad.triple for quad in quads(release)}, key=str)


def context() -> dict[str, Any]:
    """Return the project's JSON-LD context: all prefixes, and each property by its local name and type.

    >>> context()["@context"]["date"]
    {'@id': 'cgt:date', '@type': 'xsd:date'}
    """
    terms: dict[str, Any] = dict(PREFIXES)
    own = expand("cgt:X")[:-1]
    for shape in shapes().values():
        for field in shape.fields:
            if field.path.startswith(own):
                kind = "@id" if field.datatype is None else compact(field.datatype)
                typed = {} if kind in ("xsd:string", "rdf:langString") else {"@type": kind}
                terms[field.path.removeprefix(own)] = {"@id": compact(field.path)} | typed
    terms |= {"id": "@id", "type": "@type", "label": "rdfs:label", "names": "skos:altLabel"}
    return {"@context": dict(sorted(terms.items()))}


def export(release: Release, folder: Path, forms: Sequence[str] = ()) -> list[Path]:
    """Write a release in some formats, with a description and checksums of all of them.

    Args:
        release: The release.
        folder: Where to; made where it is not there. Files of the same names are replaced.
        forms: Names in `FORMATS`; all where empty.

    Returns:
        The files written.

    Raises:
        OutputError: A format is not known, or the folder cannot be written.
    """
    unknown = [form for form in forms if form not in FORMATS]
    if unknown:
        raise OutputError(f"no format '{unknown[0]}'; formats are {', '.join(FORMATS)}")
    written: dict[str, bytes] = {}
    for form in forms or FORMATS:
        for name, content in FORMATS[form](release):
            written[name] = content
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in sorted(written.items()):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        sums = "".join(f"{hashlib.sha256(written[name]).hexdigest()}  {name}\n" for name in sorted(written))
        (folder / CHECKSUMS).write_text(sums, encoding="utf-8")
    return [folder / name for name in sorted(written)] + [folder / CHECKSUMS]


_Files = Iterator[tuple[str, bytes]]


def _rdf(suffix: str, form: ox.RdfFormat) -> Callable[[Release], _Files]:
    def files(release: Release) -> _Files:
        content = quads(release) if form.supports_datasets else triples(release)
        yield f"{STEM}.{suffix}", _serialize(content, form)

    return files


def _serialize(content: Sequence[ox.Quad] | Sequence[ox.Triple], form: ox.RdfFormat) -> bytes:
    raw = ox.serialize(content, format=form, prefixes=dict(PREFIXES))
    assert raw is not None
    return raw


def _json_ld(release: Release) -> _Files:
    # Expanded by the RDF library, compacted by PyLD one named graph at a time, which bounds memory.
    project = context()
    members: list[Any] = []
    for _, group in groupby(quads(release), key=lambda quad: str(quad.graph_name)):
        expanded = json.loads(_serialize(list(group), ox.RdfFormat.JSON_LD))
        members.append({k: v for k, v in jsonld.compact(expanded, project).items() if k != "@context"})
    document = {**project, "@graph": members}
    yield f"{STEM}.jsonld", _json(document)
    yield CONTEXT, _json(project)


def _json(content: object) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _graphml(release: Release) -> _Files:
    yield f"{STEM}.graphml", ("\n".join(nx.generate_graphml(multigraph(release))) + "\n").encode()


def _description(release: Release) -> _Files:
    """The graph about the graphs, with the files of the other formats as its distributions."""
    lines = [q for q in quads(release) if q.graph_name == ox.NamedNode(graph(DESCRIPTION))]
    dataset = ox.NamedNode(f"{BASE}dataset")
    stated = [q.triple for q in lines]
    for suffix, media in sorted(_MEDIA.items()):
        name = f"{STEM}.{suffix}"
        file = ox.NamedNode(f"{BASE}data/{name}")
        stated += [
            ox.Triple(dataset, ox.NamedNode(expand("dcat:distribution")), file),
            ox.Triple(dataset, ox.NamedNode(expand("void:dataDump")), file),
            ox.Triple(file, ox.NamedNode(expand("rdf:type")), ox.NamedNode(expand("dcat:Distribution"))),
            ox.Triple(file, ox.NamedNode(expand("dcterms:title")), ox.Literal(name)),
            ox.Triple(file, ox.NamedNode(expand("dcat:mediaType")), ox.Literal(media)),
            ox.Triple(file, ox.NamedNode(expand("dcterms:license")), ox.NamedNode(LICENCES["facts"])),
        ]
    yield "void.ttl", _serialize(sorted(stated, key=str), ox.RdfFormat.TURTLE)


def _tables(release: Release) -> _Files:
    """One CSV table a record class, with CSVW metadata: what `kg build` reads, as the release states it."""
    described = []
    for shape in shapes().values():
        content = table(release, shape)
        if content.count(b"\n") > 1:
            yield f"tables/{shape.table}.csv", content
            described.append(_csvw(shape))
    metadata = {
        "@context": [CSVW, {"@language": "en"}],
        "dc:title": "Tables of the knowledge graph of cell and gene therapies",
        "dc:license": {"@id": LICENCES["facts"]},
        "tables": described,
    }
    yield "tables/csv-metadata.json", _json(metadata)


def table(release: Release, shape: Shape) -> bytes:
    """Return what a release states of a record class as the bytes of its curated table."""
    stated: dict[str, dict[str, list[str]]] = {}
    by_path = {field.path: field for field in shape.fields}
    for quad in release.store.quads_for_pattern(None, None, None, ox.NamedNode(graph(shape.table))):
        assert isinstance(quad.subject, ox.NamedNode)
        row = stated.setdefault(compact(quad.subject.value), {})
        field = by_path.get(quad.predicate.value)
        if field is not None:
            row.setdefault(field.name, []).append(_cell(quad.object, field))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(shape.columns)
    for name in sorted(stated):
        writer.writerow([name, *(LIST_SEPARATOR.join(sorted(stated[name].get(f.name, ()))) for f in shape.fields)])
    return out.getvalue().encode()


def _cell(term: object, field: Field) -> str:
    if isinstance(term, ox.NamedNode):
        return compact(term.value)
    assert isinstance(term, ox.Literal)
    return f"{term.value}@{term.language}" if term.language and field.language is None else term.value


def _csvw(shape: Shape) -> dict[str, Any]:
    def column(field: Field) -> dict[str, Any]:
        kind = (field.datatype or "string").rpartition("#")[2]
        found: dict[str, Any] = {
            "name": field.name, "titles": field.name, "propertyUrl": field.path, "required": field.required,
            "datatype": {"langString": "string"}.get(kind, kind),
        }  # fmt: skip
        return found | ({"separator": LIST_SEPARATOR} if field.many else {})

    first = {"name": ID, "titles": ID, "datatype": "string", "required": True}
    return {
        "url": f"{shape.table}.csv",
        "tableSchema": {"columns": [first, *map(column, shape.fields)], "primaryKey": ID},
    }


FORMATS: Final[dict[str, Callable[[Release], _Files]]] = {
    "turtle": _rdf("ttl", ox.RdfFormat.TURTLE),
    "ntriples": _rdf("nt", ox.RdfFormat.N_TRIPLES),
    "nquads": _rdf("nq", ox.RdfFormat.N_QUADS),
    "trig": _rdf("trig", ox.RdfFormat.TRIG),
    "jsonld": _json_ld,
    "rdfxml": _rdf("rdf", ox.RdfFormat.RDF_XML),
    "csv": _tables,
    "graphml": _graphml,
    "description": _description,
}
"""The formats of `kg export`, in the order they are written."""

_MEDIA: Final = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "nq": "application/n-quads",
    "trig": "application/trig",
    "jsonld": "application/ld+json",
    "rdf": "application/rdf+xml",
    "graphml": "application/graphml+xml",
}
