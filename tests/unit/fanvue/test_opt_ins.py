import pytest

from fankeep.fanvue import EVENT_TYPES
from fankeep.fanvue.opt_ins import opted_in


def test_a_word_names_one_field_of_one_type():
    assert opted_in(["creator.message.received:text"]) == {"creator.message.received": ("text",)}


def test_a_path_or_its_end_names_a_field():
    assert opted_in(["message.received:text"]) == opted_in(["message.received:message.text"])
    assert opted_in(["creator.follow.created:follower.handle"]) == {
        "creator.follow.created": ("follower.handle",)
    }
    assert opted_in(["creator.refund.created:purchaser.handle"]) == {
        "creator.refund.created": ("payment.purchaser.handle", "purchaser.handle")
    }


def test_a_star_names_every_type_that_has_the_field():
    words = opted_in(["*message.received:text"])
    assert words == {"creator.message.received": ("text",), "message.received": ("message.text",)}
    with_handle = {
        name for name, kind in EVENT_TYPES.items() if any("handle" in path for path in kind.fields)
    }
    assert opted_in(["*:handle"]).keys() == with_handle


def test_a_map_is_named_without_its_mark_and_kept_with_it():
    assert opted_in(["checkout_link.plan.completed:metadata"]) == {
        "checkout_link.plan.completed": ("metadata{}",)
    }


def test_several_words_add_up():
    found = opted_in(
        ["creator.message.sent:text", "creator.message.*:fan.handle", "creator.message.sent:text"]
    )
    assert found["creator.message.sent"] == ("text", "fan.handle")
    assert found["creator.message.read"] == ("fan.handle",)


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("text", "must be words like creator.message.received:text"),
        ("a:b:c", "must be words like"),
        (":text", "must be words like"),
        (
            "creator.message.recieved:text",
            r"type of event that there is not; did you mean creator\.message\.rec",
        ),
        ("zzzz:text", "type of event that there is not$"),
        ("creator.message.received:txt", "field that no such event has; did you mean text"),
        ("creator.message.received:message.text", "field that no such event has"),
        ("*:password", "field that no such event has$"),
        ("creator.message.deleted:text", "field that no such event has"),
    ],
)
def test_what_there_is_not_is_refused_with_what_was_probably_meant(word, complaint):
    with pytest.raises(ValueError, match=complaint):
        opted_in([word])
