"""Who the user of a request is, signed for the app behind us (RFC 7519).

The app checks the signature with the key set at ``/.well-known/fankeep/jwks.json`` and needs no secret.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OKPKey

from fankeep.datakeys import InstallationKeys
from fankeep.types import UserId

__all__ = ["ASSERTION_HEADER", "ASSERTION_SECONDS", "Assertions"]

ASSERTION_HEADER: Final = "fankeep-identity"
ASSERTION_SECONDS: Final = 60

_ALGORITHM: Final = "Ed25519"  # RFC 9864; "EdDSA" is the older, ambiguous name
_TYPE: Final = "fankeep-identity+jwt"  # RFC 8725 section 3.11: no other JWT can be taken for this one


class Assertions:
    """Signs identity assertions with a key that every replica of this installation derives alike.

    Args:
        keys: of this installation.
        issuer: our public origin.
        audience: the origin of the app behind us; an assertion is good for that app alone.
    """

    def __init__(self, keys: InstallationKeys, *, issuer: str, audience: str) -> None:
        private = Ed25519PrivateKey.from_private_bytes(keys.key("identity-assertions").reveal())
        self._key = OKPKey.import_key(private, {"use": "sig", "alg": _ALGORITHM})
        self._key.ensure_kid()
        self._issuer = issuer
        self._audience = audience

    def sign(self, user: UserId, *, scopes: Iterable[str], state: str, now: float) -> str:
        """Sign who the user is.

        Args:
            user: the subject.
            scopes: what the user's grant covers.
            state: of the grant; an app can tell from it that the user has to connect again.
            now: seconds since 1970.

        Returns:
            A compact JWS that is good for a minute.
        """
        header = {"alg": _ALGORITHM, "kid": self._key.kid, "typ": _TYPE}
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user,
            "scope": " ".join(scopes),
            "state": state,
            "iat": int(now),
            "exp": int(now) + ASSERTION_SECONDS,
            "jti": secrets.token_hex(16),
        }
        return jwt.encode(header, claims, self._key, algorithms=[_ALGORITHM])

    def key_set(self) -> bytes:
        """The public key as a JWK set (RFC 7517)."""
        return json.dumps({"keys": [self._key.as_dict(private=False)]}).encode()
