"""Which environment variables are settings, and where the value of each lies."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from fankeep.errors import ConfigurationError
from fankeep.secret import Secret
from fankeep.secrets import read_secret_file

__all__ = ["PREFIX", "read_environment", "variable"]

PREFIX = "FANKEEP_"
_FILE = "_FILE"
_LONGEST_NAME = 64


def variable(field: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + field.upper()


def read_environment(
    fields: Iterable[str], secret_fields: Iterable[str], environment: Mapping[str, str] = os.environ
) -> dict[str, str | Secret[str]]:
    """Collect the settings that the environment gives; an empty variable gives nothing.

    Args:
        fields: every setting.
        secret_fields: those that may lie in a file as well, named by the variable with ``_FILE`` at its end.
        environment: read here and nowhere else.

    Returns:
        Values by setting; secrets are wrapped before anything else sees them.

    Raises:
        ConfigurationError: a variable with our prefix is no setting, a setting is given twice, or the file
            of a secret cannot be read.
    """
    secret = set(secret_fields)
    places = {variable(field): field for field in fields}
    files = {variable(field) + _FILE: field for field in secret}
    given = {name: value for name, value in environment.items() if name.upper().startswith(PREFIX)}
    _refuse_unknown(given, {*places, *files})
    found: dict[str, str | Secret[str]] = {}
    for name, field in places.items():
        if given.get(name, "").strip():
            found[field] = Secret(given[name]) if field in secret else given[name]
    for name, field in files.items():
        if not given.get(name, "").strip():
            continue
        if field in found:
            raise ConfigurationError(f"{variable(field)} and {name} are both set: keep one of them")
        found[field] = _read(name, given[name])
    return found


def _read(name: str, path: str) -> Secret[str]:
    try:
        return read_secret_file(Path(path))
    except ConfigurationError as error:
        complaint = str(error)
    raise ConfigurationError(f"{name}: {complaint}")


def _refuse_unknown(given: Iterable[str], known: set[str]) -> None:
    complaints = [_complaint(name, known) for name in sorted(given) if name not in known]
    if complaints:
        raise ConfigurationError("; ".join(complaints))


def _complaint(name: str, known: set[str]) -> str:
    shown = name if name.isidentifier() and name.isascii() and len(name) <= _LONGEST_NAME else f"{PREFIX}..."
    near = difflib.get_close_matches(name.upper()[:_LONGEST_NAME], known, n=1, cutoff=0.75)
    return f"{shown} is not a setting" + (f"; did you mean {near[0]}?" if near else ": remove it")
