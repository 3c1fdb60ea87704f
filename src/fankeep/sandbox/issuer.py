"""The authorization server's identity: issuer, discovery document, signing key, signed tokens."""

from __future__ import annotations

import base64
import hashlib
from functools import cached_property
from typing import ClassVar
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import RSAKey

from fankeep.fanvue.scopes import SCOPES
from fankeep.sandbox.codes import Authorization
from fankeep.sandbox.json import Json, JsonObject
from fankeep.sandbox.settings import SandboxSettings

__all__ = ["Issuer"]

_ALGORITHM = "RS256"


class Issuer:
    """Says who this authorization server is and signs in its name.

    Args:
        base_url: scheme, host and port, without a trailing slash.
        settings: lifetimes and the disputed facts.
    """

    KEPT: ClassVar[tuple[str, ...]] = ("key_members",)

    def __init__(self, base_url: str, settings: SandboxSettings) -> None:
        self.base_url = base_url
        self._settings = settings

    @property
    def identifier(self) -> str:
        """The ``iss`` of everything that is signed."""
        return f"{self.base_url}/" if self._settings.switches.issuer_trailing_slash else self.base_url

    @cached_property
    def _key(self) -> RSAKey:
        return RSAKey.generate_key(2048, {"use": "sig", "alg": _ALGORITHM, "kid": str(uuid4())})

    @property
    def key_members(self) -> dict[str, str]:
        """The private signing key (RFC 7517)."""
        return {name: str(value) for name, value in self._key.as_dict(private=True).items()}

    @key_members.setter
    def key_members(self, members: dict[str, str]) -> None:
        self._key = RSAKey.import_key(dict(members))

    def jwks(self) -> JsonObject:
        """The public key set (RFC 7517)."""
        public: dict[str, Json] = {
            name: str(value) for name, value in self._key.as_dict(private=False).items()
        }
        return {"keys": [public]}

    def discovery(self) -> JsonObject:
        """The discovery document (OpenID Connect Discovery 1.0 section 3)."""
        methods = ["client_secret_basic"]
        if self._settings.switches.client_secret_post:
            methods.append("client_secret_post")
        return {
            "issuer": self.identifier,
            "authorization_endpoint": f"{self.base_url}/oauth2/auth",
            "token_endpoint": f"{self.base_url}/oauth2/token",
            "revocation_endpoint": f"{self.base_url}/oauth2/revoke",
            "userinfo_endpoint": f"{self.base_url}/userinfo",
            "jwks_uri": f"{self.base_url}/.well-known/jwks.json",
            "scopes_supported": list[Json](SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [_ALGORITHM],
            "token_endpoint_auth_methods_supported": list[Json](methods),
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": ["sub"],
        }

    def id_token(self, authorization: Authorization, access_token: str, *, now: float) -> str:
        """Sign an ID token (OpenID Connect Core section 2) for the creator of an authorization."""
        claims: JsonObject = {
            **self._claims(authorization, now),
            "aud": [authorization.client_id],
            "auth_time": int(authorization.auth_time),
            "rat": int(authorization.auth_time),
            "at_hash": _half_hash(access_token),
        }
        if authorization.nonce is not None and self._settings.switches.echo_nonce:
            claims["nonce"] = authorization.nonce
        return self._sign(claims)

    def jwt_access_token(self, authorization: Authorization, now: float) -> str:
        """Sign an access token, for the reading of the documents in which it is a JWT."""
        scopes: list[Json] = list(authorization.scopes)
        return self._sign(
            {
                **self._claims(authorization, now),
                "aud": [],
                "client_id": authorization.client_id,
                "scp": scopes,
            }
        )

    def _claims(self, authorization: Authorization, now: float) -> JsonObject:
        return {
            "iss": self.identifier,
            "sub": authorization.creator,
            "iat": int(now),
            "exp": int(now + self._settings.access_token_lifetime),
            "jti": str(uuid4()),
        }

    def _sign(self, claims: JsonObject) -> str:
        header = {"alg": _ALGORITHM, "kid": self._key.kid, "typ": "JWT"}
        return jwt.encode(header, claims, self._key)


def _half_hash(value: str) -> str:
    digest = hashlib.sha256(value.encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
