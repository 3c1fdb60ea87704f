"""What keeps whoever can write to the databases from changing what a row says: a MAC, or the sealing itself.

Data, for documents and tests: one test holds it to the schema of both engines, so that a new column has to be
put somewhere; another one flips bits in every column that stands here as bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MAC_BOUND", "SEAL_BOUND", "UNBOUND_BYTES", "WORKING"]

MAC_BOUND: Final[Mapping[str, frozenset[str]]] = {
    "grants": frozenset({"id", "user_id", "generation", "state", "scopes"}),
    "sessions": frozenset({"hash", "user_id", "created_at", "last_seen_at"}),
    "service_keys": frozenset(
        {
            "id",
            "hash",
            "name",
            "operations",
            "users",
            "access_tokens",
            "events",
            "created_at",
            "expires_at",
        }
    ),
    "subscriptions": frozenset({"id", "user_id", "name", "url", "events", "created_at"}),
}
"""The columns over which the row's ``mac`` is made. Times count to the millisecond."""

SEAL_BOUND: Final[Mapping[str, frozenset[str]]] = {
    "grants": frozenset({"id", "user_id", "generation"}),
    "revocations": frozenset({"id", "user_id"}),
    "subscriptions": frozenset({"id", "user_id"}),
    "events": frozenset({"digest", "family", "type", "creator_id"}),
    "data_keys": frozenset({"id", "owner", "kek_id", "wrapped"}),
}
"""The columns that stand in the associated data of what the row has sealed or wrapped, or name its key: with
another value there it does not open."""

WORKING: Final[Mapping[str, Mapping[str, str]]] = {
    "grants": {
        "attempt_id": "whose claim it is; a wrong one loses a save, and the token is sent again",
        "lease_until": "when the claim ends; read within bounds",
        "first_sent_at": "when the grace began; read within bounds",
        "sends": "how often the token was sent",
        "stored_by": "which attempt or login stored the pair",
        "retry_at": "a cool-down",
        "access_expires_at": "Fanvue's own word decides whether a token is good",
        "access_lifetime": "as above",
        "last_error": "a code, to be shown",
        "end_reason": "a code, to be shown",
        "ended_at": "how long a revocation is still tried",
        "last_used_at": "for the ending of unused grants",
        "stored_at": "how young a pair is",
        "created_at": "to be shown",
    },
    "sessions": {},
    "service_keys": {"last_used_at": "to be shown; written at every use"},
    "subscriptions": {
        "ended_at": "written when it is removed; the secret speaks for its creator all the same"
    },
}
"""The other columns of tables with a MAC, each with what it is for: none of them gives anybody a right."""

UNBOUND_BYTES: Final[Mapping[tuple[str, str], str]] = {
    (
        "used_states",
        "hash",
    ): "a spent state; a changed one is as good as one removed, and expires with its login",
    ("events", "fan_index"): "a keyed digest that finds rows; what is found has to open",
    ("events", "message_index"): "as fan_index",
    ("deleted_messages", "message_index"): "as fan_index",
    ("filled_messages", "message_index"): "as fan_index",
    ("known_secrets", "digest"): "a keyed digest of a setting; a changed one starts its age anew",
    ("ledger", "hash"): "a keyed digest that is looked for; a changed one is as good as one removed",
}
"""Columns of bytes that nothing binds, each with the reason."""
