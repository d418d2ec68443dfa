"""FDA orphan drug designations and approvals (CSV). A work of the US Government, in the public domain.

A row is one marketing approval under a designation; a record is the designation, with its first approval and all its
trade names. Exports have 18 columns with US dates, or 19 with ISO dates; the CF Grid Key is the designation's number.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kg.registers.connector import Connector, Head
from kg.registers.fda_tables import Row, day_of, differing, distinct, has_header, read_table, this_year
from kg.registers.reading import Layout, Summary, Unfit, items, whole_number
from kg.registers.records import DesignationRecord

NAME: Final = "fda-orphans"
AGENCY: Final = "agency:us-fda"
PATHWAY: Final = "pathway:us-orphan"
PAGE: Final = "https://www.accessdata.fda.gov/scripts/opdlisting/oopd/"

LAYOUT: Final = Layout(
    "table of FDA orphan designations",
    {
        "substance": ("generic name",),
        "trade": ("trade name",),
        "designated": ("date designated", "designation date"),
        "condition": ("orphan designation", "designation"),
        "status": ("orphan designation status", "designation status"),
        "ended": ("date designation withdrawn or revoked",),
        "indication": ("approved labeled indication",),
        "approved": ("marketing approval date",),
        "sponsor": ("sponsor company", "sponsor"),
        "key": ("cf grid key", "cfgridkey"),
    },
    ("substance", "designated", "condition", "status", "key"),
)
STATUSES: Final = frozenset(("designated", "approved", "designation withdrawn or revoked", "withdrawn", "revoked"))

_TITLES: Final = re.compile(r"search results\b.*|orphan drug designations and approvals\b.*", re.IGNORECASE)


def recognise(head: Head) -> bool:
    """Whether a file has the header of such a table."""
    return has_header(head, LAYOUT)


def read(path: Path, summary: Summary) -> Iterator[DesignationRecord]:
    """Yield each designation of one file.

    Raises:
        SourceError: There is no header of such a table, or the file is no CSV.
    """
    table = read_table(path, summary, LAYOUT, _TITLES)
    groups: dict[int, list[Row]] = {}
    for row in table.rows:
        try:
            key = whole_number(row["key"], 10**9)
        except Unfit as reason:
            summary.skip(row.where, "key", row["key"], str(reason))
            continue
        if row["substance"].startswith("Note:"):
            summary.skip(row.where, "substance", row["substance"], "a note of the register, not a designation")
        elif not key:
            summary.skip(row.where, "key", row["key"], "has no CF Grid Key, the number of the designation")
        elif not row["substance"]:
            summary.skip(row.where, "substance", "", "names no substance")
        else:
            groups.setdefault(key, []).append(row)
    newest = this_year()
    for number, rows in groups.items():
        record = _record(number, rows, summary, newest)
        summary.loaded += 1
        yield record


def _record(key: int, rows: list[Row], summary: Summary, newest: int) -> DesignationRecord:
    base = rows[0]
    for row in rows[1:]:
        approval = ", ".join(filter(None, (row["trade"], row["approved"], row["indication"])))
        summary.skip(
            row.where, "approved", approval, f"folded into {base.where}: another approval of designation {key}"
        )
    for field in ("substance", "designated", "condition", "status", "ended", "sponsor"):
        differing(rows, field, base[field], summary)
    for part in items(base["status"], "/"):
        if part.casefold() not in STATUSES:
            summary.warn(base.where, "status", part, "not a word the table is known to use")
    designated, ended = (day_of(base, field, summary, newest) for field in ("designated", "ended"))
    approvals = [found for row in rows if (found := day_of(row, "approved", summary, newest)) is not None]
    if designated is not None and ended is not None and ended.date < designated.date:
        summary.warn(base.where, "ended", base["ended"], f"before the designation of {designated}; left out")
        ended = None
    summary.seen(designated, ended, *approvals)
    return DesignationRecord(
        register=NAME,
        id=str(key),
        where=base.where,
        agency=AGENCY,
        pathway=PATHWAY,
        substance=base["substance"],
        names=distinct([name for row in rows for name in items(row["trade"], ";")]),
        condition=base["condition"],
        sponsor=base["sponsor"],
        status=base["status"],
        designated=designated,
        ended=ended,
        approved=min(approvals, key=lambda one: one.date, default=None),
        url=f"{PAGE}detailedIndex.cfm?cfgridkey={key}",
    )


CONNECTOR: Final = Connector(
    name=NAME,
    title="FDA orphan drug designations and approvals",
    publisher="US Food and Drug Administration",
    agency=AGENCY,
    licence="work of the US Government, public domain",
    url=f"{PAGE}OOPD_Results.cfm",
    page=f"{PAGE}index.cfm",
    floor=900,
    recognise=recognise,
    read=read,
)
