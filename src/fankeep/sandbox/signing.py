"""Signs webhooks the way Fanvue documents it; written apart from fankeep's own verifier on purpose."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from fankeep.errors import ConfigurationError
from fankeep.sandbox.settings import SecretReading
from fankeep.secret import Secret

__all__ = ["SIGNATURE_HEADER", "sign", "signing_key", "standard_headers"]

SIGNATURE_HEADER = "x-fanvue-signature"

_PREFIX = "whsec_"


def signing_key(secret: Secret[str], reading: SecretReading) -> bytes:
    """The key that a signing secret stands for.

    Args:
        secret: as displayed.
        reading: how its text becomes bytes.

    Raises:
        ConfigurationError: it cannot be read in this way.
    """
    text = secret.reveal()
    rest = text.removeprefix(_PREFIX)
    try:
        match reading:
            case SecretReading.LITERAL:
                return text.encode()
            case SecretReading.HEX:
                return binascii.unhexlify(rest)
            case SecretReading.BASE64:
                return base64.b64decode(rest, validate=True)
    except ValueError:
        raise ConfigurationError(f"this signing secret is not {_PREFIX} and {reading}") from None


def sign(body: bytes, key: bytes, *, timestamp: int) -> str:
    """The value of ``X-Fanvue-Signature`` for one request.

    Args:
        body: the exact bytes that are sent.
        key: of the signing secret.
        timestamp: seconds since 1970.

    Returns:
        ``t=<timestamp>,v0=<lower-case hex of HMAC-SHA256 over "<timestamp>.<body>">``.
    """
    mac = hmac.new(key, digestmod=hashlib.sha256)
    mac.update(b"%d." % timestamp)
    mac.update(body)
    return f"t={timestamp},v0={mac.hexdigest()}"


def standard_headers(body: bytes, key: bytes, *, event_id: str, timestamp: int) -> dict[str, str]:
    """The headers of Standard Webhooks for the same request, signed with the same key."""
    signed = b"%s.%d.%s" % (event_id.encode(), timestamp, body)
    digest = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{digest}",
    }
