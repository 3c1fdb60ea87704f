"""What Fanvue's subscriptions API is asked and how its answers are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fankeep.errors import ProviderError
from fankeep.fanvue.operations import OPERATIONS
from fankeep.fanvue.routes import build_path, match
from fankeep.fanvue.subscriptions import (
    CREATE,
    DELETE,
    LIST,
    chosen_events,
    is_subscription_id,
    read_created,
    read_listed,
    unknown_events,
)

SECRET = "whsec_" + "ab" * 32
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "url", "events", "data"]), inner),
)


def test_its_operations_are_not_those_that_an_app_can_call():
    assert not {op.id for op in (CREATE, LIST, DELETE)} & OPERATIONS.keys()
    assert match("POST", CREATE.path) is None
    assert build_path(DELETE, {"id": "2f1c-6f"}) == "/webhooks/subscriptions/2f1c-6f"


def test_the_answer_to_a_new_subscription_has_id_and_secret():
    created = read_created({"id": "sub_1", "signingSecret": SECRET, "url": "https://x", "more": 1})
    assert (created.id, created.secret.reveal()) == ("sub_1", SECRET)
    assert SECRET not in repr(created)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"id": "sub_1"},
        {"id": "sub_1", "signingSecret": "short"},
        {"id": "sub_1", "signingSecret": "\u00e4" * 40},
        {"id": "../users", "signingSecret": SECRET},
        {"id": "a b", "signingSecret": SECRET},
        {"id": 7, "signingSecret": SECRET},
        {"id": "x" * 200, "signingSecret": SECRET},
    ],
)
def test_an_answer_without_an_id_and_a_secret_to_use_is_an_error_that_shows_neither(data):
    with pytest.raises(ProviderError) as raised:
        read_created(data)
    assert SECRET not in str(raised.value)


def test_a_list_is_read_bare_or_in_data_and_strange_entries_are_passed_over():
    row = {"id": "sub_1", "url": "https://x.example", "events": ["b.c", "a.b", 7]}
    for data in ([row], {"data": [row, "x", {"id": "/"}, {}]}):
        ((subscription),) = read_listed(data)
        assert subscription == ("sub_1", "https://x.example", ("a.b", "b.c"))
    assert read_listed([{"id": "sub_2"}]) == [("sub_2", "", ())]


@given(JSON)
def test_any_answer_is_read_or_refused_with_our_error(data):
    for read in (read_created, read_listed):
        try:
            read(data)
        except ProviderError:
            continue


@given(st.text(max_size=200))
def test_an_id_fits_into_a_path_as_it_is(text):
    if is_subscription_id(text):
        assert build_path(DELETE, {"id": text}) == f"/webhooks/subscriptions/{text}"


def test_events_are_chosen_by_name_and_by_pattern():
    everything = chosen_events(["creator.*"])
    assert "creator.message.received" in everything
    assert all(name.startswith("creator.") for name in everything)
    assert chosen_events(["tip.new", "creator.message.re?d", "tip.new"]) == (
        "creator.message.read",
        "tip.new",
    )
    assert chosen_events(["creator.vault.opened"]) == ("creator.vault.opened",)
    assert "app.payment.succeeded" not in chosen_events(["*"])


@pytest.mark.parametrize("pattern", ["nothing.*", "Tip.New", "", "creator", "a.b\n", "creator.[z]"])
def test_what_can_be_no_event_is_refused(pattern):
    with pytest.raises(ValueError, match="an event has a name"):
        chosen_events([pattern])


def test_names_that_the_catalogue_does_not_have_are_found_with_what_was_meant():
    assert unknown_events(["creator.message.received", "message.received"]) == {}
    assert unknown_events(["creator.mesage.received", "zzz.qqq"]) == {
        "creator.mesage.received": "creator.message.received",
        "zzz.qqq": None,
    }
