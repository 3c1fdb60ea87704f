"""Text from the environment into values. Every complaint is a fixed sentence without the text itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from fankeep.errors import ConfigurationError
from fankeep.fanvue.opt_ins import opted_in
from fankeep.fanvue.webhook_secrets import READINGS, WebhookSecret
from fankeep.policy.hosts import Network
from fankeep.secret import Secret
from fankeep.secrets import (
    Record,
    parse_client_secrets,
    parse_secret_register,
    parse_webhook_secrets,
    why_unusable,
)
from fankeep.store.postgresql_address import SCHEMES, PostgresqlAddress

__all__ = [
    "as_address",
    "as_client_id",
    "as_client_secret",
    "as_database_url",
    "as_days",
    "as_hosts",
    "as_keep_fields",
    "as_keys",
    "as_networks",
    "as_number",
    "as_origin",
    "as_path",
    "as_port",
    "as_readings",
    "as_register",
    "as_signing_key",
    "as_tolerance",
    "as_url",
    "as_webhook_secrets",
    "as_words",
]

_SHORTEST_KEY = 32
_SEPARATORS = re.compile(r"[\s,]+")
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_NUMBER = re.compile(r"[0-9]{1,5}")
_SECONDS = re.compile(r"[0-9]{1,7}")
_LONGEST_TOLERANCE = 30 * 86_400
_DAYS = range(1, 3651)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
_SQLITE = "sqlite:///"


def as_origin(value: object) -> str:
    """Read scheme and host, with a port when it is not the default one, the way browsers spell an origin.

    Raises:
        ValueError: anything else is there as well: a path, a query, a user name.
    """
    text = _text(value).removesuffix("/")
    complaint = ValueError("must be a scheme and a host and nothing else, like https://app.example.com")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise complaint from None
    if parts.scheme not in _DEFAULT_PORTS or not _AUTHORITY.fullmatch(parts.netloc) or not parts.hostname:
        raise complaint
    if text[len(parts.scheme) + 3 :] != parts.netloc:
        raise complaint
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    given = "" if port is None or port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{host}{given}"


def as_url(value: object) -> str:
    """Read an absolute http or https address without user name, query and fragment."""
    text = _text(value)
    complaint = ValueError("must be an address without a query, like https://app.example.com/events")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise complaint from None
    if " " in text or parts.query or parts.fragment or f"{parts.scheme}://{parts.netloc}{parts.path}" != text:
        raise complaint
    return as_origin(f"{parts.scheme}://{parts.netloc}") + parts.path


def as_client_id(value: object) -> str:
    """Read an OAuth client id; the characters that RFC 3986 section 2.3 calls unreserved."""
    text = _text(value)
    if not _CLIENT_ID.fullmatch(text):
        raise ValueError("must be the client id that Fanvue's developer area shows")
    return text


def as_number(first: int, last: int) -> Callable[[object], int]:
    """Make a reader of whole numbers in a range."""

    def read(value: object) -> int:
        text = str(value) if isinstance(value, int) else _text(value)
        if not _NUMBER.fullmatch(text) or not first <= int(text) <= last:
            raise ValueError(f"must be a number from {first} to {last}")
        return int(text)

    return read


as_port = as_number(1, 65535)
"""Read the number of a TCP port."""


def as_address(value: object) -> str:
    """Read the address that a listener binds to: an IP address or ``localhost``."""
    text = _text(value)
    if text == "localhost":
        return text
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("must be an IP address of this machine, like 127.0.0.1 or 0.0.0.0") from None


def as_networks(value: object) -> tuple[Network, ...]:
    """Read addresses and networks in CIDR notation, separated by commas or spaces."""
    networks = tuple(_network(word) for word in as_words(value))
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError("must not declare the whole Internet a proxy: name its addresses")
    return networks


def as_hosts(value: object) -> tuple[str, ...]:
    """Read host names, each with a port unless it is the usual one."""
    words = as_words(value)
    if not all(_AUTHORITY.fullmatch(word) for word in words):
        raise ValueError("must be host names, like app.example.com or app.example.com:8443")
    return tuple(word.lower() for word in words)


def as_words(value: object) -> tuple[str, ...]:
    """Read words separated by commas, spaces or new lines; each once, in their order."""
    words = _SEPARATORS.split(value.strip()) if isinstance(value, str) else _words(value)
    return tuple(dict.fromkeys(word for word in words if word))


def as_keep_fields(value: object) -> tuple[str, ...]:
    """Read which personal fields of events are to be kept; each has to be one that there is."""
    words = as_words(value)
    opted_in(words)
    return words


def as_path(value: object) -> Path:
    """Read the path of a file."""
    return value if isinstance(value, Path) else Path(_text(value))


def as_keys(value: object) -> str:
    """Read where the key-encryption keys are; the path of a file is short for ``file:`` and that path."""
    text = str(value) if isinstance(value, Path) else _text(value)
    if _SCHEME.match(text):
        return text
    return f"file:{Path(text).absolute()}"


def as_database_url(value: object) -> Secret[str]:
    """Read the address of a database; secret, because one with a password in it looks the same."""
    text = _revealed(value).strip()
    if text.startswith(SCHEMES):
        with _complaints():
            PostgresqlAddress.parse(text)
    elif not text.startswith(_SQLITE) or len(text) == len(_SQLITE) or text.endswith("/"):
        raise ValueError(
            "must be the address of a database file, like sqlite:////var/lib/fankeep/fankeep.db, or of a "
            "PostgreSQL database, like postgresql://fankeep:password@db.example.com/fankeep"
        )
    return Secret(text)


def as_client_secret(value: object) -> Secret[str]:
    """Read the client secret, in one version or two, and check that it is usable."""
    secret = Secret(_revealed(value))
    with _complaints():
        parse_client_secrets(secret)
    return secret


def as_webhook_secrets(value: object) -> tuple[WebhookSecret, ...]:
    """Read the signing secrets; ready ones pass through."""
    if isinstance(value, tuple) and value and all(isinstance(secret, WebhookSecret) for secret in value):
        return value
    with _complaints():
        return parse_webhook_secrets(Secret(_revealed(value)))


def as_register(value: object) -> Mapping[str, Record]:
    """Read what is written down about secrets; a ready register passes through."""
    if isinstance(value, Mapping):
        return value
    with _complaints():
        return parse_secret_register(_revealed(value))


def as_readings(value: object) -> tuple[str, ...]:
    """Read how the text of a signing secret becomes a key, in one way or several."""
    words = as_words(value)
    if not words or not set(words) <= set(READINGS):
        raise ValueError(f"must be of the words {', '.join(READINGS)}, one or several")
    return words


def as_tolerance(value: object) -> int:
    """Read how many seconds the signing time of a delivery may be off."""
    text = str(value) if isinstance(value, int) else _text(value)
    if not _SECONDS.fullmatch(text) or not 1 <= int(text) <= _LONGEST_TOLERANCE:
        raise ValueError(f"must be a number of seconds from 1 to {_LONGEST_TOLERANCE}")
    return int(text)


def as_days(value: object) -> int:
    """Read how many days something is kept."""
    text = str(value) if isinstance(value, int) else _text(value)
    if not _SECONDS.fullmatch(text) or int(text) not in _DAYS:
        raise ValueError(f"must be a number of days from {_DAYS[0]} to {_DAYS[-1]}")
    return int(text)


def as_signing_key(value: object) -> Secret[str]:
    """Read a key with which fankeep itself signs."""
    text = _revealed(value)
    complaint = why_unusable(text, at_least=_SHORTEST_KEY)
    if complaint:
        raise ValueError(f"cannot be used: {complaint}")
    return Secret(text)


@contextmanager
def _complaints() -> Iterator[None]:
    """Turn the errors of other rooms into complaints about the field at hand."""
    try:
        yield
    except ConfigurationError as error:
        raise ValueError(str(error)) from None


def _network(word: str) -> Network:
    try:
        return ip_network(word, strict=False)
    except ValueError:
        raise ValueError("must be addresses or networks of proxies, like 10.0.0.0/8 or 127.0.0.1") from None


def _words(value: object) -> list[str]:
    if not isinstance(value, list | tuple | set | frozenset):
        raise ValueError("must be text")  # noqa: TRY004  (pydantic turns only ValueError into a complaint)
    return [str(word) for word in value]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004  (pydantic turns only ValueError into a complaint)
    text = value.strip()
    if not text or not text.isprintable():
        raise ValueError("is empty or has unprintable characters in it")
    return text


def _revealed(value: object) -> str:
    if isinstance(value, Secret):
        value = value.reveal()
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004  (pydantic turns only ValueError into a complaint)
    return value
