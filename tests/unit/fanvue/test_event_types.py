import re

import pytest

from fankeep.fanvue import EVENT_TYPES, UNKNOWN, Personal, event_type, names_of_fact

PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[\]|\{\})?(?:\.[A-Za-z_][A-Za-z0-9_]*(?:\[\]|\{\})?)*")


def test_every_known_family_is_in_the_catalogue():
    counts = {}
    for kind in EVENT_TYPES.values():
        counts[kind.family] = counts.get(kind.family, 0) + 1
    assert counts == {"legacy": 6, "creator": 17, "checkout": 13, "app_payment": 2}


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=lambda kind: kind.name)
def test_fields_have_readable_paths_and_include_the_uuids_that_are_looked_for(kind):
    assert all(PATH.fullmatch(path) for path in kind.fields)
    for place in (*kind.creator, *kind.fan, *kind.message):
        assert kind.fields[".".join(place)].personal is Personal.ID


def test_texts_names_handles_and_addresses_are_not_kept_by_default():
    for kind in EVENT_TYPES.values():
        for path, field in kind.fields.items():
            last = re.split(r"[.\[{]", path.rstrip("[]{}"))[-1]
            if last in {
                "text",
                "handle",
                "displayName",
                "display_name",
                "avatarUrl",
                "avatar_url",
                "email",
                "name",
            }:
                assert not field.kept, (kind.name, path)
            assert field.kept == (
                field.personal not in {Personal.CONTENT, Personal.PROFILE, Personal.CONTACT}
            )


def test_what_buyers_write_into_metadata_is_not_kept_by_default():
    kind = event_type("checkout_link.payment.succeeded")
    assert {"metadata{}", "client_reference_id"} <= kind.fields.keys()
    assert not {"metadata", "metadata{}", "client_reference_id"} & set(kind.kept)


def test_ids_amounts_states_and_times_are_kept():
    assert set(event_type("message.received").kept) == {
        "message.uuid",
        "message.hasMedia",
        "message.createdAt",
        "message.mediaUuids",
        "message.price",
        "messageUuid",
        "sender.uuid",
        "recipientUuid",
        "isMuted",
        "timestamp",
    }


def test_twins_tell_the_same_fact_in_another_family_and_know_each_other():
    twins = {(name, twin) for name, kind in EVENT_TYPES.items() for twin in kind.twins}
    assert twins == {(twin, name) for name, twin in twins}
    assert all(EVENT_TYPES[one].family != EVENT_TYPES[other].family for one, other in twins)
    assert event_type("creator.payment.succeeded").twins == {"purchase.new", "tip.new"}


def test_every_legacy_event_has_a_twin():
    assert all(kind.twins for kind in EVENT_TYPES.values() if kind.family == "legacy")


def test_a_name_that_is_not_in_the_catalogue_is_unknown_and_keeps_nothing():
    assert event_type("creator.story.viewed") is UNKNOWN
    assert UNKNOWN.kept == ()


def test_inferred_fields_are_marked():
    assert event_type("follow.new").fields["sender.uuid"].certainty == "inferred"
    assert event_type("tip.new").fields["price"].certainty == "documented"
    assert event_type("creator.message.received").fields["fan.uuid"].certainty == "reported"


def test_one_kind_says_that_a_message_is_gone_and_no_opt_in_can_keep_its_text():
    kinds = [kind for kind in EVENT_TYPES.values() if kind.deletes_message]
    assert [kind.name for kind in kinds] == ["creator.message.deleted"]
    assert kinds[0].message
    assert not any(field.personal is Personal.CONTENT for field in kinds[0].fields.values())


@pytest.mark.parametrize(
    ("name", "data", "twins"),
    [
        ("message.received", {}, ["creator.message.received"]),
        ("creator.message.received", {}, ["message.received"]),
        ("creator.message.sent", {}, []),
        ("tip.new", {}, ["creator.payment.succeeded"]),
        ("creator.payment.succeeded", {"source": "tip"}, ["tip.new"]),
        ("creator.payment.succeeded", {"source": "post"}, ["purchase.new"]),
        ("creator.payment.succeeded", {"source": "message"}, ["purchase.new"]),
        ("creator.payment.succeeded", {"source": "renewal"}, []),
        ("creator.payment.succeeded", {"source": ["tip"]}, []),
        ("creator.payment.succeeded", {}, []),
        ("creator.story.viewed", {"source": "tip"}, []),
    ],
)
def test_a_fact_goes_by_its_own_name_and_by_those_of_the_twins_that_tell_the_same(name, data, twins):
    assert names_of_fact(name, data) == (name, *twins)


def test_what_tells_twins_apart_is_a_field_of_theirs_that_is_kept():
    for kind in EVENT_TYPES.values():
        for field in kind.twin_when:
            assert all(EVENT_TYPES[twin].fields[field].kept for twin in kind.twins)
