"""The graph as a language model meets it: six tools, their arguments and what they answer.

Every answer names the release and carries the sources of its facts with their addresses. What is not in the graph is
said in words, with the names that come near, for a model that gets an empty list fills it.
"""

import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import pyoxigraph as ox
from pydantic import Field, StringConstraints

from kg import lookup
from kg.cited import cited, described, sources_of
from kg.errors import KgError, NotInGraphError, QueryError
from kg.guide import described as described_question
from kg.guide import outlines, questions, schema
from kg.limited import Limited, Limits, evaluate
from kg.namespaces import compact, expand
from kg.query import arrange, bind, find, library
from kg.store import Answer, Release, open_release
from kg.strangers import strangers

_ROWS: Final = 5_000
"""Rows of a named question that are counted; fewer are sent at once."""
_NAME: Final = 300
"""Characters of the longest name that is looked up."""
_AT_ONCE: Final = 4
"""Queries that run side by side; others wait."""
LISTED: Final = "list_questions"
"""What lists the questions here."""
_STATEMENTS: Final = 80
"""Things shown that refer to one; a large agency has hundreds."""
_NO_ROWS: Final = (
    "Not in the graph: no fact fits. This release does not state it; that is no proof that it did not happen."
)
_Name = Annotated[str, Field(min_length=1, max_length=_NAME), StringConstraints(strip_whitespace=True)]


