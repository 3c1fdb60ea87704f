"""The signature of a webhook: ``X-Fanvue-Signature: t=<seconds since 1970>,v0=<hex>``.

``v0`` is HMAC-SHA256 over the digits of ``t`` as they stand in the header, a dot, and the body's exact bytes.
What is signed is never parsed and written again before it is checked: the time is turned into a number only
for the comparison with the clock.
"""

from __future__ import annotations

import hmac
import math
import re
from binascii import unhexlify
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, InitVar, dataclass, field
from typing import Final, Literal, NoReturn, TypeAlias

from fankeep.errors import VerificationError
from fankeep.fanvue.limits import WEBHOOK_TOLERANCE_SECONDS
from fankeep.fanvue.webhook_secrets import (
    Reading,
    SecretLike,
    WebhookSecret,
    as_webhook_secrets,
)
from fankeep.types import UserId

__all__ = [
    "EVENT_ID_HEADER",
    "REASONS",
    "SIGNATURE_HEADER",
    "TOPIC_HEADER",
    "Reason",
    "VerifiedWebhook",
    "sign_webhook",
    "verify_webhook",
]

SIGNATURE_HEADER = "x-fanvue-signature"
TOPIC_HEADER = "x-fanvue-topic"
EVENT_ID_HEADER = "x-fanvue-event-id"
"""The latter two were seen on real deliveries; they are not signed, so they are hints and nothing more."""

Reason: TypeAlias = Literal["no_secret", "no_header", "malformed", "mismatch", "stale", "future", "clock"]

REASONS: Final[dict[Reason, str]] = {
    "no_secret": "no secret is active, so nothing can be verified and nothing is believed",
    "no_header": "the request carries no signature",
    "malformed": "the header is not of the documented form, too long, repeated, or has too many signatures",
    "mismatch": "no active secret made this signature over this body",
    "stale": "rightly signed, but longer ago than the tolerance: a late retry, or a replay",
    "future": "rightly signed, but for a time further ahead than the tolerance: a clock is wrong",
    "clock": "the caller's own time or tolerance is not a usable number",
}
"""Every ``VerificationError.reason``; for logs and metrics, never for the answer."""

_MAX_HEADER = 1024
_MAX_SIGNATURES = 8
_END_OF_TIME = 10**12

_ELEMENT = rb"[a-z][a-z0-9]{0,15}=[!-+\--~]{0,256}"
_HEADER = re.compile(rb"[ \t]*" + _ELEMENT + rb"(?:[ \t]*,[ \t]*" + _ELEMENT + rb"){0,31}[ \t]*")
_USUAL = re.compile(rb"t=([0-9]{1,12}),v0=([0-9a-f]{64})")
_TIMESTAMP = re.compile(rb"[0-9]{1,12}")
_SIGNATURE = re.compile(rb"[0-9a-f]{64}")

_CHECKED: Final = object()


@dataclass(frozen=True, slots=True)
class VerifiedWebhook:
    """A request body that Fanvue has signed, not too long ago.

    Only ``verify_webhook`` makes one, so a function that takes it cannot be handed an unverified body.

    Attributes:
        body: the exact bytes received.
        timestamp: when it was signed, seconds since 1970.
        secret_name: the name of the secret that matched.
        scope: what that secret speaks for, ``app`` or ``creator:<uuid>``.
    """

    body: bytes = field(repr=False)
    timestamp: int
    secret_name: str
    scope: str
    _: KW_ONLY
    check: InitVar[object]

    def __post_init__(self, check: object) -> None:
        if check is not _CHECKED:
            raise TypeError("verify_webhook makes a VerifiedWebhook, nothing else does")

    def covers(self, creator: UserId | None) -> bool:
        """Whether the matching secret may speak about this creator.

        A body that names no creator is covered: it claims nothing about anybody.
        """
        return creator is None or self.scope in {"app", f"creator:{creator}"}

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a VerifiedWebhook is not copied or pickled: it would come back unchecked")


