"""Records to N-Quads lines, by their shapes.

The shape of a record class is compiled once into a writer; there is no other table that says which field
becomes which property. No blank node is ever made, so two builds of the same records give the same bytes.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, Final

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
    return _quoted(text) + _suffix(datatype, language)


def _quoted(text: str) -> str:
    # Nearly every text has nothing to escape, and asking is ten times as fast as translating.
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{text.translate(_ESCAPES)}"'


def _suffix(datatype: str, language: str | None) -> str:
    """What follows the closing quotation mark of a literal."""
    if language:
        return f"@{language}"
    return "" if datatype == _STRING else f"^^<{datatype}>"


def _term(field: Field) -> Callable[[Any], str]:
    """The function that turns one value of a field into a term."""
    datatype, language = field.datatype, field.language
    if datatype is None:
        return _known_iri
    if datatype == _LANG_STRING and language is None:
        return _tagged
    suffix = _suffix(datatype, language)
    if language is not None or datatype == _STRING:
        return lambda value: _quoted(str(value)) + suffix
    return lambda value: _quoted(lexical(value)) + suffix


@lru_cache(maxsize=65_536)
def _known_iri(curie: str) -> str:
    """Remembers ids: the same concepts, classes, countries and sources are referred to again and again."""
    return iri(str(curie))


def _tagged(value: Value) -> str:
    match = LANGUAGE.fullmatch(str(value))
    if match is None:
        raise IdentifierError(f"a text without its language: {value!r}")
    return literal(match["text"], language=match["tag"])


@cache
def _writer(kind: str) -> tuple[str, Callable[[Any], tuple[Any, ...]], tuple[tuple[str, Callable[[Any], str]], ...]]:
    """A class's type statement, the function that takes a record's values, and each field's path and term."""
    fields = shapes()[kind].fields
    typed = any(field.path == _TYPE for field in fields)
    statement = "" if typed else f" <{_TYPE}> {iri(f'cgt:{kind}')}"
    return statement, attrgetter(*(f.name for f in fields)), tuple((f" <{f.path}> ", _term(f)) for f in fields)


def lines(record: Record, graph: str) -> Iterator[str]:
    """Return the N-Quads lines that state a record, without their line ends.

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
    statement, values, fields = _writer(type(record).__name__)
    subject, end = iri(record.id), f" <{graph}> ."
    made = [subject + statement + end] if statement else []
    for value, (path, term) in zip(values(record), fields, strict=True):
        if value is None:
            continue
        if type(value) is tuple:
            for item in value:
                made.append(f"{subject}{path}{term(item)}{end}")
        else:
            made.append(f"{subject}{path}{term(value)}{end}")
    return iter(made)
