-- The key database: wrapped data keys lie apart from the data, so that destroying a key reaches into back-ups.

CREATE TABLE installation (
    id          TEXT PRIMARY KEY,  -- the same id as in the data database
    created_at  DOUBLE PRECISION NOT NULL
);
CREATE UNIQUE INDEX installation_one ON installation ((true));  -- of two replicas that begin at once, one wins

-- What wraps, or has wrapped, data keys. Exactly one is primary and wraps new ones.
CREATE TABLE key_encryption_keys (
    id       TEXT PRIMARY KEY,
    state    TEXT NOT NULL CHECK (state IN ('primary', 'former', 'compromised', 'retired')),
    since    DOUBLE PRECISION NOT NULL,  -- when it came into this state
    used_at  DOUBLE PRECISION            -- when it last wrapped a data key
);
CREATE UNIQUE INDEX key_encryption_keys_primary ON key_encryption_keys (state) WHERE state = 'primary';

CREATE TABLE data_keys (
    id            TEXT PRIMARY KEY,  -- named in every sealed value
    owner         TEXT NOT NULL,     -- a user id, or 'installation'
    kek_id        TEXT NOT NULL,     -- the key-encryption key that wraps it
    wrapped       BYTEA,             -- null once destroyed
    created_at    DOUBLE PRECISION NOT NULL,
    retired_at    DOUBLE PRECISION,  -- opens, but does not seal any more
    destroyed_at  DOUBLE PRECISION
);
CREATE UNIQUE INDEX data_keys_active ON data_keys (owner) WHERE retired_at IS NULL AND destroyed_at IS NULL;
CREATE INDEX data_keys_by_kek ON data_keys (kek_id);

-- What must not come back with a back-up of the data: keyed hashes of erased users and of revoked service keys.
CREATE TABLE ledger (
    hash      BYTEA PRIMARY KEY,
    noted_at  DOUBLE PRECISION NOT NULL
);
