"""Nothing secret where it does not belong: in the browser, in files, in what processes print."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from fankeep.cli.demo.leaks import encodings, search_bytes, search_files
from fankeep.cli.demo.report import Failed
from fankeep.cli.demo.scene import Creator, Scene, expect
from fankeep.datakeys import open_data_keys
from fankeep.errors import SealError
from fankeep.kms import from_setting
from fankeep.store import Database, grants, installation, open_data, open_keys
from fankeep.store.grants import GrantRow
from fankeep.types import Generation, UserId
from fankeep.vault.records import GrantRecords

__all__ = ["move_tokens", "search_again", "search_browser", "search_files_and_logs"]

# What passes a browser by design: the code and the state, once each, in the address of the callback.
_NOT_FOR_BROWSERS = (
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "signing_secret",
    "code_verifier",
)
_CONTROL_PATH = "/control"
_DATA = "fankeep.db"
_KEYS = "fankeep-keys.db"


def search_browser(scene: Scene) -> list[str]:
    """Search everything that the browsers received."""
    control = f"control {secrets.token_hex(16)}"
    scene.receiver.pages[_CONTROL_PATH] = b"\n".join(_written(control).values())
    scene.first.browser.open(scene.receiver.url + _CONTROL_PATH)
    received = b"\n".join(part for browser in scene.browsers for part in browser.received)
    seen = {leak.encoding for leak in search_bytes(received, {"control": [control]}, "browser")}
    expect(seen == set(_written(control)), f"the search finds the control only as {sorted(seen)}")
    needles = scene.control.show("needles")
    passing = search_bytes(received, {"state": needles["state"]}, "browser")
    expect(passing, "the states, which browsers do receive, are not found")
    wanted = {kind: needles[kind] for kind in _NOT_FOR_BROWSERS}
    expect(all(wanted.values()), "there is a kind of secret that was never in use")
    found = search_bytes(received, wanted, "browser")
    expect(not found, f"found {found[:3]}")
    searched = f"{len(received):,} bytes of {len(scene.browsers)} browsers"
    return [
        f"searched {searched} in 4 encodings for {_counted(wanted)}: none",
        f"control planted in a page: found in {len(seen)} encodings; so are the states, which pass by",
    ]


def search_files_and_logs(scene: Scene) -> list[str]:
    """Search databases, logs and all that the processes printed."""
    needles: dict[str, list[str]] = scene.control.show("needles")
    needles["forward_secret"] = [scene.stack.credentials.forward_secret]
    expect(all(needles.values()), "there is a kind of secret that was never in use")
    folders = (scene.stack.folder, scene.logs)
    with _controls(scene) as controls:
        planted = {sink.name: [control] for sink, control in controls.items()}
        seen = {(leak.kind, leak.encoding) for folder in folders for leak in search_files(folder, planted)[0]}
        wanted = {(sink.name, encoding) for sink, text in controls.items() for encoding in _written(text)}
        expect(seen == wanted, f"the search misses {len(wanted - seen)} of {len(wanted)} planted controls")
    results = [search_files(folder, needles) for folder in folders]
    found = [leak for leaks, _ in results for leak in leaks]
    expect(not found, f"found {found[:3]}")
    size = sum(searched for _, searched in results)
    return [
        f"searched {size:,} bytes in 4 encodings for {_counted(needles)}: none",
        f"controls planted in {', '.join(sink.name for sink in controls)}: all found",
    ]


def search_again(scene: Scene) -> list[str]:
    """Search all of it once more, for what the steps in between have left."""
    return [*search_browser(scene), *search_files_and_logs(scene)]


def move_tokens(scene: Scene) -> list[str]:
    """Put a sealed token where it does not belong, with the gateway stopped and again with it running."""
    scene.gateway.stop()
    findings = asyncio.run(_open_elsewhere(scene))
    with closing(apsw.Connection(str(scene.stack.folder / _DATA))) as database:
        _swap(database, scene)
    scene.start_gateway()
    answer = scene.api(scene.first, "/users/me")
    expect(answer.status >= 500, f"a moved token was used: {answer.status}")
    expect(set(answer.json()) == {"error", "message", "reference"}, "the answer says more than it should")
    scene.gateway.stop()
    with closing(apsw.Connection(str(scene.stack.folder / _DATA))) as database:
        _swap(database, scene)
    scene.start_gateway()
    answer = scene.api(scene.first, "/users/me")
    expect(answer.status == 200, f"put back, the token does not work: {answer.status}")
    return [
        *findings,
        "swapped in the database: the gateway answers with one generic error; put back, it works",
    ]


async def _open_elsewhere(scene: Scene) -> list[str]:
    settings = scene.stack.environment()
    data = await open_data(settings["FANKEEP_DATABASE_URL"], create=False)
    keys = await open_keys(settings["FANKEEP_KEYS_DATABASE_URL"], create=False)
    try:
        known = await data.read(installation.load)
        datakeys = await open_data_keys(
            keys, from_setting(settings["FANKEEP_KEYS"]), installation_id=known or "", create=False
        )
        records = GrantRecords(datakeys)
        mine, other = await _row(data, scene.first), await _row(data, scene.second)
        opened = (await records.open_access(mine)).reveal()
        expect(opened in scene.control.show("needles")["access_token"], "the control token is not a token")
        await _expect_closed(records, other._replace(sealed_access=mine.sealed_access), "in another's row")
        await _expect_closed(
            records, mine._replace(generation=Generation(mine.generation + 1)), "with another generation"
        )
    finally:
        await data.close()
        await keys.close()
    return ["in its own row it opens; in another creator's row and with another generation it does not"]


async def _row(data: Database, creator: Creator) -> GrantRow:
    row = await data.read(lambda tx: grants.by_user(tx, UserId(creator.uuid)))
    if row is None:
        raise Failed(f"{creator.name} has no grant")
    return row


async def _expect_closed(records: GrantRecords, row: GrantRow, where: str) -> None:
    try:
        await records.open_access(row)
    except SealError:
        return
    raise Failed(f"a sealed token opens {where}")


def _swap(database: apsw.Connection, scene: Scene) -> None:
    """Exchange the sealed access tokens of the two creators."""
    sealed = {
        creator.uuid: database.execute(
            "SELECT sealed_access FROM grants WHERE user_id = ?", (creator.uuid,)
        ).get
        for creator in scene.creators
    }
    first, second = scene.first.uuid, scene.second.uuid
    for user, value in ((first, sealed[second]), (second, sealed[first])):
        database.execute("UPDATE grants SET sealed_access = ? WHERE user_id = ?", (value, user))


@contextmanager
def _controls(scene: Scene) -> Iterator[dict[Path, str]]:
    """Plant a made-up secret in every sink, in every encoding, and take it out of the databases again."""
    logs = sorted(scene.logs.glob("*.log"))
    sinks = [scene.stack.folder / _DATA, scene.stack.folder / _KEYS, *logs]
    controls = {sink: f"control {secrets.token_hex(16)}" for sink in sinks}
    for log in logs:
        with log.open("ab") as output:
            output.write(b"\n".join(_written(controls[log]).values()) + b"\n")
    data, keys = (apsw.Connection(str(sink)) for sink in sinks[:2])
    with closing(data), closing(keys):
        data.set_busy_timeout(5000)
        keys.set_busy_timeout(5000)
        for form in _written(controls[sinks[0]]).values():
            data.execute("INSERT INTO used_states (hash, used_at) VALUES (?, ?)", (form, time.time()))
        for form in _written(controls[sinks[1]]).values():
            keys.execute(
                "INSERT INTO data_keys (id, owner, kek_id, created_at, destroyed_at) VALUES (?, ?, '', 0, 0)",
                (secrets.token_hex(8), form.decode()),
            )
        try:
            yield controls
        finally:
            for form in _written(controls[sinks[0]]).values():
                data.execute("DELETE FROM used_states WHERE hash = ?", (form,))
            keys.execute("DELETE FROM data_keys WHERE kek_id = ''")


def _written(control: str) -> dict[str, bytes]:
    """The control as it is planted, once in each encoding that is searched for."""
    return {encoding: forms[0] for encoding, forms in encodings(control).items()}


def _counted(needles: Mapping[str, list[str]]) -> str:
    return ", ".join(f"{len(values)} {kind}" for kind, values in needles.items())
