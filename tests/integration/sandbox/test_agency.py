"""What an agency sees of the creators whom it manages, its own people, and apps that ask for money."""

from datetime import UTC, datetime

import pytest


@pytest.fixture
def agency(app):
    return next(one for one in app.sandbox.world.creators.values() if one.manages)


@pytest.fixture
def managed(app, agency):
    return app.sandbox.world.creators[agency.manages[0]]


@pytest.fixture
async def boss(calls, agency):
    return await calls(agency.handle)


async def paged(call, path):
    rows, page = [], 1
    while True:
        status, answer = await call("GET", f"{path}{'&' if '?' in path else '?'}size=50&page={page}")
        assert status == 200, answer
        rows += answer["data"]
        if not answer["pagination"]["hasMore"]:
            return rows
        page += 1


async def test_chats_and_subscribers_of_the_managed_are_in_one_list(boss, managed):
    chats = await paged(boss, "/agencies/chats")
    assert {row["creatorUuid"] for row in chats} == {managed.uuid}
    own = await paged(boss, f"/creators/{managed.uuid}/chats")
    assert [{**row, "creatorUuid": managed.uuid} for row in own] == chats
    subscribers = await paged(boss, "/agencies/subscribers")
    assert {row["uuid"] for row in subscribers} == {fan.uuid for fan in managed.subscribers}
    since = [row["subscribedAt"] for row in subscribers]
    assert since == sorted(since, reverse=True)
    nobody = "00000000-0000-4000-8000-000000000001"
    assert await paged(boss, f"/agencies/subscribers?creatorUuids={nobody}") == []


async def test_earnings_by_day_are_those_of_the_creators(app, boss, managed):
    range_ = "startDate=2000-01-01T00:00:00Z&endDate=2100-01-01T00:00:00Z"
    rows = await paged(boss, f"/agencies/earnings?{range_}&creatorUuids={managed.uuid}")
    assert sum(row["gross"] for row in rows) == managed.earnings
    days = [row["date"] for row in rows]
    assert days == sorted(set(days), reverse=True)
    await app.control("act", do="tip", creator=managed.handle, price=1234)
    await app.control("act", do="refund", creator=managed.handle)
    rows = await paged(boss, f"/agencies/earnings?{range_}")
    assert sum(row["gross"] for row in rows) == managed.earnings + 1234


async def test_subscribers_by_day_are_those_of_the_creators(app, boss, managed):
    now = app.sandbox.now()
    from_to = [f"{year}-01-01T00:00:00Z" for year in (2000, 2002)]
    too_long = f"startDate={from_to[0]}&endDate={from_to[1]}"
    assert (await boss("GET", f"/agencies/subscribers-history?{too_long}"))[0] == 400
    first = min(one.created_at for one in managed.subscriptions)
    assert now - first < 360 * 86_400
    path = f"startDate={iso(first - 86_400)}&endDate={iso(now + 86_400)}"
    days = await paged(boss, f"/agencies/subscribers-history?{path}")
    assert days[0]["total"] == len(managed.subscribers)
    assert sum(day["newSubscribersCount"] for day in days) == len(managed.subscriptions)


def iso(at):
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_what_the_agency_writes_counts_for_its_writer(app, boss, agency, managed):
    fan = next(iter(managed.chats.values())).fan

    async def achieved():
        rows = (await boss("GET", "/agencies/insights/chatter-leaderboard"))[1]["data"]
        assert [row["revenue"] for row in rows] == sorted((row["revenue"] for row in rows), reverse=True)
        return {row["chatterUuid"]: row for row in rows}

    before = await achieved()
    assert sum(row["messages"] for row in before.values()) > 0
    media = next(iter(managed.content.media))
    offer = {"text": "only today", "price": 2500, "mediaUuids": [media]}
    await app.control("act", do="message", creator=managed.handle, fan=fan.handle)
    sent = (await boss("POST", f"/creators/{managed.uuid}/chats/{fan.uuid}/message", offer))[1]
    await app.control("act", do="purchase", creator=managed.handle, fan=fan.handle)
    after = (await achieved())[agency.uuid]
    assert (after["ppvsSent"], after["ppvsUnlocked"], after["revenue"]) == (1, 1, 2500)
    assert after["avgResponseMs"] is not None
    history = (await boss("GET", f"/creators/{managed.uuid}/chats/{fan.uuid}/messages"))[1]["data"]
    assert next(row for row in history if row["uuid"] == sent["messageUuid"])["sentByUserId"] == agency.uuid
    only = (await boss("GET", f"/agencies/insights/chatter-leaderboard?chatterUuids={agency.uuid}"))[1]
    assert [row["chatterUuid"] for row in only["data"]] == [agency.uuid]


