"""As whom a program that shows a service key may act."""

from __future__ import annotations

import re
from typing import Final, Protocol

from starlette.types import Scope

from fankeep.errors import NotConnected
from fankeep.fanvue.identifiers import as_uuid
from fankeep.gateway.browser import session_of
from fankeep.gateway.messages import note, one_header
from fankeep.gateway.refusals import NotCovered, NotFound, ServiceKeyRequired
from fankeep.gateway.services import SessionService
from fankeep.secret import Secret
from fankeep.servicekeys import ServiceKey
from fankeep.types import UserId

__all__ = ["Callers", "KeyService"]

_BEARER: Final = re.compile(rb"bearer +([!-~]+)", re.IGNORECASE)


class KeyService(Protocol):
    """Service keys; ``fankeep.servicekeys.ServiceKeys``."""

    async def authenticate(self, shown: Secret[str]) -> ServiceKey | None:
        """Find the key that was shown."""


class Callers:
    """Finds the key of a request, and the creator that it may act as.

    Security:
        Whether a creator exists is told only to a key that covers the creator.
    """

    def __init__(self, keys: KeyService, sessions: SessionService) -> None:
        self._keys = keys
        self._sessions = sessions

    async def key(self, scope: Scope) -> ServiceKey:
        """Return the service key that the request shows as a bearer token (RFC 6750 section 2.1).

        Raises:
            ServiceKeyRequired: there is none, or it is not good; the log tells why.
        """
        shown = _BEARER.fullmatch(one_header(scope, b"authorization") or b"")
        key = None if shown is None else await self._keys.authenticate(Secret(shown[1].decode("ascii")))
        if key is None:
            raise ServiceKeyRequired
        note(scope, service_key=key.id)
        return key

    async def of_session(self, scope: Scope, key: ServiceKey) -> UserId:
        """Return the creator whose browser's session came with the request.

        Raises:
            NotConnected: there is no living session.
            NotCovered: the key is for other creators.
        """
        session = await session_of(scope, self._sessions)
        if session is None:
            raise NotConnected
        return _covered(session.user, key, session=True)

    def named(self, scope: Scope, key: ServiceKey, segment: bytes) -> UserId:
        """Return the creator that the address names.

        Raises:
            NotFound: it names nobody.
            NotCovered: the key is for others, or for sessions only.
        """
        user = as_uuid(segment.decode("latin-1"))
        if user is None:
            raise NotFound("no_user")
        note(scope, user=user)
        return _covered(UserId(user), key, session=False)


def _covered(user: UserId, key: ServiceKey, *, session: bool) -> UserId:
    if not key.permissions.covers(user, session=session):
        raise NotCovered("user")
    return user
