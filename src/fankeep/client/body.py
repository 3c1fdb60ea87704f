"""A request body that is small enough to be sent twice, or one that is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

__all__ = ["REPLAY_BYTES", "RequestBody", "collect"]

REPLAY_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class RequestBody:
    """What to send.

    Attributes:
        content: the whole body, or what was read of it so far.
        rest: what is still to come; None for a body that is whole and can be sent again.
    """

    content: bytes = field(repr=False)
    rest: AsyncIterator[bytes] | None = field(default=None, repr=False)

    @property
    def whole(self) -> bool:
        """Whether nothing is still to come, so that the body can be sent a second time."""
        return self.rest is None

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give the body once, from its beginning."""
        yield self.content
        if self.rest is not None:
            async for piece in self.rest:
                yield piece


async def collect(body: AsyncIterator[bytes] | None, *, limit: int = REPLAY_BYTES) -> RequestBody:
    """Read a body as long as it fits into the replay buffer.

    Args:
        body: the source; not read any further than the limit.
        limit: the most bytes to keep for a repeat.
    """
    content = bytearray()
    if body is not None:
        async for piece in body:
            content += piece
            if len(content) > limit:
                return RequestBody(bytes(content), body)
    return RequestBody(bytes(content))
