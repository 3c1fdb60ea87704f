"""Whatever stands in a signed body, accepting it ends in a row or in one of our errors."""

import asyncio
import fnmatch
import json
import secrets
import time
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fankeep.datakeys import open_data_keys
from fankeep.errors import HostileInputError
from fankeep.fanvue import event_type, sign_webhook, verify_webhook
from fankeep.inbox import DatabaseLog, Handlers, Inbox
from fankeep.inbox.cursor import REACH_BYTES, cursor_of, position_of
from fankeep.kms import create_key_file, from_setting
from fankeep.store import Statement, installation, open_data, open_keys, users

CREATOR = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
SECRET = "whsec_" + "a1" * 32
TYPES = Statement("SELECT type FROM events", str)

texts = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
data = st.fixed_dictionaries(
    {"creator": st.just({"uuid": CREATOR}) | values},
    optional={"uuid": values, "fan": values, "text": values, "sender": values, "created_at": values},
)
envelopes = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["creator.message.received", "payout.paid", "new.thing"]) | values,
        "data": data,
    },
    optional={"id": texts | values, "timestamp": texts | values},
)
flat = st.dictionaries(
    st.sampled_from(["message", "messageUuid", "sender", "recipientUuid", "price", "context", "timestamp"]),
    st.just(CREATOR) | values,
)
bodies = (envelopes | flat | values).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200)


async def accept_all(folder, raw_bodies):
    create_key_file(folder / "kek.json")
    database = await open_data(f"sqlite:///{folder}/data.db", create=True)
    keys_database = await open_keys(f"sqlite:///{folder}/keys.db", create=True)
    identifier = await database.write(lambda tx: installation.create(tx, secrets.token_hex(16)))
    kms = from_setting(f"file:{folder}/kek.json")
    keys = await open_data_keys(keys_database, kms, installation_id=identifier)
    await database.write(lambda tx: users.add(tx, CREATOR))
    await keys.ensure(CREATOR)
    inbox, now = Inbox(DatabaseLog(database), keys, stored=list), time.time()
    verified = [
        verify_webhook(raw, sign_webhook(raw, SECRET, timestamp=int(now)), SECRET, now=now)
        for raw in raw_bodies
    ]
    results = await asyncio.gather(*map(inbox.accept, verified), return_exceptions=True)
    stored = await database.read(lambda tx: tx.all(TYPES))
    await database.close()
    await keys_database.close()
    return results, stored


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw_bodies=st.lists(bodies, min_size=1, max_size=20))
def test_any_signed_body_is_stored_or_refused_and_never_spoils_its_neighbours(tmp_path_factory, raw_bodies):
    folder = tmp_path_factory.mktemp("inbox", numbered=True)
    results, stored = asyncio.run(accept_all(folder, raw_bodies))
    problems = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(problem, HostileInputError) for problem in problems)
    assert all(problem.reason != "not_storable" for problem in problems)
    accepted = {result.event_id for result in results if not isinstance(result, BaseException)}
    assert len(stored) == len(accepted)


segment = st.sampled_from(["a", "bc", "*", "a*", "x_1"])
patterns = st.lists(segment, min_size=1, max_size=4).map(".".join)
names = st.lists(st.sampled_from(["a", "bc", "abc", "x_1"]), min_size=1, max_size=4).map(".".join)


@given(pattern=patterns, name=names)
def test_a_pattern_matches_what_a_shell_pattern_matches(pattern, name):
    handlers = Handlers()
    handlers.on(pattern)(asyncio.sleep)
    assert bool(handlers.matching(name)) == fnmatch.fnmatchcase(name, pattern)


@given(pattern=st.text(max_size=30))
def test_any_text_is_a_pattern_or_refused(pattern):
    try:
        Handlers().on(pattern)
    except ValueError:
        return
    assert pattern.isascii()
    assert not set(pattern) - set("abcdefghijklmnopqrstuvwxyz0123456789_.*")


@pytest.mark.parametrize("name", ["creator.message.received", "message.received", "payout.paid"])
def test_every_type_of_the_catalogue_is_a_pattern(name):
    assert event_type(name).name == name
    Handlers().on(name)


reaches = st.binary(min_size=REACH_BYTES, max_size=REACH_BYTES)


@given(st.floats(allow_nan=False, allow_infinity=False), reaches, reaches)
def test_a_cursor_reads_back_as_its_position_for_the_reach_that_it_was_written_for(position, reach, other):
    cursor = cursor_of(position, reach)
    assert position_of(cursor, reach) == position
    assert position_of(cursor, other) == (position if other == reach else 0.0)


@given(st.text(max_size=40) | st.text("ABab01-_=/+", min_size=20, max_size=24))
def test_any_text_is_a_cursor_or_refused(text):
    with suppress(HostileInputError):
        assert isinstance(position_of(text, bytes(REACH_BYTES)), float)
