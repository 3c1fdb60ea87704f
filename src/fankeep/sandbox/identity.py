"""Discovery document, key set and userinfo over HTTP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fankeep.sandbox.http import json_answer
from fankeep.sandbox.journal import Entry
from fankeep.sandbox.refusals import Refusal, RefusalKind
from fankeep.sandbox.sandbox import Sandbox

__all__ = ["IdentityEndpoint"]


class IdentityEndpoint:
    """Who the authorization server is, and who the creator is."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def discovery(self, _request: Request, _entry: Entry) -> Response:
        """The discovery document."""
        return json_answer(self._sandbox.issuer.discovery())

    async def jwks(self, _request: Request, _entry: Entry) -> Response:
        """The public keys of ID tokens."""
        return json_answer(self._sandbox.issuer.jwks())

    async def userinfo(self, request: Request, entry: Entry) -> Response:
        """The subject of an access token (OpenID Connect Core section 5.3)."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        token = self._sandbox.tokens.access_token(value, now=self._sandbox.now())
        if scheme.lower() != "bearer" or token is None:
            refusal = Refusal(RefusalKind.TOKEN_INACTIVE)
            entry.outcome = refusal.kind.code
            return json_answer(refusal.fields, 401, {"www-authenticate": 'Bearer error="invalid_token"'})
        return json_answer({"sub": token.chain.authorization.creator})
