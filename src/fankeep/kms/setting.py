"""The setting ``FANKEEP_KEYS``: where the key-encryption keys are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from fankeep.errors import ConfigurationError
from fankeep.kms.environment import load_keys_from_environment
from fankeep.kms.key_encryption import KeyEncryption, KeyEncryptionKey
from fankeep.kms.key_file import load_key_file

__all__ = ["from_setting"]

# A new place begins where a scheme does, so that the path of a file may have spaces in it.
_BETWEEN: Final = re.compile(r"[\s,]+(?=[a-z][a-z-]*:)")


def from_setting(value: str) -> KeyEncryption:
    """Open what ``FANKEEP_KEYS`` names.

    Args:
        value: one place or several, parted by spaces, commas or new lines: ``file:/absolute/path``,
            ``env:NAME``, ``aws-kms:<key ARN>``, ``vault:https://<host>/<mount>/<key>``. Their order means
            nothing.

    Raises:
        ConfigurationError: a scheme is unknown, or what it names cannot be used. The value is not repeated:
            somebody may have put a key there.
    """
    return KeyEncryption(key for place in _BETWEEN.split(value.strip(" \t\r\n,")) for key in _open(place))


def _open(place: str) -> Sequence[KeyEncryptionKey]:
    scheme, _, rest = place.partition(":")
    opener = _SCHEMES.get(scheme)
    if opener is None:
        raise ConfigurationError(
            f"FANKEEP_KEYS names places that begin with: {', '.join(map(_colon, _SCHEMES))}"
        )
    return opener(rest)


def _colon(scheme: str) -> str:
    return f"{scheme}:"


def _key_file(rest: str) -> Sequence[KeyEncryptionKey]:
    # file:///path is the same address in the form of RFC 8089; a host in it would be silently ignored.
    path = rest.removeprefix("//") if rest.startswith("///") else rest
    if not path.startswith("/") or path.startswith("//"):
        raise ConfigurationError(
            "FANKEEP_KEYS names a key file by its absolute path: file:/path/to/keys.json"
        )
    return load_key_file(Path(path))


def _aws_kms(rest: str) -> Sequence[KeyEncryptionKey]:
    try:
        from fankeep.kms.aws import AwsKey  # noqa: PLC0415  boto3 is an extra and takes 230 ms
    except ImportError:
        raise _extra_missing("aws", "AWS KMS") from None
    return [AwsKey.named(rest)]


def _vault(rest: str) -> Sequence[KeyEncryptionKey]:
    try:
        from fankeep.kms.vault import VaultKey  # noqa: PLC0415  hvac is an extra and takes 180 ms
    except ImportError:
        raise _extra_missing("vault", "HashiCorp Vault") from None
    return [VaultKey.named(rest)]


def _extra_missing(extra: str, service: str) -> ConfigurationError:
    return ConfigurationError(
        f"FANKEEP_KEYS names a key of {service}, which needs more packages: pip install 'fankeep[{extra}]'"
    )


_SCHEMES: Final[dict[str, Callable[[str], Sequence[KeyEncryptionKey]]]] = {
    "file": _key_file,
    "env": load_keys_from_environment,
    "aws-kms": _aws_kms,
    "vault": _vault,
}
