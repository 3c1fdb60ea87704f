-- The data file. Times are seconds since 1970 by the database's own clock; identifiers are text; sealed
-- values, digests and MACs are blobs.

CREATE TABLE installation (
    id             TEXT PRIMARY KEY,            -- 128 random bits; part of the associated data of every value
    created_at     REAL NOT NULL,
    backed_up_at   REAL                         -- of a back-up: when it was begun; null in use
) STRICT;

-- One row a creator. Every row with personal data refers to it; an erase locks it first.
CREATE TABLE users (
    id             TEXT PRIMARY KEY,            -- the Fanvue uuid
    created_at     REAL NOT NULL,
    erased_at      REAL
) STRICT;

CREATE TABLE grants (
    id                TEXT PRIMARY KEY,
    user_id           TEXT NOT NULL UNIQUE REFERENCES users (id),
    generation        INTEGER NOT NULL,         -- version of the pair; in the associated data of both tokens
    state             TEXT NOT NULL CHECK (state IN ('live', 'refreshing', 'uncertain', 'blocked', 'ending', 'dead')),
    attempt_id        TEXT,                     -- 128 random bits, new for every send
    lease_until       REAL,
    first_sent_at     REAL,                     -- first send of this generation; a repeat never moves it
    sends             INTEGER NOT NULL DEFAULT 0,
    stored_by         TEXT,                     -- the attempt or login that stored this generation
    retry_at          REAL,                     -- cool-down after a passing refusal
    sealed_access     BLOB,
    sealed_refresh    BLOB,
    access_expires_at REAL,
    access_lifetime   REAL,                     -- seconds the token lived when it was new
    scopes            TEXT NOT NULL,            -- granted, space separated, sorted
    last_error        TEXT,                     -- a code, never provider text
    end_reason        TEXT,
    ended_at          REAL,                     -- when it became 'ending'; the token is kept for a day at most
    last_used_at      REAL,
    stored_at         REAL NOT NULL,            -- when this generation was stored
    created_at        REAL NOT NULL,
    mac               BLOB NOT NULL             -- over id, user, generation, state, scopes
) STRICT;
CREATE INDEX grants_open_attempts ON grants (lease_until) WHERE state IN ('refreshing', 'uncertain', 'ending');
CREATE INDEX grants_by_use ON grants (last_used_at);

-- Refresh tokens of chains that a login has replaced, until Fanvue has confirmed their end; a day at most.
CREATE TABLE revocations (
    id             TEXT PRIMARY KEY,
    user_id        TEXT NOT NULL REFERENCES users (id),
    sealed_refresh BLOB NOT NULL,
    unanswered     INTEGER NOT NULL,            -- 1: it was sent before, and its successor may exist unseen
    tries          INTEGER NOT NULL DEFAULT 0,  -- claims
    created_at     REAL NOT NULL,
    due_at         REAL NOT NULL                -- of a claimed row: the end of the claim
) STRICT, WITHOUT ROWID;
CREATE INDEX revocations_due ON revocations (due_at);

CREATE TABLE sessions (
    hash           BLOB PRIMARY KEY,            -- SHA-256 of the cookie's id
    user_id        TEXT NOT NULL REFERENCES users (id),
    created_at     REAL NOT NULL,
    last_seen_at   REAL NOT NULL,
    mac            BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Only states that were used: nothing is stored when a login starts, so nothing can be flooded.
CREATE TABLE used_states (
    hash           BLOB PRIMARY KEY,
    used_at        REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_states_by_time ON used_states (used_at);

-- What programs show on the internal listener in place of a session.
CREATE TABLE service_keys (
    id             TEXT PRIMARY KEY,            -- 48 random bits, part of the key and not secret
    hash           BLOB NOT NULL,               -- SHA-256 of the secret part
    name           TEXT NOT NULL,
    operations     TEXT NOT NULL,               -- ids, space separated, sorted
    users          TEXT NOT NULL,               -- 'session', 'all', or uuids, space separated, sorted
    access_tokens  INTEGER NOT NULL,            -- 1 if it may ask for access tokens themselves
    created_at     REAL NOT NULL,
    expires_at     REAL NOT NULL,
    last_used_at   REAL,
    mac            BLOB NOT NULL                -- over everything but the last use
) STRICT;

-- One row is deduplication record and work item at once.
CREATE TABLE events (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    digest         BLOB NOT NULL UNIQUE,        -- 16 bytes, keyed, from signed bytes only; in hex the event's id
    family         TEXT NOT NULL,
    type           TEXT NOT NULL,
    creator_id     TEXT,                        -- validated uuid of the body's creator, when it has one
    secret_name    TEXT NOT NULL,               -- which signing secret matched
    occurred_at    REAL,
    received_at    REAL NOT NULL,
    payload        BLOB,                        -- sealed, minimised; nulled by retention before the row goes
    fan_index      BLOB,                        -- HMAC of the fan's uuid
    dropped        TEXT NOT NULL DEFAULT '',    -- names of fields that were not kept, space separated
    state          TEXT NOT NULL CHECK (state IN ('pending', 'handled', 'dead', 'shadow')),
    attempts       INTEGER NOT NULL DEFAULT 0,  -- claims, so that an event which kills its worker is counted
    replays        INTEGER NOT NULL DEFAULT 0,  -- how often an operator has asked for it again
    due_at         REAL NOT NULL,               -- of a claimed row: the end of the claim
    claim          TEXT,
    reason         TEXT,
    handled_at     REAL
) STRICT;
CREATE INDEX events_due ON events (due_at) WHERE state = 'pending';
CREATE INDEX events_dead ON events (seq) WHERE state = 'dead';
CREATE INDEX events_by_creator ON events (creator_id, seq);
CREATE INDEX events_by_fan ON events (fan_index) WHERE fan_index IS NOT NULL;

-- Creators for whom creator.* events have come: their legacy events are kept as shadow.
CREATE TABLE creator_families (
    creator_id     TEXT PRIMARY KEY,
    since          REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- The living replicas. A row that was not renewed for a minute is forgotten.
CREATE TABLE instances (
    id             TEXT PRIMARY KEY,            -- random, new for every start
    place          TEXT NOT NULL,               -- host and process id, for people
    key_ids        TEXT NOT NULL,               -- key-encryption keys it holds, space separated, sorted
    client_secrets TEXT NOT NULL,               -- names of its client secret's versions, likewise
    started_at     REAL NOT NULL,
    seen_at        REAL NOT NULL
) STRICT;
