"""The HTTP server: one process that speaks HTTP, and ends cleanly when told to."""

import asyncio
import ipaddress
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.routing import BaseRoute

from kg.ports import bindable
from kg.web.app import application
from kg.web.hosts import LOOPBACK
from kg.web.served import served
from kg.web.settings import Settings

_LINGER = 5.0
"""Seconds that requests under way may take when the server is told to end."""


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
        settings = replace(settings, hosts=(*LOOPBACK, host.lower()))
    asyncio.run(_run(folder, address, chosen, settings, routes))


async def _run(folder: Path | None, address: str, port: int, settings: Settings, routes: Sequence[BaseRoute]) -> None:
    app = application(folder, settings, routes)
    state = served(app)
    await state.start()
    server = Server(
        app, address=address, port=port, interface=Interfaces.ASGINL, http=HTTPModes.http1, websockets=False,
        log_enabled=False, backlog=1024, backpressure=512,
        http1_settings=HTTP1Settings(header_read_timeout=int(settings.slow * 1000), max_buffer_size=524_288),
    )  # fmt: skip
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    running = asyncio.create_task(server.serve())
    shown = f"[{address}]" if ":" in address else address
    sys.stderr.write(f"Serving release {state.name} at {shown}:{port} (Ctrl-C ends it)\n")
    sys.stderr.flush()
    telling = asyncio.create_task(told.wait())
    try:
        await asyncio.wait({telling, running}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait({running}, timeout=_LINGER)
    finally:
        telling.cancel()
        running.cancel()
        await state.stop()
