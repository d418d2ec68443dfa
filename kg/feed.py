"""What is new, as feeds that readers subscribe to: Atom, and JSON Feed 1.1."""

import json
from collections.abc import Callable
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
    (folder / ATOM).write_text(atom(release), encoding="utf-8")
    feed = {
        "version": FEED, "title": TITLE, "home_page_url": BASE,
        "items": [
            {
                "id": item["id"], "url": item["url"], "title": item["title"], "content_text": item["summary"],
                "date_published": f"{item['date']}T00:00:00Z", "tags": [item["kind"]],
            }
            for item in _items(release, expand)
        ],
    }  # fmt: skip
    (folder / JSON).write_text(json.dumps(feed, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def atom(release: Release, address: Callable[[str], str] = expand) -> str:
    """Return the Atom feed of a release.

    Args:
        release: The release; its newest day is where the feed begins.
        address: Says where a thing is to be read, by its compact id.
    """
    content = {"title": TITLE, "id": f"{BASE}feed", "updated": release.manifest["modified"], "author": "cgt-kg"}
    return page("feed.xml", content | {"items": _items(release, address)})


def _items(release: Release, address: Callable[[str], str]) -> list[dict[str, Any]]:
    day = date.fromisoformat(str(release.manifest["modified"]))
    since = (day - timedelta(days=DAYS)).isoformat()
    found = rows(ask("new-since", release, MOST, since=since))
    return [
        {
            # A feed's ids are unique: what happened once about two things is one item.
            "id": expand(str(row["what"])), "url": address(str(row["what"])), "date": row["date"], "kind": row["kind"],
            "title": f"{row['about']}: {row['kind']}{f' ({agency})' if (agency := row['agency']) else ''}",
            "summary": row["detail"],
        }
        for row in {row["what"]: row for row in found}.values()
    ]  # fmt: skip
