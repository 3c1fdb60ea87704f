"""JSON of which there is only one reading; what it refuses, other parsers read in different ways."""

from __future__ import annotations

import json
import math
from typing import NoReturn, TypeAlias

import msgspec

from fankeep.errors import HostileInputError

__all__ = ["JSON_REASONS", "MAX_DEPTH", "Json", "decode_strict"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

JSON_REASONS = frozenset(
    {"not_utf8", "not_json", "duplicate_key", "number_out_of_range", "lone_surrogate", "too_deep"}
)
"""Every ``HostileInputError.reason`` of this module."""

MAX_DEPTH = 32
"""Of lists and objects inside one another; real messages have five. Whoever walks the value may recurse."""

_INTEGER_MAX = 2**64 - 1
_INTEGER_MIN = -(2**63)
_INTEGER_DIGITS = 20

_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 19  # shorter ones are in range, and msgspec takes any length

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def decode_strict(body: bytes) -> Json:
    """Decode a JSON text (RFC 8259) that every correct parser reads alike.

    Fast parsers keep one of two equal keys in silence, and which one differs between them, so that a check
    and a use may disagree. A body that encoding the decoded value gives back byte for byte has nothing of
    that kind in it; any other one goes through the standard library's scanner, which can tell.

    Raises:
        HostileInputError: with one of ``JSON_REASONS``: not UTF-8 (a byte order mark included), not JSON,
            NaN or Infinity, a number beyond 64-bit integers or finite doubles, half of a surrogate pair,
            nested deeper than ``MAX_DEPTH``.
    """
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH and _LONG_NUMBER not in body.translate(_DIGITS):
        try:
            value: Json = _decode(body)
            if _encode(value) == body:
                return value
        except ValueError:  # msgspec's errors and UnicodeDecodeError; the scanner gives the reason
            pass
    return _scan(body)


def _scan(body: bytes) -> Json:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise HostileInputError("not_utf8") from None
    try:
        value: Json = _DECODER.decode(text)
    except RecursionError:
        raise HostileInputError("too_deep") from None
    except ValueError:
        raise HostileInputError("not_json") from None
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise HostileInputError("too_deep")
    if "\\ud" in text or "\\uD" in text:
        _refuse_lone_surrogates(value)
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    decoded = dict(pairs)
    if len(decoded) != len(pairs):
        raise HostileInputError("duplicate_key")
    return decoded


def _integer(text: str) -> int:
    if len(text) <= _INTEGER_DIGITS and _INTEGER_MIN <= (number := int(text)) <= _INTEGER_MAX:
        return number
    raise HostileInputError("number_out_of_range")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise HostileInputError("number_out_of_range")
    return number


def _constant(_: str) -> NoReturn:
    raise HostileInputError("not_json")  # NaN, Infinity, -Infinity


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _depth(value: Json) -> int:
    depth, level = 0, [value]
    while level := [inner for inner in level if isinstance(inner, (dict, list))]:
        depth += 1
        level = [one for inner in level for one in (inner.values() if isinstance(inner, dict) else inner)]
    return depth


def _refuse_lone_surrogates(value: Json) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise HostileInputError("lone_surrogate") from None
