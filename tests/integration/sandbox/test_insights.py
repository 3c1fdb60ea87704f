"""Figures: whatever view of the money or of the fans is asked for, they add up to the same."""

from datetime import UTC, datetime
from urllib.parse import quote
from zoneinfo import available_timezones

import pytest


async def everything(call, path):
    """All rows of a cursor list."""
    rows, cursor = [], ""
    joint = "&" if "?" in path else "?"
    while cursor is not None:
        status, page = await call("GET", f"{path}{joint}cursor={cursor}" if cursor else path)
        assert status == 200, page
        rows, cursor = rows + page["data"], page["nextCursor"]
    return rows


@pytest.fixture
async def rows(call):
    return await everything(call, "/insights/earnings?size=50")


def total(rows, field="gross"):
    return sum(row[field] for row in rows)


async def test_the_summary_adds_up_to_the_earnings(call, rows):
    summary = (await call("GET", "/insights/earnings/summary"))[1]
    assert summary["totals"]["allTime"] == {"gross": total(rows), "net": total(rows, "net")}
    assert total(summary["breakdownBySource"].values()) == total(rows)
    assert total(summary["overTime"]) == total(rows)
    tips = [row for row in rows if row["source"] == "tip"]
    assert summary["earningsByType"]["tips"]["gross"] == total(tips) > 0
    assert summary["breakdownBySource"]["renewals"]["gross"] > 0
    assert set(summary["averageByDayOfWeek"]) == set("1234567")
    assert set(summary["averageByHourOfDay"]) == {str(hour) for hour in range(24)}
    starts = [row["periodStart"] for row in summary["overTime"]]
    assert starts == sorted(starts)
    assert all(start.endswith("T00:00:00.000Z") for start in starts)


