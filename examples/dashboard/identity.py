"""Who is asking: the signed word of the gateway in the header ``Fankeep-Identity``.

An app in another language does the same with its JWT library: algorithm Ed25519, the key set below, and every
check of `_claims`. A header that does not pass is worth as much as no header.
"""

from __future__ import annotations

import json
import time
from typing import NamedTuple
from urllib.request import urlopen

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

ALGORITHM = "Ed25519"
TYPE = "fankeep-identity+jwt"
KEY_SET = "/.well-known/fankeep/jwks.json"
CONNECTED = {"live", "refreshing", "uncertain", "blocked"}
REFRESH_SECONDS = 5  # a stranger's made-up key id must not make us ask the gateway all the time


class Identity(NamedTuple):
    """A creator who is signed in."""

    user: str
    connected: bool  # False: the grant has ended, and only connecting again helps
    expires: int  # of this statement, not of the session; seconds since 1970


class IdentityCheck:
    """Checks the header with the gateway's public keys, which are fetched when they are first needed."""

    def __init__(self, gateway: str, audience: str) -> None:
        self._gateway = gateway
        self._rules = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": gateway},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        self._keys = KeySet([])
        self._fetched = -float(REFRESH_SECONDS)

    async def __call__(self, request: Request) -> Identity | None:
        """Return who is asking; None for somebody who is not signed in."""
        header = request.headers.get("fankeep-identity")
        if header is None:
            return None
        claims = self._claims(header)
        if claims is None and time.monotonic() - self._fetched > REFRESH_SECONDS:
            await run_in_threadpool(self._fetch)
            claims = self._claims(header)
        if claims is None:
            return None
        return Identity(claims["sub"], claims["state"] in CONNECTED, claims["exp"])

    def _claims(self, header: str) -> dict | None:
        try:
            token = jwt.decode(header, self._keys, algorithms=[ALGORITHM])
            self._rules.validate(token.claims)
        except (JoseError, ValueError):
            return None
        return token.claims if token.header.get("typ") == TYPE else None

    def _fetch(self) -> None:
        self._fetched = time.monotonic()
        with urlopen(self._gateway + KEY_SET, timeout=5) as answer:  # noqa: S310 - from our own settings
            self._keys = KeySet.import_key_set(json.load(answer))
