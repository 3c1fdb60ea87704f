"""Which row of the outcome table applies to a finished token request."""

from __future__ import annotations

from dataclasses import dataclass

from fankeep.errors import TransportError
from fankeep.oauth.outcome_table import OUTCOME_TABLE, Answer, Condition, Outcome, Row
from fankeep.oauth.retry_after import parse_retry_after
from fankeep.oauth.tokens import TokenResponse, parse_token_response
from fankeep.oauth.wire import error_code, successful
from fankeep.types import HttpResponse

__all__ = ["Verdict", "classify_exchange"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The row that applies to an exchange, and what was read on the way.

    Attributes:
        tokens: the new pair, exactly when the outcome is `Outcome.SUCCESS`.
        cool_down: seconds in which this grant sends nothing; the server's ``Retry-After`` when it gave one to
            a row that waits, else the row's own; 0 when the outcome has its own schedule.
    """

    row: Row
    tokens: TokenResponse | None
    cool_down: float

    @property
    def outcome(self) -> Outcome:
        """What to do."""
        return self.row.outcome

    @property
    def code(self) -> str:
        """The fixed word to store."""
        return self.row.code


@dataclass(frozen=True, slots=True)
class _Facts:
    answer: Answer
    status: int | None = None
    error: str | None = None
    tokens: TokenResponse | None = None


def classify_exchange(exchange: HttpResponse | TransportError, *, now: float) -> Verdict:
    """Say what a finished token request means; total, every exchange gets exactly one row.

    Args:
        exchange: the answer, or the error that came instead of one.
        now: seconds since 1970, for a ``Retry-After`` that is a date.
    """
    facts = _facts_of(exchange)
    row = next(row for row in OUTCOME_TABLE if _applies(row.when, facts))
    return Verdict(row=row, tokens=facts.tokens, cool_down=_cool_down(row, exchange, now))


def _applies(when: Condition, facts: _Facts) -> bool:
    if when.answer is not None and facts.answer is not when.answer:
        return False
    if when.errors is not None and facts.error not in when.errors:
        return False
    if when.statuses is None:
        return True
    lowest, highest = when.statuses
    return facts.status is not None and lowest <= facts.status <= highest


def _facts_of(exchange: HttpResponse | TransportError) -> _Facts:
    if isinstance(exchange, TransportError):
        return _Facts(Answer.LOST if exchange.outcome_unknown else Answer.NEVER_SENT)
    if successful(exchange):
        tokens = parse_token_response(exchange.body)
        return _Facts(Answer.OTHER if tokens is None else Answer.TOKENS, exchange.status, tokens=tokens)
    error = error_code(exchange)
    if error is not None:
        return _Facts(Answer.ERROR, exchange.status, error=error)
    return _Facts(Answer.HTML if _is_html(exchange) else Answer.OTHER, exchange.status)


def _is_html(response: HttpResponse) -> bool:
    return response.headers.get("content-type", "").strip().lower().startswith("text/html")


def _cool_down(row: Row, exchange: HttpResponse | TransportError, now: float) -> float:
    if not row.cool_down or isinstance(exchange, TransportError):
        return row.cool_down
    return parse_retry_after(exchange, now=now) or row.cool_down
