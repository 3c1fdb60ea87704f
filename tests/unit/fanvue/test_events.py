import pytest

from fankeep.errors import HostileInputError
from fankeep.fanvue import EVENT_TYPES

CREATOR = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"
FAN = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
MESSAGE = "00000000-0000-4000-8000-000000000001"
SENDER = {"uuid": FAN, "handle": "zoe", "displayName": "Zoë", "avatarUrl": None}
WHEN = "2023-11-14T22:13:20.000Z"


def flat(**fields: object) -> dict[str, object]:
    return {"recipientUuid": CREATOR, "timestamp": WHEN, **fields}


def envelope(kind: object, data: object) -> dict[str, object]:
    return {"id": "evt_1", "type": kind, "timestamp": WHEN, "data": data}


@pytest.mark.parametrize(
    ("body", "kind", "fan", "message"),
    [
        (
            flat(message={"uuid": MESSAGE, "text": "hi"}, messageUuid=MESSAGE, sender=SENDER, price=500),
            "message.received",
            FAN,
            MESSAGE,
        ),
        (flat(message={"uuid": MESSAGE}, sender=SENDER), "message.received", FAN, MESSAGE),
        (flat(readMessagesCount=3, counterpartUuid=FAN), "message.read", FAN, None),
        (flat(sender=SENDER), "follow.new", FAN, None),
        (flat(follower=SENDER), "follow.new", FAN, None),
        (flat(price=999, sender=SENDER), "subscription.new", FAN, None),
        (flat(price=999, sender=SENDER, postUuid=MESSAGE), "purchase.new", FAN, None),
        (flat(price=999, sender=SENDER, routeUuid=MESSAGE), "purchase.new", FAN, MESSAGE),
        (
            flat(price=1, sender=SENDER, senderUuid=FAN, context="post", postUuid=MESSAGE),
            "tip.new",
            FAN,
            None,
        ),
        (flat(price=1, sender=SENDER, context="message", messageUuid=MESSAGE), "tip.new", FAN, MESSAGE),
    ],
)
def test_flat_bodies_are_told_apart_by_their_shape(event, body, kind, fan, message):
    found = event(body)
    assert (found.family, found.type, found.fan, found.message_uuid) == ("legacy", kind, fan, message)
    assert (found.creator, found.id, found.occurred_at) == (CREATOR, None, 1_700_000_000.0)
    assert found.data["recipientUuid"] == CREATOR


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        [1],
        "text",
        7,
        None,
        {"price": 999, "sender": SENDER},
        flat(),
        flat(gift=1),
        {"recipientUuid": "not a uuid", "sender": SENDER},
        {"recipientUuid": None, "sender": SENDER},
        {"type": "creator.message.received"},
        envelope("creator.message.received", None),
        envelope("creator.message.received", [1]),
        envelope("creator.something.new", {"creator": {"uuid": CREATOR}}),
        envelope(None, {}),
        envelope(["creator.message.received"], {}),
        envelope("message.received", {"recipientUuid": CREATOR, "message": {}}),
    ],
)
def test_unknown_types_and_shapes_are_accepted_as_unknown(event, body):
    found = event(body)
    assert (found.family, found.type, found.fan, found.message_uuid) == ("unknown", "unknown", None, None)


def test_an_unknown_event_still_says_whose_it_is_and_what_it_calls_itself(event):
    found = event(envelope("creator.story.viewed", {"creator": {"uuid": CREATOR}, "secret": "text"}))
    assert (found.creator, found.id, found.declared_type) == (CREATOR, "evt_1", "creator.story.viewed")
    assert event(flat(gift=1)).creator == CREATOR


@pytest.mark.parametrize("declared", ["", "A", "a b", "a\nb", "a" * 300, "../x", 5, None, "a.", "\u202ea"])
def test_a_declared_type_that_is_no_plain_name_is_not_repeated(event, declared):
    assert event(envelope(declared, {})).declared_type is None


@pytest.mark.parametrize("kind", [name for name, kind in EVENT_TYPES.items() if kind.family != "legacy"])
def test_every_enveloped_type_is_recognised_with_its_creator(event, kind):
    found = event(envelope(kind, {"creator": {"uuid": CREATOR.upper()}}))
    assert (found.type, found.family, found.creator) == (kind, EVENT_TYPES[kind].family, CREATOR)
    assert found.declared_type is None


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("creator.message.received", {"fan": {"uuid": FAN}, "sender": "fan"}),
        ("creator.message.reaction", {"actor": {"uuid": FAN}}),
        ("creator.follow.created", {"follower": {"uuid": FAN}}),
        ("creator.payment.succeeded", {"purchaser": {"uuid": FAN}}),
        ("creator.refund.created", {"payment": {"purchaser": {"uuid": FAN}}}),
        ("checkout_link.payment.succeeded", {"purchaser": {"uuid": FAN, "email": None}}),
    ],
)
def test_the_fan_is_found_where_the_type_has_them(event, kind, data):
    assert event(envelope(kind, data)).fan == FAN


def test_the_data_of_an_envelope_is_what_is_handed_on(event):
    data = {"uuid": MESSAGE, "text": "hello", "creator": {"uuid": CREATOR}}
    found = event(envelope("creator.message.received", data))
    assert (found.data, found.message_uuid) == (data, MESSAGE)
    assert "hello" not in repr(found)


@pytest.mark.parametrize(
    "value", [None, 1, True, "", "a b", "a" * 129, "-x", "evt\n", ["evt"], {"a": 1}, "é"]
)
def test_an_id_of_a_strange_form_is_left_out(event, value):
    body = envelope("payout.paid", {})
    assert event({**body, "id": value}).id is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2023-11-14T22:13:20Z", 1_700_000_000.0),
        ("2023-11-14T23:13:20.5+01:00", 1_700_000_000.5),
        ("2023-11-14T22:13:20", None),
        ("2023-11-14", None),
        ("0001-01-01T00:00:00+23:59", None),  # in the year 0 of UTC, which nobody can write
        ("yesterday", None),
        ("9" * 1000, None),
        (1_700_000_000, None),
        (None, None),
        ({}, None),
    ],
)
def test_a_time_counts_when_it_says_its_offset(event, value, seconds):
    assert event({**envelope("payout.paid", {}), "timestamp": value}).occurred_at == seconds


@pytest.mark.parametrize("value", ["x", "", 5, None, [CREATOR], {"uuid": CREATOR}, CREATOR + "\n"])
def test_a_creator_that_is_no_uuid_is_nobody(event, value):
    assert event(envelope("payout.paid", {"creator": {"uuid": value}})).creator is None


@pytest.mark.parametrize(
    ("hint", "agrees"),
    [(None, None), ("message.received", True), ("message.read", True), ("tip.new", False), ("", False)],
)
def test_an_unsigned_hint_is_compared_and_changes_nothing_else(event, hint, agrees):
    body = flat(message={"uuid": MESSAGE}, sender=SENDER)
    found = event(body, hint)
    assert (found.type, found.hint_agrees) == ("message.received", agrees)


@pytest.mark.parametrize("hint", ["creator.message.received", "message.received", "x" * 10_000, "\ud800"])
def test_a_hint_does_not_make_an_unknown_shape_known(event, hint):
    assert event({"surprise": 1}, hint).type == "unknown"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"a":1,"a":2}', b"\xff", b"NaN", b"[" * 100_000, b'{"type":"a","type":"b","data":{}}'],
)
def test_a_body_without_a_single_reading_is_refused(event, body):
    with pytest.raises(HostileInputError):
        event(body)
