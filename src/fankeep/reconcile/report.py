"""What a comparison found, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from fankeep.types import UserId

__all__ = ["Compared", "Report"]


@dataclass(frozen=True, slots=True)
class Compared:
    """One kind of event.

    Attributes:
        seen: how many the API tells of.
        missing: how many of these never arrived as a webhook.
        filled: how many of the missing ones were stored now.
        unread: why the API could not be read, as a code; then the numbers are of what came before.
    """

    seen: int = 0
    missing: int = 0
    filled: int = 0
    unread: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One creator.

    Attributes:
        since: from when on was looked, in seconds since 1970.
    """

    creator: UserId
    since: float
    messages: Compared
    payments: Compared

    @property
    def readable(self) -> bool:
        """Whether all of it could be read."""
        return self.messages.unread is None and self.payments.unread is None

    @property
    def complete(self) -> bool:
        """Whether all was read, and nothing is missing that was not filled."""
        return self.readable and all(part.missing == part.filled for part in (self.messages, self.payments))
