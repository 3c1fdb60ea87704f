import json
import logging

import pytest

from fankeep.errors import ConfigurationError
from fankeep.secret import Secret
from fankeep.servicekeys import Permissions, Reach
from fankeep.store import Command, Statement
from fankeep.store import service_keys as service_key_rows
from fankeep.telemetry import metrics

LISTED = Permissions(
    frozenset({"listChats"}), Reach.LISTED, frozenset({"00000000-0000-4000-8000-000000000001"})
)
ROWS = Statement("SELECT id, last_used_at FROM service_keys", lambda *row: row)


def alarms():
    return metrics.REGISTRY.get_sample_value("fankeep_alarms_total", {"alarm": "mac_mismatch"}) or 0


def reasons(caplog):
    lines = [json.loads(message) for message in caplog.messages]
    return [line["reason"] for line in lines if line["event"] == "service_key_refused"]


async def test_a_key_that_was_made_is_found_with_what_it_allows(service_keys):
    made, shown = await service_keys.create("bot", LISTED, lifetime=60)
    assert await service_keys.authenticate(shown) == made
    assert made.permissions == LISTED


async def test_a_key_has_a_searchable_prefix_and_256_bits_that_are_not_in_the_database(
    service_keys, database, stored_bytes
):
    made, shown = await service_keys.create("bot", LISTED, lifetime=60)
    prefix, secret = shown.reveal()[: len("fankeep_sk_") + 13], shown.reveal()[-43:]
    assert (prefix, len(secret)) == (f"fankeep_sk_{made.id}_", 43)
    await database.close()
    stored = await stored_bytes()
    assert made.id.encode() in stored
    assert secret.encode() not in stored


@pytest.mark.parametrize(
    "change",
    [
        lambda shown: "",
        lambda shown: "Bearer " + shown,
        lambda shown: shown[:-1],
        lambda shown: shown + "A",
        lambda shown: shown.upper(),
        lambda shown: shown[:-1] + ("A" if shown[-1] != "A" else "B"),
        lambda shown: shown.replace(shown[11:23], "0" * 12),
        lambda shown: "'; DROP TABLE service_keys; --",
    ],
)
async def test_a_key_that_is_not_exactly_the_one_that_was_made_is_refused(service_keys, change):
    _, shown = await service_keys.create("bot", LISTED, lifetime=60)
    assert await service_keys.authenticate(Secret(change(shown.reveal()))) is None


async def test_the_secret_of_one_key_does_not_open_another(service_keys):
    first, shown = await service_keys.create("first", LISTED, lifetime=60)
    second, _ = await service_keys.create("second", LISTED, lifetime=60)
    mixed = Secret(shown.reveal().replace(first.id, second.id))
    assert await service_keys.authenticate(mixed) is None


async def test_an_expired_key_is_refused_and_the_log_says_why(service_keys, caplog):
    caplog.set_level(logging.INFO)
    _, shown = await service_keys.create("bot", LISTED, lifetime=0)
    assert await service_keys.authenticate(shown) is None
    assert reasons(caplog) == ["expired"]


async def test_a_refusal_is_logged_without_what_was_shown(service_keys, caplog):
    caplog.set_level(logging.INFO)
    _, shown = await service_keys.create("bot", LISTED, lifetime=60)
    wrong = shown.reveal()[:-4] + "AAAA"
    await service_keys.authenticate(Secret(wrong))
    assert reasons(caplog) == ["wrong"]
    assert shown.reveal()[-20:-4] not in caplog.text


@pytest.mark.parametrize(
    "widen",
    [
        "operations = 'all'",
        "users = 'all'",
        "access_tokens = 1",
        "events = 1",
        "expires_at = expires_at + 86400",
        "name = 'other'",
        "id = '000000000000'",
        "created_at = created_at - 1",
        "created_at = 9e300",
        "mac = hash",
    ],
)
async def test_a_row_that_was_changed_is_refused_and_alarms(service_keys, database, widen):
    made, shown = await service_keys.create("bot", LISTED, lifetime=60)
    before = alarms()
    assert await database.write(lambda tx: tx.run(Command(f"UPDATE service_keys SET {widen}"))) == 1
    moved = shown.reveal().replace(made.id, "000000000000") if widen.startswith("id") else shown.reveal()
    assert await service_keys.authenticate(Secret(moved)) is None
    assert alarms() == before + 1
    assert [key.genuine for key in await service_keys.list()] == [False]


async def test_the_permission_for_events_is_kept_and_cannot_be_taken_away_unseen(service_keys, database):
    pulls = Permissions(frozenset(), Reach.ALL, events=True)
    _, shown = await service_keys.create("worker", pulls, lifetime=60)
    assert (await service_keys.authenticate(shown)).permissions == pulls
    assert [key.events for key in await service_keys.list()] == [True]
    await database.write(lambda tx: tx.run(Command("UPDATE service_keys SET events = 0")))
    assert await service_keys.authenticate(shown) is None


async def test_a_key_from_before_events_could_be_allowed_keeps_its_mac(service_keys, database, make_mac):
    await service_keys.create("bot", LISTED, lifetime=60)
    (row,) = await database.read(service_key_rows.load_all)
    times = (round(row.created_at * 1000), round(row.expires_at * 1000))
    parts = ("service_keys", row.id, row.hash, row.name, row.operations, row.users, 0, *times)
    assert row.mac == make_mac(*parts)


async def test_a_key_of_another_installation_is_refused(make_service_keys):
    _, shown = await make_service_keys(b"o" * 32).create("bot", LISTED, lifetime=60)
    assert await make_service_keys().authenticate(shown) is None


async def test_a_revoked_key_is_refused_everywhere_at_once_and_noted_in_the_ledger(make_service_keys, ledger):
    one_process, another = make_service_keys(), make_service_keys()
    made, shown = await one_process.create("bot", LISTED, lifetime=60)
    assert await another.authenticate(shown)
    assert await one_process.revoke(made.id)
    assert await another.authenticate(shown) is None
    assert await ledger.gone("service_key", [made.id, "0" * 12]) == [made.id]
    assert not await one_process.revoke(made.id)
    assert not await one_process.revoke("no id at all")


async def test_the_last_use_is_noted_and_not_with_every_call(service_keys, database):
    _, shown = await service_keys.create("bot", LISTED, lifetime=60)
    assert (await service_keys.list())[0].unused_for is None
    await service_keys.authenticate(shown)
    first = await database.read(lambda tx: tx.all(ROWS))
    await service_keys.authenticate(shown)
    assert await database.read(lambda tx: tx.all(ROWS)) == first
    (listed,) = await service_keys.list()
    assert 0 <= listed.unused_for < 30


async def test_a_list_shows_everything_but_what_is_secret(service_keys):
    made, shown = await service_keys.create("bot", LISTED, lifetime=3600)
    (listed,) = await service_keys.list()
    assert (listed.id, listed.name, listed.operations) == (made.id, "bot", ("listChats",))
    assert listed.users == tuple(LISTED.listed)
    # SQLite computes the time from a number of days: exact to some microseconds.
    assert 3500 < listed.left <= 3600.001
    assert shown.reveal()[-43:] not in repr(listed)


@pytest.mark.parametrize("name", ["", " bot", "x" * 65, "a\nb", "<b>", "\x1b[31m"])
async def test_a_name_that_could_be_something_else_is_refused(service_keys, name):
    with pytest.raises(ConfigurationError):
        await service_keys.create(name, LISTED, lifetime=60)
