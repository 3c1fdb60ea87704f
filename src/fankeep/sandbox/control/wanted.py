"""Reads the JSON body of a control request member by member, with an error that names the member."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from fankeep.sandbox.json import Json, JsonObject

__all__ = ["ControlError", "Wanted"]

E = TypeVar("E", bound=StrEnum)

_LARGEST = 9_999_999_999


class ControlError(Exception):
    """A control request that makes no sense; its text says which member."""


class Wanted:
    """What a control request asks for."""

    def __init__(self, body: JsonObject) -> None:
        self._body = body

    @property
    def members(self) -> JsonObject:
        """All of it."""
        return self._body

    def text(self, name: str) -> str | None:
        """A text; None when the member is missing or null.

        Raises:
            ControlError: it is something else.
        """
        value = self._body.get(name)
        if value is None or isinstance(value, str):
            return value
        raise ControlError(f"{name}: expected a text")

    def needed_text(self, name: str) -> str:
        """A text that has to be there.

        Raises:
            ControlError: it is not.
        """
        value = self.text(name)
        if value is None:
            raise ControlError(f"{name}: missing")
        return value

    def number(self, name: str, default: float) -> float:
        """A number of a size that times and amounts can have.

        Raises:
            ControlError: it is something else.
        """
        value = self._body.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ControlError(f"{name}: expected a number")
        if not -_LARGEST <= value <= _LARGEST:
            raise ControlError(f"{name}: expected a number up to ten digits long")
        return value

    def count(self, name: str, default: int = 1) -> int:
        """A whole number of at least 1 and at most 100,000.

        Raises:
            ControlError: it is something else.
        """
        value = self.number(name, default)
        if not 1 <= value <= 100_000:
            raise ControlError(f"{name}: expected a number from 1 to 100000")
        return int(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false.

        Raises:
            ControlError: it is something else.
        """
        value = self._body.get(name, default)
        if not isinstance(value, bool):
            raise ControlError(f"{name}: expected true or false")
        return value

    def texts(self, name: str) -> tuple[str, ...] | None:
        """A list of texts; None when the member is missing or null.

        Raises:
            ControlError: it is something else.
        """
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise ControlError(f"{name}: expected a list of texts")
        return tuple(_text_of(item, name) for item in value)

    def choice(self, name: str, words: type[E], default: E | None = None) -> E:
        """One of a fixed set of words.

        Raises:
            ControlError: it is none of them, or missing without a default.
        """
        value = self.text(name)
        if value is None and default is not None:
            return default
        try:
            return words(value or "")
        except ValueError:
            raise ControlError(f"{name}: expected one of {', '.join(words)}") from None

    def optional_choice(self, name: str, words: type[E]) -> E | None:
        """One of a fixed set of words, or None when the member is missing.

        Raises:
            ControlError: it is none of them.
        """
        return None if self.text(name) is None else self.choice(name, words)


def _text_of(value: Json, name: str) -> str:
    if not isinstance(value, str):
        raise ControlError(f"{name}: expected a list of texts")
    return value
