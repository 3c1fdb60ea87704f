"""Query strings, built from names and values and never from a string that somebody sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import quote

__all__ = ["Query", "QueryValue", "encode_query", "query_pairs"]

QueryValue: TypeAlias = "str | int | float | bool | Sequence[str] | None"
Query: TypeAlias = Mapping[str, QueryValue] | Sequence[tuple[str, QueryValue]]


def query_pairs(query: Query) -> list[tuple[str, str]]:
    """Spell values as the API expects them.

    Args:
        query: None leaves a parameter out; truth values become ``true`` and ``false``, lists are joined with
            commas. As pairs instead of a mapping, so that a name can be repeated.
    """
    pairs = query.items() if isinstance(query, Mapping) else query
    return [(name, _spelled(value)) for name, value in pairs if value is not None]


def encode_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Percent-encode everything that is not unreserved (RFC 3986 section 2.3).

    Returns:
        The query string without its question mark; empty for no pairs.

    Raises:
        ValueError: the text cannot be encoded (half of a surrogate pair).
    """
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


def _spelled(value: str | float | Sequence[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return ",".join(value)
