"""Every secret value that was ever issued or seen, by kind, so that a leak search knows what to look for."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Needle", "Needles"]

_LONGEST = 4096
_LIMIT = 100_000


class Needle(StrEnum):
    """What kind of secret a value is."""

    CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a kind
    SIGNING_SECRET = "signing_secret"  # noqa: S105 - the name of a kind
    AUTHORIZATION_CODE = "authorization_code"
    CODE_VERIFIER = "code_verifier"
    STATE = "state"
    NONCE = "nonce"
    ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a kind
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a kind
    ID_TOKEN = "id_token"  # noqa: S105 - the name of a kind


class Needles:
    """The values of each kind in the order in which they came up, each once.

    Security:
        This is the one place that keeps them all in clear. It exists in a fake world on loopback only.
    """

    def __init__(self) -> None:
        self._values: dict[Needle, dict[str, None]] = {kind: {} for kind in Needle}

    def add(self, kind: Needle, value: str | None) -> None:
        """Remember a value; empty and absurdly long ones are not worth a search."""
        values = self._values[kind]
        if value and len(value) <= _LONGEST and len(values) < _LIMIT:
            values[value] = None

    def values(self) -> dict[str, list[str]]:
        """All values by kind."""
        return {kind.value: list(values) for kind, values in self._values.items()}
