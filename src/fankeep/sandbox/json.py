"""JSON in and out, with one place that says what happens to input that is none."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from fankeep.fanvue.strict_json import Json

__all__ = ["Json", "JsonObject", "decode_json", "encode_json", "object_of"]

JsonObject: TypeAlias = dict[str, Json]
"""A JSON object; its members are checked where they are used."""


def encode_json(value: object) -> bytes:
    """Write a value as compact JSON."""
    return msgspec.json.encode(value)


def decode_json(data: bytes) -> Json:
    """Read JSON.

    Raises:
        ValueError: the bytes are not JSON, or nested too deeply.
    """
    try:
        decoded: Json = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("the body is not JSON") from None
    return decoded


def object_of(value: Json) -> JsonObject:
    """The value if it is a JSON object.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004 - a mistake in input, not in code
    return value
