"""What a sealed value is bound to, as bytes.

The cipher authenticates these bytes with the value but does not store them: whoever opens has to know where
the value was found. Every part is length-prefixed, so text cannot move from one part into the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from fankeep.sealing.encoding import U32, U64, length_prefixed
from fankeep.sealing.suites import Suite
from fankeep.types import KeyId

__all__ = ["Context", "associated_data", "associated_head"]

_GENERATION_LENGTH = U32.pack(U64.size)
_PLACES_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class Context:
    """The one place where a sealed value opens.

    Attributes:
        installation: the random id of this installation, so that a copy of a file is of no use in another.
        user: the creator whose value it is; empty for a value of the installation itself.
        table: the kind of row; also the purpose from which the sealing key is derived.
        record: the row's own id.
        field: the column, or the name of the blob that holds several fields.
        generation: the version of a value that is replaced in place; 0 where there are no versions.
    """

    installation: str
    user: str
    table: str
    record: str
    field: str
    generation: int = 0


def associated_head(fmt: int, suite: Suite, key_id: KeyId) -> bytes:
    """Encode the parts that stay the same as long as the key does: format, suite, key id."""
    return length_prefixed(bytes([fmt]), bytes([suite.value]), key_id.encode("ascii"))


def associated_data(head: bytes, context: Context) -> bytes:
    """Encode everything that a value is bound to, in the documented order.

    Args:
        head: what ``associated_head`` gave for the key.
        context: where the value lies.

    Raises:
        ValueError: a part is not encodable text (a lone surrogate), or the generation is outside 64 bits.
    """
    if not 0 <= context.generation < 1 << 64:
        raise ValueError("a generation is a number from 0 to 2^64 - 1")
    owner = _owner(context.installation, context.user, context.table)
    record, column = context.record.encode(), _column(context.field)
    generation = U64.pack(context.generation)
    return b"".join((head, owner, U32.pack(len(record)), record, column, _GENERATION_LENGTH, generation))


# Values come many at a time from the same creators and columns: what repeats is encoded once.
@lru_cache(_PLACES_KEPT)
def _owner(installation: str, user: str, table: str) -> bytes:
    return length_prefixed(installation.encode(), user.encode(), table.encode())


@lru_cache(_PLACES_KEPT)
def _column(field: str) -> bytes:
    return length_prefixed(field.encode())
