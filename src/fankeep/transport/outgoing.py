"""A request body that knows whether it was ever asked for.

The HTTP library asks a streamed body for its first piece only once the connection stands. That is the last
moment at which a request can still be called back, and the only place from where one sees that nothing of a
body has left.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

__all__ = ["NotSent", "Outgoing", "one_piece"]


class NotSent(Exception):
    """Raised by a guard to call the request back before its body leaves."""


class Outgoing:
    """A body that is sent piece by piece, after a last question.

    Attributes:
        committed: True from the moment on at which bytes of the body may have left.
    """

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        *,
        length: int | None = None,
        guard: Callable[[], None] | None = None,
    ) -> None:
        """Describe the body.

        Args:
            pieces: the bytes; whatever it raises reaches the caller of the transport unchanged.
            length: how many bytes there will be; more or fewer break the request off.
            guard: called once, before the first piece; raises ``NotSent`` to abandon the request.
        """
        self.committed = False
        self._pieces = pieces
        self._length = length
        self._guard = guard
        self._abandoned = False

    def abandon(self) -> None:
        """Make sure that the body does not leave any more, if it has not begun to leave."""
        self._abandoned = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._abandoned:
            raise NotSent
        if self._guard is not None:
            self._guard()
        self.committed = True
        count = 0
        async for piece in self._pieces:
            count += len(piece)
            self._check(count, ended=False)
            yield piece
        self._check(count, ended=True)

    def _check(self, count: int, *, ended: bool) -> None:
        """Hold the body to its announced length: a server must never see another message inside it."""
        if self._length is None:
            return
        if count > self._length or (ended and count < self._length):
            raise ValueError("the body does not have the length that was announced")


async def one_piece(body: bytes) -> AsyncIterator[bytes]:
    """Turn bytes into a body of one piece."""
    yield body
