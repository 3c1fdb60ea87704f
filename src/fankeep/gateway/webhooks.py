"""``POST /webhooks/fanvue``: read within bounds, verify, store, and only then say so.

A subscription that was made through the API has an address of its own below it. The address only says which
secret to try; what verifies and what is stored is the same.

Every refusal has one fixed body, so that nobody learns from the difference.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextvars import Context
from typing import Final

from starlette.types import Receive, Scope, Send

from fankeep.errors import FankeepError, HostileInputError, RetryableError, VerificationError
from fankeep.fanvue.signature import SIGNATURE_HEADER, VerifiedWebhook, verify_webhook
from fankeep.fanvue.webhook_secrets import WebhookSecret
from fankeep.gateway.messages import (
    IncomingBody,
    encode_headers,
    header_values,
    one_header,
    raw_path,
    send_answer,
)
from fankeep.gateway.patience import Patience
from fankeep.gateway.refusals import (
    BodyTooLarge,
    BodyTooSlow,
    MethodNotAllowed,
    TooManyRefused,
    UnsupportedMediaType,
)
from fankeep.gateway.services import GatewayConfig, GatewayServices
from fankeep.gateway.sources import Sources
from fankeep.policy import api_headers, retry_after
from fankeep.policy.errors import API_TEXTS
from fankeep.telemetry import alarm, get_logger, metrics

__all__ = ["WEBHOOK_PATH", "SubscriptionReceiver", "WebhookReceiver"]

log = get_logger("fankeep.gateway")

WEBHOOK_PATH: Final = b"/webhooks/fanvue"

_JSON_TYPE: Final = re.compile(rb'application/json(?:\s*;\s*charset="?utf-8"?)?', re.IGNORECASE)
_HEADERS: Final = {**api_headers(), "content-type": "application/json"}
_METHOD: Final = "POST"
_SIGNATURE: Final = SIGNATURE_HEADER.encode()
_TALLY_SECONDS: Final = 1.0

_FORGED: Final = frozenset({"no_header", "malformed", "mismatch"})
_UNREAD: Final = (MethodNotAllowed, UnsupportedMediaType, BodyTooLarge, BodyTooSlow)
"""What is refused before the signature is looked at."""

_STORED: Final = b'{"status": "stored"}'
_CONFIRMED: Final = {
    "type": "http.response.start",
    "status": 200,
    "headers": encode_headers([*_HEADERS.items(), ("content-length", str(len(_STORED)))]),
}
_CONFIRMED_BODY: Final = {"type": "http.response.body", "body": _STORED}


class WebhookReceiver:
    """Receives Fanvue's deliveries.

    Security:
        The signature is checked over the bytes as they came, before anything reads them (R65 to R71 are the
        order of this file). The 2xx means that the event is in the database.
    """

    def __init__(self, config: GatewayConfig, services: GatewayServices, sources: Sources) -> None:
        self._config = config
        self._inbox = services.inbox
        self._late = services.late
        self._tally = _Tally()
        self._sources = sources
        self._patience = Patience()
        metrics.WEBHOOK_SECRETS.allow(secret={secret.name for secret in config.webhook_secrets})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery."""
        try:
            self._sources.check(scope)
            verified = await self._receive(scope, receive)
            stored = await self._inbox.accept(verified)
        except FankeepError as error:
            if _forged(error):
                self._sources.refused(scope)
            metrics.WEBHOOKS.add(outcome=_outcome(error))
            metrics.WEBHOOK_REFUSALS.add(reason=_reason(error))
            log.warning("webhook_refused", error=error)
            await send_answer(send, error.status, _refusal_headers(error), _BODIES.get(error.code, _OTHER))
            return
        self._tally.add("duplicate" if stored.duplicate else "accepted", self._label(verified))
        self._sources.accepted(scope)
        await send(_CONFIRMED)
        await send(_CONFIRMED_BODY)

    def _label(self, verified: VerifiedWebhook) -> str:
        """Name the secret that matched, as metrics do."""
        return verified.secret_name

    async def _receive(self, scope: Scope, receive: Receive) -> VerifiedWebhook:
        if scope["method"] != _METHOD:
            raise MethodNotAllowed(_METHOD)
        if header_values(scope, b"content-encoding"):
            raise UnsupportedMediaType("content_encoding")
        if not _JSON_TYPE.fullmatch(one_header(scope, b"content-type") or b""):
            raise UnsupportedMediaType("content_type")
        limits = self._config.limits
        body = IncomingBody(
            scope,
            receive,
            limit=limits.webhook_body,
            seconds=limits.receive,
            timeout=self._patience.timeout,
        )
        content = await body.read()
        return self._verified(scope, content, await self._secrets(scope))

    async def _secrets(self, scope: Scope) -> Sequence[WebhookSecret]:
        """Say which secrets count at this address."""
        del scope
        return self._config.webhook_secrets

    def _verified(self, scope: Scope, body: bytes, secrets: Sequence[WebhookSecret]) -> VerifiedWebhook:
        signatures = header_values(scope, _SIGNATURE)
        if len(signatures) > 1:
            raise VerificationError("malformed")
        header = signatures[0] if signatures else None
        try:
            return verify_webhook(
                body,
                header,
                secrets,
                now=time.time(),
                tolerance=self._config.webhook_tolerance,
                readings=self._config.webhook_readings,
            )
        except VerificationError as error:
            if error.reason in {"stale", "future"}:  # rightly signed: a clock is wrong, or it is a replay
                alarm("webhook_stale", reason=error.reason)
            if error.reason == "stale" and error.signed_at is not None:
                self._late(error.signed_at)
            raise