def sign_webhook(body: bytes, secret: SecretLike, *, timestamp: int, reading: Reading = "literal") -> str:
    """Sign a body the way Fanvue does.

    Args:
        body: the exact bytes that will be sent.
        secret: as displayed.
        timestamp: seconds since 1970, at most 12 digits.
        reading: how the secret's text is read as the key; all of it by default.

    Returns:
        The value of the header ``X-Fanvue-Signature``.

    Raises:
        ValueError: the secret is blank, gives no key, or the time has no place in the header.
    """
    if not 0 <= timestamp < _END_OF_TIME:
        raise ValueError("the timestamp is 0 or more and has at most 12 digits")
    for one in as_webhook_secrets(secret):
        for key in one.hmacs((reading,)):
            return f"t={timestamp},v0={key.digest(b'%d.%b' % (timestamp, body)).hex()}"
    raise ValueError("the secret is blank or gives no key")


def verify_webhook(
    body: bytes,
    header: str | bytes | None,
    secrets: SecretLike | Iterable[SecretLike],
    *,
    now: float,
    tolerance: float = WEBHOOK_TOLERANCE_SECONDS,
    readings: Sequence[Reading] = ("literal",),
) -> VerifiedWebhook:
    """Check that Fanvue signed this body, and when.

    Args:
        body: the exact bytes received, before any decoding.
        header: the value of ``X-Fanvue-Signature``; None when there is none.
        secrets: one secret or several. All active ones are tried, in constant time, without an early exit;
            their order means nothing beyond which name is recorded when two have the same value.
        now: seconds since 1970.
        tolerance: how many seconds the signing time may lie behind or ahead of ``now``.
        readings: how a secret's text is read as a key.

    Returns:
        The body with what the signature says about it.

    Raises:
        VerificationError: always and only, whatever the bytes are; ``reason`` is one of ``REASONS``.

    Security:
        Nothing switches the check off: no secret, no header, an unusable clock all refuse. ``stale`` and
        ``future`` are given only to rightly signed requests, so each one is worth an alarm.
    """
    if header is None:
        raise VerificationError("no_header")
    signed_time, signatures = _parse(header)
    if not (-math.inf < now < math.inf and 0 <= tolerance < math.inf):  # refuses NaN as well
        raise VerificationError("clock")
    active = [secret for secret in as_webhook_secrets(secrets) if secret.active_at(now)]
    matching = _match(active, tuple(readings), signed_time, body, signatures)
    timestamp = int(signed_time)
    if now - timestamp > tolerance:
        raise VerificationError("stale", signed_at=timestamp)
    if timestamp - now > tolerance:
        raise VerificationError("future", signed_at=timestamp)
    return VerifiedWebhook(body, timestamp, matching.name, matching.scope, check=_CHECKED)


def _match(
    secrets: list[WebhookSecret],
    readings: tuple[Reading, ...],
    signed_time: bytes,
    body: bytes,
    signatures: list[bytes],
) -> WebhookSecret:
    matching: WebhookSecret | None = None
    tried = False
    signed = b"%b.%b" % (signed_time, body)
    for secret in secrets:
        for key in secret.hmacs(readings):
            tried = True
            mac = key.digest(signed)
            for signature in signatures:
                if hmac.compare_digest(mac, signature) and matching is None:
                    matching = secret
    if matching is None:
        raise VerificationError("mismatch" if tried else "no_secret")
    return matching


def _parse(header: str | bytes) -> tuple[bytes, list[bytes]]:
    """Split the header into the digits of ``t`` and the values of every ``v0``."""
    if len(header) > _MAX_HEADER or not header.isascii():
        raise VerificationError("malformed")
    if isinstance(header, str):
        header = header.encode("ascii")
    if usual := _USUAL.fullmatch(header):
        return usual[1], [unhexlify(usual[2])]
    return _parse_unusual(header)


def _parse_unusual(header: bytes) -> tuple[bytes, list[bytes]]:
    """The general form: any order, blanks around commas, several ``v0``, unknown schemes passed over.

    A proxy joins repeated headers with a comma, so a second ``t`` means that somebody added one.
    """
    if not _HEADER.fullmatch(header):
        raise VerificationError("malformed")
    times: list[bytes] = []
    signatures: list[bytes] = []
    for element in header.split(b","):
        scheme, _, value = element.strip(b" \t").partition(b"=")
        if scheme == b"t":
            times.append(value)
        elif scheme == b"v0":
            signatures.append(value)
    if len(times) != 1 or not _TIMESTAMP.fullmatch(times[0]):
        raise VerificationError("malformed")
    if not 0 < len(signatures) <= _MAX_SIGNATURES or not all(map(_SIGNATURE.fullmatch, signatures)):
        raise VerificationError("malformed")
    return times[0], [unhexlify(signature) for signature in signatures]
