"""Who sends what has to be refused: an address may do so for a while, then nothing more is read from it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final, TypeVar

from starlette.types import Scope

from fankeep.gateway.messages import header_texts
from fankeep.gateway.refusals import TooManyRefused
from fankeep.policy import TrustedProxies

__all__ = ["Sources"]

T = TypeVar("T")

_REFUSALS: Final = 60
_WINDOW: Final = 60.0
_TRUSTED_FOR: Final = 3600.0
_LOOKED_AT_EVERY: Final = 1.0
_KEPT: Final = 4096


class Sources:
    """Counts refusals by address. Used from one event loop; each process counts for itself.

    After 60 refusals in a minute an address has to wait for the rest of that minute. Never held back are an
    address from which something genuine came within an hour, a proxy that does not say whom it speaks for,
    and an address that is none of the Internet's, which is a proxy that nobody declared: behind each of them
    may be Fanvue itself.

    Args:
        proxies: whose word about the client's address is taken.
        clock: seconds, monotonic.
    """

    def __init__(self, proxies: TrustedProxies, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._proxies = proxies
        self._clock = clock
        self._refusals: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._genuine: OrderedDict[str, float] = OrderedDict()
        self._looked_at = -_LOOKED_AT_EVERY

    def check(self, scope: Scope) -> None:
        """Let a request pass, before anything of its body is read.

        Raises:
            TooManyRefused: its address has to wait.
        """
        if not self._refusals:  # nobody has been refused anything, so nobody's address is looked at
            return
        address, now = self._address(scope), self._clock()
        began, count = self._refusals.get(address, (now, 0))
        left = began + _WINDOW - now
        if count >= _REFUSALS and left > 0 and not self._is_genuine(address, now):
            raise TooManyRefused(left)

    def refused(self, scope: Scope) -> None:
        """Count a request that was refused."""
        address, now = self._address(scope), self._clock()
        if address in self._proxies or not _of_the_internet(address):
            return
        began, count = self._refusals.pop(address, (now, 0))
        fresh = now - began >= _WINDOW
        _keep(self._refusals, address, (now, 1) if fresh else (began, count + 1))

    def accepted(self, scope: Scope) -> None:
        """Note that something genuine came; looked at once a second, since most of what comes is."""
        now = self._clock()
        if now - self._looked_at < _LOOKED_AT_EVERY:
            return
        self._looked_at = now
        address = self._address(scope)
        self._genuine.pop(address, None)
        _keep(self._genuine, address, now)

    def _is_genuine(self, address: str, now: float) -> bool:
        seen = self._genuine.get(address)
        return seen is not None and now - seen < _TRUSTED_FOR

    def _address(self, scope: Scope) -> str:
        peer = scope["client"][0] if scope.get("client") else ""
        return self._proxies.client(peer, header_texts(scope, b"x-forwarded-for"))


def _of_the_internet(address: str) -> bool:
    try:
        return ip_address(address).is_global
    except ValueError:
        return False


def _keep(known: OrderedDict[str, T], address: str, value: T) -> None:
    known[address] = value
    if len(known) > _KEPT:
        known.popitem(last=False)
