import dataclasses

import pytest

from fankeep.fanvue.details import Follow, Message
from fankeep.inbox import Handlers, ReceivedEvent


@pytest.fixture
def event():
    return ReceivedEvent("0" * 32, "a.b", "creator", None, None, 0.0, {"text": "canary"}, 1, replayed=False)


async def nothing(event):
    """Does nothing."""


@pytest.mark.parametrize(
    ("pattern", "type_name", "matches"),
    [
        ("creator.message.received", "creator.message.received", True),
        ("creator.message.received", "creator.message.receivedx", False),
        ("creator.message.received", "creatorxmessage.received", False),
        ("creator.*", "creator.message.received", True),
        ("creator.*", "creators.message", False),
        ("*.received", "creator.message.received", True),
        ("*", "anything.at.all", True),
        ("creator.*.received", "creator.message.received", True),
        ("creator.*.received", "creator.message.sent", False),
    ],
)
def test_a_pattern_is_a_type_with_stars_for_any_characters(pattern, type_name, matches):
    handlers = Handlers()
    handlers.on(pattern)(nothing)
    assert bool(handlers.matching(type_name)) is matches


@pytest.mark.parametrize("pattern", ["", "Creator", "a..b", ".a", "a.", "a b", "a\n", "(a|b)", "a.[x]"])
def test_a_pattern_that_no_type_can_have_is_refused(pattern):
    with pytest.raises(ValueError, match="pattern"):
        Handlers().on(pattern)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_time_out_that_is_none_is_refused(timeout):
    with pytest.raises(ValueError, match="time-out"):
        Handlers().on("a.b", timeout=timeout)


def test_a_handler_registered_late_is_found(event):
    handlers = Handlers()
    assert handlers.matching("a.b") == ()
    handlers.on("a.b")(nothing)
    assert len(handlers.matching("a.b")) == 1


async def test_all_handlers_that_match_come_in_the_order_of_registration(event):
    handlers, called = Handlers(), []

    @handlers.on("a.*")
    async def first(event):
        called.append("first")

    @handlers.on("a.b")
    async def second(event):
        called.append("second")

    for handler in handlers.matching("a.b"):
        assert await handler(event) is None
    assert called == ["first", "second"]


def test_a_decorated_function_stays_what_it_was():
    assert Handlers().on("a.b")(nothing) is nothing


async def test_a_two_phase_handler_leaves_an_effect_for_the_transaction(event):
    class Count:
        def __init__(self):
            self.applied = []

        async def prepare(self, event):
            return event.id

        async def apply(self, tx, prepared):
            self.applied.append((tx, prepared))

    handlers, count = Handlers(), Count()
    handlers.on("a.b")(count)
    (handler,) = handlers.matching("a.b")
    effect = await handler(event)
    assert count.applied == []
    await effect("the transaction")
    assert count.applied == [("the transaction", event.id)]


def test_an_event_does_not_show_its_data(event):
    assert "canary" not in repr(event)


def test_a_type_is_wanted_once_it_has_a_handler():
    handlers = Handlers()
    assert not handlers.wants("tip.new")

    @handlers.on("tip.*")
    async def remember(event):
        return None

    assert handlers.wants("tip.new")
    assert not handlers.wants("follow.new")


@pytest.mark.parametrize("pattern", ["message.received", "creator.message.received", "*.received", "*"])
def test_a_handler_for_either_name_of_a_fact_runs_once_for_it(pattern):
    handlers = Handlers()
    handlers.on(pattern)(nothing)
    assert len(handlers.matching("message.received", "creator.message.received")) == 1


@pytest.mark.parametrize("pattern", ["tip.new", "purchase.new", "creator.payment.*"])
def test_a_type_is_wanted_by_the_handlers_of_its_twins(pattern):
    handlers = Handlers()
    handlers.on(pattern)(nothing)
    assert handlers.wants("creator.payment.succeeded")
    assert handlers.wants(pattern.replace("creator.payment.*", "tip.new"))
    assert not handlers.wants("creator.message.sent")


def test_an_event_gives_what_it_says_as_a_typed_value(event):
    received = dataclasses.replace(event, type="creator.message.received", data={"uuid": "m", "text": "hi"})
    assert received.detail == received.as_(Message) == Message(uuid="m", text="hi")
    assert event.detail is None


def test_an_event_is_no_other_type_than_its_own(event):
    with pytest.raises(TypeError, match=r"a\.b is no Follow"):
        event.as_(Follow)
