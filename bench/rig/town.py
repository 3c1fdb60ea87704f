"""A sandbox with many connected creators, and the database with their grants."""

from __future__ import annotations

import itertools
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.rig.engines import Engine, engine_of

from fankeep import kms
from fankeep.cli.stack import Stack
from fankeep.datakeys import DataKeys, open_data_keys
from fankeep.lifecycle import Identity, Lifecycle, LogoutPolicy
from fankeep.oauth import (
    LOGIN_RANDOM_BYTES,
    ClientRegistration,
    PendingLogin,
    build_authorization_url,
    pinned_server,
    validate_callback,
)
from fankeep.sandbox import ControlClient
from fankeep.sandbox.json import object_of
from fankeep.secret import Secret
from fankeep.secrets import parse_client_secrets
from fankeep.sessions import Sessions
from fankeep.store import Database, installation, open_data, open_keys
from fankeep.transport import Transport
from fankeep.transport.ports import free_port
from fankeep.types import UserId
from fankeep.vault import Timing, TokenEndpoint, TokenPair, Vault

__all__ = ["SCOPES", "Place", "Town", "open_place", "town"]

SCOPES = ("offline", "offline_access", "read:self")


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is; enough for a process to open it.

    Attributes:
        issuer: where the token endpoint is, or the relay before it.
    """

    database_url: str
    keys_url: str
    keys: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str

    def endpoint(self, transport: Transport, timing: Timing, kind: type[TokenEndpoint]) -> TokenEndpoint:
        """The token endpoint at this place."""
        return kind(
            transport,
            pinned_server(self.issuer),
            ClientRegistration(self.client_id, self.redirect_uri, SCOPES),
            parse_client_secrets(Secret(self.client_secret)),
            timing,
        )

    def as_json(self) -> dict[str, str]:
        """For the standard input of a process."""
        return asdict(self)


@asynccontextmanager
async def open_place(place: Place) -> AsyncIterator[tuple[Database, DataKeys]]:
    """Open the databases and keys."""
    async with AsyncExitStack() as stack:
        data = await open_data(place.database_url, create=True)
        stack.push_async_callback(data.close)
        keys = await open_keys(place.keys_url, create=True)
        stack.push_async_callback(keys.close)
        identifier = await data.read(installation.load)
        if identifier is None:
            identifier = secrets.token_hex(16)
            await data.write(lambda tx: installation.create(tx, identifier))
        yield data, await open_data_keys(keys, kms.from_setting(place.keys), installation_id=identifier)


class Town:
    """The sandbox and a vault over the database, from the side of whoever runs the benchmark."""

    def __init__(
        self,
        place: Place,
        control: ControlClient,
        vault: Vault,
        endpoint: TokenEndpoint,
        lifecycle: Lifecycle,
        sessions: Sessions,
        database: Database,
        datakeys: DataKeys,
        engine: Engine,
    ) -> None:
        self.place = place
        self.control = control
        self.vault = vault
        self.lifecycle = lifecycle
        self.sessions = sessions
        self.database = database
        self.datakeys = datakeys
        self.engine = engine
        self.users: list[UserId] = []
        self.creators: list[str] = []
        self._endpoint = endpoint

    async def settle_down(self, grants: int) -> None:
        """Let so many creators connect, each under a user of its own; chain N is that of user N - 1."""
        state = object_of(await self.control.show("state"))
        creators = state["creators"]
        assert isinstance(creators, list)
        self.creators = [str(object_of(creator)["uuid"]) for creator in creators]
        for _, creator in zip(range(grants), itertools.cycle(self.creators), strict=False):
            user = UserId(str(uuid.uuid4()))
            await self.connect(user, creator)
            self.users.append(user)

    async def connect(self, user: UserId, creator: str) -> None:
        """Let a creator connect, and store the grant under this user."""
        login = PendingLogin.start(secrets.token_bytes(LOGIN_RANDOM_BYTES), return_path="/", now=time.time())
        address = build_authorization_url(self._endpoint.server, self._endpoint.client, login)
        told = await self.control.do("approve", url=address, creator=creator)
        query = urlsplit(str(told["location"])).query.encode()
        callback = validate_callback(query, [login], now=time.time(), server=self._endpoint.server)
        tokens = await self._endpoint.exchange(callback)
        await self.vault.store_login(
            user,
            TokenPair(
                access=tokens.access_token,
                refresh=tokens.refresh_token,
                access_left=tokens.expires_in,
                lifetime=tokens.expires_in,
                scopes=SCOPES,
            ),
        )


@asynccontextmanager
async def town(
    folder: Path, *, grants: int, grace: float, lifetime: float, timing: Timing, engine: str = "sqlite"
) -> AsyncIterator[Town]:
    """Start a sandbox and connect this many creators.

    Args:
        folder: for the databases and the logs.
        grants: how many.
        grace: of the sandbox, seconds.
        lifetime: of access tokens, seconds.
        timing: of the vault that connects them.
        engine: of the data database; the keys lie in a file beside it.
    """
    stack = Stack(folder / "stack", gateway_port=free_port(), sandbox_port=free_port(), logs=folder / "logs")
    async with AsyncExitStack() as open_things:
        open_things.enter_context(stack)
        stack.start_sandbox(
            "--grace", str(grace), "--token-lifetime", str(lifetime), "--creators", str(max(grants, 4))
        )
        kms.create_key_file(stack.folder / "kek.json")
        database = await open_things.enter_async_context(engine_of(engine, stack.folder))
        environment = stack.environment()
        place = Place(
            database_url=database.url,
            keys_url=environment["FANKEEP_KEYS_DATABASE_URL"],
            keys=f"file:{stack.folder}/kek.json",
            issuer=stack.sandbox_url,
            client_id=stack.credentials.client_id,
            client_secret=stack.credentials.client_secret,
            redirect_uri=f"{stack.gateway_url}/auth/callback",
        )
        transport = Transport(https_only=False, keep_alive=False)
        open_things.push_async_callback(transport.close)
        data, datakeys = await open_things.enter_async_context(open_place(place))
        endpoint = place.endpoint(transport, timing, TokenEndpoint)
        vault = Vault(data, datakeys, endpoint, timing=timing)
        open_things.push_async_callback(vault.close)
        control = ControlClient(stack.sandbox_url, transport)
        sessions = Sessions(data, datakeys.installation)
        identity = Identity(
            transport, endpoint.server, endpoint.client, api_url=place.issuer, accept_missing_nonce=False
        )
        lifecycle = Lifecycle(
            vault, endpoint, identity, sessions, LogoutPolicy.ALWAYS, leaving=_nothing_to_say
        )
        made = Town(place, control, vault, endpoint, lifecycle, sessions, data, datakeys, database)
        await made.settle_down(grants)
        yield made


async def _nothing_to_say(_: UserId) -> None:
    """Nobody has a subscription here."""
