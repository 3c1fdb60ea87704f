"""Since when secrets are in use, and the alarm before one is too old; on both engines."""

from datetime import UTC, datetime, timedelta

import pytest

from fankeep.secret import Secret
from fankeep.secrets import NamedSecret, SecretAges, parse_secret_register
from fankeep.store import Command, open_data, sessions
from fankeep.telemetry import metrics

KEY = Secret(bytes(32))
CLIENT = NamedSecret("client", "client-secret", Secret("0123456789abcdef" * 4))
MAIN = NamedSecret("webhook", "main", Secret("whsec_" + "a1b2c3d4" * 8))
LONG_AGO = Command("UPDATE known_secrets SET first_seen_at = first_seen_at - :seconds")
DAY = 86_400


@pytest.fixture
async def database(database_urls):
    opened = await open_data(database_urls.data, create=True)
    yield opened
    await opened.close()


def today():
    return datetime.now(UTC).date()


@pytest.fixture
def noon(monkeypatch):
    """Where the database's clock stands, so that no day ends meanwhile."""
    noon = datetime.now(UTC).replace(hour=12)

    async def clock(tx):
        return noon.timestamp()

    monkeypatch.setattr(sessions, "clock", clock)
    return noon


def alarms():
    return metrics.REGISTRY.get_sample_value("fankeep_alarms_total", {"alarm": "secret_rotation_due"}) or 0


def ages(database, *secrets, register=""):
    return SecretAges(database, KEY, secrets, parse_secret_register(register))


async def test_a_secret_is_in_use_since_it_was_seen_first_by_whatever_process(database):
    days = [today()]
    await ages(database, CLIENT).all()
    await database.write(lambda tx: tx.run(LONG_AGO, seconds=100 * DAY))

    known, new = await ages(database, CLIENT, MAIN, register="main owner=ops").all()

    days.append(today())  # midnight may have passed
    assert (known.name, known.owner, known.state) == ("client-secret", None, "good")
    assert known.since + timedelta(days=100) in days
    assert (new.name, new.owner, new.rotate_by) == ("main", "ops", new.since + timedelta(days=365))
    assert new.since in days


async def test_a_new_value_under_the_same_name_is_a_new_secret(database):
    await ages(database, CLIENT).all()
    await database.write(lambda tx: tx.run(LONG_AGO, seconds=400 * DAY))
    (old,) = await ages(database, CLIENT).all()

    (new,) = await ages(database, CLIENT._replace(value=Secret("fedcba9876543210" * 4))).all()

    assert (old.state, new.state) == ("overdue", "good")


@pytest.mark.parametrize(("left", "state", "rung"), [(31, "good", 0), (30, "due", 1), (-1, "overdue", 1)])
async def test_an_alarm_comes_thirty_days_before_once_a_day(database, noon, left, state, rung):
    last_day = (noon + timedelta(days=left)).date()
    secrets = ages(database, MAIN, register=f"main rotate_by={last_day}")
    before = alarms()

    await secrets.check()
    await secrets.check()

    assert alarms() - before == rung
    assert [age.state for age in await secrets.all()] == [state]


async def test_no_value_lies_in_the_database(database, stored_bytes):
    await ages(database, CLIENT, MAIN).all()

    content = await stored_bytes()

    assert CLIENT.value.reveal().encode() not in content
    assert MAIN.value.reveal().encode() not in content
