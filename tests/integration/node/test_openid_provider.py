"""The OAuth client and the vault against a certified OpenID provider that somebody else wrote.

It rotates refresh tokens and knows no grace: a spent one that comes again ends the whole chain.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from fankeep.datakeys import open_data_keys
from fankeep.errors import CallbackError, ProviderError, ReconnectRequired, RetryableError
from fankeep.kms import create_key_file, from_setting
from fankeep.oauth import (
    LOGIN_RANDOM_BYTES,
    AuthorizationServer,
    ClientRegistration,
    Outcome,
    PendingLogin,
    SigningKeys,
    TokenResponse,
    VerifiedCallback,
    build_authorization_url,
    build_jwks_request,
    pinned_server,
    process_jwks_response,
    validate_callback,
    verify_id_token,
)
from fankeep.secret import Secret
from fankeep.secrets import ClientSecret, ClientSecrets
from fankeep.store import installation, open_data, open_keys
from fankeep.transport import Transport
from fankeep.types import HttpRequest, UserId
from fankeep.vault import State, Timing, TokenEndpoint, TokenPair, Vault

SUBJECT = "maria"
USER = UserId("00000000-0000-4000-8000-000000000001")
OTHER = UserId("00000000-0000-4000-8000-000000000002")
# Patient: nothing here depends on a time limit, and a second send of a token would be the end of its chain.
TIMING = Timing(call=30.0, lease=40.0, join=60.0, young=0.0, row_bound=0.05, settle=0.2, watch=0.05)
FORM = re.compile(r'<form[^>]* action="([^"]+)"')


@dataclass(frozen=True)
class Provider:
    """Where the provider is, and who we are there."""

    server: AuthorizationServer
    client: ClientRegistration
    client_secret: str


@pytest.fixture(scope="module")
def provider(node) -> Provider:
    told = node("provider.mjs").read()
    return Provider(
        pinned_server(told["issuer"], authorization_response_iss_parameter_supported=True),
        ClientRegistration(told["client_id"], told["redirect_uri"], ("openid", "offline_access")),
        told["client_secret"],
    )


@dataclass
class House:
    """A vault at this provider, and its parts."""

    provider: Provider
    vault: Vault
    endpoint: TokenEndpoint
    transport: Transport
    make_vault: type[Vault]
    keys: SigningKeys

    async def login(self) -> tuple[VerifiedCallback, TokenResponse]:
        callback = await asyncio.to_thread(sign_in, self.provider)
        return callback, await self.endpoint.exchange(callback)

    async def connect(self, user: UserId) -> Secret[str]:
        """Store a login under this user; returns its refresh token."""
        _, tokens = await self.login()
        assert tokens.refresh_token is not None
        await self.vault.store_login(user, pair(tokens))
        return tokens.refresh_token

    async def renewed(self, user: UserId) -> Secret[str]:
        """Let the vault refresh, as after a 401 of the API; returns the access token."""
        before = await self.vault.access_token(user)
        await self.vault.refused(user, before.generation)
        after = await self.vault.access_token(user)
        assert after.generation == before.generation + 1
        return after.token

    async def subject(self, access: Secret[str]) -> str | int:
        """Who an access token stands for, by the provider itself; a status when it refuses."""
        address = f"{self.provider.server.issuer}/userinfo"
        headers = {"authorization": f"Bearer {access.reveal()}"}
        answer = await self.transport.send(HttpRequest("GET", address, headers), timeout=30)
        return json.loads(answer.body)["sub"] if answer.status == 200 else answer.status


def endpoint(transport: Transport, provider: Provider, secret: str) -> TokenEndpoint:
    versions = ClientSecrets([ClientSecret("only", Secret(secret))])
    return TokenEndpoint(transport, provider.server, provider.client, versions, TIMING)


def pair(tokens: TokenResponse) -> TokenPair:
    return TokenPair(
        access=tokens.access_token,
        refresh=tokens.refresh_token,
        access_left=tokens.expires_in,
        lifetime=tokens.expires_in,
        scopes=("openid", "offline_access"),
    )


@pytest.fixture
async def house(tmp_path: Path, provider: Provider) -> AsyncIterator[House]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    data = await open_data(f"sqlite:///{folder}/data.db", create=True)
    keys = await open_keys(f"sqlite:///{folder}/keys.db", create=True)
    create_key_file(folder / "kek.json")
    installed = await data.write(lambda tx: installation.create(tx, secrets.token_hex(16)))
    datakeys = await open_data_keys(keys, from_setting(f"file:{folder}/kek.json"), installation_id=installed)
    transport = Transport(https_only=False, keep_alive=False)
    good = endpoint(transport, provider, provider.client_secret)
    vaults: list[Vault] = []

    def make_vault(at: TokenEndpoint = good) -> Vault:
        vaults.append(Vault(data, datakeys, at, timing=TIMING))
        return vaults[-1]

    published = process_jwks_response(await transport.send(build_jwks_request(provider.server), timeout=30))
    yield House(provider, make_vault(), good, transport, make_vault, published)
    for vault in vaults:
        await vault.close()
    await transport.close()
    await data.close()
    await keys.close()


def begun() -> PendingLogin:
    return PendingLogin.start(
        secrets.token_bytes(LOGIN_RANDOM_BYTES), return_path="/", now=time.time(), prompt="consent"
    )


def sign_in(provider: Provider) -> VerifiedCallback:
    """Go through the provider's own pages as a browser does, and come back."""
    login = begun()
    with requests.Session() as browser:
        page = browser.get(build_authorization_url(provider.server, provider.client, login))
        page = submit(browser, page, provider, prompt="login", login=SUBJECT, password="any")
        done = submit(browser, page, provider, prompt="consent")
    query = urlsplit(done.headers["location"]).query.encode()
    return validate_callback(query, [login], now=time.time(), server=provider.server)


