"""The token and revocation endpoints, with whichever client secret the server accepts."""

from __future__ import annotations

import time
from collections.abc import Callable

from fankeep.errors import FankeepError, TransportError
from fankeep.oauth import (
    AuthorizationServer,
    ClientRegistration,
    Outcome,
    TokenResponse,
    Verdict,
    VerifiedCallback,
    build_code_request,
    build_refresh_request,
    build_revocation_request,
    classify_exchange,
    process_revocation_response,
    process_token_response,
)
from fankeep.secret import Secret
from fankeep.secrets import ClientSecrets
from fankeep.telemetry import get_logger
from fankeep.transport import NotSent, Transport
from fankeep.types import HttpRequest, HttpResponse
from fankeep.vault.clock import elapsed
from fankeep.vault.timing import Timing

__all__ = ["TokenEndpoint", "send_guard"]

log = get_logger("fankeep.vault")


class TokenEndpoint:
    """Sends what the `oauth` package builds and reads the answers with it.

    While a client secret is being replaced two versions can be configured; a request that one of them fails
    with ``invalid_client`` is sent again with the other. The server authenticates the client before it looks
    at a code or token, so such a request has used nothing up.
    """

    def __init__(
        self,
        transport: Transport,
        server: AuthorizationServer,
        client: ClientRegistration,
        client_secrets: ClientSecrets,
        timing: Timing,
    ) -> None:
        """Take the parts.

        Args:
            transport: a client without kept-alive connections, so that no refresh meets a connection that the
                server is just closing.
        """
        self.server = server
        self.client = client
        self._transport = transport
        self._secrets = client_secrets
        self._timing = timing

    async def exchange(self, callback: VerifiedCallback) -> TokenResponse:
        """Exchange a code for tokens (RFC 6749 section 4.1.3).

        Raises:
            ProviderError: the server refuses.
            TransportError: no usable answer. The code must not be sent again.
        """

        def build(secret: Secret[str]) -> HttpRequest:
            return build_code_request(self.server, self.client, secret, callback)

        return process_token_response(await self._authenticated(build, guard=None))

    async def refresh(self, token: Secret[str], *, guard: Callable[[], None] | None = None) -> Verdict:
        """Send a refresh token once and say what came of it; raises nothing for a failed exchange.

        Args:
            token: the refresh token.
            guard: as for `Transport.send`; called for each request.
        """

        def build(secret: Secret[str]) -> HttpRequest:
            return build_refresh_request(self.server, self.client, secret, token)

        exchange: HttpResponse | TransportError
        try:
            exchange = await self._authenticated(build, guard=guard)
        except TransportError as error:
            exchange = error
        verdict = classify_exchange(exchange, now=time.time())
        if verdict.outcome is Outcome.PASSING_REPORTED:
            log.error("token_endpoint_unexpected", reason=verdict.code)
        return verdict

    async def revoke(self, token: Secret[str]) -> bool:
        """Revoke a refresh token and with it its chain (RFC 7009); True when the server confirmed."""

        def build(secret: Secret[str]) -> HttpRequest:
            return build_revocation_request(self.server, self.client, secret, token)

        try:
            process_revocation_response(await self._authenticated(build, guard=None), now=time.time())
        except FankeepError as error:
            log.warning("revocation_unconfirmed", code=error.code)
            return False
        return True

    async def _authenticated(
        self, build: Callable[[Secret[str]], HttpRequest], *, guard: Callable[[], None] | None
    ) -> HttpResponse:
        response: HttpResponse | None = None
        for version in self._secrets.candidates():
            response = await self._transport.send(
                build(version.value), timeout=self._timing.call, guard=guard
            )
            if not _client_refused(response):
                if self._secrets.worked(version.name):
                    log.info("client_secret_in_use", version=version.name)
                return response
            log.warning("client_secret_refused", version=version.name)
        if response is None:
            raise TypeError("there is always at least one client secret")
        return response


def send_guard(started: float, limit: float) -> Callable[[], None]:
    """Return a guard that refuses a send later than ``limit`` seconds after ``started``.

    Both are on the clock of `elapsed`. It is asked last, before the bytes go out: a process that slept in
    between must not send what another one may have sent meanwhile.
    """

    def guard() -> None:
        if elapsed() - started > limit:
            raise NotSent

    return guard


def _client_refused(response: HttpResponse) -> bool:
    return classify_exchange(response, now=0.0).outcome is Outcome.WRONG_CLIENT
