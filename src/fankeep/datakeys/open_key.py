"""A data key that is unwrapped and ready for use."""

from __future__ import annotations

from fankeep.sealing import SealingKey, Suite, derive_sealing_key
from fankeep.secret import Secret
from fankeep.types import KeyId

__all__ = ["OpenKey"]


class OpenKey:
    """One data key with the sealing keys that were derived from it so far.

    Attributes:
        id: stands in every value that it seals.
        owner: whose key it is.
        secret: the key itself.
        wrapped: the stored form that it was unwrapped from, so that a later look at the row needs no second
            unwrapping.
        uses: how often it was asked for a sealing key.
    """

    __slots__ = ("_derived", "id", "owner", "secret", "uses", "wrapped")

    def __init__(self, key_id: KeyId, owner: str, secret: Secret[bytes], wrapped: bytes) -> None:
        self.id = key_id
        self.owner = owner
        self.secret = secret
        self.wrapped = wrapped
        self.uses = 0
        self._derived: dict[tuple[str, Suite], SealingKey] = {}

    def sealing_key(self, purpose: str, suite: Suite = Suite.AES_256_GCM_SIV) -> SealingKey:
        """Return the key of one purpose; derived once and kept. Purposes are names in our code, so few."""
        self.uses += 1
        derived = self._derived.get((purpose, suite))
        if derived is None:
            derived = derive_sealing_key(self.secret, key_id=self.id, purpose=purpose, suite=suite)
            self._derived[purpose, suite] = derived
        return derived
