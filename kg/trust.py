"""The trust report: how far the curated facts can be relied on, and where they cannot yet.

Its sections are questions of the library, asked of the tables as they stand.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kg.check import Examined
from kg.errors import Finding
from kg.query import ask, find
from kg.report import page, rows
from kg.store import Release
from kg.vocabularies import Checked
from kg.writing import put, suffix_of

FLOORS: Final = "coverage"
FORMATS: Final = (".html", ".json")
_MOST: Final = 60
"""The most rows of a section on the page; the file in JSON has all."""

_SECTIONS: Final[dict[str, dict[str, str]]] = {
    FLOORS: {},
    "evidence-strength": {},
    "corroboration-by-agency": {},
    "source-age": {},
    "conflicts": {},
    "gap-counts": {},
    "gaps": {"at_least": "4"},
    "second-entries": {"outcome": "entry-outcome:differs"},
    "unchecked": {},
}


@dataclass(slots=True)
class Trust:
    """What the tables can be trusted for.

    Attributes:
        findings: What checks found.
        sections: Each section's title, question, words and rows.
        vocabularies: How many ids were checked, by vocabulary.
        absent: Vocabularies whose files were not there.
    """

    findings: list[str]
    sections: list[dict[str, Any]] = field(default_factory=list)
    vocabularies: dict[str, int] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)


def missed(examined: Examined) -> list[Finding]:
    """Return a finding for every coverage floor that tables do not reach."""
    if examined.store is None:
        return []
    question = find(FLOORS)
    found = rows(ask(FLOORS, Release.in_memory(examined.store)))
    return [
        Finding(
            "", 0, row["floor"], str(row["found"]), f"at least {row['required']} are needed", question.title, FLOORS
        )
        for row in found
        if not row["passed"]
    ]


def trust(examined: Examined, findings: Sequence[Finding], vocabularies: Checked | None = None) -> Trust:
    """Ask what can be trusted, and how far.

    Args:
        examined: The tables, checked.
        findings: What all checks found.
        vocabularies: What came of checking ids, where they were checked.
    """
    result = Trust([str(finding) for finding in findings])
    if vocabularies is not None:
        result.vocabularies, result.absent = vocabularies.counts, vocabularies.absent
    if examined.store is not None:
        release = Release.in_memory(examined.store)
        for name, values in _SECTIONS.items():
            question = find(name)
            given = "".join(f" --{key.replace('_', '-')} {value}" for key, value in values.items())
            result.sections.append(
                {
                    "title": question.title,
                    "question": f"kg query {name}{given}",
                    "words": question.question,
                    "rows": rows(ask(name, release, **values)),
                }
            )
    return result


def write(report: Trust, path: Path) -> None:
    """Write a trust report as one page or as JSON, by the suffix of the path.

    Raises:
        OutputError: The suffix is another, or the file cannot be written.
    """
    content = {
        "findings": report.findings, "vocabularies": report.vocabularies, "absent": report.absent,
        "sections": report.sections,
    }  # fmt: skip
    if suffix_of(path, FORMATS, "a report is") == ".json":
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    else:
        short = [
            section | {"rows": section["rows"][:_MOST], "total": len(section["rows"]),
                       "left_out": max(0, len(section["rows"]) - _MOST)}
            for section in report.sections
        ]  # fmt: skip
        text = page("trust.html", content | {"sections": short})
    put(path, text.encode())
