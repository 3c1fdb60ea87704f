"""The catalogue of webhook events: what each kind carries, and what of it is kept."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypeAlias

import msgspec

from fankeep.fanvue._data import LazyMapping, read_data
from fankeep.fanvue.personal import KEPT_BY_DEFAULT, Personal
from fankeep.fanvue.strict_json import Json

__all__ = [
    "EVENT_TYPES",
    "UNKNOWN",
    "Certainty",
    "EventField",
    "EventType",
    "Family",
    "event_type",
    "names_of_fact",
]

Family: TypeAlias = Literal["legacy", "creator", "checkout", "app_payment", "unknown"]
"""``legacy`` bodies are flat and name no type; the others are envelopes ``{id, type, timestamp, data}``."""

Certainty: TypeAlias = Literal["documented", "documented_before", "reported", "inferred"]
"""Where a name or field is known from. Code must do without every field that is not ``documented``."""


@dataclass(frozen=True, slots=True)
class EventField:
    """One field of an event.

    Attributes:
        path: from ``data`` for envelopes, from the body for flat ones; notation of ``personal``.
        personal: what it says about a person.
    """

    path: str
    personal: Personal
    certainty: Certainty

    @property
    def kept(self) -> bool:
        """Whether it is stored without an opt-in."""
        return self.personal in KEPT_BY_DEFAULT


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event.

    Attributes:
        name: the ``type`` of an envelope; for a flat body the topic, or ours where that is a wildcard.
        topic: the name under which it is subscribed.
        creator: where the creator's uuid may lie; the first place that holds one counts.
        fan: the same for the other person, and ``message`` for the message.
        twins: kinds in another family that tell the same fact, so that one handler can serve both.
        twin_when: the values, by field, that a twin must have to tell the same; most have to have none.
        deletes_message: whether it says that the message is gone, and what is stored of it has to go.
        fields: by path.
    """

    name: str
    family: Family
    topic: str
    certainty: Certainty
    creator: tuple[tuple[str, ...], ...]
    fan: tuple[tuple[str, ...], ...]
    message: tuple[tuple[str, ...], ...]
    twins: frozenset[str]
    twin_when: Mapping[str, frozenset[str]]
    fields: Mapping[str, EventField]
    deletes_message: bool = False

    @property
    def kept(self) -> tuple[str, ...]:
        """The paths that are stored without an opt-in; lists are looked through, so without ``[]``."""
        return tuple(path.replace("[]", "") for path, field in self.fields.items() if field.kept)


UNKNOWN = EventType(
    name="unknown",
    family="unknown",
    topic="unknown",
    certainty="inferred",
    creator=(("creator", "uuid"), ("recipientUuid",)),
    fan=(),
    message=(),
    twins=frozenset(),
    twin_when={},
    fields={},
)
"""What anything else becomes: nothing is kept of it but who it was for and when it came."""


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    family: Family
    certainty: Certainty
    topic: str = ""
    creator: list[str] = []
    fan: list[str] = []
    message: list[str] = []
    twins: list[str] = []
    twin_when: dict[str, list[str]] = {}
    deletes_message: bool = False
    include: list[str] = []
    fields: dict[str, str] = {}


class _File(msgspec.Struct, forbid_unknown_fields=True):
    shapes: dict[str, dict[str, str]]
    event: list[_Row]


def _places(paths: list[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(path.split(".")) for path in paths)


def _fields(row: _Row, shapes: Mapping[str, Mapping[str, str]]) -> dict[str, EventField]:
    found = [
        field
        for shape, _, certainty in (text.partition(" ") for text in row.include)
        for field in _expanded("", f"@{shape} {certainty}", row.certainty, shapes)
    ]
    for path, text in row.fields.items():
        found += _expanded(path, text, row.certainty, shapes)
    return {field.path: field for field in found}


def _expanded(
    path: str, text: str, default: Certainty, shapes: Mapping[str, Mapping[str, str]]
) -> Iterator[EventField]:
    """Read ``class``, ``class certainty`` or ``@shape certainty``; a shape gives all of its fields."""
    what, _, said = text.strip().partition(" ")
    certainty: Certainty = msgspec.convert(said, Certainty) if said else default
    if not what.startswith("@"):
        yield EventField(path, Personal(what), certainty)
        return
    for name, inner in shapes[what[1:]].items():
        yield from _expanded(f"{path}.{name}" if path else name, inner, certainty, shapes)


@cache
def _catalogue() -> Mapping[str, EventType]:
    file = msgspec.convert(tomllib.loads(read_data("events.toml").decode()), _File)
    twins = {(row.type, twin) for row in file.event for twin in row.twins}
    twins |= {(twin, name) for name, twin in twins}
    return {
        row.type: EventType(
            name=row.type,
            family=row.family,
            topic=row.topic or row.type,
            certainty=row.certainty,
            creator=_places(row.creator),
            fan=_places(row.fan),
            message=_places(row.message),
            twins=frozenset(twin for name, twin in twins if name == row.type),
            twin_when={field: frozenset(values) for field, values in row.twin_when.items()},
            fields=_fields(row, file.shapes),
            deletes_message=row.deletes_message,
        )
        for row in file.event
    }


EVENT_TYPES: Final[Mapping[str, EventType]] = LazyMapping(_catalogue)
"""Every known kind by name; the file is read at the first look."""


def event_type(name: str) -> EventType:
    """Return the kind of that name, or ``UNKNOWN``."""
    return _catalogue().get(name, UNKNOWN)


def names_of_fact(name: str, data: Mapping[str, Json]) -> tuple[str, ...]:
    """Return every name under which one event can be looked for: its own, then those of its twins.

    A payment of the new family is a tip, a purchase or something that the old one has no name for.

    Args:
        name: of the event.
        data: what is known of it.
    """
    twins = (twin for twin in sorted(event_type(name).twins) if _same_fact(event_type(twin), data))
    return (name, *twins)


def _same_fact(twin: EventType, data: Mapping[str, Json]) -> bool:
    said = ((data.get(field), values) for field, values in twin.twin_when.items())
    return all(isinstance(value, str) and value in values for value, values in said)
