"""Identifiers as Fanvue writes them."""

from __future__ import annotations

import re

__all__ = ["as_uuid"]

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def as_uuid(value: object) -> str | None:
    """Return the value in lower case if it is a uuid in its usual spelling, else None.

    Fanvue's uuids are opaque, so version and variant are not looked at. Lower case makes one identifier out
    of the spellings that would otherwise be different keys for the same person.
    """
    return value.lower() if isinstance(value, str) and _UUID.fullmatch(value) else None
