"""Back-ups and the way back: what was lost since, what is doubted, what does not come back."""

import asyncio
import secrets
import sqlite3
import stat
import threading
from contextlib import closing

import pytest

from fankeep import ConfigurationError, Keep, ReconnectRequired, Secret, SyncKeep
from fankeep.datakeys import KeyGone
from fankeep.errors import StorageError
from fankeep.keep.backups import back_up, restore_data, restore_keys, settle
from fankeep.keep.stores import open_stores
from fankeep.servicekeys import Permissions, ServiceKeys
from fankeep.store import grants, open_data
from fankeep.types import UserId
from fankeep.vault.records import GrantRecords

GRACE = 300  # longer than Fanvue's, since a busy machine takes its time


def quietly(done, total):
    assert 0 <= done <= total


@pytest.fixture
def backups(tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir(mode=0o700)
    return folder


def save(installation, backups, part="data"):
    target = backups / f"{part}-{secrets.token_hex(4)}.db"
    back_up(installation.settings(), part, target, progress=quietly)
    return target


def lose(installation, part="data"):
    for path in installation.folder.glob(f"{part}.db*"):
        path.unlink()


def restore(installation, backup):
    return asyncio.run(restore_data(installation.settings(), backup, progress=quietly))


def token(installation, creator):
    with SyncKeep(installation.settings()) as keep:
        return keep.access_token(creator).reveal()


def with_keep(installation, work):
    async def main():
        async with Keep(installation.settings(), events=False) as keep:
            return await work(keep._open)

    return asyncio.run(main())


def files(folder):
    return sorted(path.name for path in folder.iterdir())


class TestTheDrill:
    """Back up, go on, lose the database, restore, go on."""

    def test_with_nothing_refreshed_since_one_refresh_brings_the_grant_back(self, installation, backups):
        creator = installation.connect()
        served = token(installation, creator)
        backup = save(installation, backups)
        lose(installation)

        assert restore(installation, backup).grants_uncertain == 1

        fresh = token(installation, creator)
        assert fresh != served  # the stored one may have been ended by a refresh that nobody knows of
        assert token(installation, creator) == fresh

    def test_within_the_grace_a_token_that_was_spent_since_still_brings_a_new_pair(
        self, installation, backups
    ):
        creator = installation.connect(lifetime=0.0)
        backup = save(installation, backups)
        token(installation, creator)  # rotates; its answer will be lost
        lose(installation)
        restore(installation, backup)

        token(installation, creator)

        with SyncKeep(installation.settings()) as keep:
            assert keep.call(creator, "getCurrentUser").data["uuid"] == creator

    def test_past_the_grace_a_token_that_was_spent_since_ends_the_grant_with_its_own_reason(
        self, installation, backups
    ):
        creator = installation.connect(lifetime=0.0)
        backup = save(installation, backups)
        token(installation, creator)
        installation.fanvue.control.advance(GRACE + 1)
        lose(installation)
        restore(installation, backup)

        with pytest.raises(ReconnectRequired) as refused:
            token(installation, creator)
        assert refused.value.reason == "back_up_too_old"
        assert installation.connect() == creator
        assert token(installation, creator)

    def test_a_creator_who_disconnected_since_is_not_connected_again(self, installation, backups):
        creator = installation.connect()
        backup = save(installation, backups)
        with_keep(installation, lambda services: services.lifecycle.disconnect(UserId(creator)))
        lose(installation)
        restore(installation, backup)

        with pytest.raises(ReconnectRequired):
            token(installation, creator)


class TestWhatDoesNotComeBack:
    def test_an_erased_creator_s_fields_do_not_open_with_today_s_keys_and_another_s_do(
        self, installation, backups
    ):
        gone, stays = self.two(installation)
        backup = save(installation, backups)
        with_keep(installation, lambda services: services.datakeys.destroy(UserId(gone)))

        async def opens(creator):
            async with open_stores(installation.settings(), create=False) as stores:
                old = await open_data(f"sqlite:///{backup}", create=False)
                try:
                    row = await old.read(lambda tx: grants.by_user(tx, UserId(creator)))
                    return await GrantRecords(stores.datakeys).open_refresh(row)
                finally:
                    await old.close()

        with pytest.raises(KeyGone):
            asyncio.run(opens(gone))
        assert asyncio.run(opens(stays)).reveal()

    def test_an_erasure_since_is_replayed_and_another_creator_goes_on(self, installation, backups):
        gone, stays = self.two(installation)
        backup = save(installation, backups)
        with_keep(installation, lambda services: services.datakeys.destroy(UserId(gone)))
        lose(installation)

        settled = restore(installation, backup)

        assert (settled.creators_erased, settled.grants_uncertain) == (1, 1)
        assert with_keep(installation, lambda services: services.directory.page("", 9)) == [stays]
        with closing(sqlite3.connect(installation.folder / "data.db")) as data:
            assert data.execute("SELECT user_id FROM grants").fetchall() == [(stays,)]
        assert token(installation, stays)

    def test_an_erasure_long_before_a_back_up_does_not_touch_who_came_back(self, installation, backups):
        creator = installation.connect()
        with_keep(installation, lambda services: services.datakeys.ledger.note("user", creator))
        with closing(sqlite3.connect(installation.folder / "keys.db")) as keys, keys:
            keys.execute("UPDATE ledger SET noted_at = noted_at - 2 * 86400")
        backup = save(installation, backups)
        lose(installation)

        assert restore(installation, backup).creators_erased == 0
        assert token(installation, creator)

    def test_sessions_end_and_a_revoked_service_key_stays_revoked(self, installation, backups):
        creator = UserId(installation.connect())
        everything = Permissions(frozenset({"all"}))

        def keys_of(services) -> ServiceKeys:
            return services.service_keys

        async def fill(services):
            revoked, shown = await keys_of(services).create("lost", everything, lifetime=3600)
            _, kept = await keys_of(services).create("kept", everything, lifetime=3600)
            return await services.sessions.start(creator), revoked.id, shown, kept

        session, revoked, shown, kept = with_keep(installation, fill)
        backup = save(installation, backups)
        assert with_keep(installation, lambda services: keys_of(services).revoke(revoked))
        lose(installation)

        settled = restore(installation, backup)

        async def look(services):
            return [
                await services.sessions.lookup(session) is None,
                await keys_of(services).authenticate(shown) is None,
                await keys_of(services).authenticate(kept) is not None,
            ]

        assert (settled.sessions_ended, settled.service_keys_revoked) == (1, 1)
        assert with_keep(installation, look) == [True, True, True]

    def test_a_row_that_somebody_changed_is_not_made_good(self, installation, backups):
        creator = installation.connect()
        backup = save(installation, backups)
        with closing(sqlite3.connect(backup)) as data, data:
            data.execute("UPDATE grants SET scopes = scopes || ' write:everything'")
        lose(installation)

        assert restore(installation, backup).grants_uncertain == 0
        with pytest.raises(Exception, match="not connected"):
            token(installation, creator)

    def test_what_another_tool_restored_is_settled_in_place(self, installation, backups):
        creator = installation.connect()
        served = token(installation, creator)

        assert asyncio.run(settle(installation.settings())).grants_uncertain == 1
        assert token(installation, creator) != served

    @staticmethod
    def two(installation):
        first, second, *_ = installation.fanvue.control.state()["creators"]
        return installation.connect(first["uuid"]), installation.connect(second["uuid"])


class TestTheFiles:
    def test_a_back_up_is_one_private_file_and_leaves_the_original_in_use(self, installation, backups):
        creator = installation.connect()
        with SyncKeep(installation.settings()) as keep:
            for part in ("data", "keys"):
                path = save(installation, backups, part)
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert keep.access_token(creator)
        assert len(files(backups)) == 2

    def test_nothing_is_overwritten_and_nothing_half_done_is_left(self, installation, backups):
        installation.connect()
        backup = save(installation, backups)
        before = backup.read_bytes(), files(installation.folder)
        with pytest.raises(ConfigurationError, match="exists"):
            back_up(installation.settings(), "data", backup, progress=quietly)
        with pytest.raises(ConfigurationError, match="exists"):
            restore(installation, backup)
        assert (backup.read_bytes(), files(installation.folder)) == before
        assert files(backups) == [backup.name]

    def test_a_copy_is_of_one_moment_while_others_write(self, installation, backups):
        installation.connect()
        path = installation.folder / "data.db"
        stop = threading.Event()

        def write():
            with closing(sqlite3.connect(path, timeout=30)) as data:
                while not stop.is_set():
                    with data:
                        for _ in range(2):
                            data.execute(
                                "INSERT INTO used_states VALUES (?, 0)", (secrets.token_bytes(2000),)
                            )

        writer = threading.Thread(target=write)
        writer.start()
        try:
            copies = [save(installation, backups) for _ in range(5)]
        finally:
            stop.set()
            writer.join()
        for backup in copies:
            with closing(sqlite3.connect(backup)) as data:
                ((count,),) = data.execute("SELECT count(*) FROM used_states").fetchall()
                assert count % 2 == 0

    def test_data_do_not_go_with_the_keys_of_another_installation(self, installation, backups):
        installation.connect()
        backup = save(installation, backups)
        lose(installation)
        lose(installation, "keys")
        installation.connect()  # somebody started anew in the meantime
        lose(installation)
        with pytest.raises(ConfigurationError, match="another installation"):
            restore(installation, backup)
        assert not list(installation.folder.glob("data.db*"))

    def test_keys_and_data_are_taken_for_themselves_only(self, installation, backups):
        installation.connect()
        wrong = save(installation, backups, "keys")
        lose(installation)
        with pytest.raises(ConfigurationError, match="not a data file"):
            restore(installation, wrong)
        wrong.write_bytes(b"no database at all" * 1000)
        with pytest.raises(ConfigurationError, match="not a SQLite file"):
            restore(installation, wrong)
        with pytest.raises(ConfigurationError, match="does not exist"):
            restore(installation, backups / "none.db")

    def test_a_damaged_back_up_is_refused_and_leaves_nothing(self, installation, backups):
        installation.connect()
        backup = save(installation, backups)
        size = backup.stat().st_size
        with backup.open("r+b") as damaged:
            damaged.seek(4096)
            damaged.write(b"\xff" * (size - 4096))
        lose(installation)
        with pytest.raises((StorageError, ConfigurationError)):
            restore(installation, backup)
        assert not list(installation.folder.glob("data.db*"))

    def test_lost_keys_come_back_if_their_key_encryption_key_is_at_hand(self, installation, backups):
        creator = installation.connect()
        backup = save(installation, backups, "keys")
        lose(installation, "keys")
        kek = installation.folder / "kek.json"
        away = kek.rename(backups / "kek.json")
        with pytest.raises(ConfigurationError):
            asyncio.run(restore_keys(installation.settings(), backup, progress=quietly))
        assert not list(installation.folder.glob("keys.db*"))
        kek.unlink(missing_ok=True)
        away.rename(kek)

        asyncio.run(restore_keys(installation.settings(), backup, progress=quietly))

        assert token(installation, creator)

    def test_a_database_that_is_a_server_names_the_server_s_own_tool(self, installation, backups):
        server = {"database_url": Secret("postgresql://fankeep@localhost/fankeep")}
        settings = installation.settings().model_copy(update=server)
        with pytest.raises(ConfigurationError, match="pg_dump --format=custom"):
            back_up(settings, "data", backups / "data.dump", progress=quietly)
        with pytest.raises(ConfigurationError, match=r"pg_restore .* then `fankeep restore settle`"):
            asyncio.run(restore_data(settings, backups / "data.dump", progress=quietly))
