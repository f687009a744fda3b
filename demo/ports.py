"""Finds ports that nobody listens on. It must never take a port away from a running program."""

import socket
from collections.abc import Collection

HIGHEST = 65535


def is_free(port: int, *, host: str = "127.0.0.1") -> bool:
    """Tell whether a program could listen here now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def first_free(wanted: int, *, taken: Collection[int] = ()) -> int:
    """Find the first free port from `wanted` upward that is not `taken`.

    Raises: OSError when there is none.
    """
    for port in range(wanted, HIGHEST + 1):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"No port from {wanted} upward is free.")
