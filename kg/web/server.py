"""The HTTP server: one process that speaks HTTP, and ends cleanly when told to."""

import asyncio
import contextlib
import gc
import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import uvicorn
import uvloop
from starlette.routing import BaseRoute

from kg.ports import bindable
from kg.web.app import application
from kg.web.connection import Connection
from kg.web.hosts import LOOPBACK
from kg.web.pool.workers import Pool
from kg.web.served import Served, served
from kg.web.settings import Settings

_LINGER: Final = 5
"""Seconds that requests under way may take when the server is told to end."""
_GRACE: Final = 4
"""Seconds of these after which queries under way are stopped, so that who asked is told."""
_IDLE: Final = 30
"""Seconds after which a connection is closed that was answered and asks nothing more."""
_BACKLOG: Final = 1024


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, pool: Pool) -> None:
        super().__init__(config)
        self._pool = pool

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests under way end, and stop the queries of those that do not in time."""
        ending = asyncio.get_running_loop().call_later(_GRACE, self._pool.end)
        try:
            await super().shutdown(sockets)
        finally:
            ending.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End when told to, and with success; uvicorn itself would go on to die of the signal."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def serve(
    folder: Path | None, host: str, port: int, settings: Settings | None = None, routes: Sequence[BaseRoute] = ()
) -> None:
    """Serve a release until SIGTERM or SIGINT.

    Args:
        folder: The build folder.
        host: The address to bind to.
        port: The port; 0 takes a free one.
        settings: The bounds within which it serves.
        routes: Further pages.

    Raises:
        ReleaseError: There is no release, or it cannot be opened.
        OutputError: The address cannot be bound.
    """
    address, chosen = bindable(host, port)
    settings = settings or Settings()
    if ipaddress.ip_address(address).is_loopback and not settings.hosts:
        settings = replace(settings, hosts=(*LOOPBACK, host.lower(), *_named(settings.base)))
    app = application(folder, settings, routes)
    logging.getLogger("uvicorn.error").addFilter(_unexpected)
    # uvicorn calls what it is given to make a protocol, be it a class or not.
    spoken: Any = partial(Connection, settings)
    config = uvicorn.Config(
        app, http=spoken, lifespan="off", ws="none", log_config=None, log_level=logging.ERROR,
        access_log=False, proxy_headers=False, server_header=False, backlog=_BACKLOG,
        timeout_keep_alive=_IDLE, timeout_graceful_shutdown=_LINGER,
    )  # fmt: skip
    with _listener(address, chosen, settings) as taken, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(config, taken, served(app)))


def _named(base: str) -> tuple[str, ...]:
    name = urlsplit(base).hostname
    return (name,) if name else ()


def _unexpected(record: logging.LogRecord) -> bool:
    """Whether an error is a fault: not a request cut off at the end, nor a client that took no more."""
    return record.exc_info is None or not isinstance(record.exc_info[1], asyncio.CancelledError | TimeoutError)


def _listener(address: str, port: int, settings: Settings) -> socket.socket:
    listener = socket.create_server(
        (address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET, backlog=_BACKLOG
    )
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # What a client does not take in this time it will not take any more; its connections inherit this.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(settings.stalled * 1000))
    return listener


async def _run(config: uvicorn.Config, listener: socket.socket, state: Served) -> None:
    await state.start()
    # What is here now stays: no collection of garbage need look at it while a request waits.
    gc.freeze()
    address, port = listener.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    sys.stderr.write(f"Serving release {state.name} at {shown}:{port} (Ctrl-C ends it)\n")
    sys.stderr.flush()
    try:
        await _Server(config, state.pool).serve([listener])
    finally:
        await state.stop()
