"""Record shapes, read from `ontology/shapes.ttl`.

The one place that says which field is which property, of which type, how often, and in which table it stands.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from kg import resources
from kg.errors import OntologyError
from kg.namespaces import PREFIXES, expand

SHAPES_FILE: Final = "shapes.ttl"
ID: Final = "id"
"""The column that every table and the field that every record has beside its shape's."""

_FIELDS = """
SELECT ?class ?table ?by_builds ?id_pattern ?name ?path ?datatype ?min ?max ?language ?pattern
  (GROUP_CONCAT(DISTINCT STR(?range); separator=" ") AS ?classes)
  (GROUP_CONCAT(DISTINCT ?choice; separator="|") AS ?choices)
WHERE {
  ?shape cgt:table ?table ; sh:targetClass ?class ; sh:pattern ?id_pattern ; sh:property ?field .
  OPTIONAL { ?shape cgt:byBuilds ?by_builds }
  ?field sh:name ?name ; sh:path ?path ; sh:order ?order .
  OPTIONAL { ?field sh:datatype ?datatype }
  OPTIONAL { ?field sh:minCount ?min }
  OPTIONAL { ?field sh:maxCount ?max }
  OPTIONAL { ?field sh:pattern ?pattern }
  OPTIONAL { ?field sh:languageIn/rdf:first ?language }
  OPTIONAL { ?field sh:class|(sh:or/rdf:rest*/rdf:first/sh:class) ?range }
  OPTIONAL { ?field sh:in/rdf:rest*/rdf:first ?choice }
} GROUP BY ?class ?table ?by_builds ?id_pattern ?name ?path ?datatype ?min ?max ?language ?pattern ?order
ORDER BY ?table ?order
"""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record shape.

    Attributes:
        name: The record's field and the table's column.
        path: The IRI of its property.
        datatype: The IRI of the literal datatype; None where values are things.
        language: The language tag that all its texts have, or None.
        required: At least one value must be there.
        many: It holds a list.
        pattern: A regular expression for the value (for a thing: for its IRI), or None.
        classes: IRIs of the classes of which a thing must be a member, any of them.
        choices: The only values allowed, or none.
    """

    name: str
    path: str
    datatype: str | None
    language: str | None
    required: bool
    many: bool
    pattern: str | None
    classes: tuple[str, ...]
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a record of one class must have, and the table it stands in.

    Attributes:
        name: The class.
        table: The table.
        id_pattern: A regular expression for the IRIs of its records.
        fields: Its fields, in order.
        by_builds: Whether its records come from registers, and no shipped table holds them.
    """

    name: str
    table: str
    id_pattern: str
    fields: tuple[Field, ...]
    by_builds: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The table's header: the id, then the fields in order."""
        return (ID, *(field.name for field in self.fields))

    def field(self, name: str) -> Field | None:
        """The field of a name, or None."""
        return next((field for field in self.fields if field.name == name), None)


def _text(row: ox.QuerySolution, name: str) -> str | None:
    value = row[name]
    if value is None:
        return None
    assert isinstance(value, ox.Literal | ox.NamedNode)
    return value.value


def read(path: Path) -> tuple[Shape, ...]:
    """Read the record shapes of a file, in the order of their tables' names.

    Raises:
        OntologyError: The file is not Turtle, or holds no shape with a table.
    """
    store = ox.Store()
    try:
        store.load(path=str(path), format=ox.RdfFormat.TURTLE)
    except (SyntaxError, OSError) as error:
        raise OntologyError(f"{path}: {error}") from error
    rows = store.query(_FIELDS, prefixes=PREFIXES)
    assert isinstance(rows, ox.QuerySolutions)
    heads: dict[str, tuple[str, str, bool]] = {}
    found: dict[str, list[Field]] = {}
    for row in rows:
        table = _text(row, "table") or ""
        name = (_text(row, "class") or "").removeprefix(expand("cgt:X")[:-1])
        heads[table] = (name, _text(row, "id_pattern") or "", _text(row, "by_builds") is not None)
        found.setdefault(table, []).append(
            Field(
                name=_text(row, "name") or "",
                path=_text(row, "path") or "",
                datatype=_text(row, "datatype"),
                language=_text(row, "language"),
                required=_text(row, "min") is not None,
                many=_text(row, "max") is None,
                pattern=_text(row, "pattern"),
                classes=tuple(sorted((_text(row, "classes") or "").split())),
                choices=tuple(filter(None, (_text(row, "choices") or "").split("|"))),
            )
        )
    if not found:
        raise OntologyError(f"{path}: no shape with a cgt:table")
    return tuple(Shape(heads[t][0], t, heads[t][1], tuple(found[t]), heads[t][2]) for t in found)


@cache
def shapes() -> dict[str, Shape]:
    """Return the shipped record shapes by class name.

    >>> shapes()["Product"].columns
    ('id', 'label', 'names', 'therapy', 'holder', 'wikidata', 'note', 'sources')
    """
    return {shape.name: shape for shape in read(resources.ONTOLOGY / SHAPES_FILE)}
