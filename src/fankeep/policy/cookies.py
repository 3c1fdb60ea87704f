"""Our cookies: how they are set, and how they are read back from a ``Cookie`` header.

Every cookie is ``__Host-`` prefixed, Secure, HttpOnly, ``Path=/`` and has no Domain, so that neither a
sibling subdomain nor plain http can plant one (RFC 6265bis section 4.1.3).

SameSite is Lax and not Strict: the callback of a sign-in is a top-level navigation that comes from Fanvue's
origin, and it has to find the login cookie. Nothing rests on Lax alone: a state change needs a same-origin
request, see ``policy.csrf``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from fankeep.errors import HostileInputError
from fankeep.secret import Secret

__all__ = [
    "LOGIN_COOKIES",
    "SESSION_COOKIE",
    "cookies_without_ours",
    "expired_cookie",
    "is_ours",
    "parse_cookies",
    "set_cookie",
]

_OURS = "__Host-fankeep-"

SESSION_COOKIE = f"{_OURS}session"
"""Holds the opaque session id and nothing else."""

LOGIN_COOKIES = tuple(f"{_OURS}login-{slot}" for slot in range(5))
"""One sealed pending login each: a browser can have that many sign-ins open at once."""

_VALUE = re.compile(r"[A-Za-z0-9_.~-]{1,3800}")
_MAX_HEADER = 65_536
_ATTRIBUTES = "; Path=/; Secure; HttpOnly; SameSite=Lax"


def is_ours(name: str) -> bool:
    """Whether fankeep owns this cookie name; upper and lower case are one, as browsers treat the prefix."""
    return name.lower().startswith(_OURS.lower())


def set_cookie(name: str, value: Secret[str], *, max_age: int) -> str:
    """Build the value of a ``Set-Cookie`` header.

    Args:
        name: one of our names.
        value: base64url text, at most 3,800 characters (browsers stop at 4,096 for the whole cookie).
        max_age: lifetime in the browser, in seconds, more than 0.

    Raises:
        ValueError: the name is not ours, or the value has other characters.

    Security:
        The result contains the value. It belongs into the header and nowhere else.
    """
    if not is_ours(name) or max_age <= 0:
        raise ValueError("not a cookie of fankeep")
    if not _VALUE.fullmatch(value.reveal()):
        raise ValueError("a cookie value is base64url text")
    return f"{name}={value.reveal()}; Max-Age={max_age}{_ATTRIBUTES}"


def expired_cookie(name: str) -> str:
    """Build the ``Set-Cookie`` value that makes a browser forget one of our cookies."""
    if not is_ours(name):
        raise ValueError("not a cookie of fankeep")
    return f"{name}=; Max-Age=0{_ATTRIBUTES}"


def parse_cookies(headers: Iterable[bytes]) -> Mapping[str, Secret[str]]:
    """Read our own cookies out of every ``Cookie`` header of a request.

    Cookies of other software on the same host are passed over, whatever they look like.

    Args:
        headers: the raw values of the ``Cookie`` headers, in order.

    Returns:
        Our cookies by name.

    Raises:
        HostileInputError: one of our names comes twice (which of the two was planted cannot be told), has a
            value that we never set, or the headers are larger than 64 KiB.
    """
    found: dict[str, Secret[str]] = {}
    for name, value in _pairs(_joined(headers)):
        if not name.startswith(_OURS):
            continue
        if name in found:
            raise HostileInputError("duplicate_cookie")
        if not _VALUE.fullmatch(value):
            raise HostileInputError("malformed_cookie")
        found[name] = Secret(value)
    return found


def cookies_without_ours(headers: Iterable[bytes]) -> bytes | None:
    """Everything but our own cookies, as a ``Cookie`` header for the app behind us; None if nothing is left.

    Raises:
        HostileInputError: the headers are larger than 64 KiB.
    """
    parts = (part.strip() for part in _joined(headers).split(";"))
    kept = [part for part in parts if part and not is_ours(part.partition("=")[0].strip())]
    return "; ".join(kept).encode("latin-1") or None


def _joined(headers: Iterable[bytes]) -> str:
    joined = b"; ".join(headers)
    if len(joined) > _MAX_HEADER:
        raise HostileInputError("cookies_too_large")
    return joined.decode("latin-1")


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(";"):
        name, _, value = part.strip(" \t").partition("=")
        yield name, value
