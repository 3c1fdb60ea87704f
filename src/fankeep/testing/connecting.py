"""The app's half of a connection: the authorization URL, and code against tokens (RFC 6749, RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from fankeep.errors import ConfigurationError
from fankeep.fanvue.hosts import AUTHORIZE_PATH, TOKEN_PATH

__all__ = ["Client", "Connected"]

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Connected:
    """What an app holds after a creator has connected it.

    Attributes:
        creator: the uuid, as ``/users/me`` tells it.
        refresh_token: empty when ``offline_access`` was not granted.
        id_token: empty when ``openid`` was not granted.
        expires_in: seconds that the access token lives.
    """

    creator: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    id_token: str = field(repr=False)
    scope: str
    expires_in: int


class Client:
    """An app that connects one creator, once.

    Args:
        base_url: of the sandbox.
        client_id: of the app.
        client_secret: of the app.
        redirect_uri: registered for the app; nobody listens there.
    """

    def __init__(self, base_url: str, client_id: str, client_secret: str, redirect_uri: str) -> None:
        self._base_url = base_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._verifier = secrets.token_urlsafe(32)

    def authorization_url(self, scopes: Iterable[str]) -> str:
        """Where the browser is sent."""
        digest = hashlib.sha256(self._verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(scopes),
            "state": secrets.token_urlsafe(16),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self._base_url}{AUTHORIZE_PATH}?{urlencode(query)}"

    def tokens(self, callback: str, *, creator: str) -> Connected:
        """Exchange the code of a callback.

        Args:
            callback: the URL to which the browser was sent back.
            creator: the uuid of who agreed.

        Raises:
            ConfigurationError: the callback carries an error, or the sandbox refuses the code.
        """
        fields = parse_qs(urlsplit(callback).query)
        if "code" not in fields:
            raise ConfigurationError(f"the sandbox did not connect the app: {fields['error'][0]}")
        status, answer = self._exchange(fields["code"][0])
        if status != 200:
            raise ConfigurationError(f"the sandbox answered the code with status {status}")
        return Connected(
            creator=creator,
            access_token=str(answer["access_token"]),
            refresh_token=str(answer.get("refresh_token", "")),
            id_token=str(answer.get("id_token", "")),
            scope=str(answer["scope"]),
            expires_in=int(str(answer["expires_in"])),
        )

    def _exchange(self, code: str) -> tuple[int, dict[str, object]]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": self._verifier,
        }
        basic = base64.b64encode(f"{self._client_id}:{self._client_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection(urlsplit(self._base_url).netloc, timeout=_SECONDS)
        try:
            connection.request("POST", TOKEN_PATH, urlencode(form), headers)
            answer = connection.getresponse()
            return answer.status, dict(json.loads(answer.read()))
        finally:
            connection.close()
