"""Any bit flipped in any sealed or MAC-bound column is refused, and no other row suffers.

Rows are written and read by the product; in between, SQL changes one bit of what is stored. Of short values
every bit is changed, of long ones a bit of every byte.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import struct
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import apsw
import asyncpg
import pytest

from fankeep.datakeys import DataKeys, Ledger, open_data_keys
from fankeep.datakeys.wrapping import KeyWrapping
from fankeep.errors import KeyUnavailable, SealError
from fankeep.fanvue.events import Event
from fankeep.fanvue.subscriptions import CreatedSubscription
from fankeep.inbox.log import DatabaseLog
from fankeep.inbox.opening import received
from fankeep.inbox.payload import keep_payload
from fankeep.kms import KeyEncryption, create_key_file, from_setting
from fankeep.secret import Secret
from fankeep.servicekeys import ServiceKeys
from fankeep.servicekeys.permissions import Permissions, Reach
from fankeep.sessions import SessionLimits, Sessions
from fankeep.store import (
    Database,
    data_keys,
    installation,
    open_data,
    open_keys,
    revocations,
    service_keys,
    subscriptions,
)
from fankeep.store.bound_columns import MAC_BOUND, SEAL_BOUND, UNBOUND_BYTES, WORKING
from fankeep.store.events import NewEvent
from fankeep.store.sealed_values import COLUMNS
from fankeep.subscriptions import SubscriptionSecrets
from fankeep.subscriptions.names import make_name
from fankeep.subscriptions.records import Records
from fankeep.types import UserId
from fankeep.vault import TokenPair
from fankeep.vault.holding import Holding
from fankeep.vault.logins import Logins
from fankeep.vault.records import GrantRecords
from fankeep.vault.revocations import Revocations
from fankeep.vault.timing import Timing

USERS = [UserId(f"00000000-0000-4000-8000-00000000000{number}") for number in (1, 2)]
SHORT = 16
"""Bytes up to which every bit of a value is flipped."""

SEALED = {(column.table, column.column) for column in COLUMNS}
STATES = ("live", "refreshing", "uncertain", "blocked", "ending", "dead")

Value = bytes | str | int | float


# -- the databases, changed from outside


class Outside:
    """Somebody with a connection to the database and no key."""

    async def rows(self, table: str) -> list[dict[str, Any]]:
        raise NotImplementedError

    async def put(self, table: str, column: str, value: Value, at: tuple[str, Value]) -> bool:
        """Change one column of one row; False when the database itself refuses the value."""
        raise NotImplementedError

    async def columns(self) -> dict[str, dict[str, str]]:
        """The type of every column, by table."""
        raise NotImplementedError


class OutsideSqlite(Outside):
    def __init__(self, path: str) -> None:
        self._connection = apsw.Connection(path)
        self._connection.set_busy_timeout(10_000)
        self._connection.execute("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
        self._connection.execute("PRAGMA synchronous = OFF")

    async def rows(self, table):
        cursor = self._connection.execute(f"SELECT * FROM {table}")
        found = cursor.fetchall()
        names = [name for name, _ in self._connection.execute(f"SELECT * FROM {table}").get_description()]
        return [dict(zip(names, row, strict=True)) for row in found]

    async def put(self, table, column, value, at):
        try:
            self._connection.execute(f"UPDATE {table} SET {column} = ? WHERE {at[0]} = ?", (value, at[1]))
        except apsw.ConstraintError:
            return False
        return self._connection.changes() == 1

    async def columns(self):
        tables = self._connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return {
            table: {row[1]: row[2] for row in self._connection.execute(f"PRAGMA table_info({table})")}
            for (table,) in tables
        }

    async def close(self):
        self._connection.close()


class OutsidePostgresql(Outside):
    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def rows(self, table):
        return [dict(row) for row in await self._connection.fetch(f"SELECT * FROM {table}")]

    async def put(self, table, column, value, at):
        try:
            done = await self._connection.execute(
                f"UPDATE {table} SET {column} = $1 WHERE {at[0]} = $2", value, at[1]
            )
        except asyncpg.CheckViolationError:
            return False
        return done == "UPDATE 1"

    async def columns(self):
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in await self._connection.fetch(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public'"
        ):
            found.setdefault(table, {})[column] = kind
        return found

    async def close(self):
        await self._connection.close()


async def outside(url: str) -> Any:
    if url.startswith("sqlite"):
        return OutsideSqlite(url.removeprefix("sqlite:///"))
    connection = await asyncpg.connect(url)
    await connection.execute("SET session_replication_role = replica")  # no foreign key is in the way
    return OutsidePostgresql(connection)


# -- an installation with two rows in every table


@dataclass
class House:
    data: Database
    keys: Database
    kms: KeyEncryption
    installation_id: str
    datakeys: DataKeys
    tampered: dict[str, Any] = field(default_factory=dict)
    shown: list[Secret[str]] = field(default_factory=list)


@pytest.fixture
async def house(database_urls, tmp_path):
    create_key_file(tmp_path / "kek.json")
    kms = from_setting(f"file:{tmp_path}/kek.json")
    data = await open_data(database_urls.data, create=True)
    keys = await open_keys(database_urls.keys, create=True)
    installed = await data.write(lambda tx: installation.create(tx, secrets.token_hex(16)))
    datakeys = await open_data_keys(keys, kms, installation_id=installed)
    house = House(data, keys, kms, installed, datakeys)
    house.tampered = {"data": await outside(database_urls.data), "keys": await outside(database_urls.keys)}
    records = GrantRecords(datakeys)
    house_of = Revocations(data, datakeys, endpoint=None, timing=Timing())
    logins = Logins(data, datakeys, records, house_of)
    for number, user in enumerate(USERS):
        await datakeys.ensure(user)
        await logins.store(user, pair(f"first-{number}"))
    yield house
    for connection in house.tampered.values():
        await connection.close()
    await data.close()
    await keys.close()


def pair(name: str) -> TokenPair:
    return TokenPair(
        Secret(f"{name}-access"), Secret(f"{name}-refresh"), 3600.0, 3600.0, ("openid", "read:self")
    )


# -- how each table is filled and read; the values read are what a caller would get

Reading = list[Any]


class Table:
    """A table with two rows. ``fill`` and ``read`` use the product's own writers and readers.

    Attributes:
        key: a column that names a row; by it the row is changed and changed back.
    """

    key = "id"
    database = "data"

    async def fill(self, house: House) -> None:
        raise NotImplementedError

    async def read(self, house: House) -> Reading:
        raise NotImplementedError


async def if_genuine(found: Reading, read: Callable[[], Awaitable[Any]]) -> None:
    """Add what was read, unless it is refused."""
    try:
        value = await read()
    except (SealError, KeyUnavailable):
        return
    if value is not None and value not in found:
        found.append(value)


class Grants(Table):
    async def fill(self, house):
        """The house has connected both creators."""

    async def read(self, house):
        found: Reading = []
        records = GrantRecords(house.datakeys)

        async def opened(holding: Holding, user: UserId) -> Any:
            row = await holding.by_user(user)
            if row is None:
                return None
            access, refresh = await records.open_access(row), await records.open_refresh(row)
            return (row.user_id, row.generation, row.state, row.scopes, access.reveal(), refresh.reveal())

        stored = await house.tampered["data"].rows("grants")
        for user in {*USERS, *(UserId(row["user_id"]) for row in stored)}:
            holding = Holding(house.data, records, Timing())  # a process that was just started
            await if_genuine(found, lambda holding=holding, user=user: opened(holding, user))
        return found


class Revoked(Table):
    async def fill(self, house):
        revoking = Revocations(house.data, house.datakeys, endpoint=None, timing=Timing())
        logins = Logins(house.data, house.datakeys, GrantRecords(house.datakeys), revoking)
        for user in USERS:  # the login that replaces the first one leaves a chain to be revoked
            await logins.store(user, pair("second"))

    async def read(self, house):
        found: Reading = []
        revoking = Revocations(house.data, house.datakeys, endpoint=None, timing=Timing())
        for row in await house.data.read(lambda tx: revocations.due(tx, most=99)):
            await if_genuine(found, lambda row=row: revoking._open(row))
        return [token.reveal() for token in found]


class BrowserSessions(Table):
    key = "hash"

    def _sessions(self, house: House) -> Sessions:
        return Sessions(house.data, house.datakeys.installation, limits=SessionLimits(touch_every=math.inf))

    async def fill(self, house):
        house.shown = [await self._sessions(house).start(user) for user in USERS]

    async def read(self, house):
        found: Reading = []
        for cookie in house.shown:
            session = await self._sessions(house).lookup(cookie)
            if session is not None:
                found.append((session.user, session.hash))
        return found


class Keys(Table):
    def _keys(self, house: House) -> ServiceKeys:
        return ServiceKeys(
            house.data, house.datakeys.installation, Ledger(house.keys, house.datakeys.installation)
        )

    async def fill(self, house):
        for number, permissions in enumerate(
            (
                Permissions(frozenset({"getCurrentUser"})),
                Permissions(frozenset({"all"}), Reach.ALL, access_tokens=True, events=True),
            )
        ):
            _, shown = await self._keys(house).create(f"worker {number}", permissions, lifetime=3600.0)
            house.shown.append(shown)

    async def read(self, house):
        found: Reading = []
        stored = await house.data.read(service_keys.load_all)
        for shown in house.shown:
            head, _, secret = shown.reveal().partition("_sk_")[2].partition("_")
            for key_id in {head, *(row.id for row in stored)}:
                presented = Secret(f"fankeep_sk_{key_id}_{secret}")
                await if_genuine(found, lambda presented=presented: self._keys(house).authenticate(presented))
        return found


class Subscriptions(Table):
    async def fill(self, house):
        records = Records(house.datakeys)
        for number, user in enumerate(USERS):
            name = make_name(house.datakeys.installation.key("subscription-name"), bytes([number]) * 16)
            row = await records.row(
                user,
                CreatedSubscription(f"sub-{user[-1] * 3}", Secret("whsec_" + f"{number}" * 64)),
                name=name,
                url=f"https://app.example.com/webhooks/fanvue/{name}",
                events=("creator.message.received",),
                now=1_700_000_000.123,
            )
            assert await house.data.write(lambda tx, row=row: subscriptions.insert(tx, row))

    async def read(self, house):
        found: Reading = []
        stored = await house.data.read(subscriptions.every)
        addresses = SubscriptionSecrets(house.data, house.datakeys, tolerance=300)
        records = Records(house.datakeys)
        for row in stored:
            for secret in [*await addresses.of(row.name), await records.secret(row)]:
                value = secret and (secret.name, secret.scope, secret.value.reveal())
                if value is not None and value not in found:
                    found.append(value)
        return found


class Events(Table):
    key = "seq"

    async def fill(self, house):
        for user in USERS:
            digest = hashlib.sha256(user.encode()).digest()[:16]
            event = Event(
                "creator", "creator.message.received", "evt", None, user, None, None, {"uuid": user}
            )
            kept = await keep_payload(house.datakeys, event, digest.hex(), event.type)
            row = NewEvent(digest, event.family, event.type, user, "main", payload=kept.sealed)
            await DatabaseLog(house.data).add([row], modern=())

    async def read(self, house):
        found: Reading = []

        async def handed_out(claimed: Any) -> Any:
            event = await received(house.datakeys, claimed)
            return (event.id, event.type, event.family, event.creator, event.data)

        for claimed in await DatabaseLog(house.data).claim(limit=9, lease=0.0):
            await if_genuine(found, lambda claimed=claimed: handed_out(claimed))
        return found


class DataKeyTable(Table):
    database = "keys"

    async def fill(self, house):
        """The house has a key of each creator."""

    async def read(self, house):
        found: Reading = []
        wrapping = KeyWrapping(house.kms, house.installation_id)

        async def opened(row: Any) -> Any:
            key = await wrapping.open(row)
            return (key.id, key.owner, key.secret.reveal())

        for stored in await house.tampered["keys"].rows("data_keys"):
            row = await house.keys.read(lambda tx, stored=stored: data_keys.load(tx, stored["id"]))
            await if_genuine(found, lambda row=row: opened(row))
        return found


TABLES: dict[str, type[Table]] = {
    "grants": Grants,
    "revocations": Revoked,
    "sessions": BrowserSessions,
    "service_keys": Keys,
    "subscriptions": Subscriptions,
    "events": Events,
    "data_keys": DataKeyTable,
}


# -- bits


def flipped(value: Value) -> Iterator[Value]:
    """The value with one bit changed, in turn."""
    if isinstance(value, bytes):
        for index, bit in bits(len(value), 8):
            yield value[:index] + bytes([value[index] ^ 1 << bit]) + value[index + 1 :]
    elif isinstance(value, str):
        changed = (
            value[:i] + chr(ord(value[i]) ^ 1 << bit) + value[i + 1 :] for i, bit in bits(len(value), 7)
        )
        yield from (text for text in changed if "\0" not in text)  # that is no text in either engine
    else:
        form = ">q" if isinstance(value, int) else ">d"
        (raw,) = struct.unpack(">Q", struct.pack(form, value))
        numbers = (struct.unpack(form, struct.pack(">Q", raw ^ 1 << bit))[0] for bit in range(64))
        yield from (number for number in numbers if counts(number, value))


def counts(number: float, before: float) -> bool:
    """Whether a changed number says something else: times count to the millisecond."""
    return math.isfinite(number) and round(number * 1000) != round(before * 1000)


def bits(length: int, width: int) -> Iterator[tuple[int, int]]:
    for index in range(length):
        for bit in range(width) if length <= SHORT else (index % width,):
            yield index, bit


def bound(table: str) -> set[str]:
    """Every column of a table in which a change has to be noticed."""
    sealed = {column for name, column in SEALED if name == table}
    mac = {"mac"} if table in MAC_BOUND else set()
    return sealed | mac | MAC_BOUND.get(table, frozenset()) | SEAL_BOUND.get(table, frozenset())


@pytest.mark.parametrize("name", TABLES)
async def test_a_flipped_bit_is_refused_and_the_other_row_is_as_it_was(house, name):
    table = TABLES[name]()
    await table.fill(house)
    hand = house.tampered[table.database]
    before = await table.read(house)
    stored = await hand.rows(name)
    row = stored[0]
    flips = refusals = 0
    assert len(before) == len(stored) >= 2
    for column in sorted(bound(name)):
        for value in [*flipped(row[column]), *(STATES if column == "state" else ())]:
            if value == row[column]:
                continue
            flips += 1
            if not await hand.put(name, column, value, (table.key, row[table.key])):
                assert column == "state"  # the schema has a list of these
                refusals += 1
                continue
            after = await table.read(house)
            at = value if column == table.key else row[table.key]
            assert await hand.put(name, column, row[column], (table.key, at))
            assert len(after) == len(before) - 1, (column, value, row[column], after)
            assert all(one in before for one in after), (column, value, row[column])
    restored = await table.read(house)
    assert len(restored) == len(before)
    assert all(one in before for one in restored)
    assert flips - refusals > 8 * len(bound(name))


# -- the lists


@pytest.fixture
async def schema(database_urls):
    """The columns of every table of both databases, as the engine has them."""
    found: dict[str, dict[str, str]] = {}
    for url, opening in ((database_urls.data, open_data), (database_urls.keys, open_keys)):
        database = await opening(url, create=True)
        await database.close()
        connection = await outside(url)
        found |= await connection.columns()
        await connection.close()
    return found


async def test_every_column_of_bytes_is_sealed_or_bound_or_named_with_the_reason_why_not(schema):
    stored = {
        (table, column)
        for table, columns in schema.items()
        for column, kind in columns.items()
        if kind.lower() in ("blob", "bytea")
    }
    kept = {(table, column) for table in {*MAC_BOUND, *SEAL_BOUND} for column in bound(table)}
    assert stored - kept == UNBOUND_BYTES.keys()
    assert stored >= SEALED


async def test_every_column_of_a_table_with_a_mac_is_bound_or_named_as_a_working_column(schema):
    assert (
        {table for table, columns in schema.items() if "mac" in columns} == MAC_BOUND.keys() == WORKING.keys()
    )
    for table in MAC_BOUND:
        assert schema[table].keys() == bound(table) | WORKING[table].keys(), table
        assert not bound(table) & WORKING[table].keys(), table


async def test_every_table_that_is_bound_is_filled_and_changed_here(schema):
    wanted = {*MAC_BOUND, *SEAL_BOUND, *(table for table, _ in SEALED)}
    missing = sorted(wanted - TABLES.keys())
    assert not missing, f"write a Table with the product's writer and reader for {', '.join(missing)}"
    assert wanted <= schema.keys()
