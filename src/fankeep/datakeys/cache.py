"""Opened keys in memory: bounded in number, and looked at again after a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["BoundedCache"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Values by key; the one that was not used for longest makes room.

    Args:
        size: how many values are kept.
        fresh_for: seconds after which a value has to be confirmed.
        clock: seconds that never go back.
    """

    def __init__(self, size: int, fresh_for: float, clock: Callable[[], float]) -> None:
        self._size = size
        self._fresh_for = fresh_for
        self._clock = clock
        self._entries: OrderedDict[K, tuple[V, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def fresh(self, key: K) -> V | None:
        """Return the value if it was put here less than ``fresh_for`` seconds ago."""
        entry = self._entries.get(key)
        if entry is None or self._clock() - entry[1] >= self._fresh_for:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def known(self, key: K) -> V | None:
        """Return the value however old it is."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def put(self, key: K, value: V) -> None:
        """Keep a value that was confirmed just now."""
        self._entries[key] = (value, self._clock())
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def drop(self, belongs: Callable[[V], bool]) -> None:
        """Forget every value for which ``belongs`` says so."""
        for key in [key for key, (value, _) in self._entries.items() if belongs(value)]:
            del self._entries[key]
