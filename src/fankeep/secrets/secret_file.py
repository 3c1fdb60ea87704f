"""Secrets that come from a file, as container platforms mount them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fankeep.errors import ConfigurationError
from fankeep.kms.private_file import PRIVATE_TO_GROUP, read_private_file
from fankeep.secret import Secret

__all__ = ["read_secret_file"]

_WHAT: Final = "secret file"
_BYTE_ORDER_MARK: Final = "\ufeff"


def read_secret_file(path: Path) -> Secret[str]:
    """Read the file that a ``..._FILE`` setting names.

    One line end at the end of the file is not part of the secret, since editors and ``echo`` add it. Anything
    else that is easily added and never seen is refused, as it would give a secret that does not match.

    Args:
        path: a file of at most 64 KiB which the group may read and others may not.

    Returns:
        The text without its last line end.

    Raises:
        ConfigurationError: the file cannot be read, is empty, open to others, not UTF-8, or begins or ends
            with something invisible. The message holds neither the content nor the path.
    """
    content = read_private_file(path, what=_WHAT, refuse=PRIVATE_TO_GROUP)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"the {_WHAT} is not UTF-8 text") from None
    if text.startswith(_BYTE_ORDER_MARK):
        raise ConfigurationError(f"the {_WHAT} begins with a byte order mark: save it as UTF-8 without one")
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise ConfigurationError(f"the {_WHAT} is empty")
    if text != text.strip() or "\x00" in text:
        raise ConfigurationError(f"the {_WHAT} begins or ends with blanks, or holds a zero byte")
    return Secret(text)
