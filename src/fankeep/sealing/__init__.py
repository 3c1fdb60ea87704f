"""Sealing values: envelope format, suites, associated data. Pure; keys and nonces are arguments.

A sealed value names its format, its suite and its key, commits to the key, and is bound to the place where it
lies: installation, user, table, record, field and generation. A value that was moved, changed or paired
with another generation does not open, and every failure is the same ``SealError``.

The format, byte for byte, is in ``docs/reference/sealing.md``; ``tests/vectors/sealing-v1.json`` holds it.
"""

from fankeep.sealing.associated_data import Context
from fankeep.sealing.encoding import length_prefixed
from fankeep.sealing.envelope import MAX_PLAINTEXT, NONCE_LENGTH, Sealed, parse_sealed
from fankeep.sealing.keys import KEY_LENGTH, SealingKey, derive_key, derive_sealing_key
from fankeep.sealing.mac import Mac, mac, mac_matches
from fankeep.sealing.recipe import open_sealed, seal
from fankeep.sealing.suites import Suite, new_cipher

__all__ = [
    "KEY_LENGTH",
    "MAX_PLAINTEXT",
    "NONCE_LENGTH",
    "Context",
    "Mac",
    "Sealed",
    "SealingKey",
    "Suite",
    "derive_key",
    "derive_sealing_key",
    "length_prefixed",
    "mac",
    "mac_matches",
    "new_cipher",
    "open_sealed",
    "parse_sealed",
    "seal",
]
