"""What a service key allows, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fankeep.errors import ConfigurationError
from fankeep.fanvue.identifiers import as_uuid
from fankeep.fanvue.operations import OPERATIONS
from fankeep.types import UserId

__all__ = ["EVERY_OPERATION", "Permissions", "Reach"]

EVERY_OPERATION: Final = "all"
"""In place of ids: every operation that the app may call, whichever these are at the time of the call."""


class Reach(StrEnum):
    """For which creators a key can be used."""

    SESSION = "session"
    """For those whose browser's session comes with the call, and for nobody without it."""
    LISTED = "listed"
    """For those that it names."""
    ALL = "all"
    """For every creator."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a key allows.

    Attributes:
        operations: ids of API operations, or ``all``. The app's own list bounds them in any case.
        reach: for which creators.
        listed: these, when they are listed.
        access_tokens: whether it may ask for access tokens themselves. Such a token calls whatever its
            creator has granted to the app, past the list of operations.
        events: whether it may fetch the events of its creators, where events are pulled.
    """

    operations: frozenset[str]
    reach: Reach = Reach.SESSION
    listed: frozenset[UserId] = frozenset()
    access_tokens: bool = False
    events: bool = False

    def __post_init__(self) -> None:
        """Refuse what would mean nothing, or something else than it says.

        Raises:
            ConfigurationError: in one line.
        """
        if not self.operations <= {EVERY_OPERATION, *OPERATIONS}:
            raise ConfigurationError("a service key names an operation that the API does not have")
        if (self.reach is Reach.LISTED) != bool(self.listed):
            raise ConfigurationError("a service key lists creators, or reaches others, not both")
        if any(as_uuid(user) != user for user in self.listed):
            raise ConfigurationError("a service key lists creators by their Fanvue uuids")
        if self.access_tokens and self.reach is Reach.SESSION:
            raise ConfigurationError("access tokens are for keys that reach all or listed creators")
        if self.events and self.reach is Reach.SESSION:
            raise ConfigurationError("events are for keys that reach all or listed creators")

    def allows(self, operation_id: str) -> bool:
        """Whether the key may be used for an operation."""
        return EVERY_OPERATION in self.operations or operation_id in self.operations

    def covers(self, user: UserId, *, session: bool) -> bool:
        """Whether the key may be used for a creator.

        Args:
            user: the creator.
            session: the creator's own session came with the call.
        """
        match self.reach:
            case Reach.SESSION:
                return session
            case Reach.LISTED:
                return user in self.listed
            case _:
                return True

    @classmethod
    def parse(cls, operations: str, users: str, *, access_tokens: bool, events: bool = False) -> Permissions:
        """Read the stored form.

        Raises:
            ConfigurationError: it is none.
        """
        named = frozenset(operations.split())
        if users in {Reach.SESSION, Reach.ALL}:
            return cls(named, Reach(users), access_tokens=access_tokens, events=events)
        listed = frozenset(UserId(user) for user in users.split())
        return cls(named, Reach.LISTED, listed, access_tokens, events)

    @property
    def stored_operations(self) -> str:
        """The operations as they are stored: sorted, so that one meaning has one form."""
        return " ".join(sorted(self.operations))

    @property
    def stored_users(self) -> str:
        """The reach as it is stored."""
        return " ".join(sorted(self.listed)) if self.reach is Reach.LISTED else self.reach.value