async def test_the_summary_of_a_range_is_that_of_its_rows(call, rows):
    middle = rows[len(rows) // 2]["date"]
    summary = (await call("GET", f"/insights/earnings/summary?startDate={middle}&granularity=week"))[1]
    later = [row for row in rows if row["date"] >= middle]
    assert total(summary["overTime"]) == total(later) < total(rows)
    assert summary["period"]["startDate"] == middle
    days = [datetime.fromisoformat(row["periodStart"]).weekday() for row in summary["overTime"]]
    assert set(days) == {0}
    none = (await call("GET", "/insights/earnings/summary?endDate=2000-01-01T00:00:00Z"))[1]
    assert (none["overTime"], none["totals"]["allTime"]["gross"]) == ([], total(rows))


async def test_days_begin_at_midnight_of_the_time_zone(app, call):
    await app.control("act", do="tip", price=700)
    known = "Etc/GMT+5" in available_timezones()  # a machine need not have any but UTC
    zone, midnight = ("Etc/GMT+5", "05:00:00.000Z") if known else ("UTC", "00:00:00.000Z")
    summary = (await call("GET", f"/insights/earnings/summary?timezone={quote(zone, safe='')}"))[1]
    assert {row["periodStart"][11:] for row in summary["overTime"]} == {midnight}
    status, refused = await call("GET", "/insights/earnings/summary?timezone=Mars")
    assert (status, list(refused)) == (400, ["errors"])


async def test_this_month_is_compared_with_the_month_before(app, call, rows):
    now = datetime.fromtimestamp(app.sandbox.now(), UTC)
    month = now.strftime("%Y-%m")
    summary = (await call("GET", "/insights/earnings/summary"))[1]["totals"]["thisMonth"]
    assert summary["gross"] == total([row for row in rows if row["date"].startswith(month)])
    before = summary["previousMonthGross"]
    change = round(100 * (summary["gross"] - before) / before, 2) if before else None
    assert summary["grossChangePercentage"] == change


async def test_top_spenders_are_those_of_the_earnings(call, rows):
    spenders = (await call("GET", "/insights/top-spenders?size=50"))[1]["data"]
    assert {row["user"]["uuid"]: row["gross"] for row in spenders} == {
        uuid: total([row for row in rows if row["user"]["uuid"] == uuid])
        for uuid in {row["user"]["uuid"] for row in rows}
    }
    assert [row["gross"] for row in spenders] == sorted((row["gross"] for row in spenders), reverse=True)


async def test_a_fans_insights_are_what_the_fan_has_paid_less_what_went_back(app, call, rows):
    fan = rows[0]["user"]["uuid"]
    own = [row for row in rows if row["user"]["uuid"] == fan]
    await app.control("act", do="tip", fan=fan, price=2000)
    await app.control("act", do="refund", fan=fan)
    insights = (await call("GET", f"/insights/fans/{fan}"))[1]
    spending = insights["spending"]
    assert spending["total"] == {"gross": total(own) + 2000, "total": total(own)}
    assert sum(source["gross"] for source in spending["sources"].values()) == total(own) + 2000
    nobody = "00000000-0000-4000-8000-000000000001"
    assert (await call("GET", f"/insights/fans/{nobody}"))[0] == 404
    bulk = (await call("GET", f"/insights/fans?fanUuids={fan},{nobody}"))[1]
    assert bulk["results"] == {fan: insights, nobody: None}
    assert [(error["fanUuid"], error["code"]) for error in bulk["errors"]] == [(nobody, "NOT_FOUND")]
    batch = (await call("POST", "/insights/fans/batch", {"userUuids": [fan, nobody]}))[1]
    assert batch == {fan: insights, nobody: {"error": "not_found"}}


async def test_at_most_twenty_uuids_are_read_at_once(call):
    many = ",".join(f"00000000-0000-4000-8000-{number:012}" for number in range(21))
    for path in (
        f"/insights/fans?fanUuids={many}",
        f"/media/bulk?mediaUuids={many}",
        "/media/bulk?mediaUuids=x",
    ):
        status, refused = await call("GET", path)
        assert (status, list(refused)) == (400, ["errors"])


async def test_more_earnings_are_a_lower_percentile_from_the_next_day_on(app, calls):
    call = await calls()
    before = (await call("GET", "/insights/earnings/percentile"))[1]["percentile"]
    await app.control("act", do="tip", price=90_000)
    assert (await call("GET", "/insights/earnings/percentile"))[1]["percentile"] == before
    await app.control("clock", advance=86_400)
    call = await calls()
    assert (await call("GET", "/insights/earnings/percentile"))[1]["percentile"] < before <= 100


async def test_subscribers_by_day_add_up_from_the_start_of_the_range(app, call):
    creator = app.sandbox.world.first_creator
    days = await everything(call, "/insights/subscribers?size=50")
    assert sum(day["newSubscribersCount"] for day in days) == len(creator.subscriptions)
    assert days[0]["total"] == len(creator.subscribers)
    dates = [day["date"] for day in days]
    assert dates == sorted(dates, reverse=True)
    start = dates[10]
    part = await everything(call, f"/insights/subscribers?startDate={start}&endDate={dates[3]}")
    assert [day["date"] for day in part] == dates[4:11]
    assert part[-1]["total"] == part[-1]["newSubscribersCount"] - part[-1]["cancelledSubscribersCount"]
    shifted = quote(f"{start[:10]}T00:00:00+02:00")
    own_midnight = await everything(call, f"/insights/subscribers?startDate={shifted}")
    assert {day["date"][11:16] for day in own_midnight} == {"22:00"}


async def test_a_cursor_neither_repeats_nor_hides_when_something_comes_between(app, call, rows):
    first = (await call("GET", "/insights/earnings?size=10"))[1]
    await app.control("act", do="tip", price=700)
    second = (await call("GET", f"/insights/earnings?size=10&cursor={first['nextCursor']}"))[1]
    assert first["data"] + second["data"] == rows[:20]
    status, refused = await call("GET", "/insights/earnings?cursor=nonsense")
    assert (status, list(refused)) == (400, ["errors"])


async def test_the_account_says_what_the_lists_say(call, rows):
    account = (await call("GET", "/users/account"))[1]["account"]
    assert account["earnings"]["total"] == total(rows)
    available = [row for row in rows if row["transactionOrderStatus"] == "availableForPayout"]
    assert account["earnings"]["availableBalance"] == total(available, "net")
    for name in ("followers", "subscribers"):
        listed = (await call("GET", f"/{name}?size=50"))[1]["data"]
        assert account["fans"][name] == len(listed)
    me = (await call("GET", "/users/me"))[1]
    posts = (await call("GET", "/posts?size=50"))[1]["data"]
    assert me["contentCounts"]["postCount"] == len(posts)
    assert me["likesCount"] == sum(post["likesCount"] for post in posts)
