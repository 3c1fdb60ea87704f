"""asyncpg's exceptions as ours: busy, full or gone; damaged; or against the schema."""

from __future__ import annotations

from typing import Final

import asyncpg

from fankeep.errors import FankeepError, StorageError, StorageUnavailable
from fankeep.store.database import ConstraintViolated

__all__ = ["DRIVER_ERRORS", "as_ours", "commit_as_ours"]

DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""Everything that asyncpg raises when a statement does not succeed."""

_LOST: Final = "the connection to the database was lost"

# By SQLSTATE (PostgreSQL manual, appendix A); the longest prefix counts.
_PASSING: Final = {
    "08": _LOST,
    "25006": "the database is read-only here",
    "25P03": _LOST,
    "28": "the database refuses the login",
    "3D": "the database does not exist",
    "40": "the database is busy",
    "53": "the database has no room for more",
    "53100": "the disk is full",
    "53300": "the database takes no more connections",
    "55P03": "the database is busy",
    "57": "the database is stopping or starting",
    "57014": "the database is busy",
    "58": "the disk does not answer",
}
_DAMAGED: Final = ("XX001", "XX002")
_AGAINST_THE_SCHEMA: Final = ("22", "23")
_DOES_NOT_RUN: Final = "42"

_OUTCOME_OPEN: Final = ("08", "40003", "57")
"""What a server may answer to COMMIT after the change is durable: it was stopped before it could say so."""


def as_ours(problem: Exception) -> FankeepError:
    """Translate; raise the result ``from None``.

    Security:
        The driver's own message and traceback carry the parameters of the statement.
    """
    if isinstance(problem, asyncpg.InvalidCachedStatementError):
        return StorageUnavailable("the schema was changed meanwhile")
    if isinstance(problem, asyncpg.PostgresError):
        return _by_state(problem, problem.sqlstate or "")
    if isinstance(problem, asyncpg.InterfaceError) and isinstance(problem, ValueError):
        return ConstraintViolated()  # a value that no column of its type can hold
    if isinstance(problem, TimeoutError):
        return StorageUnavailable("the database does not answer")
    return StorageUnavailable(_LOST)


def commit_as_ours(problem: Exception) -> FankeepError:
    """Translate the failure of a COMMIT, which may have succeeded all the same."""
    if isinstance(problem, asyncpg.PostgresError) and not (problem.sqlstate or "08").startswith(
        _OUTCOME_OPEN
    ):
        return as_ours(problem)
    return StorageUnavailable("the connection was lost before the commit was confirmed", outcome_unknown=True)


def _by_state(problem: asyncpg.PostgresError, state: str) -> FankeepError:
    for length in (5, 2):
        if state[:length] in _PASSING:
            return StorageUnavailable(_PASSING[state[:length]])
    if state in _DAMAGED:
        return StorageError("the database is damaged")
    if state.startswith(_AGAINST_THE_SCHEMA):
        return ConstraintViolated()
    if state.startswith(_DOES_NOT_RUN):  # names tables, columns and types; values are bound, not pasted in
        return StorageError(f"the statement does not run: {problem.args[0]}")
    return StorageError(f"the statement failed: {type(problem).__name__}")
