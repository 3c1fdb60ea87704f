-- Finding events by the message they are about, in the order of each creator, and by how long their payload
-- has been kept; webhook subscriptions that were made through the API; the trail of what operators did.

ALTER TABLE events ADD COLUMN message_index BLOB;  -- HMAC of the creator's and the message's uuid
CREATE INDEX events_by_message ON events (message_index) WHERE message_index IS NOT NULL;
CREATE INDEX events_in_order ON events (creator_id, seq) WHERE state = 'pending';
CREATE INDEX events_with_payload ON events (received_at) WHERE payload IS NOT NULL;

-- Messages that are gone, for as long as an event about one may still come: it is stored without its payload.
CREATE TABLE deleted_messages (
    message_index  BLOB PRIMARY KEY,
    type           TEXT NOT NULL,               -- of the event that said so, which keeps its own payload
    deleted_at     REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deleted_messages_by_time ON deleted_messages (deleted_at);

-- Events about messages that were stored without a webhook: one that comes after all is kept as a shadow.
CREATE TABLE filled_messages (
    message_index  BLOB NOT NULL,
    type           TEXT NOT NULL,               -- of the event that was stored, or that tells the same
    filled_at      REAL NOT NULL,
    PRIMARY KEY (message_index, type)
) STRICT, WITHOUT ROWID;

ALTER TABLE service_keys ADD COLUMN events INTEGER NOT NULL DEFAULT 0;  -- 1 if it may pull events

-- One row a subscription. Its signing secret speaks for its creator alone, and a while longer than it stands.
CREATE TABLE subscriptions (
    id             TEXT PRIMARY KEY,            -- as Fanvue names it
    user_id        TEXT NOT NULL REFERENCES users (id),
    name           TEXT NOT NULL UNIQUE,        -- what events.secret_name says of what its secret signed
    url            TEXT NOT NULL,
    events         TEXT NOT NULL,               -- names, space separated, sorted
    sealed_secret  BLOB NOT NULL,
    created_at     REAL NOT NULL,
    ended_at       REAL,                        -- when it was removed; what was signed before may still come
    mac            BLOB NOT NULL                -- over everything but the secret, which its sealing binds, and the end
) STRICT;
CREATE INDEX subscriptions_by_user ON subscriptions (user_id);

-- Who did what, for as long as the installation stands. Nothing personal: ids, counts, keyed digests.
CREATE TABLE trail (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    at             REAL NOT NULL,
    actor          TEXT NOT NULL,               -- 'operator:<account>', 'service_key:<id>', 'app', 'system'
    action         TEXT NOT NULL,               -- a code, for example 'events_replayed'
    object         TEXT NOT NULL,
    outcome        TEXT NOT NULL
) STRICT;

-- When each secret of the settings was seen first: from then on its age counts.
CREATE TABLE known_secrets (
    digest         BLOB PRIMARY KEY,            -- HMAC of what it is for and its value
    first_seen_at  REAL NOT NULL
) STRICT, WITHOUT ROWID;
