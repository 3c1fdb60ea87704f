"""A server, a client, a login and its callback, as every test of this room starts."""

from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest

from fankeep.oauth import (
    AuthorizationServer,
    ClientRegistration,
    PendingLogin,
    VerifiedCallback,
    pinned_server,
    validate_callback,
)
from fankeep.secret import Secret

NOW = 1_800_000_000.0


@pytest.fixture
def now() -> float:
    return NOW


@pytest.fixture
def server() -> AuthorizationServer:
    return pinned_server()


@pytest.fixture
def client() -> ClientRegistration:
    return ClientRegistration(
        client_id="7d9f6f0e-2a57-4a55-8f0a-1f6f3f1f0a11",
        redirect_uri="https://app.example/auth/callback",
        scopes=("openid", "offline_access", "read:self"),
    )


@pytest.fixture
def client_secret() -> Secret[str]:
    return Secret("5e" * 32)


@pytest.fixture
def login() -> PendingLogin:
    return PendingLogin.start(bytes(range(96)), return_path="/home?tab=1", now=NOW)


@pytest.fixture
def callback(server: AuthorizationServer, login: PendingLogin) -> VerifiedCallback:
    query = f"code=ory_ac_x.y&state={login.state.reveal()}".encode()
    return validate_callback(query, [login], now=NOW, server=server)


@pytest.fixture
def form() -> Callable[[bytes], dict[str, str]]:
    """Read a form body the way a server does."""
    return lambda body: dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
