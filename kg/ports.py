"""The address that a server is to bind to."""

import socket

from kg.errors import OutputError


def bindable(host: str, port: int) -> tuple[str, int]:
    """Return an address and port in numbers, once it is sure that a server can be bound to them.

    Args:
        host: A name or an address.
        port: The port; 0 takes a free one.

    Raises:
        OutputError: They cannot be bound.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            bound = probe.getsockname()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{host}:{port}: cannot be served at: {reason}; choose another address or port") from error
    return bound[0], bound[1]
