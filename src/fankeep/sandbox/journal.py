"""Every request the sandbox got, in order, so that a test can ask what really happened."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from itertools import islice
from typing import ClassVar, TypeAlias, TypedDict, Unpack, cast

import msgspec

from fankeep.sandbox.json import JsonObject

__all__ = ["NAMES", "Entry", "Journal", "Kind", "Note", "Notes", "fingerprint"]

Note: TypeAlias = "str | int | float | bool | None"

_LIMIT = 200_000
_KEPT = 2_000


class Kind(StrEnum):
    """What a request was for."""

    PAGE = "page"
    AUTHORIZE = "authorize"
    TOKEN = "token"  # noqa: S105 - the name of an endpoint
    REVOKE = "revoke"
    USERINFO = "userinfo"
    DISCOVERY = "discovery"
    API = "api"
    UPLOAD = "upload"
    DELIVERY = "delivery"
    UNKNOWN = "unknown"


class Notes(TypedDict, total=False):
    """What an endpoint may add to an entry; tokens and codes as fingerprints."""

    attempt: int
    chain: int
    client_id: str
    code: str
    creator: str
    endpoint: str
    event_id: str
    fault: str | None
    fault_moment: str
    forge: str | None
    grant_type: str
    incident: str
    issued: int
    operation: str
    part: int
    refresh_token: str
    scopes: str
    size: int
    token: int
    use: int
    versioned: bool


@dataclass(slots=True)
class Entry:
    """One request; ``outcome`` and ``status`` are filled in when it is answered.

    Attributes:
        number: from 1, without gaps.
        at: when it arrived, by the sandbox's clock.
        route: the template of the path, so that entries can be counted by it.
        outcome: an OAuth error code, an operation's result word, or ``ok``.
        notes: what the endpoint adds: grant type, token fingerprint, chain, operation.
    """

    number: int
    at: float
    kind: Kind
    method: str
    route: str
    status: int | None = None
    outcome: str | None = None
    answered_at: float | None = None
    notes: dict[str, Note] = field(default_factory=dict)

    def note(self, **notes: Unpack[Notes]) -> None:
        """Add to what is known about this request."""
        self.notes.update(cast("Mapping[str, Note]", notes))

    def finish(self, status: int, *, at: float) -> None:
        """Record the answer."""
        self.status = status
        self.answered_at = at
        if self.outcome is None:
            self.outcome = "ok" if status < 400 else "refused"

    def matches(self, wanted: Mapping[str, str]) -> bool:
        """Whether every given field or note has the given value, compared as text."""
        return all(_text(self._value(name)) == value for name, value in wanted.items())

    def as_json(self) -> JsonObject:
        """The entry as the control API shows it."""
        return {
            "number": self.number,
            "at": self.at,
            "kind": self.kind.value,
            "method": self.method,
            "route": self.route,
            "status": self.status,
            "outcome": self.outcome,
            "answered_at": self.answered_at,
            **self.notes,
        }

    def _value(self, name: str) -> object:
        return self.notes[name] if name in self.notes else getattr(self, name, None)


NAMES = frozenset({one.name for one in fields(Entry)} - {"notes"} | Notes.__annotations__.keys())
"""The names by which entries can be asked for."""


class Journal:
    """The entries, the oldest falling out past a fixed number; a state file keeps the newest of them."""

    KEPT: ClassVar[tuple[str, ...]] = ("_count", "newest")

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_LIMIT)
        self._count = 0

    @property
    def newest(self) -> str:
        """The newest 2,000 entries as JSON: a state is written for each request, so they have to be cheap."""
        first = max(0, len(self._entries) - _KEPT)
        return msgspec.json.encode(list(islice(self._entries, first, None))).decode()

    @newest.setter
    def newest(self, entries: str) -> None:
        kept = msgspec.json.decode(entries, type=list[Entry])
        self._entries = deque(kept, maxlen=_LIMIT)

    def begin(self, kind: Kind, method: str, route: str, *, at: float) -> Entry:
        """Write down that a request arrived."""
        self._count += 1
        entry = Entry(self._count, at, kind, method, route)
        self._entries.append(entry)
        return entry

    def find(
        self, wanted: Mapping[str, str] | None = None, *, since: int = 0, limit: int | None = None
    ) -> list[Entry]:
        """The entries after number ``since`` whose fields or notes have the wanted values, oldest first.

        Args:
            wanted: field or note names with their values as text.
            since: only entries with a greater number.
            limit: at most this many, the newest ones.
        """
        found = [entry for entry in self._entries if entry.number > since and entry.matches(wanted or {})]
        return found if limit is None else found[-limit:]


def fingerprint(value: str) -> str:
    """A short digest that tells two tokens apart without showing either."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _text(value: object) -> str:
    return "" if value is None else str(value)
