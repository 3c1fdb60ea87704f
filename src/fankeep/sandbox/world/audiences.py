"""Who is on a list: those that Fanvue keeps itself, and those that a creator has made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from fankeep.sandbox.world.model import Creator
from fankeep.sandbox.world.people import Fan

__all__ = ["SMART_LISTS", "audience", "smart_list"]

_SPENDER_CENTS = 5_000

SMART_LISTS: Mapping[str, str] = MappingProxyType(
    {
        "subscribers": "Subscribers",
        "auto_renewing": "Auto-renewing",
        "non_renewing": "Non-renewing",
        "followers": "Followers",
        "free_trial_subscribers": "Free trial subscribers",
        "expired_subscribers": "Expired subscribers",
        "spent_more_than_50": "Spent more than $50",
        "muted": "Muted",
    }
)
"""The names of Fanvue's own lists by their keys."""


def smart_list(creator: Creator, key: str) -> list[Fan]:
    """Who is on one of Fanvue's own lists; nobody on one that it does not have."""
    members = _MEMBERS.get(key)
    return [] if members is None else members(creator)


def audience(creator: Creator, included: Iterable[str], excluded: Iterable[str]) -> list[str]:
    """The uuids of those on some lists and not on others, each once; a list that is gone has no members."""
    out = {uuid for name in excluded for uuid in _members(creator, name)}
    wanted = dict.fromkeys(uuid for name in included for uuid in _members(creator, name))
    return [uuid for uuid in wanted if uuid not in out]


def _members(creator: Creator, name: str) -> list[str]:
    if name in SMART_LISTS:
        return [fan.uuid for fan in smart_list(creator, name)]
    made = creator.content.lists.get(name)
    return [] if made is None else made.members


def _expired(creator: Creator) -> list[Fan]:
    ended = dict.fromkeys(one.fan for one in creator.subscriptions if not one.active)
    return [fan for fan in ended if creator.relation(fan) == "expired"]


def _spenders(creator: Creator) -> list[Fan]:
    paying = dict.fromkeys(payment.fan for payment in creator.payments)
    return [fan for fan in paying if creator.spent(fan) > _SPENDER_CENTS]


_MEMBERS: Mapping[str, Callable[[Creator], list[Fan]]] = MappingProxyType(
    {
        "subscribers": lambda creator: creator.subscribers,
        "auto_renewing": lambda creator: [s.fan for s in creator.subscriptions if s.active and s.renews],
        "non_renewing": lambda creator: [s.fan for s in creator.subscriptions if s.active and not s.renews],
        "followers": lambda creator: creator.mere_followers,
        "free_trial_subscribers": lambda creator: [
            s.fan for s in creator.subscriptions if s.active and s.trial
        ],
        "expired_subscribers": _expired,
        "spent_more_than_50": _spenders,
        "muted": lambda creator: [chat.fan for chat in creator.chats.values() if chat.muted],
    }
)
