"""Deliveries as Fanvue would sign them, and six ways in which an attacker's would differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from fankeep.sandbox.credentials import new_signing_secret
from fankeep.sandbox.settings import SecretReading
from fankeep.sandbox.signing import SIGNATURE_HEADER, sign, signing_key, standard_headers
from fankeep.secret import Secret

__all__ = ["Forge", "SignedBody", "Signer", "signed_bodies"]

_TAMPERED_MEMBER = b'{"tampered":true,'


class Forge(StrEnum):
    """What is wrong with a forged delivery."""

    UNSIGNED = "unsigned"
    WRONG = "wrong"
    TAMPERED = "tampered"
    STALE = "stale"
    FUTURE = "future"
    REPLAY = "replay"


_OFF_BY: Final[Mapping[Forge | None, int]] = {Forge.STALE: -3600, Forge.FUTURE: 3600}


@dataclass(frozen=True, slots=True)
class SignedBody:
    """The bytes of one delivery and the headers that sign it."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @property
    def signature(self) -> str | None:
        """Fanvue's signature header, if it has one."""
        return self.headers.get(SIGNATURE_HEADER)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs one event.

    Attributes:
        secret: as displayed.
        reading: how the secret becomes the key.
        standard_id: the event's id when the headers of Standard Webhooks are to be sent as well.
    """

    secret: Secret[str]
    reading: SecretReading = SecretReading.LITERAL
    standard_id: str | None = None

    def signed(self, body: bytes, *, at: int) -> SignedBody:
        """Sign a body at a time, in seconds since 1970."""
        key = signing_key(self.secret, self.reading)
        headers = {SIGNATURE_HEADER: sign(body, key, timestamp=at)}
        if self.standard_id is not None:
            headers |= standard_headers(body, key, event_id=self.standard_id, timestamp=at)
        return SignedBody(body, headers)


def signed_bodies(body: bytes, signer: Signer, *, now: float, forge: Forge | None = None) -> list[SignedBody]:
    """What to send for one event, in order.

    Args:
        body: a JSON object.
        signer: knows the signing secret.
        now: seconds since 1970.
        forge: how to spoil it; ``None`` for a genuine delivery.

    Returns:
        One delivery; for a replay the genuine one and then the same bytes again.
    """
    signed = (_stranger(signer) if forge is Forge.WRONG else signer).signed(
        body, at=int(now) + _OFF_BY.get(forge, 0)
    )
    match forge:
        case Forge.UNSIGNED:
            return [SignedBody(body, {})]
        case Forge.TAMPERED:
            return [SignedBody(body.replace(b"{", _TAMPERED_MEMBER, 1), signed.headers)]
        case Forge.REPLAY:
            return [signed, signed]
        case _:
            return [signed]


def _stranger(signer: Signer) -> Signer:
    """One who signs in the same way with a secret of their own."""
    return replace(signer, secret=Secret(new_signing_secret()))
