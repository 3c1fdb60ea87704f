"""Key-encryption keys in an environment variable, for platforms that hand out secrets in no other way."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from fankeep.errors import ConfigurationError
from fankeep.kms.local_key import LocalKey, parse_keys

__all__ = ["load_keys_from_environment"]

_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)
_OURS: Final = "FANKEEP_"


def load_keys_from_environment(name: str, environment: Mapping[str, str] = os.environ) -> list[LocalKey]:
    """Read keys from a variable whose value is what a key file holds.

    Args:
        name: of the variable; capital letters, digits and underscores, and none of ours.
        environment: read here.

    Raises:
        ConfigurationError: the variable is not set, or what it holds does not fit. Never with the value.

    Security:
        Whoever runs as the same user can read a process's environment, and so can every program that it
        starts. A file or a key service is the better place where the platform has one.
    """
    if not _NAME.fullmatch(name) or name.startswith(_OURS):
        raise ConfigurationError(
            "FANKEEP_KEYS names a variable as env:NAME, in capital letters and without FANKEEP_ in front"
        )
    value = environment.get(name, "")
    if not value.strip():
        raise ConfigurationError(f"FANKEEP_KEYS names the variable {name}, which is not set")
    keys = parse_keys(value.encode("utf-8", "surrogateescape"), what=f"variable {name}")
    return [LocalKey(key_id, key, source="env") for key_id, key in keys.items()]
