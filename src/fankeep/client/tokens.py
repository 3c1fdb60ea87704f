"""Where access tokens come from: the seam to whoever keeps them."""

from __future__ import annotations

from typing import Protocol

from fankeep.secret import Secret
from fankeep.types import Generation, UserId

__all__ = ["AccessToken", "TokenSource"]


class AccessToken(Protocol):
    """A token and the generation of the grant that it belongs to."""

    @property
    def generation(self) -> Generation:
        """Newer tokens of a user have a higher one."""

    @property
    def token(self) -> Secret[str]:
        """The bearer token."""


class TokenSource(Protocol):
    """What the client needs of the vault."""

    async def access_token(self, user: UserId) -> AccessToken:
        """Return a token that is good to use now.

        Raises:
            AccessError: the user is not connected, or not any more.
            RetryableError: there is none at the moment.
        """

    async def refused(self, user: UserId, generation: Generation) -> None:
        """Take note that the API answered 401 to the token of this generation.

        Afterwards ``access_token`` gives a newer generation, or the same one if there is nothing newer.
        """
