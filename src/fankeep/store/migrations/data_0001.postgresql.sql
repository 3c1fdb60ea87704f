-- The data database. Times are seconds since 1970 by the database's own clock; identifiers are text; sealed
-- values, digests and MACs are bytea.

CREATE TABLE installation (
    id            TEXT PRIMARY KEY,  -- 128 random bits; part of the associated data of every value
    created_at    DOUBLE PRECISION NOT NULL,
    backed_up_at  DOUBLE PRECISION   -- of a back-up: when it was begun; null in use
);
CREATE UNIQUE INDEX installation_one ON installation ((true));  -- of two replicas that begin at once, one wins

-- One row a creator. Every row with personal data refers to it; an erase locks it first.
CREATE TABLE users (
    id          TEXT PRIMARY KEY,  -- the Fanvue uuid
    created_at  DOUBLE PRECISION NOT NULL,
    erased_at   DOUBLE PRECISION
);

CREATE TABLE grants (
    id                 TEXT PRIMARY KEY,
    user_id            TEXT NOT NULL UNIQUE REFERENCES users (id),
    generation         BIGINT NOT NULL,            -- version of the pair; in the associated data of both tokens
    state              TEXT NOT NULL CHECK (state IN ('live', 'refreshing', 'uncertain', 'blocked', 'ending', 'dead')),
    attempt_id         TEXT,                       -- 128 random bits, new for every send
    lease_until        DOUBLE PRECISION,
    first_sent_at      DOUBLE PRECISION,           -- first send of this generation; a repeat never moves it
    sends              BIGINT NOT NULL DEFAULT 0,
    stored_by          TEXT,                       -- the attempt or login that stored this generation
    retry_at           DOUBLE PRECISION,           -- cool-down after a passing refusal
    sealed_access      BYTEA,
    sealed_refresh     BYTEA,
    access_expires_at  DOUBLE PRECISION,
    access_lifetime    DOUBLE PRECISION,           -- seconds the token lived when it was new
    scopes             TEXT NOT NULL,              -- granted, space separated, sorted
    last_error         TEXT,                       -- a code, never provider text
    end_reason         TEXT,
    ended_at           DOUBLE PRECISION,           -- when it became 'ending'; the token is kept for a day at most
    last_used_at       DOUBLE PRECISION,
    stored_at          DOUBLE PRECISION NOT NULL,  -- when this generation was stored
    created_at         DOUBLE PRECISION NOT NULL,
    mac                BYTEA NOT NULL              -- over id, user, generation, state, scopes
);
CREATE INDEX grants_open_attempts ON grants (lease_until) WHERE state IN ('refreshing', 'uncertain', 'ending');
CREATE INDEX grants_by_use ON grants (last_used_at);

-- Refresh tokens of chains that a login has replaced, until Fanvue has confirmed their end; a day at most.
CREATE TABLE revocations (
    id              TEXT PRIMARY KEY,
    user_id         TEXT NOT NULL REFERENCES users (id),
    sealed_refresh  BYTEA NOT NULL,
    unanswered      BIGINT NOT NULL,            -- 1: it was sent before, and its successor may exist unseen
    tries           BIGINT NOT NULL DEFAULT 0,  -- claims
    created_at      DOUBLE PRECISION NOT NULL,
    due_at          DOUBLE PRECISION NOT NULL   -- of a claimed row: the end of the claim
);
CREATE INDEX revocations_due ON revocations (due_at);

CREATE TABLE sessions (
    hash          BYTEA PRIMARY KEY,  -- SHA-256 of the cookie's id
    user_id       TEXT NOT NULL REFERENCES users (id),
    created_at    DOUBLE PRECISION NOT NULL,
    last_seen_at  DOUBLE PRECISION NOT NULL,
    mac           BYTEA NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Only states that were used: nothing is stored when a login starts, so nothing can be flooded.
CREATE TABLE used_states (
    hash     BYTEA PRIMARY KEY,
    used_at  DOUBLE PRECISION NOT NULL
);
CREATE INDEX used_states_by_time ON used_states (used_at);

-- What programs show on the internal listener in place of a session.
CREATE TABLE service_keys (
    id             TEXT PRIMARY KEY,  -- 48 random bits, part of the key and not secret
    hash           BYTEA NOT NULL,    -- SHA-256 of the secret part
    name           TEXT NOT NULL,
    operations     TEXT NOT NULL,     -- ids, space separated, sorted
    users          TEXT NOT NULL,     -- 'session', 'all', or uuids, space separated, sorted
    access_tokens  BIGINT NOT NULL,   -- 1 if it may ask for access tokens themselves
    created_at     DOUBLE PRECISION NOT NULL,
    expires_at     DOUBLE PRECISION NOT NULL,
    last_used_at   DOUBLE PRECISION,
    mac            BYTEA NOT NULL     -- over everything but the last use
);

-- One row is deduplication record and work item at once.
CREATE TABLE events (
    seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest       BYTEA NOT NULL UNIQUE,      -- 16 bytes, keyed, from signed bytes only; in hex the event's id
    family       TEXT NOT NULL,
    type         TEXT NOT NULL,
    creator_id   TEXT,                       -- validated uuid of the body's creator, when it has one
    secret_name  TEXT NOT NULL,              -- which signing secret matched
    occurred_at  DOUBLE PRECISION,
    received_at  DOUBLE PRECISION NOT NULL,
    payload      BYTEA,                      -- sealed, minimised; nulled by retention before the row goes
    fan_index    BYTEA,                      -- HMAC of the fan's uuid
    dropped      TEXT NOT NULL DEFAULT '',   -- names of fields that were not kept, space separated
    state        TEXT NOT NULL CHECK (state IN ('pending', 'handled', 'dead', 'shadow')),
    attempts     BIGINT NOT NULL DEFAULT 0,  -- claims, so that an event which kills its worker is counted
    replays      BIGINT NOT NULL DEFAULT 0,  -- how often an operator has asked for it again
    due_at       DOUBLE PRECISION NOT NULL,  -- of a claimed row: the end of the claim
    claim        TEXT,
    reason       TEXT,
    handled_at   DOUBLE PRECISION
);
CREATE INDEX events_due ON events (due_at) WHERE state = 'pending';
CREATE INDEX events_dead ON events (seq) WHERE state = 'dead';
CREATE INDEX events_by_creator ON events (creator_id, seq);
CREATE INDEX events_by_fan ON events (fan_index) WHERE fan_index IS NOT NULL;

-- Creators for whom creator.* events have come: their legacy events are kept as shadow.
CREATE TABLE creator_families (
    creator_id  TEXT PRIMARY KEY,
    since       DOUBLE PRECISION NOT NULL
);

-- The living replicas. A row that was not renewed for a minute is forgotten.
CREATE TABLE instances (
    id              TEXT PRIMARY KEY,  -- random, new for every start
    place           TEXT NOT NULL,     -- host and process id, for people
    key_ids         TEXT NOT NULL,     -- key-encryption keys it holds, space separated, sorted
    client_secrets  TEXT NOT NULL,     -- names of its client secret's versions, likewise
    started_at      DOUBLE PRECISION NOT NULL,
    seen_at         DOUBLE PRECISION NOT NULL
);
