"""Events that never came: read from the sandbox's API, compared with what is stored, and filled in."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from datetime import datetime

import pytest

from fankeep import Keep, Settings, sign_webhook
from fankeep.cli.demo.browser import Browser
from fankeep.client import FanvueApi
from fankeep.inbox.filling import Filling
from fankeep.keep.reconciling import open_reconciler
from fankeep.keep.stores import open_stores
from fankeep.reconcile import Reconciler
from fankeep.store import Command, Statement, trail
from fankeep.transport.listener import listening
from fankeep.transport.ports import free_port

HALF_A_YEAR = 183 * 86_400
KNOWN_SINCE = Command("UPDATE users SET created_at = :moment")
STATES = Statement("SELECT state FROM events ORDER BY seq", str)


class App:
    """A gateway of the sandbox's app, with a connected creator."""

    def __init__(self, sandbox, keep, settings, url):
        self.sandbox, self.keep, self.settings, self.url = sandbox, keep, settings, url
        self.heard = []
        self.creator = None

    def sign_in(self):
        browser = Browser()
        page = browser.open(f"{self.url}/auth/login?return_to=/auth/session")
        form = page.form("/auth/login")
        begun = browser.request("POST", form.action, form=form.fields, initiator=page.url, navigate=True)
        callback = self.sandbox.control.approve(begun.header("location"))
        browser.request("GET", callback, initiator=self.sandbox.base_url, navigate=True)
        self.creator = str(browser.fetch(f"{self.url}/auth/session").json()["user"])

    def post(self, body, *, at):
        content = json.dumps(body).encode()
        signature = sign_webhook(content, self.sandbox.webhook_secret, timestamp=int(at))
        headers = {"content-type": "application/json", "x-fanvue-signature": signature}
        request = urllib.request.Request(f"{self.url}/webhooks/fanvue", content, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code

    async def deliver(self, body, *, at=None):
        return await asyncio.to_thread(self.post, body, at=at or time.time())

    async def compare(self, *, fill=False):
        """As the operator's command does it, beside the running gateway."""
        async with (
            open_stores(self.settings, create=False) as stores,
            open_reconciler(self.settings, stores) as reconciler,
        ):
            return await reconciler.one(self.creator, since=time.time() - HALF_A_YEAR, fill=fill)

    async def have_known_the_creator(self, *, since):
        async with open_stores(self.settings, create=False) as stores:
            await stores.data.write(lambda tx: tx.run(KNOWN_SINCE, moment=since))

    async def read(self, statement):
        async with open_stores(self.settings, create=False) as stores:
            return await stores.data.read(lambda tx: tx.all(statement))

    async def chats(self):
        pages = self.keep.client(self.creator).pages("listChats", query={"size": 50})
        return [row async for page in pages for row in page.data["data"]]

    async def fans_messages(self):
        found = []
        for chat in await self.chats():
            params = {"userUuid": chat["user"]["uuid"]}
            async for page in self.keep.client(self.creator).pages("listMessages", params=params):
                found += [
                    row
                    for row in page.data["data"]
                    if row["sender"]["uuid"] == params["userUuid"] and row["type"] != "TIP"
                ]
        return found

    def event(self, message):
        return {
            "id": f"evt-{message['uuid']}",
            "type": "creator.message.received",
            "timestamp": message["sentAt"],
            "data": {
                "object": "message",
                "uuid": message["uuid"],
                "sender": "fan",
                "fan": message["sender"],
                "creator": {"uuid": self.creator},
            },
        }


async def until(holds):
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


@pytest.fixture
def asked():
    return "getCurrentUser listChats listMessages getEarnings"


@pytest.fixture
async def app(fanvue_sandbox, tmp_path, asked):
    folder = tmp_path / "fankeep"
    folder.mkdir(mode=0o700)
    port = free_port()
    url = f"http://localhost:{port}"
    fanvue_sandbox.control.register(redirect_uris=[f"{url}/auth/callback"])
    settings = Settings(
        env="development",
        public_url=url,
        client_id=fanvue_sandbox.client_id,
        client_secret=fanvue_sandbox.client_secret,
        webhook_secrets=f"main={fanvue_sandbox.webhook_secret}",
        issuer_url=fanvue_sandbox.issuer_url,
        api_url=fanvue_sandbox.api_url,
        operations=asked,
        keep_payloads_days=190,
        keep_events_days=200,
        database_url=f"sqlite:///{folder}/data.db",
        keys=f"file:{folder}/keys.json",
    )
    keep = Keep(settings)
    running = App(fanvue_sandbox, keep, settings, url)

    @keep.on("creator.message.received")
    async def hear(event):
        running.heard.append(event)

    async with keep, listening(keep.gateway, host="127.0.0.1", port=port):
        await asyncio.to_thread(running.sign_in)
        await running.have_known_the_creator(since=0)
        yield running


async def test_what_never_arrived_is_counted_and_nothing_is_marked_as_read(app):
    unread = {chat["user"]["uuid"]: chat["unreadMessagesCount"] for chat in await app.chats()}
    messages = await app.fans_messages()

    report = await app.compare()

    assert report.messages.seen == report.messages.missing == len(messages) > 3
    assert report.payments.seen == report.payments.missing > 3
    assert (report.messages.filled, report.messages.unread, report.payments.unread) == (0, None, None)
    assert not report.complete
    assert unread == {chat["user"]["uuid"]: chat["unreadMessagesCount"] for chat in await app.chats()}
    assert any(unread.values())
    assert await app.read(STATES) == []


async def test_what_was_before_the_creator_connected_is_nobodys_to_tell(app):
    newest = max(row["sentAt"] for row in await app.fans_messages())
    at = datetime.fromisoformat(newest).timestamp()

    await app.have_known_the_creator(since=at + 1)
    nothing = await app.compare(fill=True)
    await app.have_known_the_creator(since=at - 1)
    last = await app.compare()

    assert (nothing.messages.seen, nothing.messages.filled) == (0, 0)
    assert last.messages.seen == 1


async def test_what_is_filled_in_reaches_the_handlers_once_and_is_not_missing_any_more(app):
    messages = {row["uuid"]: row for row in await app.fans_messages()}

    filled = await app.compare(fill=True)
    await until(lambda: len(app.heard) == len(messages))
    again = await app.compare(fill=True)

    assert filled.messages.filled == len(messages)
    assert (again.messages.seen, again.messages.missing, again.messages.filled) == (len(messages), 0, 0)
    assert {event.data["uuid"] for event in app.heard} == set(messages)
    event = app.heard[0]
    assert event.creator == app.creator
    assert event.data["fan"] == {"uuid": messages[event.data["uuid"]]["sender"]["uuid"]}
    assert "text" not in event.data  # kept by the same list as a webhook's


async def test_a_delivery_that_comes_after_its_filling_has_no_second_effect(app):
    late, *_ = await app.fans_messages()
    filled = (await app.compare(fill=True)).messages.filled
    await until(lambda: len(app.heard) == filled)

    assert await app.deliver(app.event(late)) == 200
    legacy = {"messageUuid": late["uuid"], "message": {"uuid": late["uuid"]}, "recipientUuid": app.creator,
              "sender": late["sender"], "timestamp": late["sentAt"]}  # fmt: skip
    assert await app.deliver(legacy) == 200

    assert (await app.read(STATES))[filled:] == ["shadow", "shadow"]
    assert len(app.heard) == filled


async def test_what_came_as_a_webhook_is_not_missing(app):
    first, second, *_ = await app.fans_messages()
    before = await app.compare()
    assert await app.deliver(app.event(first)) == 200
    deleted = app.event(second)
    assert await app.deliver({**deleted, "type": "creator.message.deleted"}) == 200
    rows = [
        row
        async for page in app.keep.client(app.creator).pages("getEarnings")
        for row in page.data["data"]
        if row["gross"] > 0
    ]
    payment = {"id": "FV-1", "gross": rows[0]["gross"], "purchaser": {"uuid": rows[0]["user"]["uuid"]},
               "creator": {"uuid": app.creator}}  # fmt: skip
    body = {"id": "evt-p", "type": "creator.payment.succeeded", "timestamp": rows[0]["date"], "data": payment}
    assert await app.deliver(body) == 200

    after = await app.compare()

    assert after.messages.missing == before.messages.missing - 2
    assert after.payments.missing == before.payments.missing - 1


class TestWithoutTheScopes:
    @pytest.fixture
    def asked(self):
        return "getCurrentUser"

    async def test_what_cannot_be_read_is_said(self, app):
        report = await app.compare(fill=True)

        assert (report.messages.unread, report.payments.unread) == ("scope_missing", "scope_missing")
        assert not report.complete


async def test_a_delivery_refused_for_its_age_starts_a_look_that_fills(app, monkeypatch):
    watch = app.keep._open.watch
    monkeypatch.setattr(watch, "_settle", 0.05)
    messages = await app.fans_messages()
    told, *_ = messages
    assert await app.deliver(app.event(told)) == 200  # webhooks do tell of this creator's messages
    recent = [
        row
        for row in messages
        if row["sentAt"] > time.strftime("%Y-%m-%d", time.gmtime(time.time() - 6 * 86_400))
    ]

    assert await app.deliver(app.event(messages[-1]), at=time.time() - HALF_A_YEAR) == 401

    await until(lambda: app.heard and len(app.heard) >= len(recent))
    async with asyncio.timeout(20), open_stores(app.settings, create=False) as stores:
        while not (lines := await stores.data.read(lambda tx: trail.page(tx, limit=5))):
            await asyncio.sleep(0.02)
    assert lines[0].actor == "system"
    assert lines[0].action == "events_reconciled"


async def test_for_an_app_that_hears_of_no_messages_none_is_filled_in_by_itself(app, monkeypatch):
    monkeypatch.setattr(app.keep._open.watch, "_settle", 0.05)
    event = app.event((await app.fans_messages())[0])

    assert await app.deliver(event, at=time.time() - HALF_A_YEAR) == 401

    async with asyncio.timeout(20), open_stores(app.settings, create=False) as stores:
        while not (lines := await stores.data.read(lambda tx: trail.page(tx, limit=5))):
            await asyncio.sleep(0.02)
    assert " 0 filled" in lines[0].outcome
    assert app.heard == []


async def test_the_api_is_waited_for_when_it_asks_for_it(app):
    app.sandbox.control.fault("status", target="api", operation="listChats", status=429, seconds=7)
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    async with open_stores(app.settings, create=False) as stores:
        api = FanvueApi(app.keep._open.to_app, app.keep._open.vault, api_url=app.settings.api_url)
        filling = Filling(stores.data, stores.datakeys)
        reconciler = Reconciler(
            api, stores.data, stores.datakeys, filling, payloads_age=HALF_A_YEAR, sleep=sleep
        )
        report = await reconciler.one(app.creator, since=time.time() - HALF_A_YEAR, fill=False)

    assert 7 in waits
    assert report.messages.unread is None
