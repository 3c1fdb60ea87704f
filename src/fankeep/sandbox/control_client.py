"""Talks to the control API of a running sandbox; for the command line, the demo and tests."""

from __future__ import annotations

from urllib.parse import urlencode

from fankeep.errors import ConfigurationError
from fankeep.sandbox.json import Json, decode_json, encode_json, object_of
from fankeep.transport import Transport
from fankeep.types import HttpRequest

__all__ = ["ControlClient"]

_SECONDS = 30.0
_LARGEST = 1 << 27


class ControlClient:
    """The control API as two calls.

    Args:
        base_url: of the sandbox, without a trailing slash.
        transport: the outbound HTTP client, with http to loopback allowed.
    """

    def __init__(self, base_url: str, transport: Transport) -> None:
        self._base_url = base_url.rstrip("/")
        self._transport = transport

    async def show(self, view: str, **query: str | int) -> Json:
        """Read a view: ``state grants journal needles endpoints deliveries held``.

        Raises:
            ConfigurationError: the sandbox does not know what is asked for.
            TransportError: it does not answer.
        """
        suffix = f"?{urlencode(query)}" if query else ""
        return await self._exchange(HttpRequest("GET", f"{self._base_url}/sandbox/{view}{suffix}"))

    async def do(self, action: str, **wanted: Json) -> dict[str, Json]:
        """Make something happen, for example ``do("hold", grant_type="refresh_token")``.

        Raises:
            ConfigurationError: the sandbox refuses; the message says why.
            TransportError: it does not answer.
        """
        request = HttpRequest(
            "POST",
            f"{self._base_url}/sandbox/{action}",
            {"content-type": "application/json"},
            encode_json(wanted),
        )
        return object_of(await self._exchange(request))

    async def _exchange(self, request: HttpRequest) -> Json:
        answer = await self._transport.send(request, timeout=_SECONDS, max_bytes=_LARGEST)
        try:
            content = decode_json(answer.body)
        except ValueError:
            raise ConfigurationError("this is not a sandbox, or not of this version") from None
        if answer.status != 200:
            raise ConfigurationError(_reason(content))
        return content


def _reason(content: Json) -> str:
    message = content.get("message") if isinstance(content, dict) else None
    return f"the sandbox refused: {message}" if isinstance(message, str) else "the sandbox refused"
