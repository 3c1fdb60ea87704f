"""What an event says, as typed values."""

import dataclasses

import pytest

from fankeep.fanvue import EVENT_TYPES, details
from fankeep.fanvue.detail_types import DETAIL_TYPES, read_detail
from fankeep.sandbox.dice import Dice
from fankeep.sandbox.payloads import TOPICS, Family, sample_scene
from fankeep.sandbox.world import make_world

FAN = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"
CANDIDATES = ("canary", FAN, 4711, True, "2026-11-14T22:13:20.000Z", ["canary"], {"canary": "canary"})
ON_THE_EVENT = {"timestamp"}
"""What stands on the event: its time; the creator is left out by the catalogue's own word."""


@pytest.fixture(scope="module")
def sent():
    """The data of an event as Fanvue would send it."""
    world = make_world(1, now=1_800_000_000)
    scene = sample_scene(world, world.first_creator, Dice(1, "details"), now=1_800_000_000)

    def data(name, **changes):
        body = TOPICS[name].body(dataclasses.replace(scene, **changes), event_id="event-1")
        return body if TOPICS[name].family is Family.LEGACY else body["data"]

    return data


def nested(path, value):
    for name in reversed(path.replace("[]", "").replace("{}", "").split(".")):
        value = {name: value}
    return value


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=lambda kind: kind.name)
def test_every_field_of_the_catalogue_is_reached_by_a_typed_event(kind):
    nothing = read_detail(kind.name, {})
    for path in kind.fields.keys() - {".".join(place) for place in kind.creator} - ON_THE_EVENT:
        read = [read_detail(kind.name, nested(path, value)) for value in CANDIDATES]
        assert any(detail != nothing for detail in read), path


def test_every_type_of_the_catalogue_has_a_typed_event_and_another_has_none():
    assert DETAIL_TYPES.keys() == EVENT_TYPES.keys()
    assert read_detail("creator.story.viewed", {"uuid": "x"}) is None


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=lambda kind: kind.name)
def test_the_names_of_one_fact_give_one_type(kind):
    assert {DETAIL_TYPES[twin] for twin in kind.twins} <= {DETAIL_TYPES[kind.name]}


def test_a_message_reads_the_same_by_either_name(sent):
    old = read_detail("message.received", sent("message.received"))
    new = read_detail("creator.message.received", sent("creator.message.received"))
    for field in ("uuid", "text", "created_at", "media_uuids", "is_muted", "fan"):
        assert getattr(old, field) == getattr(new, field) is not None
    assert new.sender == "fan"


@pytest.mark.parametrize(
    ("old", "new", "changes", "same"),
    [
        ("message.read", "creator.message.read", {}, set()),
        ("follow.new", "creator.follow.created", {}, {"created_at"}),
        ("subscription.new", "creator.subscription.activated", {}, {"created_at"}),
        ("tip.new", "creator.payment.succeeded", {"source": "tip"}, {"gross", "source", "message_uuid"}),
        (
            "tip.new",
            "creator.payment.succeeded",
            {"source": "tip", "on_post": True},
            {"gross", "source", "post_uuid"},
        ),
        (
            "purchase.new",
            "creator.payment.succeeded",
            {"source": "message"},
            {"gross", "source", "message_uuid", "paid_at"},
        ),
        (
            "purchase.new",
            "creator.payment.succeeded",
            {"source": "post", "on_post": True},
            {"gross", "source", "post_uuid", "paid_at"},
        ),
    ],
)
def test_what_both_names_tell_reads_the_same(sent, old, new, changes, same):
    first = read_detail(old, sent(old, **changes))
    second = read_detail(new, sent(new, **changes))
    assert first.fan.uuid == second.fan.uuid is not None
    for field in same:
        assert getattr(first, field) == getattr(second, field) is not None


def test_a_value_that_is_new_comes_through_as_it_was_written():
    assert read_detail("creator.message.sent", {"message_type": "HOLOGRAM"}).message_type == "HOLOGRAM"
    assert read_detail("creator.payment.succeeded", {"source": "lottery"}).source == "lottery"


def test_a_field_that_is_new_is_passed_over():
    data = {"uuid": "m", "mood": {"deep": [1]}, "fan": {"uuid": FAN, "mood": 1}}
    assert read_detail("creator.message.sent", data) == details.Message(
        uuid="m", fan=details.Person(uuid=FAN)
    )


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("creator.message.sent", {"uuid": 1, "is_muted": "yes", "media_uuids": "m", "fan": "x", "tip": 500}),
        ("creator.payment.succeeded", {"gross": "1299", "paid_at": 1700000000, "currency": ["USD"]}),
        ("creator.payment.succeeded", {"gross": True, "paid_at": "2026-11-14T22:13:20"}),
        ("checkout_link.payment.failed", {"fees": [], "metadata": "canary", "paid_in_full": 1}),
        ("message.read", {"counterpartUuid": "not a uuid", "readMessagesCount": 1.5}),
    ],
)
def test_a_value_of_another_type_is_none(name, data):
    assert read_detail(name, data) == read_detail(name, {})


def test_what_is_no_text_is_left_out_of_lists_and_maps_of_texts():
    data = {"media_uuids": ["a", 1, None, "b"]}
    assert read_detail("creator.message.sent", data).media_uuids == ("a", "b")
    data = {"metadata": {"a": "b", "c": 1}}
    assert read_detail("checkout_link.plan.completed", data).metadata == {"a": "b"}


def test_times_are_seconds_since_1970():
    assert read_detail("follow.new", {"timestamp": "2026-11-14T22:13:20.000Z"}).created_at == 1794694400.0


def test_what_is_personal_is_not_in_the_repr():
    for kind in EVENT_TYPES.values():
        for path, field in kind.fields.items():
            value = {"canary": "canary"} if path.endswith("{}") else "canary"
            shown = repr(read_detail(kind.name, nested(path, value)))
            assert field.kept or "canary" not in shown, (kind.name, path)
