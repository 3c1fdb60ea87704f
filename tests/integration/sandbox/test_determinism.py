"""The same seed, the same scenario and the same client give the same journal, chance included."""

import asyncio
import http.client

from fankeep.sandbox import AppRegistration, SandboxClock, parse_scenario

CALLBACK = "http://localhost:9999/auth/callback"
START = 1_800_000_000.0
PASSING = {"at", "answered_at"}
DIGESTS = {"code", "refresh_token"}
SCENARIO = """
[[fault]]
kind = "status"
grant_type = "refresh_token"
count = "all"
chance = 0.2

[[fault]]
kind = "truncated"
grant_type = "refresh_token"
count = "all"
chance = 0.15

[[fault]]
kind = "race"
moment = "before"
grant_type = "refresh_token"
count = "all"
chance = 0.2

[[fault]]
kind = "malformed"
target = "api"
count = "all"
chance = 0.1

[[fault]]
kind = "status"
target = "api"
operation = "listChats"
status = 429
moment = "before"
count = "all"
chance = 0.3

[[fault]]
kind = "firewall"
target = "api"
start = 60
end = 120
count = "all"
chance = 0.5

[[fault]]
kind = "tokens_expired"
count = "all"
chance = 0.02

[[fault]]
kind = "clock_skew"
target = "delivery"
seconds = 30
count = 3
chance = 0.3

[[fault]]
kind = "duplicated"
copies = 3
count = "all"
chance = 0.3

[[fault]]
kind = "stale"
count = "all"
chance = 0.3

[[fault]]
kind = "reordered"
seconds = 0.02
count = "all"
chance = 0.4
"""


class Story:
    """What one sequential client does, step by step, whatever the answers are."""

    def __init__(self, app, receiver):
        self.app = app
        self.receiver = receiver
        self.creator = app.sandbox.world.first_creator
        self.fan = next(iter(self.creator.chats.values())).fan.uuid
        self.tokens = None

    async def run(self):
        self.tokens = await self.app.connect(self.creator.handle)
        topics = ["creator.message.received", "tip.new", "creator.payment.succeeded"]
        await self.app.control("endpoints", url=self.receiver.url, topics=topics)
        for turn in range(25):
            await self.refresh()
            for path in (
                "/users/me",
                "/chats?size=50",
                f"/chats/{self.fan}/messages",
                "/followers",
                "/posts",
            ):
                await self.app.api("GET", path, self.tokens["access_token"])
            body = {"text": f"turn {turn}"}
            await self.app.api("POST", f"/chats/{self.fan}/message", self.tokens["access_token"], body)
            await self.app.api("GET", f"/chats/{self.fan}/nonsense", "no token")
            await self.app.control("clock", advance=7)
            await self.act("tip" if turn % 2 else "message")
            if turn % 5 == 0:
                await self.refresh("ory_rt_none")

    async def refresh(self, token=None):
        """One refresh; an answer that breaks off leaves the token to be tried again."""
        try:
            answer = await self.app.refresh(token or self.tokens["refresh_token"])
        except http.client.IncompleteRead:
            return
        if answer.status == 200:
            self.tokens = answer.json

    async def act(self, deed):
        """Something a fan does; goes on once every delivery has come to its end."""
        await self.app.control("act", do=deed, fan=self.fan)
        async with asyncio.timeout(30):
            while not all(row["done"] for row in await self.app.show("deliveries")):
                await asyncio.sleep(0.005)

    async def journal(self):
        """Every entry without its times, what clients and endpoints chose as ordinals."""
        ordinals = {}
        endpoint = self.app.sandbox.endpoints.of(self.app.client_id)[0].id
        return [
            {
                name: ordinals.setdefault(value, len(ordinals))
                if name in DIGESTS or value == endpoint
                else value
                for name, value in entry.items()
                if name not in PASSING
            }
            for entry in await self.app.show("journal")
        ]


async def told(launch, receiver, seed, scenario=""):
    """The journal of one run, by a clock that stands still but for what the client lets pass."""
    registration = AppRegistration(
        client_id="6f1c1c3e-63a7-4b52-8f4f-0f1f6f6f1a01", redirect_uris=(CALLBACK,)
    )
    app = await launch(
        clock=SandboxClock(lambda: START),
        seed=seed,
        apps=(registration,),
        rate_limit=150,
        scenario=parse_scenario(scenario),
        retry_delays=(),
    )
    story = Story(app, receiver)
    await story.run()
    return await story.journal()


async def test_two_runs_with_one_seed_are_equal_and_another_seed_differs(launch, receiver):
    first = await told(launch, receiver, 11)
    assert len(first) >= 200
    assert await told(launch, receiver, 11) == first
    assert await told(launch, receiver, 12) != first


async def test_so_are_two_runs_with_one_seed_and_one_scenario_of_random_faults(launch, receiver):
    first = await told(launch, receiver, 11, SCENARIO)
    assert len(first) >= 200
    struck = {entry.get("fault") or entry.get("incident") for entry in first}
    assert len(struck - {None}) >= 9, struck
    assert await told(launch, receiver, 11, SCENARIO) == first
    faults = [(entry["number"], entry.get("fault")) for entry in first]
    other = await told(launch, receiver, 12, SCENARIO)
    assert [(entry["number"], entry.get("fault")) for entry in other] != faults
