"""What is counted of events."""

import asyncio
import math

import pytest

from fankeep.errors import StorageUnavailable
from fankeep.inbox import BacklogGauges
from fankeep.inbox import metrics as inbox_metrics
from fankeep.telemetry import metrics


def value(name, **labels):
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def gauges(room, monkeypatch):
    monkeypatch.setattr(inbox_metrics, "_AT_MOST_EVERY", 0.0)
    return BacklogGauges(room.database)


async def accept(room, *bodies):
    inbox = room.inbox()
    for body in bodies:
        await inbox.accept(room.verified(body))


async def test_new_events_are_counted_by_type_and_repeats_are_not(room):
    name, kind = "fankeep_events_stored_total", "creator.message.received"
    before = value(name, type=kind)
    await accept(room, room.message("evt_1"), room.message("evt_1"), room.message("evt_2"))
    assert value(name, type=kind) == before + 2


async def test_a_type_that_is_not_known_is_counted_as_other(room):
    name = "fankeep_events_stored_total"
    before = value(name, type="other")
    await accept(
        room, {"id": "evt_9", "type": "creator.novelty.jane", "data": {"creator": {"uuid": room.creator}}}
    )
    assert value(name, type="other") == before + 1
    assert b"jane" not in metrics.render()


async def test_what_waits_and_what_was_given_up_is_counted_when_somebody_looks(room, gauges):
    await gauges.refresh()
    assert value("fankeep_events", state="pending") == 0
    await accept(room, room.message("evt_1"), room.message("evt_2"))
    await gauges.refresh()
    assert value("fankeep_events", state="pending") == 2
    assert value("fankeep_events", state="dead") == 0
    assert 0 <= value("fankeep_events_oldest_seconds") < 60
    assert 0 <= value("fankeep_events_overdue_seconds") < 60


async def test_looking_often_does_not_keep_the_database_busy(room, monkeypatch):
    monkeypatch.setattr(inbox_metrics, "_AT_MOST_EVERY", 3600.0)
    gauges = BacklogGauges(room.database)
    await gauges.refresh()
    before = value("fankeep_events", state="pending")
    await accept(room, room.message("evt_1"))
    await gauges.refresh()
    assert value("fankeep_events", state="pending") == before


async def test_without_the_database_there_is_no_number_and_the_others_are_shown(room, gauges, monkeypatch):
    async def gone(work):
        raise StorageUnavailable

    monkeypatch.setattr(room.database, "read", gone)
    await gauges.refresh()
    assert math.isnan(metrics.REGISTRY.get_sample_value("fankeep_events", {"state": "pending"}))
    assert b"fankeep_requests" in metrics.render()


async def until_dead(room, dispatcher):
    running = asyncio.create_task(dispatcher.run())
    async with asyncio.timeout(30):
        while [row["state"] for row in await room.rows()] != ["dead"]:
            await asyncio.sleep(0.005)
    await dispatcher.stop()
    await running


async def test_handler_times_and_dead_letters_are_counted_by_family_and_reason(room):
    name, family = "fankeep_event_handler_seconds_count", "creator"
    times, dead = value(name, family=family), value("fankeep_dead_letters_total", reason="handler_failed")
    dispatcher = room.dispatcher()

    @dispatcher.on("*")
    async def fail(event):
        raise RuntimeError("on purpose")

    await accept(room, room.message())
    await until_dead(room, dispatcher)
    assert value(name, family=family) == times + 3
    assert value("fankeep_dead_letters_total", reason="handler_failed") == dead + 1
