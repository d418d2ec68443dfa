"""What is served at the moment: a release, its pool of workers, and the change to a new release."""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.responses import Response

from kg.errors import KgError, QueryError, ReleaseError
from kg.namespaces import LICENCES, PREFIXES
from kg.store import STORE, Answer, Release, answer_of, open_release
from kg.syntax import inspect
from kg.web.kept import Shelf
from kg.web.opened import Opened
from kg.web.pool.asking import evaluated, never
from kg.web.pool.worker import Gone, Job
from kg.web.pool.workers import Pool
from kg.web.settings import Settings

_ANSWERS: Final = 16 * 2**20
"""Bytes that the endpoint's kept answers may take."""
_LOOK: Final = 1.0
"""Seconds between looks at which release is in use."""


class Served:
    """A build folder's release in use, kept up to date.

    Args:
        folder: The build folder.
        settings: The bounds of the server.

    Attributes:
        opened: The release in use, with what its pages share.
        pool: The workers that evaluate queries on it.
        answers: Small answers of the endpoint, which go out again to whoever asks the same of the same release.
        settings: The bounds of the server.
    """

    licence: Final = LICENCES["facts"]

    def __init__(self, folder: Path | None, settings: Settings) -> None:
        self.settings = settings
        self.opened = self._open(open_release(folder))
        self.pool = Pool(settings)
        self.answers: Shelf[Response] = Shelf(_ANSWERS)
        self._folder = folder
        self._watching: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def release(self) -> Release:
        """The release in use."""
        return self.opened.release

    @property
    def name(self) -> str:
        """The name of the release in use."""
        return self.release.path.name

    @property
    def quads(self) -> int:
        """How many quads it has, as its manifest says."""
        return int(self.release.manifest.get("dataset", {}).get("quads", 0))

    async def start(self) -> None:
        """Open the workers and begin to look for new releases.

        Raises:
            ReleaseError: The store cannot be opened.
        """
        try:
            await self.pool.serve(self.release.path / STORE)
        except Gone as error:
            raise ReleaseError(str(error)) from None
        self._loop = asyncio.get_running_loop()
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End the workers."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        await self.pool.close()

    def select(self, text: str) -> Answer:
        """Evaluate a SELECT query of the project's own within the endpoint's bounds; for threads of the server.

        Raises:
            QueryError: It cannot be evaluated.
            RefusedError: It has no answer now.
        """
        settings, borrows = self.settings, inspect(text).borrows
        job = Job(
            text, "rows", "JSON", None, None, False, {name: PREFIXES[name] for name in borrows}, False,
            settings.rows, settings.size,
        )  # fmt: skip
        work = evaluated(self.pool, job, settings.deadline, settings, never)
        assert self._loop is not None
        reply = asyncio.run_coroutine_threadsafe(work, self._loop).result()
        if reply.status != "whole":
            raise QueryError(f"the query failed: {reply.message}")
        return answer_of(reply.body)

    def _open(self, release: Release) -> Opened:
        return Opened(release, self.settings.tracker, self.select, base=self.settings.base)

    async def _watch(self) -> None:
        failed: Path | None = None
        while True:
            await asyncio.sleep(_LOOK)
            try:
                newest = open_release(self._folder)
                if newest.path in (self.release.path, failed):
                    continue
                # Until every worker has opened the new one, the old one answers.
                await self.pool.serve(newest.path / STORE)
            except (KgError, Gone) as error:
                sys.stderr.write(f"kg: the new release is not served: {error}\n")
                failed = newest.path if isinstance(error, Gone) else None
            else:
                failed = None
                self.opened = self._open(newest)


def served(app: Starlette) -> Served:
    """Return what an application serves."""
    state = app.state.served
    assert isinstance(state, Served)
    return state
