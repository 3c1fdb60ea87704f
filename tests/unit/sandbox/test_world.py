"""The made-up world."""

from fankeep.sandbox.world import make_world


def sketch(world):
    return [
        (
            creator.uuid,
            creator.handle,
            [fan.handle for fan in creator.followers],
            [(m.uuid, m.text, m.read) for chat in creator.chats.values() for m in chat.messages],
            [payment.gross for payment in creator.payments],
        )
        for creator in world.creators.values()
    ]


def test_the_same_seed_makes_the_same_people(start):
    assert sketch(make_world(7, now=start)) == sketch(make_world(7, now=start))


def test_another_seed_makes_other_people(start):
    assert sketch(make_world(7, now=start)) != sketch(make_world(8, now=start))


def test_everybody_is_unique_and_nothing_lies_in_the_future(start):
    world = make_world(3, now=start)
    uuids = [*world.creators, *world.fans]
    assert len(set(uuids)) == len(uuids)
    for creator in world.creators.values():
        assert set(creator.subscribers) <= set(creator.followers)
        assert creator.chats
        for chat in creator.chats.values():
            times = [message.sent_at for message in chat.messages]
            assert times == sorted(times)
            assert times[-1] < start


def test_people_are_found_by_uuid_and_by_handle(start):
    world = make_world(1, now=start)
    creator = world.first_creator
    assert world.creator(creator.uuid) is world.creator(creator.handle) is creator
    assert world.creator("nobody") is None


def test_reading_a_chat_leaves_nothing_unread(start):
    world = make_world(1, now=start)
    chat = next(chat for creator in world.creators.values() for chat in creator.chats.values() if chat.unread)
    count = len(chat.unread)
    assert chat.mark_read() == count
    assert not chat.unread
