"""What there is to ask about: classes, properties, prefixes, therapy classes, questions."""

from typing import Any, Final

from kg.namespaces import PREFIXES
from kg.query import Question, library
from kg.report import rows
from kg.store import Release

PARTS: Final = ("overview", "classes", "properties", "therapy_classes", "prefixes")

_CLASSES = """
SELECT ?id ?label (SAMPLE(?wide) AS ?broader) (SAMPLE(?text) AS ?definition) (COUNT(DISTINCT ?thing) AS ?things) WHERE {
  GRAPH graph:ontology { ?id a owl:Class ; rdfs:label ?label FILTER(LANG(?label) = "en")
    OPTIONAL { ?id skos:definition ?text FILTER(LANG(?text) = "en") }
    OPTIONAL { ?id rdfs:subClassOf ?wide FILTER(ISIRI(?wide)) } }
  OPTIONAL { ?thing a ?id }
} GROUP BY ?id ?label ORDER BY ?id
"""
_PROPERTIES = """
SELECT ?id ?label (SAMPLE(?from) AS ?of) (SAMPLE(?to) AS ?value) (SAMPLE(?text) AS ?definition) WHERE {
  GRAPH graph:ontology { ?id a ?kind ; rdfs:label ?label FILTER(LANG(?label) = "en")
    FILTER(?kind IN (owl:ObjectProperty, owl:DatatypeProperty))
    OPTIONAL { ?id skos:definition ?text FILTER(LANG(?text) = "en") }
    OPTIONAL { ?id rdfs:domain ?from FILTER(ISIRI(?from)) } OPTIONAL { ?id rdfs:range ?to FILTER(ISIRI(?to)) } }
} GROUP BY ?id ?label ORDER BY ?id
"""
_THERAPY_CLASSES = """
SELECT ?id ?label ?broader WHERE {
  ?id a cgt:TherapyClass ; rdfs:label ?label FILTER(LANG(?label) = "en") OPTIONAL { ?id skos:broader ?broader }
} ORDER BY ?id
"""
_PATTERN: Final = """SELECT ?milestone ?product ?agency ?date WHERE {
  ?milestone a cgt:Approval ; cgt:about ?p ; cgt:agency ?a ; cgt:date ?date .
  ?p rdfs:label ?product ; cgt:therapy/cgt:therapyClass/skos:broader* class:car-t .
  ?a rdfs:label ?agency .
} ORDER BY ?date LIMIT 20"""
_ADVICE: Final = (
    "All graphs are one default graph; prefixes need no declaration. Select the ids of facts (?milestone), for "
    "sources are found by them. Types are inferred: a cgt:Approval is a cgt:Milestone too. Labels have languages: "
    'FILTER(LANG(?label) = "en"). Therapy classes form a tree by skos:broader. Dates are xsd:date, and '
    "cgt:datePrecision says day, month or year."
)


def schema(release: Release, part: str = "overview") -> dict[str, Any]:
    """Return one part of what the graph is made of.

    Args:
        release: The release.
        part: One of `PARTS`; the overview names classes and properties and leaves out definitions.
    """
    if part == "prefixes":
        return {"prefixes": dict(PREFIXES)}
    if part == "classes":
        return {"classes": rows(release.select(_CLASSES))}
    if part == "properties":
        return {"properties": rows(release.select(_PROPERTIES))}
    if part == "therapy_classes":
        return {"therapy_classes": rows(release.select(_THERAPY_CLASSES))}
    return {
        "counts": dict(release.manifest.get("records", {})),
        "advice": _ADVICE,
        "example": _PATTERN,
        "classes": [f"{row['id']} ({row['things']})" for row in rows(release.select(_CLASSES)) if row["things"]],
        "properties": [
            f"{row['id']}: {row['of'] or 'any'} -> {row['value'] or 'any'}" for row in rows(release.select(_PROPERTIES))
        ],
        "therapy_classes": [f"{row['id']} {row['label']}" for row in rows(release.select(_THERAPY_CLASSES))],
        "more": "part = classes, properties, therapy_classes or prefixes has labels, definitions and trees",
        "questions": sorted(library()),
    }


def outlines() -> list[dict[str, Any]]:
    """Return each question of the library in short: its name, what it answers, the names of what it takes."""
    return [
        {"name": question.name, "subject": question.subject, "question": question.question}
        | {"parameters": ", ".join(p.name + "*" * p.required for p in question.parameters)}
        for question in library().values()
    ]


def questions(subject: str) -> list[dict[str, Any]]:
    """Return each question of a subject: its name, what it answers, what it takes and gives."""
    return [described(question) for question in library().values() if question.subject == subject]


def described(question: Question) -> dict[str, Any]:
    """Return what a question answers, takes and gives."""
    return {
        "name": question.name,
        "question": question.question,
        "parameters": {
            p.name: f"{p.help} ({'required, ' if p.required else ''}{_TAKES[p.type]}), as in {p.example}"
            for p in question.parameters
        },
        "columns": list(question.result),
    } | ({"registers": True} if question.registers else {})


_TAKES: Final = {"iri": "id or name", "date": "YYYY-MM-DD", "integer": "whole number", "string": "text"}
