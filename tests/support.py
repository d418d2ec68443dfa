"""Paths and small helpers that several tests use."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
SMALL = ROOT / "tests" / "data" / "small"
GOLDEN = ROOT / "tests" / "golden"
COUNTEREXAMPLES = ROOT / "tests" / "counterexamples"

REGISTERS = Path(os.environ.get("KG_REGISTERS") or ROOT.parent / "shared" / "registers")
"""Real register files; they are not part of the repository."""
needs_registers = pytest.mark.skipif(
    not REGISTERS.is_dir(), reason=f"no register files in {REGISTERS}; set KG_REGISTERS to a folder of them"
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("KG_NO_SKIPS"),
    reason="Chromium is not installed (Debian's package chromium)",
)


@contextmanager
def watched(browser: "Browser", home: str, **settings: Any) -> "Iterator[Page]":
    """A page that must end without a message on the console and without a request that leaves `home`.

    Args:
        browser: The browser of the fixture of that name.
        home: How every address asked must begin, such as that of the server.
        **settings: What else the browser's context is to be, such as `color_scheme="dark"`.
    """
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **settings})
    page = context.new_page()
    messages: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    try:
        yield page
    finally:
        context.close()
    assert messages == []
    assert [url for url in asked if not url.startswith((home, "data:", "blob:"))] == []
