"""Which header fields pass between browsers and the app behind us."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from starlette.types import Scope

from fankeep.gateway.assertions import ASSERTION_HEADER
from fankeep.gateway.messages import header_texts, header_values
from fankeep.gateway.services import GatewayConfig
from fankeep.policy import BASE_HEADERS, cookies_without_ours
from fankeep.policy.cookies import is_ours
from fankeep.transport import TRANSPORT_HEADERS

__all__ = ["answer_headers", "forwarded_headers", "request_headers"]


_SAID_BY_US: Final = frozenset(
    {
        ASSERTION_HEADER,
        "cf-connecting-ip",
        "cookie",
        "forwarded",
        "remote-user",
        "true-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-real-ip",
        "x-remote-user",
        "x-rewrite-url",
    }
)
_SAID_BY_PROXIES: Final = ("x-auth-request-", "x-forwarded", "x-original-")
"""What apps believe because the proxy before them says it, by name and by beginning of a name: who the client
is, how it came, which address it meant. The client's own word for it never passes."""

# With "_" or "." in it, a name could become another one: many app servers read x_forwarded_for as
# x-forwarded-for.
_NAME = re.compile(r"[0-9a-z-]+")
_VALUE = re.compile(r"[ \t!-~]*")

_FLOOR: Final = ("strict-transport-security", "x-content-type-options", "referrer-policy")
"""What the app's own answers get from us unless it says otherwise; its content policy is its own."""


def request_headers(scope: Scope) -> dict[str, str]:
    """What of a request goes on to the app: repeated fields joined, our cookies taken out.

    Raises:
        HostileInputError: the cookies are too large.
    """
    dropped = TRANSPORT_HEADERS | _SAID_BY_US | _named_by_connection(header_texts(scope, b"connection"))
    kept: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        if name in dropped or name.startswith(_SAID_BY_PROXIES):
            continue
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            continue
        kept[name] = f"{kept[name]}, {value}" if name in kept else value
    cookies = cookies_without_ours(header_values(scope, b"cookie"))
    if cookies is not None and _VALUE.fullmatch(cookies.decode("latin-1")):
        kept["cookie"] = cookies.decode("latin-1")
    return kept


def forwarded_headers(scope: Scope, config: GatewayConfig) -> dict[str, str]:
    """What we say about the client; its own words count only behind a declared proxy."""
    peer = scope["client"][0] if scope.get("client") else ""
    client = config.proxies.client(peer, header_texts(scope, b"x-forwarded-for"))
    scheme, _, host = config.public_origin.partition("://")
    headers = {"x-forwarded-proto": scheme, "x-forwarded-host": host}
    return {**headers, "x-forwarded-for": client} if client else headers


def answer_headers(headers: Iterable[tuple[str, str]], *, personal: bool) -> list[tuple[str, str]]:
    """What of the app's answer goes on to the browser.

    Args:
        headers: lower-case names, in order.
        personal: the app knew who was asking; without a word of the app nobody stores such an answer.
    """
    given = list(headers)
    dropped = (TRANSPORT_HEADERS - {"content-length"}) | _named_by_connection(
        [value for name, value in given if name == "connection"]
    )
    kept = [
        (name, value) for name, value in given if name not in dropped and not _sets_our_cookie(name, value)
    ]
    names = {name for name, _ in kept}
    kept += [(name, BASE_HEADERS[name]) for name in _FLOOR if name not in names]
    if personal and "cache-control" not in names:
        kept.append(("cache-control", "no-store"))
    return kept


def _named_by_connection(values: Iterable[str]) -> frozenset[str]:
    return frozenset(name.strip().lower() for value in values for name in value.split(","))


def _sets_our_cookie(name: str, value: str) -> bool:
    return name == "set-cookie" and is_ours(value.partition("=")[0].strip())