class Door:
    """The graph as a model meets it.

    Args:
        folder: The build folder; a release built anew is picked up at the next question.
        limits: What one query may take.
    """

    def __init__(self, folder: Path | None = None, limits: Limits | None = None) -> None:
        self._folder = folder
        self._limits = limits or Limits()
        self._held = open_release(folder)
        self._turn = threading.BoundedSemaphore(_AT_ONCE)

    @property
    def release(self) -> Release:
        """The release in use now."""
        now = open_release(self._folder)
        if now.path != self._held.path:
            self._held = now
        return self._held

    def search(
        self,
        text: Annotated[_Name, Field(description="A name or part of one, in any language, misspelt or not: Kymriha")],
        limit: Annotated[int, Field(ge=1, le=50, description="The most hits to send")] = 10,
    ) -> dict[str, Any]:
        """Find things by name: products, therapies, agencies, companies, diseases, genes, pathways, trials, sources.

        Use it first, to turn what a user calls something into the id that the other tools take. Returns hits, best
        first: id, label, kind, the name that matched, a score to 100, and sources. A low score is another thing.
        """
        release = self.release
        hits = lookup.search(text, release, limit)
        of = sources_of((expand(hit.id) for hit in hits), release)
        found = [asdict(hit) | {"sources": [compact(s) for s in of.get(expand(hit.id), [])[:3]]} for hit in hits]
        payload = {"hits": found, "sources": described((expand(s) for row in found for s in row["sources"]), release)}
        if not hits:
            payload["not_in_graph"] = f"Not in the graph: nothing is called anything like '{text}'."
        return self._signed(release, payload)

    def show(
        self,
        thing: Annotated[_Name, Field(description="An id (product:kymriah) or any name (Kymriah, 奕凯达)")],
    ) -> dict[str, Any]:
        """Show everything about one thing: what it is, its facts, what refers to it, and who says so.

        For a product that is its milestones at every agency; for a milestone its fields, with each source's own words
        (`claims`) and whether a source contradicts the value followed (`differs`).
        """
        release = self.release
        try:
            view = lookup.show(thing, release)
        except NotInGraphError as error:
            return self._absent(release, error)
        said = view.said[:_STATEMENTS]
        rows, sources = cited(Answer(("thing",), tuple((ox.NamedNode(_iri(s.value)),) for s in said)), release, 3)
        own = {source: {"title": title, "url": url} for source, title, url in view.sources}
        payload: dict[str, Any] = {
            "id": view.id,
            "iri": view.iri,
            "label": view.label,
            "kinds": list(view.kinds),
            "facts": [asdict(statement) for statement in view.says],
            "fact_sources": list(own),
            "claims": [asdict(claim) for claim in view.claims],
            "referred_to_by": [asdict(s) | {"sources": row["sources"]} for s, row in zip(said, rows, strict=True)],
            "sources": sources | own,
        }
        if len(view.said) > len(said):
            payload["note"] = (
                f"{len(view.said) - len(said)} more things refer to it, later ones among them: `ask` the question "
                f"milestones-of with thing {view.id} for all that happened, page by page."
            )
        return self._signed(release, payload)

    def list_questions(
        self,
        name: Annotated[
            str | None, Field(max_length=_NAME, description="One question in full, with its SPARQL as an example")
        ] = None,
        subject: Annotated[
            str | None,
            Field(max_length=_NAME, description="The questions of one subject in full: approvals, milestones, trials"),
        ] = None,
    ) -> dict[str, Any]:
        """List the named questions: what each answers, and the names of the parameters it takes (`*`: it needs them).

        Of one question, or of one subject's, it gives the parameters with an example each, and the columns too.
        """
        if name:
            question = find(name, LISTED)
            return self._signed(self.release, {"questions": [described_question(question)], "sparql": question.text})
        subjects = sorted({question.subject for question in library().values()})
        if not subject:
            how = f"Ask for a name, or for a subject ({', '.join(subjects)}), to see what parameters and columns mean."
            return self._signed(self.release, {"questions": outlines(), "note": how})
        if subject not in subjects:
            raise QueryError(f"no subject '{subject}'; subjects are {', '.join(subjects)}")
        return self._signed(self.release, {"questions": questions(subject)})

    def ask(
        self,
        question: Annotated[_Name, Field(description="A name from list_questions: approvals, history")],
        parameters: Annotated[
            dict[str, str | Annotated[int, Field(strict=True)] | None] | None,
            Field(description='Parameters of the question, ids or names: {"agency": "FDA", "therapy_class": "CAR-T"}'),
        ] = None,
        limit: Annotated[int, Field(ge=1, le=500, description="The most rows to send")] = 30,
        skip: Annotated[int, Field(ge=0, le=_ROWS, description="Rows to leave out, for the next page")] = 0,
    ) -> dict[str, Any]:
        """Ask a named question of the library; reviewed and tested, so preferred over SPARQL of your own.

        Returns rows, each with the ids of its sources, and under `sources` their titles and addresses. `rows_found` is
        how many there are; where `complete` is false, ask again with `skip`.
        """
        release = self.release
        wanted = find(question, LISTED)
        given = (parameters or {}).items()
        values = {name.replace("-", "_"): value for name, value in given if value is not None}
        for name, value in values.items():
            if len(str(value)) > _NAME or len(name) > _NAME:
                raise QueryError(f"the parameter '{name[:40]}' is longer than {_NAME} characters")
        try:
            text = bind(wanted, values, release)
        except NotInGraphError as error:
            return self._absent(release, error)
        found = self._within(release, text, _ROWS)
        answer = arrange(wanted, found.answer)
        payload = self._rows(release, Limited(answer, found.cut), limit, skip)
        payload = {"question": wanted.question, "parameters": values} | payload
        if wanted.registers and not answer.rows:
            payload["note"] = "Only a release that was built with registers has answers to this question."
        elif answer.rows and not payload["rows"]:
            payload["note"] = f"`skip` leaves out all {len(answer.rows)} rows."
        return self._signed(release, payload)

    def sparql(
        self,
        query: Annotated[
            str,
            Field(min_length=1, description="SPARQL 1.1 SELECT, ASK, CONSTRUCT or DESCRIBE; prefixes are known"),
            StringConstraints(strip_whitespace=True),
        ],
        limit: Annotated[int, Field(ge=1, le=1000, description="The most rows to send")] = 100,
    ) -> dict[str, Any]:
        """Run a read-only SPARQL 1.1 query, where no named question fits. Look at describe_schema first.

        Limits: 10 seconds, 1,000 rows (`complete` is false where there are more), no updates, no SERVICE. Select the
        ids of facts (?milestone, ?product), so that their sources can be added; counts come without sources.
        `warnings` name ids in the query that the graph does not have: mend them before you take an answer for one.
        """
        release = self.release
        payload = self._rows(release, self._within(release, query, limit), limit, 0)
        if warnings := strangers(query, release):
            payload["warnings"] = warnings
        return self._signed(release, payload)

    def describe_schema(
        self,
        part: Annotated[
            Literal["overview", "classes", "properties", "therapy_classes", "prefixes"],
            Field(description="overview first; the others have every label and definition"),
        ] = "overview",
    ) -> dict[str, Any]:
        """Describe what the graph is made of: classes with counts, properties, prefixes, therapy classes, questions.

        The overview has advice and an example for SPARQL.
        """
        release = self.release
        return self._signed(release, schema(release, part))

    def _within(self, release: Release, text: str, rows: int) -> Limited:
        own = self._limits
        if not self._turn.acquire(timeout=own.seconds):
            raise QueryError("too many queries are running; ask again in some seconds")
        try:
            return evaluate(release, text, Limits(own.seconds, own.memory, rows, own.bytes, own.text))
        finally:
            self._turn.release()

    def _rows(self, release: Release, found: Limited, limit: int, skip: int) -> dict[str, Any]:
        whole = found.answer.rows
        sent = whole[skip : skip + limit]
        rows, sources = cited(Answer(found.answer.columns, sent), release)
        complete = not found.cut and skip + len(sent) >= len(whole)
        payload: dict[str, Any] = {
            "columns": list(found.answer.columns),
            "rows": rows,
            "rows_found": f"more than {len(whole)}" if found.cut else len(whole),
            "complete": complete,
            "sources": sources,
        }
        if not whole:
            payload["not_in_graph"] = _NO_ROWS
        elif rows and not sources:
            payload["note"] = (
                "These rows name no fact that has sources of its own: they are counted or computed. "
                "Ask for the facts behind them (question approvals, milestones or sources-of) to cite."
            )
        return payload

    def _absent(self, release: Release, error: NotInGraphError) -> dict[str, Any]:
        said = f"Not in the graph: {error}"
        return self._signed(
            release, {"not_in_graph": said if said.endswith("?") else f"{said}.", "near": list(error.near)}
        )

    @staticmethod
    def _signed(release: Release, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return an answer with the release it is from."""
        about = {"name": release.manifest.get("name"), "facts_as_of": release.manifest.get("modified")}
        return {"release": about, **payload}


def _iri(value: str) -> str:
    try:
        return expand(value)
    except KgError:
        return value
