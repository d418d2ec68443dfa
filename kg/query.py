"""The query library: questions in files, their parameters bound as terms, their answers as rows.

A question is a `.rq` file below `queries/` that any SPARQL tool can run as it is. Its header, in lines that
start with `#+`, is YAML. A parameter `agency` is a line `VALUES ?given_agency { UNDEF }` in the query;
binding it replaces UNDEF with the term, serialised by the RDF library, so no text is ever pasted.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final

import pyoxigraph as ox
import yaml
from rapidfuzz import fuzz, process, utils

from kg import resources
from kg.errors import IdentifierError, NotInGraphError, QueryError
from kg.figures import Figure, figures
from kg.mapping import lexical
from kg.namespaces import OWN, compact, expand
from kg.store import Answer, Release, Term, open_release

GIVEN: Final = "given_"
LIST_SEPARATOR: Final = "|"
_PIECES: Final = 70
"""The WRatio from which a name is looked at."""
_NEAR: Final = 65
"""How alike a name must be, from 0 to 100, to be proposed."""
# libyaml's, where there is one: headers are read ten times faster, and every command waits for them.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HEADER = re.compile(r"^#\+ ?(.*)$", re.MULTILINE)
_UNBOUND = r"(VALUES\s+\?{name}\s*\{{\s*)UNDEF(\s*\}})"

_NAMES = """
SELECT DISTINCT ?thing ?name ?label WHERE {
  %s
  ?thing rdfs:label ?label FILTER(LANG(?label) = "en" || LANG(?label) = "")
  ?thing rdfs:label|skos:prefLabel|skos:altLabel|cgt:inn|cgt:code|cgt:fullName|cgt:symbol ?name
} ORDER BY ?thing ?name ?label
"""

_GONE = "SELECT ?instead WHERE {{ {thing} owl:deprecated true OPTIONAL {{ {thing} dcterms:isReplacedBy ?instead }} }}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a question.

    Attributes:
        name: As it is given: `agency`.
        type: `iri`, `date`, `integer` or `string`.
        kind: For an iri, the class its values belong to, as a compact id.
        example: A value that has answers.
        help: What it narrows, in a phrase.
        required: The question makes no sense without it.
    """

    name: str
    type: str
    kind: str | None
    example: str
    help: str
    required: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the library.

    Attributes:
        name: The file's name without its suffix.
        subject: The folder it is in.
        title: A short title.
        question: The question in plain words.
        parameters: What it can be narrowed by.
        result: The columns of its answer.
        lists: Columns that hold lists, separated by `|`.
        text: The SPARQL text.
        network: Whether its rows are edges of a network.
        screen: The columns that a table on a screen shows first, where not all fit.
        registers: Whether only a release built with registers has answers.
        pictures: What its answer can be drawn as.
    """

    name: str
    subject: str
    title: str
    question: str
    parameters: tuple[Parameter, ...]
    result: tuple[str, ...]
    lists: tuple[str, ...]
    text: str
    network: bool = False
    screen: tuple[str, ...] = ()
    registers: bool = False
    pictures: tuple[Figure, ...] = ()


def read(path: Path) -> Question:
    """Read one question file.

    Raises:
        QueryError: The header is missing, is not YAML or lacks a part, or names a parameter that the
            query does not have.
    """
    text = path.read_text(encoding="utf-8")
    try:
        header = yaml.load("\n".join(_HEADER.findall(text)), _LOADER) or {}  # noqa: S506
        parameters = tuple(
            Parameter(
                name,
                spec.get("type", "string"),
                spec.get("class"),
                str(spec["example"]),
                spec.get("help", ""),
                bool(spec.get("required")),
            )
            for name, spec in (header.get("parameters") or {}).items()
        )
        question = Question(
            path.stem, path.parent.name, header["title"], header["question"], parameters,
            tuple(header["result"]), tuple(header.get("lists", ())), text, bool(header.get("network")),
            tuple(header.get("screen", ())), bool(header.get("registers")),
            figures(header.get("pictures", {}), header["result"]),
        )  # fmt: skip
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise QueryError(f"{path}: the header lacks or misspells {error}") from error
    for parameter in parameters:
        if not _pattern(parameter.name).search(text):
            raise QueryError(f"{path}: no `VALUES ?{GIVEN}{parameter.name} {{ UNDEF }}` in the query")
    return question


@cache
def library(folder: Path = resources.QUERIES) -> dict[str, Question]:
    """Return every question of a folder by name, in the order of subjects and names.

    Raises:
        QueryError: A file cannot be read, or two have one name.
    """
    found: dict[str, Question] = {}
    for path in sorted(folder.glob("*/*.rq")):
        question = read(path)
        if question.name in found:
            raise QueryError(f"{path}: there is another question called {question.name}")
        found[question.name] = question
    return found


def find(name: str, listed: str = "kg queries") -> Question:
    """Return a question by name.

    Args:
        name: Its name.
        listed: What lists them, for what is said where there is none.

    Raises:
        QueryError: There is none; the message says which come near.
    """
    questions = library()
    if name in questions:
        return questions[name]
    near = nearest(name, questions, 3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"{listed} lists them"
    raise QueryError(f"no question '{name}'; {hint}")


def ask(
    name: str, release: Release | None = None, limit: int | None = None, /, **values: "str | int | date | None"
) -> Answer:
    """Ask a question of the library.

    Args:
        name: The question's name.
        release: The release to ask; the one in use where None.
        limit: The most rows to return; all where None.
        values: The question's parameters; things by id, IRI or any of their names.

    Returns:
        The rows, in the question's own order.

    Raises:
        QueryError: There is no such question, parameter or thing, or a value does not fit.
        ReleaseError: There is no release.
    """
    release = release or open_release()
    question = find(name)
    return arrange(question, release.select(bind(question, values, release)), limit)


def arrange(question: Question, answer: Answer, limit: int | None = None) -> Answer:
    """Return the rows of a question's query as its header promises: its columns only, lists in order.

    Args:
        question: The question.
        answer: What its query gave.
        limit: The most rows; all where None.
    """
    keep = [index for index, column in enumerate(answer.columns) if column in question.result]
    listed = {index for index in keep if answer.columns[index] in question.lists}
    rows = (tuple(_sorted(row[i]) if i in listed else row[i] for i in keep) for row in answer.rows[:limit])
    return Answer(tuple(answer.columns[i] for i in keep), tuple(rows))


def bind(question: Question, values: Mapping[str, "str | int | date | None"], release: Release) -> str:
    """Return a question's text with parameters bound.

    Raises:
        QueryError: There is no such parameter or thing, or a value does not fit its type.
    """
    known = {parameter.name: parameter for parameter in question.parameters}
    for parameter in question.parameters:
        if parameter.required and values.get(parameter.name) is None:
            raise QueryError(f"question {question.name} needs {parameter.name}, as in {parameter.example}")
    text = question.text
    for name, value in values.items():
        if value is None:
            continue
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}? It takes" if near else "it takes"
            takes = ", ".join(known) or "none"
            raise QueryError(f"question {question.name} has no parameter '{name}'; {hint}: {takes}")
        term = str(_term(known[name], value, release))
        text = _pattern(name).sub(lambda match, term=term: f"{match[1]}{term}{match[2]}", text)  # type: ignore[misc]
    return text


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(_UNBOUND.format(name=GIVEN + re.escape(name)))


def _term(parameter: Parameter, value: "str | int | date", release: Release) -> Term:
    try:
        if parameter.type == "date":
            day = value if isinstance(value, date) else date.fromisoformat(str(value))
            return ox.Literal(lexical(day), datatype=ox.NamedNode(expand("xsd:date")))
        if parameter.type == "integer":
            return ox.Literal(str(int(str(value))), datatype=ox.NamedNode(expand("xsd:integer")))
    except ValueError:
        wanted = "a date as YYYY-MM-DD" if parameter.type == "date" else "a whole number"
        raise QueryError(f"{parameter.name} must be {wanted}, not '{value}'") from None
    if parameter.type == "string":
        return ox.Literal(str(value))
    if not str(value).strip():
        raise QueryError(f"{parameter.name} is empty; give {parameter.help or 'an id or a name'}, or leave it out")
    return resolve(str(value), release, parameter.kind)


def resolve(text: str, release: Release, kind: str | None = None) -> ox.NamedNode:
    """Return the thing that an id, an IRI or a name stands for.

    Args:
        text: What a person wrote: `product:kymriah`, an IRI, `Kymriah`, `奕凯达`.
        release: Where to look it up.
        kind: The class it must belong to, as a compact id; any where None.

    Raises:
        NotInGraphError: There is no such thing, or it was withdrawn; the message says which come near.
        QueryError: The name is of several.
    """
    thing = _identified(text)
    if thing is not None:
        # Asked of the thing alone: to read every name takes longer than most questions.
        if release.select(_NAMES % (f"VALUES ?thing {{ {thing} }} {_of(kind)}") + " LIMIT 1").rows:
            return thing
        for (instead,) in release.select(_GONE.format(thing=thing)).rows:
            new = [compact(instead.value)] if isinstance(instead, ox.NamedNode) else []
            hint = f"it is replaced by {new[0]}" if new else "nothing replaces it"
            raise NotInGraphError(f"{compact(thing.value)} was withdrawn; {hint}", new)
    named = names(release, kind)
    folded = text.casefold().strip()
    exact = sorted({thing for thing, _, label in named if label.casefold() == folded}) or sorted(
        {thing for thing, name, _ in named if name.casefold() == folded}
    )
    if len(exact) == 1:
        return ox.NamedNode(exact[0])
    what = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.partition(":")[2]).lower() if kind else "thing"
    if exact:
        raise QueryError(f"several are called '{text}': {', '.join(compact(iri) for iri in exact[:5])}; give the id")
    if thing is not None and thing.value.startswith(OWN):
        close = nearest_ids(thing.value, named, 3)
    else:
        close = nearest(text, {name for _, name, _ in named}, 3)
    hint = f"did you mean {' or '.join(close)}?" if close else "search finds things by any name"
    raise NotInGraphError(f"no {what} '{text}'; {hint}", close)


def names(release: Release, kind: str | None = None) -> list[tuple[str, str, str]]:
    """Return (IRI, name, label) of every name of everything of a kind, in any language."""
    answer = release.select(_NAMES % _of(kind))
    rows = []
    for thing, name, label in answer.rows:
        if isinstance(thing, ox.NamedNode) and isinstance(name, ox.Literal) and isinstance(label, ox.Literal):
            rows.append((thing.value, name.value, label.value))
    return rows


def _identified(text: str) -> ox.NamedNode | None:
    """The term that a text may be the id or the IRI of."""
    try:
        return ox.NamedNode(text if "://" in text else expand(text))
    except (IdentifierError, ValueError):
        return None


def _of(kind: str | None) -> str:
    return f"?thing a/rdfs:subClassOf* {kind} ." if kind else ""


def alike(text: str, name: str, score: float) -> int:
    """Return how alike two texts are, from 0 to 100, given their WRatio.

    WRatio scores a short text inside a long name highly; how alike the two are as wholes has a say too.
    """
    return round((2 * score + fuzz.ratio(text, name)) / 3)


def nearest(text: str, names: Iterable[str], limit: int) -> list[str]:
    """Return the names that come near to a text, best first; none that only has a piece in common with it."""
    wanted = utils.default_process(text)
    choices = {name: utils.default_process(name) for name in sorted(names)}
    matches = process.extract(wanted, choices, scorer=fuzz.WRatio, limit=limit * 5, score_cutoff=_PIECES)
    found = sorted((-alike(wanted, choice, score), name) for choice, score, name in matches)
    return [name for score, name in found if -score >= _NEAR][:limit]


def nearest_ids(iri: str, named: Iterable[tuple[str, str, str]], limit: int) -> list[str]:
    """Return the compact ids of the same kind of thing, or of terms, that come near to one, by id or by name."""
    start = iri[: max(iri.rfind("/"), iri.rfind("#")) + 1]
    called: dict[str, str] = {}
    for thing, name, _ in named:
        if thing.startswith(start):
            called |= {name: thing, thing.removeprefix(start): thing}
    near = (compact(called[name]) for name in nearest(iri.removeprefix(start), called, limit * 2))
    return list(dict.fromkeys(near))[:limit]


def _sorted(term: Term | None) -> Term | None:
    """A list's items in order, each once: SPARQL's GROUP_CONCAT promises neither."""
    if not isinstance(term, ox.Literal):
        return term
    return ox.Literal(LIST_SEPARATOR.join(sorted(set(filter(None, term.value.split(LIST_SEPARATOR))))))
