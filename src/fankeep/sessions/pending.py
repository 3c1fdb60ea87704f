"""Sign-ins that have started and not come back: they lie sealed in cookies of the browser that started them.

The server stores nothing when a sign-in starts, so there is nothing to flood.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from fankeep.datakeys import InstallationKeys
from fankeep.errors import CallbackError, SealError
from fankeep.oauth import PendingLogin
from fankeep.policy import LOGIN_COOKIES
from fankeep.sealing import NONCE_LENGTH, Context, open_sealed, parse_sealed, seal
from fankeep.secret import Secret

__all__ = ["PendingLogins"]


class PendingLogins:
    """Seals pending sign-ins into cookies and opens them again.

    Security:
        A cookie is bound to its own name and to this installation. The browser cannot read the verifier in
        it or change the return path.
    """

    def __init__(self, keys: InstallationKeys) -> None:
        self._installation = keys.id
        self._key = keys.sealing_key("pending-logins")

    def put(
        self, login: PendingLogin, cookies: Mapping[str, Secret[str]], *, now: float
    ) -> tuple[str, Secret[str]]:
        """Seal a sign-in for a place that is free, or for that of the oldest one.

        Args:
            login: what to remember.
            cookies: our cookies of the request.
            now: seconds since 1970.

        Returns:
            The name and value of the cookie to set.
        """
        name = self._place(cookies, now)
        sealed = seal(self._key, self._context(name), login.encode(), nonce=secrets.token_bytes(NONCE_LENGTH))
        return name, Secret(urlsafe_b64encode(bytes(sealed)).decode().rstrip("="))

    def read(self, cookies: Mapping[str, Secret[str]]) -> dict[str, PendingLogin]:
        """Open every pending sign-in of a browser, by the name of its cookie; others are passed over."""
        opened = {name: self._open(name, cookies[name]) for name in LOGIN_COOKIES if name in cookies}
        return {name: login for name, login in opened.items() if login is not None}

    def _place(self, cookies: Mapping[str, Secret[str]], now: float) -> str:
        waiting = {name: login for name, login in self.read(cookies).items() if not login.expired(now)}
        free = [name for name in LOGIN_COOKIES if name not in waiting]
        if free:
            # At random: two windows that start at the same moment rarely overwrite each other.
            return secrets.choice(free)
        return min(waiting, key=lambda name: waiting[name].created_at)

    def _open(self, name: str, value: Secret[str]) -> PendingLogin | None:
        text = value.reveal()
        try:
            sealed = parse_sealed(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            return PendingLogin.decode(open_sealed(self._key, self._context(name), sealed))
        except (ValueError, SealError, CallbackError):
            return None

    def _context(self, name: str) -> Context:
        return Context(
            installation=self._installation, user="", table="cookies", record=name, field="pending_login"
        )
