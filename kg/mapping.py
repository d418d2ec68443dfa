"""Records to N-Quads lines, by their shapes.

The shape of a record class is compiled once into a writer; there is no other table that says which field
becomes which property. No blank node is ever made, so two builds of the same records give the same bytes.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Final

from kg.errors import IdentifierError
from kg.namespaces import expand
from kg.records import Record
from kg.shapes import Field, shapes

LANGUAGE: Final = re.compile(r"(?P<text>.+)@(?P<tag>[a-z]{2,3}(?:-[a-z0-9]{1,8})*)", re.DOTALL)
"""A text with its language, as tables write it: `奕凯达@zh`."""

_TYPE: Final = expand("rdf:type")
_STRING: Final = expand("xsd:string")
_LANG_STRING: Final = expand("rdf:langString")
_ESCAPES: Final = str.maketrans(
    {chr(code): f"\\u{code:04X}" for code in (*range(0x20), 0x7F)}
    | {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
)

Value = str | int | Decimal | date


def lexical(value: Value) -> str:
    """Return the canonical lexical form of a value: dates in ISO 8601, decimals without idle zeros.

    >>> lexical(Decimal("18.90")), lexical(date(2017, 8, 30))
    ('18.9', '2017-08-30')
    """
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value.isoformat() if isinstance(value, date) else str(value)


def iri(curie: str) -> str:
    """Return a compact id as an N-Quads term."""
    return f"<{expand(curie)}>"


def literal(text: str, datatype: str = _STRING, language: str | None = None) -> str:
    """Return a literal as an N-Quads term.

    >>> literal("Kymriah", language="en")
    '"Kymriah"@en'
    """
    quoted = f'"{text.translate(_ESCAPES)}"'
    if language:
        return f"{quoted}@{language}"
    return quoted if datatype == _STRING else f"{quoted}^^<{datatype}>"


def _term(field: Field) -> Callable[[Value], str]:
    """The function that turns one value of a field into a term."""
    datatype, language = field.datatype, field.language
    if datatype is None:
        return lambda value: iri(str(value))
    if language is not None:
        return lambda value: literal(str(value), language=language)
    if datatype == _LANG_STRING:
        return _tagged
    return lambda value: literal(lexical(value), datatype)


def _tagged(value: Value) -> str:
    match = LANGUAGE.fullmatch(str(value))
    if match is None:
        raise IdentifierError(f"a text without its language: {value!r}")
    return literal(match["text"], language=match["tag"])


@cache
def _writer(
    kind: str,
) -> tuple[bool, tuple[tuple[str, str, Callable[[Value], str]], ...]]:
    fields = shapes()[kind].fields
    typed = any(field.path == _TYPE for field in fields)
    return typed, tuple((field.name, f"<{field.path}>", _term(field)) for field in fields)


def lines(record: Record, graph: str) -> Iterator[str]:
    """Yield the N-Quads lines that state a record, without their line ends.

    The record's class becomes its type, unless one of its fields says the type itself (the kind of a
    milestone is a class below Milestone).

    Args:
        record: Any record of `kg.records`.
        graph: The IRI of the named graph to state it in.

    Raises:
        IdentifierError: A field that should hold an id, or a text with its language, holds something else.

    >>> from kg.records import Gene
    >>> gene = Gene(id="gene:cd19", label="CD19", symbol="CD19", hgnc="HGNC:1633", sources=("source:hgnc",))
    >>> for line in lines(gene, "urn:g"):
    ...     print(line.split(" ", 1)[1])
    <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/cgt-kg/ontology#Gene> <urn:g> .
    <http://www.w3.org/2000/01/rdf-schema#label> "CD19"@en <urn:g> .
    <https://w3id.org/cgt-kg/ontology#symbol> "CD19" <urn:g> .
    <https://w3id.org/cgt-kg/ontology#hgnc> <https://identifiers.org/hgnc/1633> <urn:g> .
    <http://www.w3.org/ns/prov#wasDerivedFrom> <https://w3id.org/cgt-kg/id/source/hgnc> <urn:g> .
    """
    kind = type(record).__name__
    typed, fields = _writer(kind)
    subject = iri(record.id)
    if not typed:
        yield f"{subject} <{_TYPE}> {iri(f'cgt:{kind}')} <{graph}> ."
    for name, path, term in fields:
        value = getattr(record, name)
        if value is None:
            continue
        for item in value if isinstance(value, tuple) else (value,):
            yield f"{subject} {path} {term(item)} <{graph}> ."
