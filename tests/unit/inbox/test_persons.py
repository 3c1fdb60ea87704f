"""One event, one person: who else is in it is not kept, so that an erasure of them leaves nothing."""

import pytest

from fankeep.fanvue import EVENT_TYPES, parse_event
from fankeep.inbox.opening import received
from fankeep.inbox.persons import second_persons
from fankeep.privacy.fans import Fans

OTHER = "aaaaaaaa-2b4a-4a04-9b70-3c0e0a1caa12"


def envelope(room, kind, **data):
    when = "2026-11-14T22:13:20.000Z"
    return {"id": "e1", "type": kind, "timestamp": when, "data": {"creator": {"uuid": room.creator}} | data}


async def kept(room, body):
    await room.inbox().accept(room.verified(body))
    (row,) = await room.rows()
    (claimed,) = await room.log.claim(limit=1, lease=60)
    return (await received(room.keys, claimed)).data, row["dropped"].split()


@pytest.mark.parametrize("kind", ["creator.refund.created", "creator.dispute.created"])
async def test_a_second_purchaser_is_not_kept_and_is_named_as_dropped(room, kind):
    two = {"purchaser": {"uuid": room.fan}, "payment": {"id": "p", "purchaser": {"uuid": OTHER}}}
    data, dropped = await kept(room, envelope(room, kind, **two))
    assert (data["purchaser"], data["payment"]) == ({"uuid": room.fan}, {"id": "p"})
    assert dropped == ["payment.purchaser"]
    fans = Fans(room.database, room.keys)
    assert (await fans.erase(room.creator, OTHER, actor="x")).events == 0
    assert (await fans.erase(room.creator, room.fan, actor="x")).events == 1


@pytest.mark.parametrize("kind", ["creator.post.liked", "creator.post.commented"])
async def test_an_actor_who_is_not_the_fan_is_not_kept(room, kind):
    data, dropped = await kept(room, envelope(room, kind, fan={"uuid": room.fan}, actor={"uuid": OTHER}))
    assert (data["fan"], "actor" in data, dropped) == ({"uuid": room.fan}, False, ["actor"])


async def test_a_second_sender_of_a_flat_body_is_not_kept(room):
    data, dropped = await kept(room, room.tip(sender={"uuid": OTHER}))
    assert (data["senderUuid"], "sender" in data, dropped) == (room.fan, False, ["sender"])


async def test_a_follower_beside_another_sender_is_not_kept(room):
    when = {"recipientUuid": room.creator, "timestamp": "2026-11-14T22:13:20.000Z"}
    data, dropped = await kept(room, {"sender": {"uuid": room.fan}, "follower": {"uuid": OTHER}, **when})
    assert (data["sender"], dropped) == ({"uuid": room.fan}, ["follower"])


async def test_several_people_where_one_was_expected_are_not_kept(room):
    people = [{"uuid": room.fan}, {"uuid": OTHER}]
    data, dropped = await kept(room, envelope(room, "creator.message.received", uuid="m", fan=people))
    assert (data["uuid"], "fan" in data, dropped) == ("m", False, ["fan"])


async def test_the_same_person_in_two_places_or_the_creator_in_one_is_kept(room):
    again = {"purchaser": {"uuid": room.fan}, "payment": {"purchaser": {"uuid": room.fan.upper()}}}
    assert second_persons(parse_event(room.verified(envelope(room, "creator.refund.created", **again)))) == ()
    own = {"fan": {"uuid": room.fan}, "actor": {"uuid": room.creator}}
    assert second_persons(parse_event(room.verified(envelope(room, "creator.post.liked", **own)))) == ()


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=lambda kind: kind.name)
def test_every_person_of_the_catalogue_is_where_the_index_looks(kind):
    # Somebody with a uuid and a name or an address is a person.
    paths = set(kind.fields)
    people = {
        path.removesuffix(".uuid")
        for path in paths
        if path.endswith(".uuid")
        and {path.removesuffix("uuid") + name for name in ("handle", "email")} & paths
    }
    assert people <= {".".join(place[:-1]) for place in kind.fan}
