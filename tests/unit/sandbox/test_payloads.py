"""What webhooks say, held against the catalogue of events."""

from functools import reduce

import pytest

from fankeep.fanvue.event_types import EVENT_TYPES
from fankeep.sandbox.dice import Dice
from fankeep.sandbox.payloads import TOPICS, Family, sample_scene
from fankeep.sandbox.settings import EventScopes
from fankeep.sandbox.world import make_world


@pytest.fixture(scope="module")
def scene():
    world = make_world(1, now=1_800_000_000)
    return sample_scene(world, world.first_creator, Dice(1, "test"), now=1_800_000_000)


def test_the_topics_are_those_of_the_catalogue():
    assert set(TOPICS) == set(EVENT_TYPES)


@pytest.mark.parametrize("name", TOPICS)
def test_every_body_names_its_creator_where_the_catalogue_looks_for_it(name, scene):
    topic = TOPICS[name]
    body = topic.body(scene, event_id="event-1")
    data = body if topic.family is Family.LEGACY else body["data"]
    places = [reduce(dict.__getitem__, place, data) for place in EVENT_TYPES[name].creator]
    assert places == [scene.creator.uuid]


def test_checkout_events_need_read_creator_and_app_payments_nothing():
    for topic in TOPICS.values():
        needed = topic.scope(EventScopes.DOCUMENTED)
        assert needed == ("read:creator" if topic.family is Family.CHECKOUT else None)
        assert (topic.scope(EventScopes.RESOURCE) is None) == (topic.family is Family.APP)


@pytest.mark.parametrize("name", TOPICS)
def test_envelopes_carry_id_type_time_and_data_and_flat_bodies_none_of_them(name, scene):
    topic = TOPICS[name]
    body = topic.body(scene, event_id="event-1")
    if topic.family is Family.LEGACY:
        assert not {"id", "type", "data"} & body.keys()
    else:
        assert (body["id"], body["type"]) == ("event-1", name)
        assert body["timestamp"] == "2027-01-15T08:00:00.000Z"
        assert body["data"]
