"""Which Host a request may name, and from whom forwarded headers are believed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias
from urllib.parse import urlsplit

from fankeep.errors import HostileInputError

__all__ = ["LOOPBACK_NAMES", "HostList", "Network", "TrustedProxies", "is_loopback_name"]

Network: TypeAlias = IPv4Network | IPv6Network

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

_HOST = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_MAX_HOPS = 16


def is_loopback_name(host: str) -> bool:
    """Whether a Host (with or without a port) is a name of this machine; ``localhost.evil`` is not."""
    match = _HOST.fullmatch(host)
    return match is not None and match["name"].lower() in LOOPBACK_NAMES


@dataclass(frozen=True, slots=True)
class HostList:
    """The hosts that a listener answers to.

    Attributes:
        hosts: lower case, with the port unless it is the default one.
        any_loopback_port: development: every loopback name at every port as well, and only those.
    """

    hosts: frozenset[str]
    any_loopback_port: bool = False

    @classmethod
    def for_origins(cls, origins: Iterable[str], *, development: bool = False) -> HostList:
        """Make the list from the origins under which a listener is reached.

        Raises:
            ValueError: an origin has no scheme or host; or a host that is not loopback, in development.
        """
        hosts = set[str]()
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(parts.netloc):
                raise ValueError("an origin is a scheme and a host")
            hosts |= _spellings(parts.netloc.lower(), _DEFAULT_PORTS[parts.scheme])
        if development and not all(is_loopback_name(host) for host in hosts):
            raise ValueError("development answers loopback names only")
        return cls(frozenset(hosts), any_loopback_port=development)

    def check(self, headers: Sequence[bytes]) -> str:
        """Return the Host of a request, lower case.

        Args:
            headers: every ``Host`` header of the request, raw.

        Raises:
            HostileInputError: there is not exactly one, it is malformed, or it is not on the list. A foreign
                Host is how a page reaches a service on its visitor's machine (DNS rebinding); two of them are
                how one request is read in two ways by two servers.
        """
        if len(headers) != 1:
            raise HostileInputError("host_count")
        host = headers[0].decode("latin-1").lower()
        if host in self.hosts:
            return host
        if not _HOST.fullmatch(host):
            raise HostileInputError("host_malformed")
        if self.any_loopback_port and is_loopback_name(host):
            return host
        raise HostileInputError("host_unknown")


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The proxies in front of us, whose word about the client is taken; nobody else's is."""

    networks: tuple[Network, ...] = ()

    def __contains__(self, address: object) -> bool:
        parsed = _address(address) if isinstance(address, str) else None
        return parsed is not None and any(parsed in network for network in self.networks)

    def scheme(self, peer: str, scheme: str, forwarded_proto: Sequence[str]) -> str:
        """The scheme that the browser used.

        Args:
            peer: the address of the connection's other end.
            scheme: the scheme of the connection itself.
            forwarded_proto: every ``X-Forwarded-Proto`` header.

        Security:
            A declared proxy that keeps silent is judged by its own connection: if it serves both schemes,
            its silence must not turn an http request into an https one.
        """
        if peer not in self or not forwarded_proto:
            return scheme
        said = [part.strip().lower() for value in forwarded_proto for part in value.split(",")]
        return "https" if all(part == "https" for part in said) else "http"

    def client(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """The address of the client: the last one in ``X-Forwarded-For`` that is not a declared proxy.

        Addresses before it were written by the client itself or by somebody unknown.
        """
        if peer not in self:
            return peer
        hops = [part.strip() for value in forwarded_for for part in value.split(",")][-_MAX_HOPS:]
        client = peer
        for hop in reversed(hops):
            if _address(hop) is None:
                return client
            client = hop
            if hop not in self:
                return client
        return client


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _spellings(netloc: str, default_port: str) -> set[str]:
    """A host at its default port may be written with the port or without."""
    if netloc.endswith(f":{default_port}"):
        return {netloc, netloc.removesuffix(f":{default_port}")}
    match = _HOST.fullmatch(netloc)
    return {netloc} if match and match["port"] else {netloc, f"{netloc}:{default_port}"}
