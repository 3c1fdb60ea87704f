"""The made-up credentials that sandbox and gateway share on this machine."""

from __future__ import annotations

import base64
import json
import os
import secrets
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fankeep.errors import ConfigurationError

__all__ = ["Credentials", "kept_credentials"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Made-up credentials of one folder, known to the sandbox and to the gateway.

    Security:
        They reach the processes in their environment, never in their arguments.
    """

    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    client_secret: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    webhook_secret: str = field(default_factory=lambda: "whsec_" + secrets.token_hex(32), repr=False)
    forward_secret: str = field(
        default_factory=lambda: "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(), repr=False
    )


def kept_credentials(file: Path) -> Credentials:
    """Read the credentials of a folder; the first time, make them up and write them down.

    Args:
        file: where they are kept, readable by its owner only.

    Raises:
        ConfigurationError: the file is damaged, or cannot be read or written.
    """
    try:
        if file.exists():
            return Credentials(**json.loads(file.read_bytes()))
        return _written(Credentials(), file)
    except (OSError, ValueError, TypeError):
        raise ConfigurationError(f"cannot use {file}: run `fankeep dev --fresh`") from None


def _written(credentials: Credentials, file: Path) -> Credentials:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        json.dump(asdict(credentials), target)
    return credentials
