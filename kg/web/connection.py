"""A client's connection: HTTP/1.1 as uvicorn speaks it, within bounds of time and size that uvicorn leaves open."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kg.web.settings import Settings

_HEAD: Final = 131_072
"""The most bytes before a request's head is whole."""
_ADDRESS: Final = 65_535
"""The most bytes of an address that httptools reads."""
_TOO_LONG: Final = "The address is too long: send the query by POST."
_CONNECTIONS: Final = 512
"""Connections that are open at once; more are closed."""


class Connection(HttpToolsProtocol):
    """A connection that is closed where a request's head is too large, or is not whole in time.

    Args:
        settings: The bounds.
        given: What uvicorn gives to its protocols.
    """

    def __init__(self, settings: Settings, **given: Any) -> None:
        super().__init__(**given)
        self._slow = settings.slow
        self._in_head = True
        self._got = 0
        self._closing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        super().connection_made(transport)
        if len(self.connections) > _CONNECTIONS:
            transport.abort()
            return
        self._closing = self.loop.call_later(self._slow, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        super().connection_lost(exc)
        self._no_longer_late()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        super().data_received(data)
        # What comes after an answer belongs to the next head, or to a body that nobody wanted.
        if self._in_head or self.cycle.response_complete:
            self._got += len(data)
            if self._got > _HEAD:
                self.transport.abort()
            elif self._closing is None:
                self._closing = self.loop.call_later(self._slow, self.transport.abort)

    def on_message_begin(self) -> None:
        """See httptools: a head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """See httptools: the head is whole."""
        # First, because it may find an address that is none: then there is no request, and an answer all the same.
        super().on_headers_complete()
        self._in_head = False
        self._got = 0
        self._no_longer_late()

    def send_400_response(self, msg: str) -> None:
        """See uvicorn: it was no request."""
        if len(self.url) <= _ADDRESS:
            super().send_400_response(msg)
            return
        head = (
            f"HTTP/1.1 414 URI Too Long\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(_TOO_LONG)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(f"{head}{_TOO_LONG}".encode())
        self.transport.close()

    def _no_longer_late(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
