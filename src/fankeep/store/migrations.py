"""The schema as numbered SQL files, and the step from what a SQLite file has to what this version needs.

``migrations/<set>_<number>.<engine>.sql``: set ``data`` or ``keys``, numbers from 0001 without a gap. Those
that are missing run in one transaction, so that an interrupted start leaves the schema that was there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import apsw

from fankeep.errors import ConfigurationError
from fankeep.store.database import Engine

__all__ = ["Schema", "SchemaSet", "load_schema", "migrate_sqlite"]

SchemaSet = Literal["data", "keys"]

_FOLDER: Final = Path(__file__).with_name("migrations")

_APPLICATION_IDS: Final[dict[SchemaSet, int]] = {
    "data": int.from_bytes(b"FKdt"),
    "keys": int.from_bytes(b"FKky"),
}
"""Written into the header of a SQLite file, so that no file is taken for another; on PostgreSQL the number of
the lock under which the schema is changed."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One set's migrations for one engine.

    Attributes:
        steps: the SQL of step n at index n - 1; a file at version v still needs ``steps[v:]``.
    """

    name: SchemaSet
    application_id: int
    steps: tuple[str, ...]


def load_schema(name: SchemaSet, engine: Engine, *, folder: Path = _FOLDER) -> Schema:
    """Read a set's files.

    Raises:
        ConfigurationError: the numbers have a gap: the installation of the package is not complete.
    """
    files = sorted(folder.glob(f"{name}_*.{engine}.sql"))
    expected = [f"{name}_{number:04}.{engine}.sql" for number in range(1, len(files) + 1)]
    if not files or [file.name for file in files] != expected:
        raise ConfigurationError(f"the migrations of {name} are not complete: install fankeep again")
    steps = tuple(file.read_text(encoding="utf-8") for file in files)
    return Schema(name, _APPLICATION_IDS[name], steps)


def migrate_sqlite(connection: apsw.Connection, schema: Schema) -> None:
    """Bring the file to the newest step. The caller holds the turnstile.

    Raises:
        ConfigurationError: the file is newer than this version, or not a file of this set.
        apsw.Error: a step failed; the schema is as it was.
    """
    version = _version(connection, schema)
    missing = schema.steps[version:]
    if not missing:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in missing:
            connection.execute(step)
        connection.pragma("application_id", schema.application_id)
        connection.pragma("user_version", len(schema.steps))
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: apsw.Connection, schema: Schema) -> int:
    application_id, version = connection.pragma("application_id"), connection.pragma("user_version")
    is_new = not connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
    if is_new and not application_id and not version:
        return 0
    if application_id != schema.application_id:
        raise ConfigurationError(f"the database file is not a {schema.name} file of fankeep")
    if not isinstance(version, int) or not 0 < version <= len(schema.steps):
        raise ConfigurationError(
            f"the {schema.name} file was written by a newer fankeep: use that version or restore a back-up"
        )
    return version
