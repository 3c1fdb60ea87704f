"""A value that can be used but not shown."""

from __future__ import annotations

import hmac
from typing import Generic, NoReturn, TypeVar

__all__ = ["Secret"]

T = TypeVar("T", str, bytes)

_REFUSAL = "a Secret is not printed, formatted or serialised; call reveal() at the place that needs the value"


class Secret(Generic[T]):
    """A token, key or password that refuses to be written anywhere by accident.

    ``str()``, f-strings, ``%s``, ``json.dumps``, ``pickle`` and ``copy`` raise ``TypeError``. ``repr()`` is
    the one exception and gives a fixed text without the value: tracebacks and debuggers call it, and an
    error inside them would hide the real one.

    Security:
        Python cannot wipe memory. The value stays in the process until the interpreter frees it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        if not isinstance(value, (str, bytes)):
            raise TypeError("a Secret holds str or bytes")
        object.__setattr__(self, "_value", value)

    def reveal(self) -> T:
        """Return the value; the only way to it, so that a search for this name finds every use."""
        value: T = object.__getattribute__(self, "_value")
        return value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        raise TypeError(_REFUSAL)

    def __format__(self, format_spec: str) -> str:
        raise TypeError(_REFUSAL)

    def __bytes__(self) -> bytes:
        raise TypeError(_REFUSAL)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(_REFUSAL)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        """Compare in constant time with another Secret; a bare value is never equal."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_octets(self.reveal()), _octets(other.reveal()))

    def __hash__(self) -> int:
        raise TypeError("a Secret is not a key of anything")


def _octets(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
