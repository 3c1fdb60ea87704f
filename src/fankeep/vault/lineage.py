"""Which login or refresh brought what a grant's row holds, as its ``stored_by`` says."""

from __future__ import annotations

from fankeep.store.grants import GrantRow
from fankeep.types import Generation

__all__ = ["kept_by", "login_stored", "replaced_by", "token_generation"]

_LOGIN_PREFIX = "login:"
_KEPT_PREFIX = "kept:"


def replaced_by(login: str) -> str:
    """``stored_by`` of a generation that a login brought in whole."""
    return _LOGIN_PREFIX + login


def kept_by(login: str, row: GrantRow) -> str:
    """``stored_by`` of the generation after ``row``, whose refresh token a login keeps."""
    return f"{_KEPT_PREFIX}{token_generation(row)}:{login}"


def login_stored(row: GrantRow) -> bool:
    """Whether a login brought the row's refresh token, so that what came before is no part of its chain."""
    return (row.stored_by or "").startswith(_LOGIN_PREFIX)


def token_generation(row: GrantRow) -> Generation:
    """Return the generation that brought the row's refresh token.

    It is older than the row's own when a login without a refresh token has kept the one there was. An answer
    to a send of that token is right for every generation that still holds it.
    """
    stored_by = row.stored_by or ""
    if not stored_by.startswith(_KEPT_PREFIX):
        return row.generation
    number = stored_by.split(":")[1]
    return Generation(int(number)) if number.isdecimal() else row.generation
