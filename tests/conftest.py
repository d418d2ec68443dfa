"""Two releases, built once: the small fixed one that answers are checked on, and the real one."""

import pytest

from kg import ontology
from kg.build import Built, build
from kg.store import Release
from tests.support import REGISTERS, SMALL


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
