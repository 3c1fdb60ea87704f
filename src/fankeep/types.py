"""The words that every floor shares: identifiers, and HTTP messages as values."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import NewType, TypeAlias, TypeVar

__all__ = ["Flow", "Generation", "GrantId", "HttpRequest", "HttpResponse", "KeyId", "UserId"]

T = TypeVar("T")

UserId = NewType("UserId", str)
"""The Fanvue uuid of a creator, lower case, as `/users/me` gives it; the key of everything we store."""

GrantId = NewType("GrantId", str)
"""128 random bits as 32 hex digits."""

Generation = NewType("Generation", int)
"""Moves by one when a token pair is stored, replaced by a login, or ended; never back."""

KeyId = NewType("KeyId", str)
"""The name of a data key or key-encryption key; not secret."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP request as a value; what to send, not how.

    Attributes:
        url: absolute, with scheme and host.
        headers: lower-case names. Hidden from ``repr``, since ``authorization`` is one of them.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP answer as a value; header names are lower case, repeated ones joined with a comma."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


Flow: TypeAlias = Generator[HttpRequest, HttpResponse, T]
"""An exchange of several round trips: ``response = yield request``; ``transport`` drives it."""
