"""Repeatable chance: the same seed and the same names give the same made-up world."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Self, TypeVar
from uuid import UUID

from fankeep.sandbox.json import Json

__all__ = ["Dice"]

T = TypeVar("T")


class Dice:
    """A source of made-up values that depends on nothing but its seed and its name.

    Security:
        Predictable on purpose. Tokens, codes and secrets come from ``credentials``, never from here.
    """

    def __init__(self, seed: int, *names: str) -> None:
        self._random = random.Random("\0".join((str(seed), *names)))  # noqa: S311 - a fake world repeats itself

    def state(self) -> Json:
        """Where it stands, for :meth:`again`."""
        version, numbers, gauss = self._random.getstate()
        return [version, list(numbers), gauss]

    @classmethod
    def again(cls, state: Json) -> Self:
        """Dice that go on from where others stood.

        Raises:
            ValueError: there is no such place.
        """
        dice = cls(0)
        match state:
            case [int(version), [*numbers], None]:
                try:
                    dice._random.setstate((version, tuple(numbers), None))
                except (TypeError, OverflowError):
                    raise ValueError("not a place of dice") from None
            case _:
                raise ValueError("not a place of dice")
        return dice

    def uuid(self) -> str:
        """A version 4 UUID."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def number(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return self._random.randint(low, high)

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self._random.random() < probability

    def pick(self, values: Sequence[T]) -> T:
        """One of the values."""
        return self._random.choice(values)

    def sample(self, values: Sequence[T], count: int) -> list[T]:
        """Several different ones of the values, in a random order; fewer if there are fewer."""
        return self._random.sample(values, min(count, len(values)))
