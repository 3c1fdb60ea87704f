"""The page about webhooks: its commands work against the local Fanvue, its words are those of the code."""

import asyncio
import os
import re
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from fankeep import Keep, Secret, Settings, VerificationError, sign_webhook, verify_webhook
from fankeep.fanvue.signature import REASONS
from fankeep.inbox.accept import TEST_EVENT
from fankeep.secrets import parse_webhook_secrets
from fankeep.subscriptions import OVERLAP, Standing
from fankeep.telemetry import metrics
from fankeep.testing.running import fanvue_sandbox_in_thread
from fankeep.transport.listener import listening
from fankeep.transport.ports import free_port
from fankeep.types import UserId
from fankeep.vault import TokenPair

SECONDS = 60


@pytest.fixture
def page(pages):
    return pages[Path("docs/how-to/webhooks.md")]


async def test_the_commands_of_the_page_subscribe_list_and_test(page, root, tmp_path):
    add, compare, test = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    with ExitStack() as stack:
        fanvue = stack.enter_context(fanvue_sandbox_in_thread())
        port = free_port()
        values = {
            "env": "development",
            "public_url": f"http://localhost:{port}",
            "client_id": fanvue.client_id,
            "client_secret": fanvue.client_secret,
            "webhook_secrets": f"main={fanvue.webhook_secret}",
            "issuer_url": fanvue.issuer_url,
            "api_url": fanvue.api_url,
            "operations": "getCurrentUser",
            "database_url": f"sqlite:///{tmp_path}/data.db",
            "keys": f"file:{tmp_path}/keys.json",
        }
        async with (
            Keep(Settings(**values)) as keep,
            listening(keep.gateway, host="127.0.0.1", port=port),
        ):
            creators = [await connect(keep, fanvue, handle) for handle in ("miahart", "lucamoreno")]
            environment = {
                name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")
            }
            environment |= {f"FANKEEP_{name.upper()}": value for name, value in values.items()}
            environment["PATH"] = f"{root}/.venv/bin:{environment['PATH']}"
            environment["CREATOR"] = creators[0]
            told = await shell(add, environment)
            assert all(creator in told for creator in creators)
            assert (await shell(compare, environment)).count(" active ") == len(creators)
            assert "stored (200)" in await shell(test, environment)


async def connect(keep, fanvue, handle):
    tokens = fanvue.control.connect(handle)
    scopes = tuple(sorted(tokens.scope.split()))
    pair = TokenPair(Secret(tokens.access_token), Secret(tokens.refresh_token), 3600.0, 3600.0, scopes)
    await keep._open.vault.store_login(UserId(tokens.creator), pair)
    return tokens.creator


async def shell(block, environment):
    process = await asyncio.create_subprocess_exec(
        "sh", "-e", "-c", block, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 0, err.decode()
    return out.decode()


def test_both_secrets_of_the_page_count_while_they_overlap(page):
    (lines,) = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    shown = {"old": "whsec_" + "0f2c" * 16, "new": "whsec_" + "9b41" * 16}
    for name, secret in shown.items():
        lines = re.sub(rf"^{name}=\S+", f"{name}={secret}", lines, flags=re.MULTILINE)
    secrets = parse_webhook_secrets(Secret(lines))
    matching = {}
    for day, now in (("before", 1_796_000_000), ("between", 1_796_120_000), ("after", 1_796_300_000)):
        for name, secret in shown.items():
            header = sign_webhook(b"{}", secret, timestamp=now)
            try:
                matching[day, name] = verify_webhook(b"{}", header, secrets, now=now).secret_name
            except VerificationError:
                matching[day, name] = None
    assert matching == {
        ("before", "old"): "old",
        ("before", "new"): None,
        ("between", "old"): "old",
        ("between", "new"): "new",
        ("after", "old"): None,
        ("after", "new"): "new",
    }


def test_every_standing_reason_and_name_of_the_page_is_one_of_the_code(page):
    standings = {standing.value.replace("_", " ") for standing in Standing}
    assert set(re.findall(r"^\| ([a-z ]+) \| ", page, re.MULTILINE)) >= standings
    named = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| `[^|]*\|", page, re.MULTILINE))))
    assert named == {*REASONS, "wrong_scope"} - {"clock"}
    assert {"webhook_stale", "webhook_foreign_scope"} <= metrics.ALARM_NAMES
    rendered = metrics.render().decode()
    assert all(name in rendered for name in re.findall(r"fankeep_webhook\w+?(?=_total)", page))
    assert f"`{TEST_EVENT}`" in page
    assert OVERLAP == 3600