async def test_a_team_member_gets_a_nickname_and_creators_to_work_for(boss, managed):
    members = (await boss("GET", "/agencies/team-members"))[1]
    assert [member["isAdmin"] for member in members] == [True, False, False]
    path = f"/agencies/team-members/{members[1]['uuid']}"
    changed = (await boss("PUT", path, {"creatorUuids": [], "nickname": "Ni"}))[1]
    assert (changed["creatorAccess"], changed["nickname"]) == ([], "Ni")
    await boss("PUT", path, {"creatorUuids": [managed.uuid]})
    again = (await boss("PUT", path, {"creatorUuids": None}))[1]
    assert again["creatorAccess"] == [{"uuid": managed.uuid, "role": "CHATTER"}]
    assert again in (await boss("GET", "/agencies/team-members"))[1]
    nobody = "00000000-0000-4000-8000-000000000001"
    assert (await boss("PUT", f"/agencies/team-members/{nobody}", {"creatorUuids": []}))[0] == 404
    assert (await boss("PUT", path, {"creatorUuids": [nobody]}))[0] == 404


async def test_invitations_go_to_people_with_the_right_account_once(app, boss):
    fan = next(iter(app.sandbox.world.fans.values())).email
    creator = app.sandbox.world.first_creator.email
    assert (await boss("POST", "/agencies/invites", {"email": fan}))[1]["success"]
    assert (await boss("POST", "/agencies/creator-invites", {"email": creator}))[1]["success"]
    for path, email in (("invites", fan), ("invites", creator), ("creator-invites", "nobody@fans.example")):
        status, refused = await boss("POST", f"/agencies/{path}", {"email": email})
        assert (status, list(refused)) == (400, ["message"])


async def test_online_subscribers_are_those_who_are(app, boss, managed):
    fan, other = managed.subscribers[:2]
    for subscriber in managed.subscribers:
        await app.control("act", do="offline", creator=managed.handle, fan=subscriber.handle)
    await app.control("act", do="online", creator=managed.handle, fan=fan.handle)
    path = f"/creators/{managed.uuid}/subscribers/online"
    assert (await boss("GET", path))[1]["count"] == 1
    assert [row["uuid"] for row in (await boss("GET", path))[1]["data"]] == [fan.uuid]
    assert (await boss("GET", f"{path}?subscriberUuids={other.uuid}"))[1] == {"count": 0, "data": []}


async def test_an_app_without_plans_says_so_and_one_with_a_plan_has_subscribers(app, boss, agency, managed):
    mine = f"/apps/{app.client_id}/subscription/me"
    status = f"/apps/{app.client_id}/subscription-status"
    assert (await boss("GET", status))[1]["overallStatus"] == "notConfigured"
    assert (await boss("GET", mine))[1]["status"] == "none"
    plan = (await app.control("app/plan", name="Pro", price=1900))["uuid"]
    shown = (await boss("GET", status))[1]
    assert (shown["overallStatus"], shown["pricingPlans"][0]["uuid"]) == ("active", plan)
    await app.control("app/plan", name="Old", status="withdrawn")
    assert (await boss("GET", status))[1]["overallStatus"] == "mixed"
    await app.control("app/subscription", creator=agency.handle)
    await app.control("app/subscription", creator=managed.handle, ends=True)
    own = (await boss("GET", mine))[1]
    assert (own["hasActiveSubscription"], own["status"], own["cancelAtPeriodEnd"]) == (True, "active", False)
    (row,) = own["managedCreators"]
    assert (row["userUuid"], row["cancelAtPeriodEnd"]) == (managed.uuid, True)
    nobody = "00000000-0000-4000-8000-000000000001"
    assert (await boss("GET", f"/apps/{nobody}/subscription/me"))[0] == 404


async def test_an_app_subscription_is_renewed_or_ends_with_its_period(app, calls, agency, managed):
    await app.control("app/plan")
    await app.control("app/subscription", creator=agency.handle)
    await app.control("app/subscription", creator=managed.handle, ends=True)
    await app.control("clock", advance=30 * 86_400)
    boss = await calls(agency.handle)
    own = (await boss("GET", f"/apps/{app.client_id}/subscription/me"))[1]
    assert own["status"] == "active"
    assert own["managedCreators"][0]["status"] == "cancelled"
    await app.control("app/subscription", creator=agency.handle, status="none")
    assert (await boss("GET", f"/apps/{app.client_id}/subscription/me"))[1]["status"] == "none"
