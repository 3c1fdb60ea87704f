"""Grants: keeping each creator's tokens alive and unreadable.

`Vault` hands out access tokens and refreshes them; `decide` holds the rules as a pure function, `states` the
states as a table, `refresh` one send of a refresh token from its claim to what is stored of the answer,
`ending` the revocation. Only `endpoint` talks to Fanvue, only `records` knows how a row is sealed.
"""

from __future__ import annotations

from fankeep.vault.endpoint import TokenEndpoint
from fankeep.vault.holding import AccessToken
from fankeep.vault.records import TokenPair
from fankeep.vault.states import State
from fankeep.vault.timing import Timing
from fankeep.vault.vault import GrantStatus, Vault

__all__ = ["AccessToken", "GrantStatus", "State", "Timing", "TokenEndpoint", "TokenPair", "Vault"]
