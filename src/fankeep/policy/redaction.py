"""What a log line may say: the last step before an event is rendered.

Three nets, one behind the other: names of fields whose values are never logged, the exact secrets that this
process was started with, and the shapes that tokens, signatures, callback parameters and addresses have.
Whatever is not plain data becomes the name of its type, so that no ``repr`` is ever called.

The nets are for accidents. Code logs ids, codes and counts.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from math import isfinite
from typing import NamedTuple, TypeAlias
from urllib.parse import quote

from fankeep.policy.shapes import CONTROL, HARMLESS, replace_shapes
from fankeep.secret import Secret

__all__ = ["REDACTED", "Loggable", "Redactor"]

Loggable: TypeAlias = "bool | int | float | str | list[Loggable] | dict[str, Loggable] | None"

REDACTED = "[redacted]"

# fmt: off
_SECRET_WORDS = frozenset({
    "access", "apikey", "assertion", "auth", "authorization", "bearer", "ciphertext", "cookie", "cookies",
    "credential", "credentials", "csrf", "jwt", "nonce", "passphrase", "passwd", "password", "pin",
    "plaintext", "refresh", "secret", "secrets", "sig", "signature", "token", "tokens", "verifier", "wrapped",
})
"""A field whose name is one of these or ends in one (`client_secret`) is never shown."""

_SECRET_NAMES = frozenset({
    "api_key", "client_key", "key_material", "private_key", "session_id", "set_cookie",
})
_PERSONAL_NAMES = frozenset({
    "about_me", "address", "avatar", "avatar_url", "banner_url", "bio", "birthday", "body", "caption", "city",
    "comment", "content", "data", "display_name", "email", "fan", "first_name", "form", "full_name", "handle",
    "headers", "ip", "json", "last_name", "location", "message", "name", "nickname", "params", "payload",
    "phone", "phone_number", "query", "query_string", "raw", "sender", "text", "user_agent", "username",
})
"""What people wrote, or what identifies them."""
# fmt: on

_WORD_NAMES = frozenset({"code", "state", "auth_code", "authorization_code"})
"""Ours are words (`code=invalid_grant`, `state=live`), OAuth's are secrets; only a word is let through."""

_MAX_DEPTH = 6
_MAX_NODES = 256
_MAX_NAME = 64
_MAX_NAMES = 1024
_MAX_TEXT = 1024
_MIN_KNOWN = 6
_WORD = re.compile(r"[a-z]{1,24}(?:_[a-z]{1,24}){0,5}")
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s.\-]+")


class Redactor:
    """Makes events fit to be logged.

    Args:
        known: secrets to look for by value, such as the client secret; those under 6 characters are passed
            over, since they would blot out ordinary words. Also found when percent-encoded or in base64.

    Security:
        The pattern holds the values; the object's ``repr`` does not show it.
    """

    __slots__ = ("_known", "_names")

    def __init__(self, known: Iterable[Secret[str]] = ()) -> None:
        spellings = {spelling for secret in known for spelling in _spellings(secret.reveal())}
        longest_first = sorted(spellings, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        self._names: dict[str, _Name] = {}

    def __repr__(self) -> str:
        return "Redactor()"

    def redact(self, event: Mapping[str, object]) -> dict[str, Loggable]:
        """Return a copy of an event that is safe to render, whatever was put in.

        The result is plain JSON data of bounded size, with at most 256 values, 6 levels and 1,024 characters
        a text (a longer text is left out, not cut: a cut secret has no shape any more).
        """
        return _Walk(self).fields(event, 0)

    def text(self, value: str) -> str:
        """Redact one text: known secrets and shapes replaced, control characters encoded, length bounded."""
        if len(value) > _MAX_TEXT:
            return f"<text of {len(value)}>"
        if self._known is not None:
            value = self._known.sub(REDACTED, value)
        if HARMLESS.fullmatch(value):
            return value
        return CONTROL.sub(_encode_control, replace_shapes(value, REDACTED))

    def name(self, name: object) -> _Name:
        """Look up what kind of field a name stands for; names come from code, so they are remembered."""
        if not isinstance(name, str):
            return _Name(f"<{type(name).__name__}>", _Kind.PLAIN)
        found = self._names.get(name)
        if found is None:
            shown = self.text(name) if len(name) <= _MAX_NAME else f"<name of {len(name)}>"
            found = _Name(shown, _kind(_snake(name)))
            if len(self._names) < _MAX_NAMES:
                self._names[name] = found
        return found


class _Kind(Enum):
    PLAIN = auto()
    WORD = auto()
    WITHHELD = auto()


class _Name(NamedTuple):
    shown: str
    kind: _Kind


class _Walk:
    """One event on its way through: counts what it has seen, so that no event can be endless."""

    __slots__ = ("_left", "_redactor")

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._left = _MAX_NODES

    def fields(self, fields: Mapping[str, object], depth: int) -> dict[str, Loggable]:
        result: dict[str, Loggable] = {}
        for raw_name, value in fields.items():
            if self._left <= 0:
                result["truncated"] = True
                break
            name, kind = self._redactor.name(raw_name)
            if kind is _Kind.PLAIN or value is None or isinstance(value, bool):
                result[name] = self._value(value, depth + 1)
            else:
                result[name] = _word(value) if kind is _Kind.WORD else REDACTED
        return result

    def _value(self, value: object, depth: int) -> Loggable:
        self._left -= 1
        if isinstance(value, str):
            return self._redactor.text(str.__str__(value))
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return int(value) if abs(value) < 1 << 63 else "<int>"
        if isinstance(value, float):
            return float(value) if isfinite(value) else "<float>"
        return self._container(value, depth)

    def _container(self, value: object, depth: int) -> Loggable:
        if isinstance(value, (Secret, bytes, bytearray, memoryview)):
            return REDACTED
        if depth < _MAX_DEPTH and isinstance(value, Mapping):
            return self.fields(value, depth)
        if depth < _MAX_DEPTH and isinstance(value, (list, tuple, set, frozenset)):
            return self._items(value, depth)
        return f"<{type(value).__name__}>"

    def _items(self, values: Iterable[object], depth: int) -> Loggable:
        result: list[Loggable] = []
        for value in values:
            if self._left <= 0:
                result.append("<truncated>")
                break
            result.append(self._value(value, depth + 1))
        return result


def _kind(name: str) -> _Kind:
    if name in _WORD_NAMES:
        return _Kind.WORD
    if name in _SECRET_NAMES or name in _PERSONAL_NAMES or name.rpartition("_")[2] in _SECRET_WORDS:
        return _Kind.WITHHELD
    return _Kind.PLAIN


def _word(value: object) -> Loggable:
    if isinstance(value, str) and _WORD.fullmatch(value):
        return value
    return value if isinstance(value, int) and 0 <= value < 1000 else REDACTED


def _snake(name: str) -> str:
    return _WORD_BREAK.sub("_", name).lower().strip("_")


def _spellings(secret: str) -> set[str]:
    if len(secret) < _MIN_KNOWN:
        return set()
    in_base64 = base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode().rstrip("=")
    return {secret, quote(secret, safe="", errors="replace"), in_base64}


def _encode_control(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
