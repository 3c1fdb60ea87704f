"""`fankeep fans` beside an installation, and after a back-up of it came back."""

import asyncio
import json

import pytest

from fankeep import Keep
from fankeep.cli.program import run
from fankeep.fanvue import WebhookSecret, sign_webhook, verify_webhook
from fankeep.keep.backups import back_up, restore_data
from fankeep.secret import Secret

FAN = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"
NOW = 1_794_694_400


@pytest.fixture
def command(installation, monkeypatch, capsys):
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)

    def call(*arguments):
        capsys.readouterr()
        code = run(["fans", *arguments])
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


def deliver(installation, creator):
    body = {
        "recipientUuid": creator,
        "sender": {"uuid": FAN},
        "message": {"text": "hello"},
        "messageUuid": FAN,
    }
    raw, secret = json.dumps(body).encode(), WebhookSecret("main", Secret("whsec_" + "a1" * 32), "app")
    verified = verify_webhook(raw, sign_webhook(raw, secret, timestamp=NOW), secret, now=NOW)

    async def main():
        async with Keep(installation.settings(), events=False) as keep:
            await keep._open.inbox.accept(verified)

    asyncio.run(main())


def test_export_erase_and_a_back_up_from_before(installation, command, tmp_path):
    creator = installation.connect()
    deliver(installation, creator)
    back_up(installation.settings(), "data", tmp_path / "before.db", progress=lambda *_: None)

    code, (event,) = command("export", creator, FAN, "--json")
    assert (code, event["type"], event["data"]["sender"]["uuid"]) == (0, "message.received", FAN)
    code, (receipt,) = command("erase", creator, FAN, "--yes")
    assert (code, receipt["erased"], receipt["events"]) == (0, "fan", 1)
    assert command("export", creator, FAN, "--json") == (0, [])

    for path in installation.folder.glob("data.db*"):
        path.unlink()
    settled = asyncio.run(
        restore_data(installation.settings(), tmp_path / "before.db", progress=lambda *_: None)
    )
    assert settled.fans_erased == 1
    assert command("export", creator, FAN, "--json") == (0, [])


async def test_an_app_erases_a_fan_who_asked_it_to_in_any_spelling(installation):
    creator = await asyncio.to_thread(installation.connect)
    await asyncio.to_thread(deliver, installation, creator)
    async with installation.keep() as keep:
        assert len([event async for event in keep.fan_events(creator, FAN)]) == 1
        assert (await keep.erase_fan(creator.upper(), FAN.upper())).events == 1
        assert [event async for event in keep.fan_events(creator, FAN)] == []
        with pytest.raises(ValueError, match="uuid"):
            await keep.erase_fan(creator, "somebody")
