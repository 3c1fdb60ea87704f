"""The server's public signing keys (RFC 7517)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from fankeep.errors import ProviderError
from fankeep.oauth.server import AuthorizationServer
from fankeep.oauth.wire import decode_json, refused
from fankeep.types import HttpRequest, HttpResponse

__all__ = ["ID_TOKEN_ALGORITHMS", "SigningKey", "SigningKeys", "build_jwks_request", "process_jwks_response"]

_MAX_KEYS = 32
_RSA_BITS = range(2048, 8192 + 1)
_MAX_RSA_EXPONENT_LENGTH = 6  # base64url of 32 bits; a longer one only makes verification slow

_ALGORITHMS: Final[Mapping[tuple[str, str | None], tuple[str, ...]]] = {
    ("RSA", None): ("RS256", "PS256"),
    ("EC", "P-256"): ("ES256",),
    ("OKP", "Ed25519"): ("Ed25519",),
}
"""Key type and curve, and what such a key may verify. No other key is kept, least a symmetric one."""

ID_TOKEN_ALGORITHMS: Final = frozenset(name for names in _ALGORITHMS.values() for name in names)
"""The algorithms an id_token may be signed with (RFC 8725 section 3.1): never ``none``, never HMAC."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One public key.

    Attributes:
        algorithms: what it may verify; narrowed to the key's own ``alg`` when it names one.
    """

    key_id: str | None
    algorithms: tuple[str, ...]
    key: Key = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """A key set, reduced to the keys that can verify an id_token."""

    keys: tuple[SigningKey, ...]

    def find(self, key_id: str | None, algorithm: str) -> SigningKey | None:
        """Choose the key of a token (OpenID Connect Core section 10.1).

        Args:
            key_id: the token's ``kid``; None fits only when one key alone is possible.
            algorithm: the token's ``alg``.
        """
        fitting = [key for key in self.keys if algorithm in key.algorithms and key_id in (None, key.key_id)]
        return fitting[0] if len(fitting) == 1 else None


class _Jwk(msgspec.Struct, frozen=True, omit_defaults=True):
    """The public members of the key types that we know; private ones are not even read."""

    kty: str
    use: str | None = None
    key_ops: list[str] | None = None
    alg: str | None = None
    kid: str | None = None
    n: str | None = None
    e: str | None = None
    crv: str | None = None
    x: str | None = None
    y: str | None = None


class _JwkSet(msgspec.Struct, frozen=True):
    keys: list[msgspec.Raw]


def build_jwks_request(server: AuthorizationServer) -> HttpRequest:
    """Build the fetch of the key set from its pinned address."""
    return HttpRequest(method="GET", url=server.jwks_uri, headers={"accept": "application/json"})


def process_jwks_response(response: HttpResponse) -> SigningKeys:
    """Read a key set; keys that we cannot use are left out, as RFC 7517 section 5 asks.

    Raises:
        ProviderError: not 200, not a key set, or one with more than 32 keys.
    """
    if response.status != 200:
        raise refused(response)
    key_set = decode_json(response.body, _JwkSet)
    if key_set is None or len(key_set.keys) > _MAX_KEYS:
        raise ProviderError("the key set cannot be read", http_status=response.status)
    imported = (_import_key(decode_json(bytes(raw), _Jwk)) for raw in key_set.keys)
    return SigningKeys(tuple(key for key in imported if key is not None))


def _import_key(jwk: _Jwk | None) -> SigningKey | None:
    if jwk is None or not _for_signatures(jwk):
        return None
    allowed = _ALGORITHMS.get((jwk.kty, jwk.crv), ())
    algorithms = tuple(name for name in allowed if jwk.alg in (None, name))
    key = _public_key(jwk) if algorithms else None
    return None if key is None else SigningKey(jwk.kid, algorithms, key)


def _for_signatures(jwk: _Jwk) -> bool:
    return jwk.use in (None, "sig") and (jwk.key_ops is None or "verify" in jwk.key_ops)


def _public_key(jwk: _Jwk) -> Key | None:
    """Hand the public numbers to joserfc, which checks that they make a key."""
    try:
        if jwk.kty == "RSA" and jwk.n and jwk.e and len(jwk.e) <= _MAX_RSA_EXPONENT_LENGTH:
            return _rsa_key(jwk.n, jwk.e)
        if jwk.kty == "EC" and jwk.crv and jwk.x and jwk.y:
            return ECKey.import_key({"kty": "EC", "crv": jwk.crv, "x": jwk.x, "y": jwk.y})
        if jwk.kty == "OKP" and jwk.crv and jwk.x:
            return OKPKey.import_key({"kty": "OKP", "crv": jwk.crv, "x": jwk.x})
    except (JoseError, ValueError, TypeError):
        return None
    return None


def _rsa_key(modulus: str, exponent: str) -> RSAKey | None:
    # Before the import: joserfc only warns about a short modulus, and a huge one is a way to keep us busy.
    number = int.from_bytes(base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)), "big")
    if number.bit_length() not in _RSA_BITS:
        return None
    return RSAKey.import_key({"kty": "RSA", "n": modulus, "e": exponent})