def submit(
    browser: requests.Session, page: requests.Response, provider: Provider, **form: str
) -> requests.Response:
    found = FORM.search(page.text)
    assert found, page.text
    answer = browser.post(urljoin(page.url, found[1]), data=form, allow_redirects=False)
    while answer.is_redirect and not answer.headers["location"].startswith(provider.client.redirect_uri):
        answer = browser.get(urljoin(answer.url, answer.headers["location"]), allow_redirects=False)
    return answer


async def test_a_login_brings_tokens_and_an_id_token_that_verifies_for_this_login_alone(house) -> None:
    callback, tokens = await house.login()

    def verified(login: PendingLogin, server: AuthorizationServer = house.provider.server):
        return verify_id_token(
            tokens.id_token,
            house.keys,
            server=server,
            client=house.provider.client,
            login=login,
            now=time.time(),
        )

    assert verified(callback.login).subject == SUBJECT
    assert await house.subject(tokens.access_token) == SUBJECT
    with pytest.raises(CallbackError) as other_login:
        verified(begun())
    assert other_login.value.reason == "id_token_nonce"
    with pytest.raises(CallbackError) as other_issuer:
        verified(callback.login, replace(house.provider.server, issuer="https://auth.fanvue.example"))
    assert other_issuer.value.reason == "id_token_issuer"


async def test_a_code_works_once_and_only_with_the_verifier_of_its_login(house) -> None:
    callback, _ = await house.login()
    with pytest.raises(ProviderError):
        await house.endpoint.exchange(callback)

    fresh = await asyncio.to_thread(sign_in, house.provider)
    object.__setattr__(fresh, "login", begun())
    with pytest.raises(ProviderError):
        await house.endpoint.exchange(fresh)


async def test_the_vault_goes_through_rotation_after_rotation(house) -> None:
    await house.connect(USER)
    seen = {(await house.vault.access_token(USER)).token.reveal()}
    for _ in range(5):
        access = await house.renewed(USER)
        assert await house.subject(access) == SUBJECT
        seen.add(access.reveal())
    assert len(seen) == 6
    assert (await house.vault.status(USER)).generation == 6


async def test_many_callers_and_two_vaults_rotate_once_where_a_second_send_would_be_the_end(house) -> None:
    await house.connect(USER)
    vaults = [house.vault, house.make_vault()]
    held = await house.vault.access_token(USER)
    await asyncio.gather(*(vault.refused(USER, held.generation) for vault in vaults for _ in range(20)))
    after = [await vault.access_token(USER) for vault in vaults]
    assert {access.generation for access in after} == {held.generation + 1}
    assert await house.subject(after[0].token) == SUBJECT
    await house.renewed(USER)


async def test_a_spent_token_from_elsewhere_ends_the_chain_and_the_vault_learns_that_its_grant_is_dead(
    house,
) -> None:
    dead: asyncio.Queue[tuple[UserId, str]] = asyncio.Queue()

    async def note(user: UserId, reason: str) -> None:
        dead.put_nowait((user, reason))

    house.vault.on_grant_dead(note)
    spent = await house.connect(USER)
    await house.connect(OTHER)
    access = await house.renewed(USER)
    assert (await house.endpoint.refresh(spent)).outcome is Outcome.INVALID_GRANT
    assert await house.subject(access) == 401

    with pytest.raises(ReconnectRequired):
        await house.renewed(USER)
    assert (await house.vault.status(USER)).state is State.DEAD
    async with asyncio.timeout(30):
        assert await dead.get() == (USER, "revoked_at_fanvue")
    assert await house.subject(await house.renewed(OTHER)) == SUBJECT


async def test_ending_a_grant_revokes_its_chain(house) -> None:
    first = await house.connect(USER)
    access = await house.renewed(USER)
    assert await house.vault.end(USER, "disconnected")
    assert await house.subject(access) == 401
    assert (await house.endpoint.refresh(first)).outcome is Outcome.INVALID_GRANT
    with pytest.raises(ReconnectRequired):
        await house.vault.access_token(USER)


async def test_a_wrong_client_secret_blocks_and_no_grant_dies_of_it(house) -> None:
    refresh = await house.connect(USER)
    await house.connect(OTHER)
    wrong = house.make_vault(endpoint(house.transport, house.provider, secrets.token_hex(32)))
    held = await wrong.access_token(USER)
    with pytest.raises(RetryableError):
        await wrong.refused(USER, held.generation)
    status = await house.vault.status(USER)
    assert (status.state, status.last_error, status.reason) == (State.BLOCKED, "invalid_client", None)

    # The token is not spent: with the right secret it brings its successor, and the other grant is as it was.
    assert (await house.endpoint.refresh(refresh)).outcome is Outcome.SUCCESS
    assert await house.subject(await house.renewed(OTHER)) == SUBJECT
