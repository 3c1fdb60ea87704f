"""What the end of a token request means for the refresh token that was sent: one table, first match wins.

The question behind every row is whether the server may have *spent* the token. A token that was not spent
can wait and be sent again at any time. A token that may have been spent can be sent again only within the
server's grace, and after that only with care. Nothing but `Outcome.INVALID_GRANT` may end a grant.

The table is data: `fankeep.oauth.outcomes` reads it, ``docs/reference/token-errors.md`` is checked against
it, and the tests walk over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

__all__ = ["OUTCOME_TABLE", "Answer", "Condition", "Outcome", "Row"]


class Outcome(Enum):
    """What to do about an exchange."""

    SUCCESS = "success"
    """There is a new pair: store it, then hand it out."""

    NOT_SENT = "not_sent"
    """The request never left: try again at once or later, nothing happened."""

    PASSING = "passing"
    """Refused before the token was looked at: try again after the cool-down."""

    PASSING_REPORTED = "passing_reported"
    """As passing, and tell the operator: the server said something that this table does not know."""

    UNKNOWN = "unknown"
    """The token may be spent: repeat with the same token while the grace lasts."""

    WRONG_CLIENT = "wrong_client"
    """The client secret is wrong: try the other versions; if none works, block and alarm. No grant dies."""

    BLOCKED = "blocked"
    """A mistake in settings or registration: block, alarm, and probe slowly. No grant dies."""

    INVALID_GRANT = "invalid_grant"
    """The token is spent or revoked: the grant is dead if nothing else of its generation is unanswered."""


class Answer(Enum):
    """What an exchange brought, as far as the table cares."""

    NEVER_SENT = "never sent"
    LOST = "no answer"
    TOKENS = "tokens"
    ERROR = "OAuth error"
    HTML = "HTML page"
    OTHER = "anything else"


@dataclass(frozen=True, slots=True)
class Condition:
    """When a row applies; a member that is None applies always.

    Attributes:
        answer: what came back.
        statuses: the lowest and the highest HTTP status.
        errors: the ``error`` of the body is one of these.
    """

    answer: Answer | None = None
    statuses: tuple[int, int] | None = None
    errors: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: of the row, for tests and documentation.
        when: the condition.
        outcome: what it means.
        code: the fixed word that is stored as the grant's last error; empty for a success.
        cool_down: seconds to wait when the server does not say; 0 where the outcome has its own schedule.
        why: the reason, for the documentation.
    """

    name: str
    when: Condition
    outcome: Outcome
    code: str
    why: str
    cool_down: float = 0.0


_SHORT_WAIT: Final = 30.0
_LONG_WAIT: Final = 60.0
_SLOW_PROBE: Final = 900.0

