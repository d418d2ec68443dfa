"""Refuses requests that call the server by a name it does not have.

A page on another site can make a browser ask a loopback server under a name of its own that resolves there; only
the Host header tells.
"""

from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


class KnownHosts:
    """Middleware that lets through requests to known hosts.

    Args:
        app: What answers them.
        hosts: Names without a port; any where empty.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer 421."""
        if scope["type"] == "http" and self._hosts:
            given = [value for name, value in scope["headers"] if name == b"host"]
            if len(given) != 1 or _name(given[0].decode("latin-1")) not in self._hosts:
                await PlainTextResponse("This server has another name.\n", 421)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _name(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()
