"""How a thing of a release is cited: in words, and in the formats of reference managers."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from kg.web.pages.facts import View

_WORK: Final = "The open knowledge graph of cell and gene therapies"
_NOT_KEY: Final = re.compile(r"[^A-Za-z0-9]+")
_TEX: Final = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\n": " ", "\r": " ",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Citation:
    """What a citation of a thing says.

    Attributes:
        title: The thing's label.
        id: Its compact id.
        iri: Its IRI.
        release: The release's name.
        version: The version of the program that built it.
        day: The day the newest source was opened; the beginning of time where the release does not say.
    """

    title: str
    id: str
    iri: str
    release: str
    version: str
    day: date

    @property
    def words(self) -> str:
        """The citation as a sentence, without the IRI."""
        return f"{self.title}. In: {_WORK}, release {self.release}, version {self.version} ({self.day.year})."


def citation(view: View) -> Citation:
    """Return how a thing is cited."""
    manifest = view.opened.release.manifest
    day = date.fromisoformat(str(manifest.get("modified") or date.min))
    return Citation(view.label, view.id, view.iri, view.opened.name, str(manifest.get("version", "")), day)


def _bibtex(one: Citation) -> str:
    fields = {
        "title": f"{{{one.title.translate(_TEX)}}}", "author": f"{{{{{_WORK}}}}}", "year": f"{{{one.day.year}}}",
        "version": f"{{{one.version.translate(_TEX)}}}", "note": f"{{Release {one.release.translate(_TEX)}}}",
        "url": f"{{{one.iri}}}",
    }  # fmt: skip
    lines = "".join(f"  {name} = {value},\n" for name, value in fields.items())
    return f"@misc{{{_NOT_KEY.sub('-', one.id)}-{one.day.year},\n{lines}}}\n"


def _csl(one: Citation) -> str:
    content = {
        "id": one.id, "type": "entry", "title": one.title, "container-title": _WORK,
        "author": [{"literal": _WORK}], "version": one.version, "number": one.release,
        "issued": {"date-parts": [[one.day.year, one.day.month, one.day.day]]}, "URL": one.iri,
    }  # fmt: skip
    return json.dumps([content], ensure_ascii=False, indent=2) + "\n"


def _ris(one: Citation) -> str:
    def flat(text: str) -> str:
        return " ".join(text.split())

    fields = (
        ("TY", "DATA"), ("TI", flat(one.title)), ("T2", _WORK), ("AU", _WORK), ("PY", str(one.day.year)),
        ("DA", one.day.strftime("%Y/%m/%d")), ("ET", one.version), ("N1", f"Release {one.release}"), ("UR", one.iri),
        ("ID", one.id), ("ER", ""),
    )  # fmt: skip
    return "".join(f"{tag}  - {value}\r\n" for tag, value in fields)


CITATIONS: Final[dict[str, tuple[str, str, Callable[[Citation], str]]]] = {
    "bib": ("BibTeX", "application/x-bibtex", _bibtex),
    "ris": ("RIS", "application/x-research-info-systems", _ris),
    "json": ("CSL-JSON", "application/vnd.citationstyles.csl+json", _csl),
}
"""The formats by suffix: name, media type, and what writes it."""
