"""Who has just signed in: the id_token when one came, and the profile that the access token opens."""

from __future__ import annotations

import time
from dataclasses import dataclass

import msgspec

from fankeep.client import FanvueApi, FanvueClient
from fankeep.errors import CallbackError, ProviderError, RetryableError
from fankeep.fanvue.identifiers import as_uuid
from fankeep.oauth import (
    AuthorizationServer,
    ClientRegistration,
    SigningKeys,
    TokenResponse,
    VerifiedCallback,
    build_jwks_request,
    process_jwks_response,
    verify_id_token,
)
from fankeep.secret import Secret
from fankeep.telemetry import get_logger
from fankeep.transport import Transport
from fankeep.types import Generation, UserId

__all__ = ["Identity"]

_KEYS_AGE = 3600.0
_SECONDS = 5.0
_NOT_FOUND = 404
_NOBODY = UserId("")

log = get_logger("fankeep.lifecycle")


class _Profile(msgspec.Struct, frozen=True):
    uuid: str


@dataclass(frozen=True, slots=True)
class _JustIssued:
    """A token source for the one call that finds out whose token it is."""

    token: Secret[str]
    generation: Generation

    async def access_token(self, user: UserId) -> _JustIssued:  # noqa: ARG002 - nobody is known yet
        return self

    async def refused(self, user: UserId, generation: Generation) -> None:
        """There is no other token to try."""


class Identity:
    """Finds out and checks whose tokens a login brought."""

    def __init__(
        self,
        transport: Transport,
        server: AuthorizationServer,
        client: ClientRegistration,
        *,
        api_url: str,
        accept_missing_nonce: bool,
    ) -> None:
        self._transport = transport
        self._server = server
        self._client = client
        self._api_url = api_url
        self._accept_missing_nonce = accept_missing_nonce
        self._keys: SigningKeys | None = None
        self._keys_read_at = 0.0

    async def of(self, tokens: TokenResponse, callback: VerifiedCallback) -> UserId:
        """Return the creator to whom the tokens belong, as Fanvue's API names them.

        Raises:
            CallbackError: the id_token does not verify, or the profile names nobody.
            ProviderError: the API refuses.
            RetryableError: Fanvue does not answer.
        """
        if tokens.id_token is not None:
            await self._check(tokens.id_token, callback)
        api = FanvueApi(
            self._transport, _JustIssued(tokens.access_token, Generation(0)), api_url=self._api_url
        )
        answer = await FanvueClient(api, _NOBODY).call("getCurrentUser")
        try:
            user = as_uuid(msgspec.convert(answer.data, _Profile).uuid)
        except msgspec.ValidationError:
            user = None
        if user is None:
            raise CallbackError("profile_unusable")
        return UserId(user)

    async def _check(self, token: Secret[str], callback: VerifiedCallback) -> None:
        """Verify the id_token; one that cannot be verified is not used for anything either.

        Who the creator is comes from the API. So a server that publishes no keys at the known place does not
        stop a login, while keys that are there must fit.
        """
        keys = await self._signing_keys()
        if keys is None:
            log.warning("id_token_not_verified", reason="no_keys")
            return
        try:
            self._verify(token, keys, callback)
        except CallbackError as error:
            if error.reason != "id_token_unknown_key":
                raise
            self._keys = None
            keys = await self._signing_keys()
            if keys is None:
                raise
            self._verify(token, keys, callback)

    def _verify(self, token: Secret[str], keys: SigningKeys, callback: VerifiedCallback) -> None:
        verify_id_token(
            token,
            keys,
            server=self._server,
            client=self._client,
            login=callback.login,
            now=time.time(),
            accept_missing_nonce=self._accept_missing_nonce,
        )

    async def _signing_keys(self) -> SigningKeys | None:
        if self._keys is not None and time.monotonic() - self._keys_read_at < _KEYS_AGE:
            return self._keys
        response = await self._transport.send(build_jwks_request(self._server), timeout=_SECONDS)
        if response.status == _NOT_FOUND:
            return None
        try:
            self._keys = process_jwks_response(response)
        except ProviderError:
            raise RetryableError("the server's signing keys cannot be read") from None
        self._keys_read_at = time.monotonic()
        return self._keys
