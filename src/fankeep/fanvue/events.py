"""What a webhook says: its kind, whom it concerns, when it happened.

Flat bodies of the legacy family name no type, so their shape decides, in this order: ``message`` is a
received message, ``readMessagesCount`` a read one, ``context`` a tip, ``postUuid`` or ``routeUuid`` a
purchase, ``price`` a subscription, and a person without any of these a follow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fankeep.fanvue.event_types import UNKNOWN, EventType, Family, event_type
from fankeep.fanvue.identifiers import as_uuid
from fankeep.fanvue.signature import VerifiedWebhook
from fankeep.fanvue.strict_json import Json, decode_strict
from fankeep.fanvue.times import as_seconds
from fankeep.types import UserId

__all__ = ["Event", "parse_event"]

_SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_SANE_TYPE = re.compile(r"[a-z0-9_]{1,40}(?:\.[a-z0-9_]{1,40}){0,5}")

_LEGACY_SHAPES: Final = (
    ("message", "message.received"),
    ("readMessagesCount", "message.read"),
    ("context", "tip.new"),
    ("postUuid", "purchase.new"),
    ("routeUuid", "purchase.new"),
    ("price", "subscription.new"),
    ("sender", "follow.new"),
    ("follower", "follow.new"),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One verified event.

    Attributes:
        family: ``unknown`` for a type or shape that is not in the catalogue.
        type: a name of the catalogue, or ``unknown``.
        id: the envelope's id, stable over repeats; None for flat bodies and for ids of a strange form.
        occurred_at: seconds since 1970, from the body; None if it does not say.
        creator: whose account it is about; None if the body does not say.
        fan: the uuid of the other person.
        message_uuid: the message it is about.
        data: ``data`` of an envelope, the body of a flat one; everything, personal fields included, so
            hidden from ``repr``.
        declared_type: the ``type`` of an unknown envelope, to report it by; None if it is not a plain name.
        hint_agrees: whether the unsigned topic header names the same; None without one. It never has a part
            in the result: whoever can send a request can write the header.
    """

    family: Family
    type: str
    id: str | None
    occurred_at: float | None
    creator: UserId | None
    fan: str | None
    message_uuid: str | None
    data: Mapping[str, Json] = field(repr=False)
    declared_type: str | None = None
    hint_agrees: bool | None = None


def parse_event(verified: VerifiedWebhook, topic_hint: str | None = None) -> Event:
    """Read a verified body.

    Types and shapes that are not known are accepted as ``unknown``: Fanvue adds events without notice, and a
    receiver that refuses them is switched off. A body that is JSON but no object is such a shape.

    Args:
        verified: the body, as ``verify_webhook`` returns it.
        topic_hint: the value of ``x-fanvue-topic``, if the request had one.

    Raises:
        HostileInputError: the body has no single reading as JSON; ``reason`` is one of ``JSON_REASONS``.
            Nothing else is raised, whatever the bytes are.
    """
    decoded = decode_strict(verified.body)
    body = decoded if isinstance(decoded, dict) else {}
    if "type" in body:
        kind, data = _read_envelope(body)
    else:
        kind, data = _legacy_kind(body), body
    creator = _uuid_at(data, kind.creator)
    return Event(
        family=kind.family,
        type=kind.name,
        id=_matching(_SANE_ID, body.get("id")),
        occurred_at=as_seconds(body.get("timestamp")),
        creator=None if creator is None else UserId(creator),
        fan=_uuid_at(data, kind.fan),
        message_uuid=_uuid_at(data, kind.message),
        data=data,
        declared_type=_matching(_SANE_TYPE, body.get("type")) if kind is UNKNOWN else None,
        hint_agrees=None if topic_hint is None else _agrees(topic_hint, kind),
    )


def _read_envelope(body: dict[str, Json]) -> tuple[EventType, dict[str, Json]]:
    declared, data = body["type"], body.get("data")
    if not isinstance(data, dict):
        return UNKNOWN, body
    kind = event_type(declared) if isinstance(declared, str) else UNKNOWN
    # A flat kind has no business in an envelope: its fields would be looked for in the wrong places.
    return (UNKNOWN if kind.family == "legacy" else kind), data


def _legacy_kind(body: dict[str, Json]) -> EventType:
    if as_uuid(body.get("recipientUuid")) is None:
        return UNKNOWN
    for key, name in _LEGACY_SHAPES:
        if key in body:
            return event_type(name)
    return UNKNOWN


def _uuid_at(data: Mapping[str, Json], places: tuple[tuple[str, ...], ...]) -> str | None:
    for place in places:
        value: Json | Mapping[str, Json] = data
        for name in place:
            value = value.get(name) if isinstance(value, dict) else None
        if (uuid := as_uuid(value)) is not None:
            return uuid
    return None


def _matching(pattern: re.Pattern[str], value: Json) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _agrees(hint: str, kind: EventType) -> bool:
    wildcard = kind.topic.removesuffix("*")
    return hint == kind.name or (wildcard != kind.topic and hint.startswith(wildcard))
