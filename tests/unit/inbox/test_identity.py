import pytest

from fankeep.fanvue import parse_event
from fankeep.inbox.identity import event_digest, event_id, fan_index, message_index
from fankeep.sealing import Mac
from fankeep.secret import Secret

KEY = Mac(Secret(b"k" * 32))


@pytest.fixture
def digest(room):
    def compute(body, *, scope="app", key=KEY):
        verified = room.verified(body, scope=scope)
        return event_digest(key, verified, parse_event(verified))

    return compute


def test_an_envelope_is_known_by_its_id_whatever_else_changes(room, digest):
    assert digest(room.message("evt_1")) == digest(room.message("evt_1", text="edited"))
    assert digest(room.message("evt_1")) != digest(room.message("evt_2"))


def test_a_received_message_of_the_legacy_family_is_known_by_its_uuid(room, digest):
    renamed = room.legacy_message(sender={"uuid": room.fan, "displayName": "renamed"})
    assert digest(room.legacy_message()) == digest(renamed)


def test_two_tips_on_one_message_are_two_events(room, digest):
    later = room.tip(timestamp="2026-11-14T22:14:00.000Z")
    assert digest(room.tip()) == digest(room.tip())
    assert digest(room.tip()) != digest(later)
    assert digest(room.tip()) != digest(room.legacy_message())


def test_an_id_of_a_strange_form_does_not_merge_events(room, digest):
    strange = [room.message(identifier, text=str(n)) for n, identifier in enumerate(["", 7, None, "x" * 999])]
    assert len({digest(body) for body in strange}) == len(strange)


def test_the_same_id_in_another_family_or_under_another_secret_is_another_event(room, digest):
    other_family = room.message() | {"type": "checkout_link.payment.succeeded"}
    assert digest(room.message()) != digest(other_family)
    assert digest(room.message()) != digest(room.message(), scope=f"creator:{room.creator}")


def test_without_the_key_a_digest_cannot_be_recomputed(room, digest):
    assert digest(room.message()) != digest(room.message(), key=Mac(Secret(b"x" * 32)))


def test_the_id_that_handlers_see_is_the_digest_in_hex():
    assert event_id(bytes(range(16))) == "000102030405060708090a0b0c0d0e0f"


def test_a_fan_has_another_index_with_every_creator(room):
    def index(creator):
        return fan_index(KEY, parse_event(room.verified(room.message(creator=creator))))

    assert index(room.creator) == index(room.creator)
    assert index(room.creator) != index(room.stranger)
    assert len(index(room.creator)) == 16


def test_an_event_without_a_fan_has_no_index(room):
    assert fan_index(KEY, parse_event(room.verified(room.message(fan=None)))) is None


def test_the_events_about_one_message_share_an_index_whatever_their_family(room):
    def index(body, *, key=KEY):
        return message_index(key, parse_event(room.verified(body)))

    uuid = room.legacy_message()["messageUuid"]
    found = index(room.message(uuid=uuid))
    assert len(found) == 16
    assert found == index(room.legacy_message()) == index(room.tip())
    assert found == index(room.message(uuid=uuid) | {"type": "creator.message.deleted"})
    assert found != index(room.message())
    assert found != index(room.message(uuid=uuid, creator=room.stranger))
    assert found != index(room.message(uuid=uuid), key=Mac(Secret(b"x" * 32)))


@pytest.mark.parametrize("missing", [{"uuid": None}, {"creator": None}])
def test_an_event_without_message_or_creator_has_no_index_of_a_message(room, missing):
    body = room.message()
    body["data"] |= missing
    assert message_index(KEY, parse_event(room.verified(body))) is None
