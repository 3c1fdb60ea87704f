"""Which names and addresses are this machine itself."""

from __future__ import annotations

import ipaddress

__all__ = ["is_loopback_address", "is_loopback_name"]


def is_loopback_address(host: str) -> bool:
    """Whether a host is an IP address of the loopback interface."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_loopback_name(host: str | None) -> bool:
    """Whether the host of a URL is this machine: ``localhost``, a name below it, or such an address."""
    name = (host or "").lower()
    return name == "localhost" or name.endswith(".localhost") or is_loopback_address(name)
