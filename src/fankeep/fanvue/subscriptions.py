"""The subscriptions API: webhook endpoints that an app makes with the token of a creator.

The documentation describes it in prose and Fanvue's specification has no operation for it. Names of fields
are reported; a private app has seen every request refused with 400.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final, NamedTuple

from fankeep.errors import ProviderError
from fankeep.fanvue.event_types import EVENT_TYPES
from fankeep.fanvue.operations import Method, Operation, SideEffect
from fankeep.secret import Secret

__all__ = [
    "CREATE",
    "DELETE",
    "LIST",
    "REFUSALS",
    "SUBSCRIBABLE",
    "CreatedSubscription",
    "ListedSubscription",
    "chosen_events",
    "is_subscription_id",
    "read_created",
    "read_listed",
    "unknown_events",
]

REFUSALS: Final = frozenset({400, 403, 404})
"""What an app gets that may not use this API; by hand, in the developer area, it still can subscribe."""

SUBSCRIBABLE: Final = ("legacy", "creator", "checkout")
"""The families that a subscription can hear. Payments of the app come by themselves."""

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_EVENT: Final = re.compile(r"[a-z][a-z0-9_]{0,31}(?:\.[a-z0-9_]{1,48}){1,5}")
_MOST_LISTED: Final = 1000
_LONGEST: Final = 2048
_SHORTEST_SECRET: Final = 24


class CreatedSubscription(NamedTuple):
    """What the answer to a new subscription says; it is the only one that has the secret."""

    id: str
    secret: Secret[str]


class ListedSubscription(NamedTuple):
    """A subscription as Fanvue lists it."""

    id: str
    url: str
    events: tuple[str, ...]


def _operation(
    name: str, method: Method, path: str, side_effect: SideEffect, status: int, **params: str
) -> Operation:
    return Operation(
        id=name,
        method=method,
        path=path,
        params=MappingProxyType(params),
        scopes=(),
        side_effect=side_effect,
        query={},
        body=None,
        body_required=method == "POST",
        status=status,
        answer=None,
        errors=tuple(sorted(REFUSALS)),
        personal=MappingProxyType({}),
        notes="",
    )


# They stand outside of OPERATIONS, so that nobody calls them through the gateway: the answer has a secret.
CREATE: Final = _operation("createSubscription", "POST", "/webhooks/subscriptions", SideEffect.CREATES, 201)
LIST: Final = _operation("listSubscriptions", "GET", "/webhooks/subscriptions", SideEffect.NONE, 200)
DELETE: Final = _operation(
    "deleteSubscription", "DELETE", "/webhooks/subscriptions/{id}", SideEffect.DELETES, 204, id="str"
)


def is_subscription_id(value: object) -> bool:
    """Whether this may be the id of a subscription: letters, digits, and marks that need no encoding."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def read_created(data: object) -> CreatedSubscription:
    """Read the answer to a new subscription.

    Raises:
        ProviderError: it is not what is reported; whether there is a subscription now, only the list tells.
    """
    given = data if isinstance(data, dict) else {}
    identifier, secret = given.get("id"), given.get("signingSecret")
    if not isinstance(identifier, str) or not is_subscription_id(identifier):
        raise ProviderError("Fanvue's answer to the new subscription has no id that can be used")
    if not isinstance(secret, str) or not _SHORTEST_SECRET <= len(secret) <= _LONGEST or not secret.isascii():
        raise ProviderError("Fanvue's answer to the new subscription has no signing secret that can be used")
    return CreatedSubscription(identifier, Secret(secret))


def read_listed(data: object) -> list[ListedSubscription]:
    """Read a list of subscriptions, in ``data`` or bare; entries without a usable id are passed over.

    Raises:
        ProviderError: it is no list.
    """
    rows = data.get("data") if isinstance(data, dict) else data
    if not isinstance(rows, list):
        raise ProviderError("Fanvue's answer is no list of subscriptions")
    return [
        _listed(row)
        for row in rows[:_MOST_LISTED]
        if isinstance(row, dict) and is_subscription_id(row.get("id"))
    ]


def chosen_events(patterns: Iterable[str]) -> tuple[str, ...]:
    """Spell out which events are meant, as they are subscribed; sorted.

    Args:
        patterns: names, or patterns with ``*`` over the names of the catalogue. A name that the catalogue
            does not have is passed on if it has the form of one: Fanvue may know more than we do.

    Raises:
        ValueError: a pattern matches nothing, or a name has not the form of one.
    """
    known = _subscribable()
    chosen: set[str] = set()
    for pattern in patterns:
        matching = {name for name in known if fnmatchcase(name, pattern)}
        if not matching and not _EVENT.fullmatch(pattern):
            raise ValueError("an event has a name like creator.message.received; see the events page")
        chosen |= matching or {pattern}
    return tuple(sorted(chosen))


def unknown_events(events: Iterable[str]) -> dict[str, str | None]:
    """Find the names that the catalogue does not have, each with the one that was probably meant.

    Args:
        events: names in the form of one, as ``chosen_events`` returns them.
    """
    known = _subscribable()
    near = {name: difflib.get_close_matches(name, known, n=1) for name in events if name not in known}
    return {name: matches[0] if matches else None for name, matches in near.items()}


def _subscribable() -> list[str]:
    return [name for name, kind in EVENT_TYPES.items() if kind.family in SUBSCRIBABLE]


def _listed(row: dict[object, object]) -> ListedSubscription:
    url, events = row.get("url"), row.get("events")
    names = [name for name in events if isinstance(name, str)] if isinstance(events, list) else []
    return ListedSubscription(
        str(row["id"]), url[:_LONGEST] if isinstance(url, str) else "", tuple(sorted(set(names)))
    )
