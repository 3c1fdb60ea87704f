"""Webhook signing secrets: whom one speaks for, when it is active, and how it is read as a key."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from fankeep.errors import ConfigurationError
from fankeep.hmac_sha256 import HmacSha256
from fankeep.secret import Secret

__all__ = ["READINGS", "Reading", "SecretLike", "WebhookSecret", "as_webhook_secrets", "secret_keys"]

Reading: TypeAlias = Literal["literal", "hex", "base64"]
"""How the displayed text becomes the HMAC key. Fanvue's documentation does not say, so it can be switched:
``literal`` takes the whole text, prefix included; ``hex`` and ``base64`` decode what follows ``whsec_``."""

READINGS: Final[tuple[Reading, ...]] = get_args(Reading)

_PREFIX = b"whsec_"
_SCOPE = re.compile(r"app|creator:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """One signing secret and what a match with it means.

    Attributes:
        name: for logs and for the record of which secret matched; not secret.
        value: as Fanvue displays it.
        scope: ``app`` for the secret of the app's Events tab, ``creator:<uuid>`` for that of a subscription
            which one creator's token made.
        not_before: seconds since 1970 from which the secret is active, if there is a start.
        not_after: seconds since 1970 from which it is no longer active, if there is an end.

    Raises:
        ConfigurationError: the value is blank or the scope is neither form.
    """

    name: str
    value: Secret[str] | Secret[bytes]
    scope: str = "app"
    not_before: float | None = None
    not_after: float | None = None
    _hmacs: dict[tuple[Reading, ...], tuple[HmacSha256, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if not self.value.reveal().strip():
            raise ConfigurationError("a webhook secret is blank")
        if not _SCOPE.fullmatch(self.scope):
            raise ConfigurationError(
                "the scope of a webhook secret is `app` or `creator:` and a lower-case uuid"
            )

    def active_at(self, now: float) -> bool:
        """Whether the secret counts at a time, in seconds since 1970."""
        started = self.not_before is None or self.not_before <= now
        return started and (self.not_after is None or now < self.not_after)

    def hmacs(self, readings: tuple[Reading, ...]) -> tuple[HmacSha256, ...]:
        """Give the HMAC under each key of `secret_keys`, made ready at the first call."""
        found = self._hmacs.get(readings)
        if found is None:
            found = self._hmacs[readings] = tuple(map(HmacSha256, secret_keys(self, readings)))
        return found


SecretLike: TypeAlias = str | bytes | Secret[str] | Secret[bytes] | WebhookSecret


def as_webhook_secrets(secrets: SecretLike | Iterable[SecretLike]) -> Iterator[WebhookSecret]:
    """Bring every accepted way to give secrets into one form.

    A text alone is one secret, not an iterable of characters. Bare values are named by their place, from
    ``secret-1``, and speak for the app. Blank ones are left out: an empty setting must not become the key.
    """
    if isinstance(secrets, (str, bytes, Secret, WebhookSecret)):
        secrets = (secrets,)
    for place, secret in enumerate(secrets, start=1):
        if isinstance(secret, WebhookSecret):
            yield secret
            continue
        value = _wrapped(secret)
        if value.reveal().strip():
            yield WebhookSecret(f"secret-{place}", value)


def secret_keys(secret: WebhookSecret, readings: Sequence[Reading]) -> Iterator[bytes]:
    """Give the HMAC keys of a secret: one for every reading that applies to its text."""
    text = _octets(secret.value.reveal())
    for reading in readings:
        key = text if reading == "literal" else _decoded(text, reading)
        if key:  # an empty key would verify what anybody can sign
            yield key


def _wrapped(secret: str | bytes | Secret[str] | Secret[bytes]) -> Secret[str] | Secret[bytes]:
    if isinstance(secret, Secret):
        return secret
    if isinstance(secret, str):
        return Secret(secret)
    return Secret(secret)


def _decoded(text: bytes, reading: Reading) -> bytes:
    if not text.startswith(_PREFIX):
        return b""
    encoded = text.removeprefix(_PREFIX)
    try:
        return binascii.unhexlify(encoded) if reading == "hex" else b64decode(encoded, validate=True)
    except ValueError:  # binascii.Error is one
        return b""


def _octets(text: str | bytes) -> bytes:
    # surrogatepass: every str has an encoding, so that no input raises anything of Python's.
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
