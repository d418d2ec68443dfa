"""A result on its way to a client, in parts, as fast as the client takes them."""

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kg.web.pool.worker import Reply

_SMALL: Final = 65_536
"""The most bytes of a result that is kept for others."""


class Whole(Response):
    """A whole result. It keeps its room in the server until it is sent, or the client no longer takes it.

    Args:
        reply: The result.
        stalled: Seconds within which the client must take the next part.
        lasting: Whether whoever asks the same of this release gets the same.
        headers: Headers that go with it.
        media: Its media type.

    Attributes:
        release: The name of the release it is of.
    """

    def __init__(self, reply: Reply, stalled: float, lasting: bool, headers: Mapping[str, str], media: str) -> None:
        self.release = reply.release
        self._reply = reply
        self._stalled = stalled
        self._lasting = lasting
        size = str(sum(map(len, reply.parts)))
        super().__init__(None, 200, {**headers, "Content-Length": size}, media)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it."""
        *first, last = self._reply.parts or [b""]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            for part in first:
                async with asyncio.timeout(self._stalled):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": last})
        finally:
            self._reply.hold.leave()

    def again(self) -> Response | None:
        """Return what others may be sent who ask the same, where that takes little room."""
        if not self._lasting or sum(map(len, self._reply.parts)) > _SMALL:
            return None
        same = Response(self._reply.body, self.status_code)
        same.raw_headers = self.raw_headers
        return same
