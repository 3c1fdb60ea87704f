"""What an answer of the API means to fankeep's own calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from fankeep.errors import ProviderError, RetryableError, TransportError
from fankeep.fanvue.limits import RATE_LIMIT_HEADER, RATE_LIMIT_REMAINING_HEADER, RATE_LIMIT_RESET_HEADER
from fankeep.fanvue.strict_json import Json

__all__ = ["ApiAnswer", "ApiError", "RateLimit", "read_answer"]

_DIGITS = re.compile(r"[0-9]{1,10}")
_GOOD = range(200, 300)
_TOO_MANY = 429
_SERVER_FAILED = 500
_SUNSET = frozenset({"deprecation", "sunset"})


class _Unreadable:
    """A body that is not what its content type says."""


_UNREADABLE = _Unreadable()


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What the API said about the bucket that a call was taken from; None where it said nothing.

    Attributes:
        limit: calls that the bucket holds.
        remaining: calls that are left in it.
        reset_at: when it is full again, in seconds since 1970 by Fanvue's clock.
    """

    limit: int | None
    remaining: int | None
    reset_at: int | None


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """An answer of the API, decoded.

    Attributes:
        data: JSON as plain values, with every field that came, known or not; text as ``str``; other content
            as None, as is an empty body.
        request_id: Fanvue's name of the request, for its support, if it gave one.
        deprecated: True when the answer announced the end of this version of the API.
    """

    status: int
    data: Json = field(repr=False)
    request_id: str | None
    rate_limit: RateLimit
    deprecated: bool


class ApiError(ProviderError):
    """Fanvue's API refused the call.

    Attributes:
        answer: what it answered. The message of the error holds nothing of it, since it may repeat what was
            sent.
    """

    def __init__(self, answer: ApiAnswer) -> None:
        super().__init__(http_status=answer.status)
        self.answer = answer


def read_answer(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> ApiAnswer:
    """Turn an answer into a value or an error.

    Args:
        status: of the answer.
        headers: lower-case names.
        body: the whole body.

    Returns:
        The answer, when it is a 2xx that can be read.

    Raises:
        ApiError: a refusal that repeating does not change.
        ProviderError: a 2xx that cannot be read; the call has had its effect.
        RetryableError: 429; nothing was done, and ``retry_after`` says when to come back.
        TransportError: 5xx; nobody knows what was done.
    """
    fields = dict(headers)
    if status == _TOO_MANY:
        raise RetryableError("Fanvue's rate limit is reached", retry_after=_number(fields.get("retry-after")))
    if status >= _SERVER_FAILED:
        raise TransportError("Fanvue's API failed to answer", outcome_unknown=True)
    good = status in _GOOD
    data = _decode(fields.get("content-type", ""), body)
    if good and isinstance(data, _Unreadable):
        raise ProviderError("Fanvue's answer could not be read", http_status=status)
    answer = ApiAnswer(
        status=status,
        data=None if isinstance(data, _Unreadable) else data,
        request_id=fields.get("x-request-id"),
        rate_limit=_rate_limit(fields),
        deprecated=not _SUNSET.isdisjoint(fields),
    )
    if not good:
        raise ApiError(answer)
    return answer


def _rate_limit(fields: Mapping[str, str]) -> RateLimit:
    return RateLimit(
        limit=_number(fields.get(RATE_LIMIT_HEADER)),
        remaining=_number(fields.get(RATE_LIMIT_REMAINING_HEADER)),
        reset_at=_number(fields.get(RATE_LIMIT_RESET_HEADER)),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _DIGITS.fullmatch(text) else None


def _decode(content_type: str, body: bytes) -> Json | _Unreadable:
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return None
    try:
        if kind in {"", "application/json"} or kind.endswith("+json"):
            data: Json = msgspec.json.decode(body)
            return data
        return body.decode() if kind.startswith("text/") else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _UNREADABLE
