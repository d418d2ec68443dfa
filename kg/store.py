"""Releases: a frozen graph on disk, opened read only.

A build folder holds `releases/<name>/` and `current`, a link to the one in use. A release holds
`dataset.nq` (every quad, sorted), `store/` (the same in Oxigraph), `manifest.json` and the report.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox
import rdflib

from kg.errors import QueryError, ReleaseError
from kg.mistakes import mistake
from kg.namespaces import PREFIXES
from kg.syntax import check_depth

DATASET: Final = "dataset.nq"
STORE: Final = "store"
MANIFEST: Final = "manifest.json"
CURRENT: Final = "current"
RELEASES: Final = "releases"
DEFAULT_BUILD: Final = Path("build")
_BLOCK: Final = 104_857_600
"""Bytes of N-Quads loaded at once: some 700,000 quads, for which the loader takes about 700 MB."""

Term = ox.NamedNode | ox.Literal | ox.BlankNode


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a SELECT query.

    Attributes:
        columns: The variables' names, in the query's order.
        rows: One tuple a row; None where a variable is unbound.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Term | None, ...], ...]


@dataclass(slots=True)
class Release:
    """A release, opened read only.

    Attributes:
        path: The release's folder.
        manifest: What it says of itself.
    """

    path: Path
    manifest: Mapping[str, Any]
    _store: ox.Store | None = field(default=None, repr=False)

    @property
    def store(self) -> ox.Store:
        """The Oxigraph store, opened when first asked for."""
        if self._store is None:
            try:
                self._store = ox.Store.read_only(str(self.path / STORE))
            except OSError as error:
                raise ReleaseError(
                    f"{self.path}: the store cannot be opened ({error}); make it anew with `kg build`"
                ) from error
        return self._store

    @classmethod
    def in_memory(cls, store: ox.Store) -> "Release":
        """Return a release that lies nowhere, so that questions can be asked of facts that are not built."""
        return cls(Path(), {}, store)

    def evaluate(self, text: str) -> "ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples":
        """Run any SPARQL 1.1 query over the union of all graphs.

        Raises:
            QueryError: The query cannot be parsed; the message points at the place.
        """
        check_depth(text)
        try:
            return self.store.query(text, prefixes=PREFIXES, use_default_graph_as_union=True)
        except SyntaxError as error:
            raise mistake(str(error), text) from error
        except (RuntimeError, OSError, ValueError) as error:
            raise QueryError(f"the query failed: {error}") from error

    def select(self, text: str) -> Answer:
        """Run a SELECT query over the union of all graphs.

        Raises:
            QueryError: The query cannot be parsed or is of another form.
        """
        rows = self.evaluate(text)
        if not isinstance(rows, ox.QuerySolutions):
            raise QueryError("a SELECT query is needed here")
        try:
            return _answer(rows)
        except (RuntimeError, OSError) as error:
            raise QueryError(f"the query failed: {error}") from error

    def rdflib_dataset(self) -> rdflib.Dataset:
        """Return the release as an rdflib Dataset over the same store (read only; default graph = union)."""
        # oxrdflib registers itself as rdflib's store "Oxigraph"; it takes an open store as it is.
        from oxrdflib import OxigraphStore

        dataset = rdflib.Dataset(store=OxigraphStore(store=self.store), default_union=True)
        for prefix, start in PREFIXES.items():
            # bind() writes into the store for some back ends; oxrdflib keeps prefixes in memory.
            dataset.namespace_manager.bind(prefix, start, override=True, replace=True)
        return dataset


def answer_of(json_results: bytes) -> Answer:
    """Return the rows that a result of SELECT in the SPARQL JSON format holds."""
    rows = ox.parse_query_results(json_results, format=ox.QueryResultsFormat.JSON)
    assert isinstance(rows, ox.QuerySolutions)
    return _answer(rows)


def _answer(rows: ox.QuerySolutions) -> Answer:
    columns = tuple(variable.value for variable in rows.variables)
    return Answer(columns, tuple(tuple(_simple(row[c]) for c in columns) for row in rows))


def _simple(term: object) -> Term | None:
    return term if isinstance(term, ox.NamedNode | ox.Literal | ox.BlankNode) else None


def open_release(build: Path | str | None = None) -> Release:
    """Open the release in use of a build folder.

    Args:
        build: The build folder, or a release's own folder; `KG_BUILD` or `build` where None.

    Raises:
        ReleaseError: There is none, or it is not whole; the message says how to make one.
    """
    folder = Path(build or os.environ.get("KG_BUILD") or DEFAULT_BUILD)
    path = folder if (folder / MANIFEST).is_file() else folder / CURRENT
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ReleaseError(f"{folder}: no release here; make one with `kg build`") from None
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{path / MANIFEST}: cannot be read: {error}") from error
    if not isinstance(manifest, dict):
        raise ReleaseError(f"{path / MANIFEST}: is no release's; make one with `kg build`")
    return Release(path.resolve(), manifest)


def write_store(folder: Path, nquads: Path | None, parts: Iterable[Path] = ()) -> int:
    """Load N-Quads into a new store on disk and return how many quads it holds.

    Args:
        folder: The store's folder.
        nquads: A file that may have blank nodes, which hold together within one load only.
        parts: Files without any, however large; they are loaded in blocks, because the loader keeps up to 2 GB in
            memory, and says no other bound to Python.
    """
    store = ox.Store(str(folder))
    if nquads is not None:
        store.bulk_load(path=str(nquads), format=ox.RdfFormat.N_QUADS)
    for block in _blocks(parts):
        store.bulk_load(input=block, format=ox.RdfFormat.N_QUADS)
    store.flush()
    store.optimize()
    return len(store)


def _blocks(paths: Iterable[Path]) -> Iterator[bytes]:
    """Yield the lines of files in blocks; small files share one."""
    held: list[bytes] = []
    size = 0
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(_BLOCK - size):
                held += (block, file.readline())
                size += len(block)
                if size >= _BLOCK:
                    yield b"".join(held)
                    held, size = [], 0
    if held:
        yield b"".join(held)


def write_lines(path: Path, lines: Iterable[str]) -> str:
    """Write lines to a file and return the SHA-256 of its bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for line in lines:
            raw = line.encode() + b"\n"
            digest.update(raw)
            file.write(raw)
    return digest.hexdigest()
