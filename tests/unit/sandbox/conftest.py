"""A sandbox without sockets, a clock that stands still, and what the rules of tokens are tried with."""

import base64
import hashlib

import pytest

from fankeep.sandbox import AppRegistration, Sandbox, SandboxClock, SandboxSettings
from fankeep.sandbox.codes import Authorization
from fankeep.transport import Transport

START = 1_800_000_000.0
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CLIENT_ID = "6f1c1c3e-63a7-4b52-8f4f-0f1f6f6f1a01"
CREATOR = "0b6a4f8e-55f7-4f9d-9c39-7f0f0c6cbb01"
CALLBACK = "http://localhost:9999/auth/callback"


@pytest.fixture
def start():
    return START


@pytest.fixture
def pkce():
    return VERIFIER, CHALLENGE


@pytest.fixture
def authorization():
    def make(**changes):
        given = {
            "client_id": CLIENT_ID,
            "creator": CREATOR,
            "scopes": ("openid", "offline_access", "offline", "read:self"),
            "redirect_uri": CALLBACK,
            "code_challenge": CHALLENGE,
            "auth_time": START,
        }
        return Authorization(**{**given, **changes})

    return make


@pytest.fixture
async def sandbox():
    transport = Transport(https_only=False)
    settings = SandboxSettings(apps=(AppRegistration(client_id=CLIENT_ID, redirect_uris=(CALLBACK,)),))
    made = Sandbox(
        settings,
        base_url="http://127.0.0.1:4010",
        transport=transport,
        clock=SandboxClock(lambda: START),
    )
    yield made
    await made.close()
    await transport.close()
