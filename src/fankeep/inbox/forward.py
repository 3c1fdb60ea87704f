"""Sending events on to an app in any language, signed the way Standard Webhooks libraries expect."""

from __future__ import annotations

import base64
import binascii
import time
from hashlib import sha256
from hmac import digest
from typing import Final

import msgspec

from fankeep.errors import ConfigurationError, TransportError
from fankeep.inbox.body import event_body
from fankeep.inbox.handlers import ReceivedEvent
from fankeep.secret import Secret
from fankeep.transport import Transport
from fankeep.types import HttpRequest

__all__ = ["Forwarder"]

_PREFIX: Final = "whsec_"
_SECONDS: Final = 10.0
_KEY_BYTES: Final = range(24, 65)


class Forwarder:
    """A handler that posts every event to one address; anything but a 2xx is tried again.

    The body is the one JSON object of ``event_body``.

    Security:
        The signature covers the event's id, the time of sending and the exact body. The receiver verifies it
        with its Standard Webhooks library and the same secret, and removes duplicates by ``webhook-id``.
    """

    def __init__(self, transport: Transport, url: str, secret: Secret[str]) -> None:
        """Take the address and the secret.

        Args:
            transport: the outbound client.
            url: where events go.
            secret: ``whsec_`` and the base64 of 24 to 64 random bytes.

        Raises:
            ConfigurationError: the secret has another form.
        """
        self._transport = transport
        self._url = url
        self._key = _key(secret)

    async def __call__(self, event: ReceivedEvent) -> None:
        """Post one event.

        Raises:
            TransportError: it was not accepted.
        """
        body = msgspec.json.encode(event_body(event))
        timestamp = str(int(time.time()))
        signed = b".".join((event.id.encode(), timestamp.encode(), body))
        signature = base64.b64encode(digest(self._key.reveal(), signed, sha256)).decode()
        headers = {
            "content-type": "application/json",
            "webhook-id": event.id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{signature}",
        }
        request = HttpRequest("POST", self._url, headers, body)
        response = await self._transport.send(request, timeout=_SECONDS)
        if not 200 <= response.status <= 299:
            raise TransportError("the app did not accept the event", outcome_unknown=True)


def _key(secret: Secret[str]) -> Secret[bytes]:
    text = secret.reveal()
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
        raise ConfigurationError(
            "FANKEEP_FORWARD_SECRET must be whsec_ and the base64 of 24 to 64 random bytes, the form that "
            "Standard Webhooks libraries take"
        )
    return Secret(key)
