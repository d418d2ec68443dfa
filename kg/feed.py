"""What is new, as feeds that readers subscribe to: Atom, and JSON Feed 1.1."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from kg.namespaces import BASE, FEED, expand
from kg.query import ask
from kg.report import page, rows
from kg.store import Release

ATOM: Final = "feed.atom"
JSON: Final = "feed.json"
TITLE: Final = "New in the knowledge graph of cell and gene therapies"
DAYS: Final = 365
"""How far back a feed reaches from the newest day of its release;"""
MOST: Final = 200
"""and how many items it has at most, the newest first."""


def write(release: Release, folder: Path) -> None:
    """Write both feeds of a release to a folder.

    Args:
        release: The release; its newest day is where the feed begins.
        folder: Where to.
    """
    day = date.fromisoformat(str(release.manifest["modified"]))
    found = _items(release, day)
    atom = {"title": TITLE, "id": f"{BASE}feed", "updated": day.isoformat(), "author": "cgt-kg", "items": found}
    (folder / ATOM).write_text(page("feed.xml", atom), encoding="utf-8")
    feed = {
        "version": FEED, "title": TITLE, "home_page_url": BASE,
        "items": [
            {
                "id": item["id"], "url": item["url"], "title": item["title"], "content_text": item["summary"],
                "date_published": f"{item['date']}T00:00:00Z", "tags": [item["kind"]],
            }
            for item in found
        ],
    }  # fmt: skip
    (folder / JSON).write_text(json.dumps(feed, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _items(release: Release, day: date) -> list[dict[str, Any]]:
    since = (day - timedelta(days=DAYS)).isoformat()
    found = rows(ask("new-since", release, MOST, since=since))
    return [
        {
            # A feed's ids are unique: what happened once about two things is one item.
            "id": expand(str(row["what"])), "url": expand(str(row["what"])), "date": row["date"], "kind": row["kind"],
            "title": f"{row['about']}: {row['kind']}{f' ({agency})' if (agency := row['agency']) else ''}",
            "summary": row["detail"],
        }
        for row in {row["what"]: row for row in found}.values()
    ]  # fmt: skip
