"""What is known to go wrong with webhooks, by name: over sockets, an inbox and handlers, on both engines."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from datetime import UTC, datetime

import pytest

from fankeep import sign_webhook
from fankeep.telemetry import metrics

CREATOR = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
OLD, NEXT, OF_CREATOR = ("whsec_" + secrets.token_hex(32) for _ in range(3))


def counted(metric, **labels):
    return metrics.REGISTRY.get_sample_value(metric, labels) or 0


async def test_a_replay_inside_the_window_has_no_second_effect(receiver):
    async with receiver() as site:
        header = sign_webhook(site.message(), site.secret, timestamp=int(time.time()) - 200)
        assert [await site.deliver(site.message(), header) for _ in range(3)] == [200] * 3
        assert await site.settled() == [("handled", "main")]
        assert len(site.handled) == 1


async def test_unsigned_hints_that_are_changed_on_a_replay_change_nothing(receiver):
    hints = [
        {},
        {"x_fanvue_topic": "creator.message.deleted", "x_fanvue_event_id": "evt_other"},
        {"x_fanvue_topic": "tip.new", "webhook_id": "msg_1", "webhook_timestamp": "1"},
        {"x_fanvue_event_id": secrets.token_hex(8), "x_request_id": secrets.token_hex(8)},
    ]
    async with receiver() as site:
        header = sign_webhook(site.message(), site.secret, timestamp=int(time.time()))
        assert [await site.deliver(site.message(), header, **hint) for hint in hints] == [200] * 4
        assert await site.settled() == [("handled", "main")]
        assert len(site.handled) == 1


async def test_while_a_rotation_overlaps_either_secret_signs_and_the_event_is_one(receiver):
    end = datetime.fromtimestamp(time.time() + 60, UTC).isoformat()
    async with receiver(webhook_secrets=f"old={OLD} not_after={end}\nnew={NEXT}") as site:
        assert await site.deliver(site.message(1), secret=OLD) == 200
        assert await site.deliver(site.message(2), secret=NEXT) == 200
        assert await site.deliver(site.message(1), secret=NEXT) == 200
        assert await site.settled() == [("handled", "old"), ("handled", "new")]
        assert len(site.handled) == 2


async def test_when_a_rotation_is_over_the_old_secret_signs_nothing(receiver):
    end = datetime.fromtimestamp(time.time() - 1, UTC).isoformat()
    async with receiver(webhook_secrets=f"old={OLD} not_after={end}\nnew={NEXT}") as site:
        assert await site.deliver(site.message(), secret=OLD) == 401
        assert await site.rows() == []


@pytest.mark.parametrize(("shift", "reason"), [(-400, "stale"), (400, "future")])
async def test_a_delivery_from_the_past_or_the_future_is_refused_counted_apart_and_alarms(
    receiver, shift, reason
):
    async with receiver() as site:
        refusals = counted("fankeep_webhook_refusals_total", reason=reason)
        alarms = counted("fankeep_alarms_total", alarm="webhook_stale")
        assert await site.deliver(site.message(), at=int(time.time()) + shift) == 401
        assert counted("fankeep_webhook_refusals_total", reason=reason) == refusals + 1
        assert counted("fankeep_alarms_total", alarm="webhook_stale") == alarms + 1
        assert await site.rows() == []


async def test_a_retry_that_is_not_signed_again_after_an_outage_of_20_minutes_is_refused_and_alarms(receiver):
    async with receiver() as site:
        stale = counted("fankeep_webhook_refusals_total", reason="stale")
        mismatched = counted("fankeep_webhook_refusals_total", reason="mismatch")
        alarms = counted("fankeep_alarms_total", alarm="webhook_stale")
        assert await site.deliver(site.message(), at=int(time.time()) - 1200) == 401
        assert counted("fankeep_webhook_refusals_total", reason="stale") == stale + 1
        assert counted("fankeep_webhook_refusals_total", reason="mismatch") == mismatched
        assert counted("fankeep_alarms_total", alarm="webhook_stale") == alarms + 1
        assert await site.rows() == []


async def test_with_the_tolerance_raised_such_a_retry_is_accepted_and_still_one_event(receiver):
    async with receiver(webhook_tolerance="3600") as site:
        before_the_outage = sign_webhook(site.message(), site.secret, timestamp=int(time.time()) - 1200)
        assert [await site.deliver(site.message(), before_the_outage) for _ in range(2)] == [200, 200]
        assert await site.deliver(site.message()) == 200  # and signed anew
        assert await site.settled() == [("handled", "main")]
        assert len(site.handled) == 1


async def test_the_secret_of_one_creators_subscription_does_not_speak_for_another(receiver):
    scoped = f"main={OLD}\nzoe@creator:{CREATOR}={OF_CREATOR}"
    async with receiver(webhook_secrets=scoped) as site:
        alarms = counted("fankeep_alarms_total", alarm="webhook_foreign_scope")
        assert await site.deliver(site.message(1, creator=site.other), secret=OF_CREATOR) == 401
        assert counted("fankeep_alarms_total", alarm="webhook_foreign_scope") == alarms + 1
        assert await site.rows() == []
        assert await site.deliver(site.message(2), secret=OF_CREATOR) == 200
        assert await site.settled() == [("handled", "zoe")]


async def test_a_subscription_cannot_make_an_event_of_the_app_look_like_a_repeat(receiver):
    scoped = f"main={OLD}\nzoe@creator:{CREATOR}={OF_CREATOR}"
    async with receiver(webhook_secrets=scoped) as site:
        assert await site.deliver(site.message(7), secret=OF_CREATOR) == 200
        assert await site.deliver(site.message(7, creator=site.other), secret=OLD) == 200
        assert await site.settled() == [("handled", "zoe"), ("handled", "main")]
        assert len(site.handled) == 2


@pytest.mark.parametrize(
    "order",
    [
        pytest.param("legacy_1 new_1", id="legacy first"),
        pytest.param("new_1 legacy_1", id="legacy last"),
        pytest.param("legacy_1 legacy_2 new_2 new_1", id="two at once"),
        pytest.param("new_2 legacy_1 new_1 legacy_2", id="mixed"),
    ],
)
async def test_when_both_families_are_subscribed_each_message_takes_effect_once(receiver, order):
    async with receiver() as site:
        families = {"legacy": site.legacy_message, "new": site.message}
        for family, _, number in (one.partition("_") for one in order.split()):
            assert await site.deliver(families[family](int(number))) == 200
            await site.settled()
        count = len(order.split())
        assert len(await site.rows()) == count
        assert len(site.handled) == count / 2


async def test_both_families_at_the_same_moment_take_effect_once(receiver):
    async with receiver() as site:
        bodies = [make(number) for number in range(10) for make in (site.message, site.legacy_message)]
        random.shuffle(bodies)
        assert await asyncio.gather(*map(site.deliver, bodies)) == [200] * 20
        rows = await site.settled()
        assert sorted(state for state, _ in rows) == ["handled"] * 10 + ["shadow"] * 10
        assert len(site.handled) == 10
