"""A scenario: the faults of one run, in a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from fankeep.errors import ConfigurationError
from fankeep.sandbox.fault_reading import FaultError, read_fault
from fankeep.sandbox.faults import Fault

__all__ = ["parse_scenario", "read_scenario"]

_LARGEST: Final = 1 << 20


def read_scenario(path: Path) -> tuple[Fault, ...]:
    """Read a scenario file.

    Raises:
        ConfigurationError: it cannot be read, or is no scenario; one line that names the place.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ConfigurationError(f"cannot read the scenario {path}: it is over a megabyte")
        return parse_scenario(data.decode(), name=str(path))
    except OSError as error:
        raise ConfigurationError(f"cannot read the scenario {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"cannot read the scenario {path}: it is not UTF-8") from None


def parse_scenario(text: str, *, name: str = "scenario") -> tuple[Fault, ...]:
    """Read the text of a scenario.

    Args:
        text: TOML with one ``[[fault]]`` for each thing that is to go wrong.
        name: what to call it in errors.

    Raises:
        ConfigurationError: it is no scenario; one line that names the place.
    """
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{name} is not TOML: {_first_line(error)}") from None
    tables = content.pop("fault", [])
    if content:
        raise ConfigurationError(f"{name}: only [[fault]] tables stand in a scenario")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigurationError(f"{name}: write each fault as a table of its own, [[fault]]")
    faults: list[Fault] = []
    for number, table in enumerate(tables, start=1):
        try:
            faults.append(read_fault(table))
        except FaultError as problem:
            raise ConfigurationError(f"{name}, fault {number}, {problem}") from None
    return tuple(faults)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or "it is nested too deeply"
