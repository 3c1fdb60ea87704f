"""People in an event beside the one under whose index it is found.

A row has one index of one fan. What names somebody else as well would be missed by an export and outlive an
erasure, so it is not kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fankeep.fanvue import Event, event_type
from fankeep.fanvue.identifiers import as_uuid
from fankeep.policy import Json

__all__ = ["second_persons"]

_UUID = "uuid"


def second_persons(event: Event) -> tuple[str, ...]:
    """Return the dotted paths under which somebody stands who is neither the fan nor the creator.

    Only places are looked at where the catalogue says that the other person may lie; lists on the way are
    looked through, as minimising does.
    """
    return tuple(
        ".".join(_person(place))
        for place in event_type(event.type).fan
        if any(_is_other(value, event) for value in _values(event.data, place))
    )


def _person(place: Sequence[str]) -> Sequence[str]:
    """The whole person of whom a place names the uuid."""
    return place[:-1] if len(place) > 1 and place[-1] == _UUID else place


def _is_other(value: Json, event: Event) -> bool:
    if value == event.fan:  # the usual case
        return False
    uuid = as_uuid(value)
    return uuid is not None and uuid not in (event.fan, event.creator)


def _values(value: Json | Mapping[str, Json], place: Sequence[str]) -> Iterator[Json]:
    if isinstance(value, list):
        for item in value:
            if not isinstance(item, list):  # a list of lists is not kept anyway
                yield from _values(item, place)
    elif place:
        yield from _values(value.get(place[0]) if isinstance(value, Mapping) else None, place[1:])
    elif not isinstance(value, Mapping):
        yield value
