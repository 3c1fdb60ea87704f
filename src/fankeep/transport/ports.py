"""Ports to listen on: whether one is free, and finding one that is."""

from __future__ import annotations

import errno
import secrets
import socket
from itertools import count
from typing import Final

from fankeep.errors import ConfigurationError

__all__ = ["available_port", "free_port", "resolve"]

_OURS: Final = range(20_000, 32_000)
"""Below those that Linux gives out by itself (32768 and up): one of them could be given to somebody else
between the look at it and its use."""

_next = count(secrets.randbelow(len(_OURS)))


def available_port(host: str, port: int) -> int:
    """Bind a port once and let it go: the server binds with SO_REUSEPORT and would share it silently.

    Args:
        host: a name or address of this machine.
        port: 0 picks a free one.

    Returns:
        The port.

    Raises:
        ConfigurationError: it is in use, or the address is not ours.
    """
    address = resolve(host, port)
    if port == 0:
        return _free(host, address)
    if not _is_free(host, address, port):
        raise ConfigurationError(f"port {port} is in use: stop what uses it, or choose another port")
    return port


def free_port() -> int:
    """Return a port of loopback that nobody uses now; not the same one twice."""
    return available_port("127.0.0.1", 0)


def resolve(host: str, port: int) -> str:
    """Return the address to listen on.

    Raises:
        ConfigurationError: the host is not this machine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise ConfigurationError(
            f"cannot listen on {host}: it is no name or address of this machine"
        ) from None
    # One listener has one address; of a name that has both kinds, browsers try the older one as well.
    addresses = sorted(found, key=lambda one: one[0] != socket.AF_INET)
    return str(addresses[0][4][0])


def _free(host: str, address: str) -> int:
    for _ in _OURS:
        port = _OURS[next(_next) % len(_OURS)]
        if _is_free(host, address, port):
            return port
    raise ConfigurationError(
        f"cannot listen on {host}: all ports from {_OURS.start} to {_OURS.stop - 1} are in use"
    )


def _is_free(host: str, address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise ConfigurationError(f"cannot listen on {host}, port {port}: {error.strerror}") from None
    return True
