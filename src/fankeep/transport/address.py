"""The one kind of address that is called: a plain http(s) URL that means what it says.

The URL library underneath follows the WHATWG rules, which rewrite: ``/a/%2e%2e/b`` becomes ``/b`` and a
backslash becomes a slash. A path that policy allowed would then not be the path that is asked for. So an
address has no userinfo and no fragment, and its host and path must come out of the parser as they went in.
"""

from __future__ import annotations

import ipaddress
import re

from pyreqwest.http import Url

__all__ = ["check_address"]

# A registered name or an IP literal; a path without "?" and "#"; a query without "#". Otherwise any visible
# ASCII, since browsers send characters that RFC 3986 does not have.
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?P<path>/[!-\"$->@-~]*)?"
    r"(?:\?[!-\"$-~]*)?"
)


def check_address(url: str, *, https_only: bool) -> Url:
    """Parse the address of a call and make sure that parsing did not change its meaning.

    Args:
        url: absolute, already percent-encoded, without userinfo and fragment.
        https_only: False also allows http, and only to this machine's loopback names.

    Returns:
        The parsed address.

    Raises:
        ValueError: the address is malformed, would be rewritten, or is not encrypted where it has to be.

    Security:
        That the host is the right one for what the request carries is the caller's business.
    """
    match = _ADDRESS.fullmatch(url)
    if match is None:
        raise ValueError("the address is not a plain http or https URL")
    parsed = _parse(url)
    if parsed.path != (match["path"] or "/"):
        raise ValueError("the path of the address would be rewritten")
    host = match["host"].lower()
    if parsed.host_str != host:
        raise ValueError("the host of the address would be rewritten")
    if parsed.scheme != "https" and (https_only or not _is_loopback(host)):
        raise ValueError("the address is not https")
    return parsed


def _parse(url: str) -> Url:
    try:
        return Url(url)
    except ValueError:
        pass  # the parser's message repeats the address
    raise ValueError("the address is not a plain http or https URL")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
