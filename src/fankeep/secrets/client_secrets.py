"""The OAuth client secret, in one or two versions.

Fanvue replaces a secret at once, without a time in which both work. With the new one set beside the old one
before that moment, every token call finds the right one by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fankeep.errors import ConfigurationError
from fankeep.secret import Secret
from fankeep.secrets.strength import NAME, why_unusable

__all__ = ["ClientSecret", "ClientSecrets", "parse_client_secrets"]

_SETTING: Final = "FANKEEP_CLIENT_SECRET"
_SHORTEST: Final = 32
_MOST: Final = 2


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """One version of the client secret.

    Attributes:
        name: for logs; not secret.
    """

    name: str
    value: Secret[str]


class ClientSecrets:
    """The versions of the client secret, and which of them worked last.

    Raises:
        ConfigurationError: there are none or more than two, or two are equal in name or value.
    """

    def __init__(self, secrets: Sequence[ClientSecret]) -> None:
        if not 1 <= len(secrets) <= _MOST:
            raise ConfigurationError(
                f"{_SETTING} holds one client secret, or two while one is being replaced"
            )
        _refuse_repetition([secret.name for secret in secrets], "names")
        _refuse_repetition([secret.value.reveal() for secret in secrets], "values")
        self._secrets = tuple(secrets)
        self._last_worked: str | None = None

    def candidates(self) -> tuple[ClientSecret, ...]:
        """Return the versions in the order in which to try them: the one that worked last comes first.

        Security:
            Go on to the next only after ``invalid_client``. Fanvue authenticates the client before it spends
            a token, so that answer, and no other, means that nothing has happened yet.
        """
        return tuple(sorted(self._secrets, key=lambda secret: secret.name != self._last_worked))

    def worked(self, name: str) -> bool:
        """Record that a version authenticated.

        Returns:
            Whether another one, or none, had worked before; worth a line in the log.

        Raises:
            ValueError: there is no version of this name.
        """
        if name not in {secret.name for secret in self._secrets}:
            raise ValueError("there is no client secret of this name")
        changed = name != self._last_worked
        self._last_worked = name
        return changed


def parse_client_secrets(setting: Secret[str]) -> ClientSecrets:
    """Read ``FANKEEP_CLIENT_SECRET``.

    Args:
        setting: the secret alone, which is then named ``client-secret``; or one or two lines ``name=value``.

    Raises:
        ConfigurationError: says which line is wrong, and never shows a value.
    """
    lines = [line.strip() for line in setting.reveal().splitlines()]
    return ClientSecrets([_parse(line, number) for number, line in enumerate(lines, start=1) if line])


def _parse(line: str, number: int) -> ClientSecret:
    # Only padding at its end is an equals sign of the secret itself.
    name, separator, value = line.partition("=")
    if not separator or not value.strip("="):
        name, value = "client-secret", line
    problem = why_unusable(value, at_least=_SHORTEST)
    if re.fullmatch(NAME, name, re.ASCII) is None:
        problem = "a name has letters, digits and . _ -"
    if problem is not None:
        raise ConfigurationError(f"{_SETTING}, line {number}: {problem}")
    return ClientSecret(name, Secret(value))


def _refuse_repetition(values: Sequence[str], what: str) -> None:
    if len(set(values)) < len(values):
        raise ConfigurationError(f"the two client secrets of {_SETTING} have equal {what}")
