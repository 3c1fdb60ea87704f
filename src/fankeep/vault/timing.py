"""How long things take, as one value; the reasons stand in `docs/explanation/refresh.md`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from fankeep.types import GrantId

__all__ = ["Timing", "spread"]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, unless a name says otherwise.

    Attributes:
        row_bound: an opened token is served from memory while its row was read less than this ago; the
            longest time for which another process may go on serving a token after a logout or disconnect.
        lease: how long a claim holds. Not renewed.
        call: deadline of one call to the token endpoint, connecting included.
        connect: deadline of connecting.
        repeat_window: after the first send of a token, how long a repeat is taken to be inside the server's
            grace of 30 s.
        max_sends: sends of one token inside that window (a count).
        settle: past the window, how long a row must stay unchanged before one more send.
        poll: between two looks at a row that somebody else has claimed.
        watch: between two looks at a row that is settling.
        watch_gap: the longest time between two such looks; after a longer one the row has to settle anew.
        margin: the longest time before expiry at which a token counts as expired.
        margin_share: the share of a token's life that the margin may take.
        young: a token stored less than this ago is not refreshed because of a 401.
        ending_limit: how long the token of an ended grant is kept for its revocation.
        used_resolution: how exact `last_used_at` is.
        join: how long a caller waits for a refresh.
        sweep: between two looks for grants that need something before a caller asks for them.
        sweep_budget: refreshes ahead of expiry that one process has under way at once (a count).
        settled_budget: sends past the grace that one process has under way at once (a count).
        settle_spread: the share of `settle` by which grants differ, so that those which became uncertain
            together are not sent together.
        ending_budget: endings that one process has under way at once (a count).
        recovery_budget: grants with an unanswered send past the grace that one sweep watches (a count).
        sweep_rest: how long the sweep leaves a grant alone that it could not refresh.
        in_use: a grant that was used less than this ago is refreshed ahead of its expiry.
        idle: any other is refreshed once in this time, so that its refresh token does not expire.
        reap: a grant that was not used for this long is ended.
    """

    row_bound: float = 1.0
    lease: float = 7.0
    call: float = 5.0
    connect: float = 2.0
    repeat_window: float = 22.0
    max_sends: int = 3
    settle: float = 60.0
    poll: float = 0.025
    watch: float = 1.0
    watch_gap: float = 10.0
    margin: float = 60.0
    margin_share: float = 0.1
    young: float = 30.0
    ending_limit: float = 86_400.0
    used_resolution: float = 300.0
    join: float = 10.0
    sweep: float = 2.0
    sweep_budget: int = 8
    settled_budget: int = 8
    settle_spread: float = 0.5
    ending_budget: int = 20
    recovery_budget: int = 200
    sweep_rest: float = 60.0
    in_use: float = 7_200.0
    idle: float = 604_800.0
    reap: float = 7_776_000.0

    def margin_of(self, lifetime: float) -> float:
        """How long before its expiry a token of this lifetime counts as expired."""
        return min(self.margin, lifetime * self.margin_share)

    def settle_of(self, grant: GrantId) -> float:
        """How long this grant must stay unchanged before one more send, past the window."""
        return self.settle * (1.0 + self.settle_spread * spread(grant))


def spread(name: str) -> float:
    """Return a number from 0 to 1 that differs from name to name and is the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32
