import pytest

from fankeep.errors import ConfigurationError
from fankeep.servicekeys import Permissions, Reach
from fankeep.types import UserId

ALICE = UserId("00000000-0000-4000-8000-000000000001")
BOB = UserId("00000000-0000-4000-8000-000000000002")
ONE = frozenset({"listChats"})


@pytest.mark.parametrize(
    ("allowed", "by_session", "by_name"),
    [
        (Permissions(ONE), [True, True], [False, False]),
        (Permissions(ONE, Reach.LISTED, frozenset({ALICE})), [True, False], [True, False]),
        (Permissions(ONE, Reach.ALL), [True, True], [True, True]),
    ],
)
def test_a_key_covers_the_creators_that_it_says_and_no_other(allowed, by_session, by_name):
    assert [allowed.covers(user, session=True) for user in (ALICE, BOB)] == by_session
    assert [allowed.covers(user, session=False) for user in (ALICE, BOB)] == by_name


def test_a_key_allows_the_operations_that_it_names_and_no_other():
    assert [Permissions(ONE).allows(name) for name in ("listChats", "sendMessage")] == [True, False]
    assert Permissions(frozenset({"all"})).allows("sendMessage")
    assert not Permissions(frozenset()).allows("listChats")


def test_events_are_for_keys_that_reach_creators_without_their_session():
    assert Permissions(frozenset(), Reach.ALL, events=True).events
    assert Permissions.parse("", ALICE, access_tokens=False, events=True).events
    assert not Permissions.parse("", ALICE, access_tokens=True).events
    with pytest.raises(ConfigurationError):
        Permissions.parse("", "session", access_tokens=False, events=True)


@pytest.mark.parametrize(
    "allowed",
    [
        Permissions(frozenset({"listChats", "getCurrentUser"})),
        Permissions(frozenset(), Reach.ALL, access_tokens=True),
        Permissions(frozenset({"all"}), Reach.LISTED, frozenset({BOB, ALICE})),
    ],
)
def test_what_is_stored_reads_back_as_the_same(allowed):
    stored = allowed.stored_operations, allowed.stored_users
    assert Permissions.parse(*stored, access_tokens=allowed.access_tokens) == allowed


@pytest.mark.parametrize(
    ("operations", "users", "access_tokens"),
    [
        ("listchats", "all", False),
        ("listChats", "everybody", False),
        ("listChats", "", False),
        ("listChats", ALICE.replace("-", ""), False),
        ("listChats", f"{ALICE} all", False),
        ("", "session", True),
    ],
)
def test_what_means_nothing_is_refused(operations, users, access_tokens):
    with pytest.raises(ConfigurationError):
        Permissions.parse(operations, users, access_tokens=access_tokens)
