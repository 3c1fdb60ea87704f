"""Old events by the million: handled, of 200 creators and 50,000 fans, the older two thirds without payload.

The indexes are taken away first and made again at the end, which is many times faster. Digests are random, as
those of real events are, so every new row goes to another page of their index.
"""

from __future__ import annotations

__all__ = ["POSTGRESQL_FILL", "SQLITE_FILL"]

_INDEXES = {
    "events_due": "(due_at) WHERE state = 'pending'",
    "events_dead": "(seq) WHERE state = 'dead'",
    "events_by_creator": "(creator_id, seq)",
    "events_by_fan": "(fan_index) WHERE fan_index IS NOT NULL",
    "events_by_message": "(message_index) WHERE message_index IS NOT NULL",
    "events_in_order": "(creator_id, seq) WHERE state = 'pending'",
    "events_with_payload": "(received_at) WHERE payload IS NOT NULL",
}
_DROP = tuple(f"DROP INDEX {name}" for name in _INDEXES)
_CREATE = tuple(f"CREATE INDEX {name} ON events {columns}" for name, columns in _INDEXES.items())
_COLUMNS = """
    INSERT INTO events (digest, family, type, creator_id, secret_name, occurred_at, received_at, payload,
                        fan_index, message_index, dropped, state, due_at, reason, handled_at)
"""
_TYPE = "'creator.message.received'"
_DROPPED = "'fan.avatar_url fan.display_name fan.handle text'"
_DAY = 86_400

SQLITE_FILL = (
    "PRAGMA synchronous=OFF",  # of this connection alone; what is measured has its own settings
    "PRAGMA journal_mode=OFF",  # until the end: a log of ten million rows would be as large as they are
    "PRAGMA cache_size=-1048576",
    "BEGIN IMMEDIATE",
    *_DROP,
    _COLUMNS
    + f"""
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :events)
    SELECT randomblob(16), 'creator', {_TYPE}, printf('00000000-0000-4000-8000-%012d', i % 200), 'app',
           at, at, CASE WHEN kept THEN randomblob(420) END,
           CASE WHEN kept THEN unhex(printf('%032x', (i * 2654435761) % 50000)) END,
           CASE WHEN kept THEN randomblob(16) END, {_DROPPED}, 'handled', at, NULL, at
    FROM (SELECT i, i * 3 > :events * 2 AS kept,
                 unixepoch() - {_DAY} * 90.0 * (:events - i) / :events - 60 AS at FROM n)
    """,
    *_CREATE,
    "COMMIT",
    "PRAGMA journal_mode=WAL",
)

_HASH = "decode(md5(random()::text || clock_timestamp()::text || i), 'hex')"

POSTGRESQL_FILL = (
    *_DROP,
    "SET synchronous_commit = off",
    _COLUMNS
    + f"""
    SELECT {_HASH}, 'creator', {_TYPE}, '00000000-0000-4000-8000-' || lpad((i % 200)::text, 12, '0'), 'app',
           at, at,
           CASE WHEN kept THEN decode(repeat(md5(random()::text || i), 26) || '00000000', 'hex') END,
           CASE WHEN kept THEN decode(lpad(to_hex((i * 2654435761) % 50000), 32, '0'), 'hex') END,
           CASE WHEN kept THEN {_HASH} END, {_DROPPED}, 'handled', at, NULL, at
    FROM (SELECT i, i * 3 > $1::bigint * 2 AS kept,
                 extract(epoch FROM now())::float8 - {_DAY} * 90.0 * ($1 - i) / $1 - 60 AS at
          FROM generate_series(1, $1::bigint) AS i) AS made
    """,
    *_CREATE,
    "VACUUM (ANALYZE) events",
    "CHECKPOINT",
)
