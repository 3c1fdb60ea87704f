"""An app built on fankeep under the fixture: sign-in, a refresh, a fan's message."""

import asyncio

import pytest

from fankeep import Keep, Settings
from fankeep.cli.demo.browser import Browser
from fankeep.store import Command
from fankeep.transport.listener import listening
from fankeep.transport.ports import free_port

RUN_OUT = Command("UPDATE grants SET access_expires_at = 0")


@pytest.fixture
async def app(fanvue_sandbox, tmp_path):
    """A Keep and its public URL."""
    folder = tmp_path / "fankeep"
    folder.mkdir(mode=0o700)
    port = free_port()
    url = f"http://localhost:{port}"
    fanvue_sandbox.control.register(redirect_uris=[f"{url}/auth/callback"])
    fanvue_sandbox.control.deliver_to(f"{url}/webhooks/fanvue", topics=["creator.message.received"])
    settings = Settings(
        env="development",
        public_url=url,
        client_id=fanvue_sandbox.client_id,
        client_secret=fanvue_sandbox.client_secret,
        webhook_secrets=f"main={fanvue_sandbox.webhook_secret}",
        issuer_url=fanvue_sandbox.issuer_url,
        api_url=fanvue_sandbox.api_url,
        operations="getCurrentUser",
        database_url=f"sqlite:///{folder}/data.db",
        keys=f"file:{folder}/keys.json",
    )
    keep = Keep(settings)
    async with keep, listening(keep.gateway, host="127.0.0.1", port=port):
        yield keep, url


def sign_in(sandbox, url):
    browser = Browser()
    page = browser.open(f"{url}/auth/login?return_to=/auth/session")
    form = page.form("/auth/login")
    begun = browser.request("POST", form.action, form=form.fields, initiator=page.url, navigate=True)
    callback = sandbox.control.approve(begun.header("location"))
    browser.request("GET", callback, initiator=sandbox.base_url, navigate=True)
    return str(browser.fetch(f"{url}/auth/session").json()["user"])


async def test_a_token_that_runs_out_is_refreshed_once(fanvue_sandbox, app):
    keep, url = app
    control = fanvue_sandbox.control
    user = await asyncio.to_thread(sign_in, fanvue_sandbox, url)
    await keep._services.vault._database.write(lambda tx: tx.run(RUN_OUT))

    answer = await keep.client(user).call("getCurrentUser")

    assert answer.data["uuid"] == user
    refreshes = control.journal(kind="token", grant_type="refresh_token")
    assert [(entry["token"], entry["use"]) for entry in refreshes] == [(1, 1)]
    assert [grant["live"] for grant in control.grants()] == [True]


async def test_a_fans_message_reaches_the_handler(fanvue_sandbox, app):
    keep, url = app
    heard = asyncio.Queue()

    @keep.on("creator.message.received")
    async def remember(event):
        await heard.put(event)

    user = await asyncio.to_thread(sign_in, fanvue_sandbox, url)
    (delivery,) = await asyncio.to_thread(fanvue_sandbox.control.act, "message", wait=True)
    event = await asyncio.wait_for(heard.get(), 30)

    assert (event.type, event.creator) == ("creator.message.received", user)
    assert delivery["succeeded"]
