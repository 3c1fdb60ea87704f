"""The code of the page on handlers runs as it stands there, on events that Fanvue could have sent."""

import asyncio
import json
import re
import time
from pathlib import Path

import pytest

from fankeep import Command, Message, sign_webhook, verify_webhook
from fankeep.keep.fields import Fields
from fankeep.policy import DELIVERY_RETRIES, RetryIn
from fankeep.store import Statement, users

PAGE = Path("docs/how-to/handlers.md")
CREATOR = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
FAN = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"
MESSAGE = "22222222-2222-4222-8222-222222222222"
SECRET = "whsec_" + "a1b2c3d4" * 8
MAKE = Command("CREATE TABLE app_tips (creator TEXT PRIMARY KEY, cents INTEGER NOT NULL) STRICT")
TIPS = Statement("SELECT creator || ' ' || cents FROM app_tips", str)
WAITING = Statement("SELECT count(*) FROM events WHERE state = 'pending'", int)


@pytest.fixture
def page(pages):
    return pages[PAGE]


@pytest.fixture
def app(page, tmp_path, monkeypatch):
    """What the blocks of the page define, one after the other."""
    folder = tmp_path / "fankeep"
    folder.mkdir(mode=0o700)
    environment = {
        "ENV": "development",
        "PUBLIC_URL": "http://localhost:8080",
        "CLIENT_ID": "0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11",
        "CLIENT_SECRET": "0123456789abcdef" * 4,
        "WEBHOOK_SECRETS": f"main={SECRET}",
        "DATABASE_URL": f"sqlite:///{folder}/data.db",
        "KEYS": f"file:{folder}/keys.json",
    }
    for line in re.findall(r"^FANKEEP_(\w+)=(.*)$", page, re.MULTILINE):
        environment[line[0]] = line[1].strip('"')
    for name, value in environment.items():
        monkeypatch.setenv(f"FANKEEP_{name}", value)
    defined = {"__name__": "app"}
    for block in re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        exec(compile(block, PAGE, "exec", dont_inherit=True), defined)
    return defined


def envelope(number, type_name, **data):
    data = {"creator": {"uuid": CREATOR}, **data}
    return {"id": f"evt_{number}", "type": type_name, "timestamp": "2026-11-14T22:13:20.000Z", "data": data}


async def handled(app, *bodies):
    """Open the app, deliver these, and wait until all are handled; return what was seen and counted."""
    async with app["keep"] as keep:
        services = keep._open
        database = services.directory._database
        await database.write(lambda tx: users.add(tx, CREATOR))
        await database.write(lambda tx: tx.run(MAKE))
        await services.datakeys.ensure(CREATOR)
        for body in bodies:
            raw, now = json.dumps(body).encode(), time.time()
            header = sign_webhook(raw, SECRET, timestamp=int(now))
            await services.inbox.accept(verify_webhook(raw, header, SECRET, now=now))
        async with asyncio.timeout(30):
            while await database.read(lambda tx: tx.one(WAITING)):
                await asyncio.sleep(0.01)
        return app["seen"], await database.read(lambda tx: tx.all(TIPS))


async def test_the_handlers_get_events_by_their_old_names_and_count_in_one_transaction(app):
    old = {"recipientUuid": CREATOR, "sender": {"uuid": FAN}, "timestamp": "2026-11-14T22:13:20.000Z"}
    seen, tips = await handled(
        app,
        {"message": {"uuid": MESSAGE, "text": "hi"}, "messageUuid": MESSAGE, **old},
        {"context": "message", "messageUuid": MESSAGE, "price": 500, "senderUuid": FAN, **old},
        old,
    )
    assert seen == [(CREATOR, FAN, MESSAGE), ("tip", 500), ("follow", FAN)]
    assert tips == [f"{CREATOR} 500"]


async def test_the_handlers_get_events_by_their_new_names_and_the_order_holds(app):
    fan = {"uuid": FAN}
    seen, tips = await handled(
        app,
        envelope(1, "creator.payment.succeeded", source="tip", gross=300, purchaser=fan),
        envelope(2, "creator.payment.succeeded", source="post", gross=900, purchaser=fan),
        envelope(3, "creator.message.received", uuid=MESSAGE, fan=fan, text="hi"),
        envelope(4, "creator.story.viewed", fan=fan),
        envelope(5, "creator.follow.created", follower=fan),
        envelope(6, "creator.payment.succeeded", source="tip", gross=400, purchaser=fan),
    )
    assert seen == [
        ("tip", 300),
        (CREATOR, FAN, MESSAGE),
        ("new to us", "creator.story.viewed"),
        ("follow", FAN),
        ("tip", 400),
    ]
    assert tips == [f"{CREATOR} 700"]


async def test_the_fields_that_the_page_opts_in_to_are_kept_and_no_others(app):
    texts = []

    @app["keep"].on("message.received")
    async def read(event):
        message = event.as_(Message)
        texts.append((message.text, message.fan.handle, message.fan.display_name))

    fan = {"uuid": FAN, "handle": "zoe", "displayName": "Zoë", "display_name": "Zoë"}
    old = {"recipientUuid": CREATOR, "sender": fan, "timestamp": "2026-11-14T22:13:20.000Z"}
    await handled(app, {"message": {"uuid": MESSAGE, "text": "hi"}, "messageUuid": MESSAGE, **old})
    assert texts == [("hi", "zoe", None)]
    texts.clear()


def test_the_settings_of_the_page_are_accepted(app):
    settings = app["keep"].settings
    assert settings.event_order == "creator"
    assert settings.keep_fields == ("*message.received:text", "*:handle")


def test_the_figures_of_the_page_are_those_of_the_code(page):
    fields = Fields.model_fields
    for name in ("event_tries", "event_timeout", "event_concurrency"):
        assert f"`FANKEEP_{name.upper()}` ({fields[name].default}" in page

    def seconds(tries):
        return sum(DELIVERY_RETRIES.after(number, jitter=0.5).seconds for number in range(1, tries))

    waits = [DELIVERY_RETRIES.after(number, jitter=1 - 1e-9) for number in (1, 2, 3)]
    assert [round(wait.seconds) for wait in waits if isinstance(wait, RetryIn)] == [2, 6, 18]
    assert DELIVERY_RETRIES.cap == 6 * 3600
    assert round(seconds(DELIVERY_RETRIES.tries) / 3600) == 31
    assert seconds(5) == 60
