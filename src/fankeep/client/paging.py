"""The two ways in which the API cuts lists into pages, told apart by what an answer says."""

from __future__ import annotations

from collections.abc import Sequence

from fankeep.errors import ProviderError
from fankeep.fanvue.strict_json import Json

__all__ = ["next_page"]

_PAGE, _CURSOR = "page", "cursor"


def next_page(data: Json, asked: Sequence[tuple[str, str]]) -> list[tuple[str, str]] | None:
    """Say what to ask for next.

    Args:
        data: the decoded answer to the last page.
        asked: the query that it answered.

    Returns:
        The query of the next page, or None after the last.

    Raises:
        ProviderError: the answer points back to the page that it is the answer for.
    """
    if not isinstance(data, dict):
        return None
    cursor = data.get("nextCursor")
    if isinstance(cursor, str) and cursor:
        if (_CURSOR, cursor) in asked:
            raise ProviderError("the pages of Fanvue's answer lead in a circle")
        return _replaced(asked, _CURSOR, cursor)
    pagination = data.get("pagination")
    if isinstance(pagination, dict) and pagination.get("hasMore") is True and data.get("data"):
        return _replaced(asked, _PAGE, str(_number(asked) + 1))
    return None


def _number(asked: Sequence[tuple[str, str]]) -> int:
    """The number of the page that was asked for; the first one if none was."""
    numbers = [int(value) for name, value in asked if name == _PAGE and value.isascii() and value.isdigit()]
    return numbers[-1] if numbers else 1


def _replaced(asked: Sequence[tuple[str, str]], name: str, value: str) -> list[tuple[str, str]]:
    return [*((key, old) for key, old in asked if key != name), (name, value)]