OUTCOME_TABLE: Final[tuple[Row, ...]] = (
    Row(
        name="never sent",
        when=Condition(answer=Answer.NEVER_SENT),
        outcome=Outcome.NOT_SENT,
        code="not_sent",
        why="Name resolution, connection or TLS failed before a byte of the request left.",
    ),
    Row(
        name="no answer",
        when=Condition(answer=Answer.LOST),
        outcome=Outcome.UNKNOWN,
        code="no_answer",
        why="Time-out or broken connection after sending; the new pair may be on its way to nobody.",
    ),
    Row(
        name="tokens",
        when=Condition(answer=Answer.TOKENS),
        outcome=Outcome.SUCCESS,
        code="",
        why="A 2xx with a token response that passes every check.",
    ),
    Row(
        name="unusable success",
        when=Condition(statuses=(200, 299)),
        outcome=Outcome.UNKNOWN,
        code="unusable_answer",
        why="The server says it did it, but the answer is truncated or not a token response.",
    ),
    Row(
        name="redirect",
        when=Condition(statuses=(300, 399)),
        outcome=Outcome.BLOCKED,
        code="redirected",
        why="A token endpoint does not redirect and we do not follow; the pinned address is wrong.",
        cool_down=_SLOW_PROBE,
    ),
    Row(
        name="rate limit",
        when=Condition(statuses=(429, 429)),
        outcome=Outcome.PASSING,
        code="rate_limited",
        why="Refused before the token was looked at.",
        cool_down=_SHORT_WAIT,
    ),
    Row(
        name="temporarily unavailable",
        when=Condition(errors=frozenset({"temporarily_unavailable"})),
        outcome=Outcome.PASSING,
        code="temporarily_unavailable",
        why="The server says itself that it did not do it; this precedes its status, often 503.",
        cool_down=_SHORT_WAIT,
    ),
    Row(
        name="page instead of an answer",
        when=Condition(answer=Answer.HTML, statuses=(403, 404)),
        outcome=Outcome.PASSING,
        code="intercepted",
        why="A firewall or a maintenance page in front of the server; the request did not reach it.",
        cool_down=_LONG_WAIT,
    ),
    Row(
        name="server failure",
        when=Condition(statuses=(500, 599)),
        outcome=Outcome.UNKNOWN,
        code="server_failed",
        why="It may have failed after spending the token; a lost race of two refreshes looks like this too.",
    ),
    Row(
        name="request time-out",
        when=Condition(statuses=(408, 408)),
        outcome=Outcome.UNKNOWN,
        code="no_answer",
        why="Something on the way gave up waiting; the server itself may have finished.",
    ),
    Row(
        name="wrong client",
        when=Condition(errors=frozenset({"invalid_client"})),
        outcome=Outcome.WRONG_CLIENT,
        code="invalid_client",
        why="The client is authenticated before the token is looked at, so the token is not spent.",
        cool_down=_SLOW_PROBE,
    ),
    Row(
        name="invalid scope",
        when=Condition(errors=frozenset({"invalid_scope"})),
        outcome=Outcome.BLOCKED,
        code="invalid_scope",
        why="The app's registration changed; the operator has to look, the creator cannot help.",
        cool_down=_SLOW_PROBE,
    ),
    Row(
        name="unauthorized client",
        when=Condition(errors=frozenset({"unauthorized_client"})),
        outcome=Outcome.BLOCKED,
        code="unauthorized_client",
        why="The app may not refresh at all; the operator has to look.",
        cool_down=_SLOW_PROBE,
    ),
    Row(
        name="unsupported grant type",
        when=Condition(errors=frozenset({"unsupported_grant_type"})),
        outcome=Outcome.BLOCKED,
        code="unsupported_grant_type",
        why="The server does not refresh, or it is not the token endpoint; the operator has to look.",
        cool_down=_SLOW_PROBE,
    ),
    Row(
        name="invalid grant",
        when=Condition(statuses=(400, 499), errors=frozenset({"invalid_grant"})),
        outcome=Outcome.INVALID_GRANT,
        code="invalid_grant",
        why="Spent, revoked or expired. Our own unanswered send may be what spent it.",
    ),
    Row(
        name="invalid request",
        when=Condition(statuses=(400, 499), errors=frozenset({"invalid_request"})),
        outcome=Outcome.UNKNOWN,
        code="invalid_request",
        why="What the server answers when two refreshes of one token race; our request is well-formed.",
    ),
    Row(
        name="unknown error",
        when=Condition(answer=Answer.ERROR),
        outcome=Outcome.PASSING_REPORTED,
        code="unknown_error",
        why="A code that no rule names must not end a grant; it is not repeated either.",
        cool_down=_LONG_WAIT,
    ),
    Row(
        name="anything else",
        when=Condition(),
        outcome=Outcome.PASSING_REPORTED,
        code="unexpected_answer",
        why="Not an answer of a token endpoint.",
        cool_down=_LONG_WAIT,
    ),
)
"""Read from the top; the first row whose condition holds is the one. The last one always holds."""
