"""What is set up once: the small fixed release and the real one, a server of the real one, and a browser."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from kg import ontology
from kg.build import Built, build
from kg.store import Release
from tests.serving import Running, running
from tests.support import CHROMIUM, REGISTERS, SMALL, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def small_built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build([SMALL], out=tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def small(small_built: Built) -> Release:
    return small_built.release


@pytest.fixture(scope="session")
def real_built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(out=tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="session")
def real(real_built: Built) -> Release:
    return real_built.release


@pytest.fixture(scope="session")
def terms() -> list[str]:
    return ontology.load()


@pytest.fixture(scope="session")
def registered_built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The real tables and every real register snapshot, built in one run."""
    return build(registers=REGISTERS, out=tmp_path_factory.mktemp("registered"))


@pytest.fixture(scope="session")
def served(real_built: Built) -> Iterator[Running]:
    """`kg serve` on the real release, as a user starts it; tests that stop it or load it start their own."""
    with running(real_built.release.path.parents[1]) as server:
        yield server


# Of a module: while it is open, its event loop counts as running, and no other test could have one of its own.
@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    quiet = ["background-networking", "sync", "component-update", "quic"]
    # SwiftShader draws WebGL on the processor, so that machines without a graphics card (and CI) draw networks too.
    drawing = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--no-first-run", *drawing, *(f"--disable-{name}" for name in quiet)],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: "Browser", served: Running) -> "Iterator[Page]":
    """A page of the served site that must end without a message on the console or a request elsewhere."""
    with watched(browser, served.url, base_url=served.url) as page:
        yield page
