"""Who answers for each secret, since when it is in use, and when it has to be replaced.

The setting ``FANKEEP_SECRET_REGISTER``: one line a secret, by its name; every part may be left out.

    client-secret owner=ops@example.com created=2026-11-01 rotate_by=2027-11-01
    main owner=ops@example.com
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Final

from fankeep.errors import ConfigurationError

__all__ = ["FORWARD", "LIFETIME_DAYS", "NOBODY", "Record", "parse_secret_register"]

FORWARD: Final = "forward"
"""The name of the secret that signs what goes to the forward URL; the others have names in the settings."""

LIFETIME_DAYS: Final = 365
"""How long a secret is used when no date says otherwise."""

_SETTING: Final = "FANKEEP_SECRET_REGISTER"
_DATES: Final = ("created", "rotate_by")
_PARTS: Final = frozenset({"owner", *_DATES})
_LONGEST_OWNER: Final = 64


@dataclass(frozen=True, slots=True)
class Record:
    """What is written down about one secret.

    Attributes:
        owner: who replaces it and is told when it leaks; None if nobody is named.
        created: the day on which Fanvue issued it; None if not written down.
        rotate_by: the day by which it has to be replaced; None if not written down.
    """

    owner: str | None = None
    created: date | None = None
    rotate_by: date | None = None

    def since(self, first_seen: float) -> date:
        """Since when the secret is in use.

        Args:
            first_seen: when this installation met it first, in seconds since 1970.
        """
        return self.created or datetime.fromtimestamp(first_seen, UTC).date()

    def due(self, first_seen: float) -> date:
        """The day by which the secret has to be replaced: as written down, or a year after its first."""
        return self.rotate_by or self.since(first_seen) + timedelta(days=LIFETIME_DAYS)


NOBODY: Final = Record()


def parse_secret_register(text: str) -> Mapping[str, Record]:
    """Read the register.

    Args:
        text: lines of a name and ``owner=``, ``created=`` and ``rotate_by=``; days as ``2026-12-01``. Empty
            lines and lines that begin with ``#`` don't count.

    Raises:
        ConfigurationError: says which line is wrong, and shows nothing of it.
    """
    records: dict[str, Record] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, *parts = line.split()
        if name in records or "=" in name:
            raise _wrong(number, "each line begins with the name of one secret, and each name comes once")
        records[name] = _record(number, parts)
    return MappingProxyType(records)


def _record(number: int, parts: list[str]) -> Record:
    given = dict(part.partition("=")[::2] for part in parts)
    if len(given) < len(parts) or not given.keys() <= _PARTS or not all(given.values()):
        raise _wrong(number, "after the name come owner=, created= and rotate_by=, each at most once")
    if len(given.get("owner", "")) > _LONGEST_OWNER:
        raise _wrong(number, f"an owner has at most {_LONGEST_OWNER} characters")
    try:
        created, rotate_by = (date.fromisoformat(given[name]) if name in given else None for name in _DATES)
    except ValueError:
        raise _wrong(number, "a day is written like 2026-12-01") from None
    if created is not None and rotate_by is not None and rotate_by <= created:
        raise _wrong(number, "rotate_by is not later than created")
    return Record(given.get("owner"), created, rotate_by)


def _wrong(number: int, advice: str) -> ConfigurationError:
    return ConfigurationError(f"{_SETTING}, line {number}: {advice}")