class SubscriptionReceiver(WebhookReceiver):
    """Receives what comes to the address of one subscription; its secret alone counts there."""

    def __init__(self, config: GatewayConfig, services: GatewayServices, sources: Sources) -> None:
        super().__init__(config, services, sources)
        self._subscriptions = services.subscriptions

    async def _secrets(self, scope: Scope) -> Sequence[WebhookSecret]:
        name = raw_path(scope)[len(WEBHOOK_PATH) + 1 :]
        return await self._subscriptions.of(name.decode("ascii", "replace"))

    def _label(self, verified: VerifiedWebhook) -> str:
        del verified
        return "subscription"


class _Tally:
    """Counts stored deliveries; the log gets their sums, once a second at most.

    Every one of them is a row with its time, its secret and its id. A log line for each would say less and
    cost a quarter of the time of the whole delivery. Refused deliveries leave no row, so they get their line.
    """

    def __init__(self) -> None:
        self._add = {one: metrics.WEBHOOKS.adding(outcome=one) for one in ("accepted", "duplicate")}
        self._counts: Counter[str] = Counter()
        self._matched: Counter[str] = Counter()

    def add(self, outcome: str, secret_name: str) -> None:
        self._add[outcome](1)
        self._matched[secret_name] += 1
        if not self._counts:  # in a context of its own: the line is not about this request
            asyncio.get_running_loop().call_later(_TALLY_SECONDS, self._write, context=Context())
        self._counts[outcome] += 1

    def _write(self) -> None:
        log.info("deliveries_stored", **self._counts)
        self._counts.clear()
        for name, number in self._matched.items():
            metrics.WEBHOOK_SECRETS.add(number, secret=name)
        self._matched.clear()


def _forged(error: FankeepError) -> bool:
    """Whether anybody could have sent it: what is rightly signed comes from Fanvue, however late."""
    match error:
        case TooManyRefused():
            return False
        case VerificationError():
            return error.reason in _FORGED
        case HostileInputError():
            return isinstance(error, _UNREAD)
        case _:
            return False


def _outcome(error: FankeepError) -> str:
    match error:
        case VerificationError():
            return "unverified"
        case HostileInputError():
            return "refused"
        case _:
            return "busy"


def _reason(error: FankeepError) -> str:
    """Why, as metrics count it: the verifier's word, or the code of the answer."""
    return error.reason if isinstance(error, VerificationError) else error.code


def _refusal_headers(error: FankeepError) -> Mapping[str, str]:
    headers = dict(_HEADERS)
    if isinstance(error, MethodNotAllowed):
        headers["allow"] = error.allow
    if isinstance(error, (BodyTooLarge, BodyTooSlow, TooManyRefused)):
        headers["connection"] = "close"  # what is left of the body is not read
    seconds = math.ceil(error.seconds) if isinstance(error, TooManyRefused) else retry_after(error)
    if seconds is not None:
        headers["retry-after"] = str(seconds)
    return headers


def _body(code: str) -> bytes:
    return json.dumps({"error": code, "message": API_TEXTS[code]}).encode()


_BODIES: Final = {
    code: _body(code)
    for code in (
        HostileInputError.code,
        VerificationError.code,
        MethodNotAllowed.code,
        UnsupportedMediaType.code,
        BodyTooLarge.code,
        BodyTooSlow.code,
        TooManyRefused.code,
    )
}
_OTHER: Final = _body(RetryableError.code)
