"""The listener: loopback only, one sandbox a port, the same world for the same seed."""

import pytest

from fankeep.errors import ConfigurationError
from fankeep.sandbox import AppRegistration, ControlClient, SandboxSettings, running_sandbox
from fankeep.secret import Secret
from fankeep.transport import Transport


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "localhost", "sandbox.example", ""])
def test_anything_but_a_loopback_address_is_refused(host):
    with pytest.raises(ConfigurationError, match="loopback"):
        SandboxSettings(host=host)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_a_limit_of_deliveries_that_is_none_is_refused(seconds):
    with pytest.raises(ConfigurationError, match="delivery_timeout"):
        SandboxSettings(delivery_timeout=seconds)


async def test_a_taken_port_is_refused_in_one_line(app):
    port = int(app.sandbox.base_url.rpartition(":")[2])
    with pytest.raises(ConfigurationError, match=f"port {port} is in use"):
        async with running_sandbox(SandboxSettings(port=port)):
            pass


async def test_the_same_seed_gives_the_same_creators(launch):
    one, same, other = await launch(seed=5), await launch(seed=5), await launch(seed=6)
    creators = [[row["uuid"] for row in (await app.show("state"))["creators"]] for app in (one, same, other)]
    assert creators[0] == creators[1] != creators[2]


async def test_a_registration_can_be_given(launch):
    app = await launch(
        apps=(
            AppRegistration(
                client_id="6f1c1c3e-63a7-4b52-8f4f-0f1f6f6f1a01",
                client_secret=Secret("ab" * 32),
                redirect_uris=("http://localhost:9999/auth/callback",),
                scopes=("openid", "offline_access", "offline", "read:self"),
                webhook_url="http://127.0.0.1:9/x",
                webhook_secret=Secret("whsec_given"),
            ),
        )
    )
    assert (app.client_id, app.client_secret) == ("6f1c1c3e-63a7-4b52-8f4f-0f1f6f6f1a01", "ab" * 32)
    (endpoint,) = await app.show("endpoints")
    assert endpoint["url"] == "http://127.0.0.1:9/x"
    assert "whsec_given" not in str(await app.show("state"))
    assert (await app.show("needles"))["signing_secret"] == ["whsec_given"]
    assert (await app.connect(scope="openid read:self"))["access_token"]


@pytest.mark.parametrize(
    "registration",
    [
        AppRegistration(client_id="not-a-uuid"),
        AppRegistration(scopes=("read:everything",)),
        AppRegistration(webhook_url="http://receiver.example/x"),
    ],
)
async def test_a_registration_that_makes_no_sense_is_refused(registration):
    with pytest.raises(ConfigurationError):
        async with running_sandbox(SandboxSettings(port=0, apps=(registration,))):
            pass


async def test_the_control_client_shows_does_and_explains(app):
    transport = Transport(https_only=False)
    try:
        control = ControlClient(app.sandbox.base_url, transport)
        assert (await control.show("state"))["seed"] == 1
        assert (await control.do("clock", advance=5))["clock_offset"] == 5
        with pytest.raises(ConfigurationError, match="event: expected one of"):
            await control.do("fire", event="nonsense")
        with pytest.raises(ConfigurationError, match="refused"):
            await control.show("nonsense")
    finally:
        await transport.close()
