"""Opens the address that a server of this process listens on."""

from __future__ import annotations

import socket


class PortTaken(Exception):
    """An address cannot be opened. The message is one line: which setting, and what to do."""


def opened(host: str, port: int, names: str, remedy: str, waiting: int | None = None) -> socket.socket:
    """A listening socket. `names`: how the names of the two settings begin. `waiting`: connections that may wait.

    Raises `PortTaken`, which ends with the remedy.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen() if waiting is None else listening.listen(waiting)
    except OSError as problem:
        raise PortTaken(
            f"{names}_HOST={host} {names}_PORT={port} cannot be opened: {problem.strerror or problem}; {remedy}"
        ) from None
    return listening
