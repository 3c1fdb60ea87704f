"""The id_token of a login (OpenID Connect Core sections 2 and 3.1.3.7, RFC 8725)."""

from __future__ import annotations

import base64
import hmac
from dataclasses import InitVar, dataclass
from typing import Final, Literal, NoReturn, TypeAlias

import msgspec
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact

from fankeep.errors import CallbackError
from fankeep.oauth.authorization import PendingLogin
from fankeep.oauth.client import ClientRegistration
from fankeep.oauth.grammar import is_compact_jws
from fankeep.oauth.jwks import SigningKey, SigningKeys
from fankeep.oauth.server import AuthorizationServer
from fankeep.oauth.wire import decode_json
from fankeep.secret import Secret

__all__ = ["CLOCK_LEEWAY", "IdTokenReason", "VerifiedIdToken", "verify_id_token"]

CLOCK_LEEWAY: Final = 60.0
"""Seconds by which the server's clock and ours may differ."""

IdTokenReason: TypeAlias = Literal[
    "id_token_malformed",
    "id_token_unknown_key",
    "id_token_signature",
    "id_token_issuer",
    "id_token_audience",
    "id_token_expired",
    "id_token_not_yet_valid",
    "id_token_nonce",
]
"""Every ``reason`` of a `CallbackError` that `verify_id_token` raises."""

_MAX_SUBJECT_LENGTH = 255
_PROOF: Final = object()


@dataclass(frozen=True, slots=True)
class VerifiedIdToken:
    """What a verified id_token says; only `verify_id_token` makes one.

    Attributes:
        issuer: as in the token.
        subject: the creator at this issuer; issuer and subject together are the identity (section 5.7).
        expires_at: seconds since 1970.
    """

    issuer: str
    subject: str
    expires_at: float
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROOF:
            raise TypeError("a VerifiedIdToken is made by verify_id_token alone")


class _Header(msgspec.Struct, frozen=True):
    """What matters of RFC 7515 section 4.1; keys that the token itself names or carries are not looked at."""

    alg: str
    kid: str | None = None
    crit: msgspec.Raw | None = None
    b64: msgspec.Raw | None = None


class _Claims(msgspec.Struct, frozen=True):
    iss: str
    sub: str
    aud: str | list[str]
    exp: float
    iat: float
    nbf: float | None = None
    azp: str | None = None
    nonce: str | None = None


def verify_id_token(
    token: Secret[str],
    keys: SigningKeys,
    *,
    server: AuthorizationServer,
    client: ClientRegistration,
    login: PendingLogin,
    now: float,
    accept_missing_nonce: bool = False,
) -> VerifiedIdToken:
    """Verify the id_token that came with the answer to a code exchange.

    Args:
        token: from `TokenResponse.id_token`.
        keys: the server's current keys. After ``id_token_unknown_key`` fetch them once more.
        server: the pinned server; its issuer is compared with ``iss``.
        client: must be the audience.
        login: the login whose nonce was sent.
        now: seconds since 1970.
        accept_missing_nonce: accept a token without a nonce. Needed only if the server turns out not to
            repeat it, which Fanvue does not document. A nonce that differs is always refused.

    Returns:
        The verified identity.

    Raises:
        CallbackError: with one of `IdTokenReason`; nothing of the token is kept.

    Security:
        Without the nonce a stolen id_token can be passed off in another login (section 3.1.3.7 point 11). In
        the code flow the token comes straight from the token endpoint, which is why the switch exists.
    """
    text = token.reveal()
    if not is_compact_jws(text):
        _refuse("id_token_malformed")
    claims = _verified_claims(text, keys)
    if not server.is_issuer(claims.iss):
        _refuse("id_token_issuer")
    _check_audience(claims, client.client_id)
    _check_times(claims, now)
    _check_nonce(claims, login, accept_missing=accept_missing_nonce)
    if (
        not 0 < len(claims.sub) <= _MAX_SUBJECT_LENGTH
        or not claims.sub.isascii()
        or not claims.sub.isprintable()
    ):
        _refuse("id_token_malformed")
    return VerifiedIdToken(issuer=claims.iss, subject=claims.sub, expires_at=claims.exp, proof=_PROOF)


def _verified_claims(text: str, keys: SigningKeys) -> _Claims:
    """Read the claims, after the signature and never before."""
    header = _header_of(text)
    key = keys.find(header.kid, header.alg)
    if key is None:
        _refuse("id_token_unknown_key")
    claims = decode_json(_verified_payload(text, header.alg, key), _Claims)
    if claims is None:
        _refuse("id_token_malformed")
    return claims


def _header_of(text: str) -> _Header:
    part = text.partition(".")[0]
    try:
        header = decode_json(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), _Header)
    except ValueError:
        _refuse("id_token_malformed")
    # RFC 7515 section 4.1.11: what is critical and not understood is refused.
    # RFC 7797 section 7: a JWT does not use b64.
    if header is None or header.crit is not None or header.b64 is not None:
        _refuse("id_token_malformed")
    return header


def _verified_payload(text: str, algorithm: str, key: SigningKey) -> bytes:
    """Check the signature with the one algorithm that the key was chosen for."""
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    try:
        return deserialize_compact(text, key.key, registry=registry).payload
    except (JoseError, ValueError, TypeError, RecursionError):
        _refuse("id_token_signature")


def _check_audience(claims: _Claims, client_id: str) -> None:
    """Section 3.1.3.7 points 3 to 5: we are an audience, and the authorized party when there is one."""
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    party_needed = len(audiences) > 1 or claims.azp is not None
    if client_id not in audiences or (party_needed and claims.azp != client_id):
        _refuse("id_token_audience")


def _check_times(claims: _Claims, now: float) -> None:
    if now >= claims.exp + CLOCK_LEEWAY:
        _refuse("id_token_expired")
    if max(claims.iat, claims.nbf or claims.iat) > now + CLOCK_LEEWAY:
        _refuse("id_token_not_yet_valid")


def _check_nonce(claims: _Claims, login: PendingLogin, *, accept_missing: bool) -> None:
    if claims.nonce is None:
        if not accept_missing:
            _refuse("id_token_nonce")
        return
    if not hmac.compare_digest(claims.nonce.encode("utf-8"), login.nonce.reveal().encode("ascii")):
        _refuse("id_token_nonce")


def _refuse(reason: IdTokenReason) -> NoReturn:
    raise CallbackError(reason)
