"""People with a profile: fans, and those who work for an agency."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Fan", "Person", "TeamMember"]


@dataclass(slots=True, eq=False)
class Person:
    """Somebody with a profile.

    Attributes:
        since: when they signed up, in seconds since 1970.
    """

    uuid: str
    handle: str
    display_name: str
    since: float


@dataclass(slots=True, eq=False)
class Fan(Person):
    """Somebody who follows, subscribes, writes and pays.

    Attributes:
        seen_at: when they were last online; None for somebody who was not seen yet.
    """

    email: str
    online: bool = False
    seen_at: float | None = None


@dataclass(slots=True, eq=False)
class TeamMember:
    """Somebody who works for an agency.

    Attributes:
        access: ``ADMIN`` or ``CHATTER`` by the uuid of a creator.
    """

    uuid: str
    email: str
    display_name: str
    admin: bool = False
    nickname: str | None = None
    access: dict[str, str] = field(default_factory=dict)
