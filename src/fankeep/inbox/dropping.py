"""What is not kept of events, as counts and as lines of the log; each row has the names as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, TypeAlias

from fankeep.fanvue import event_type
from fankeep.telemetry import get_logger
from fankeep.telemetry.metrics import FIELDS_DROPPED

__all__ = ["DroppedFields"]

_log = get_logger("fankeep.inbox")

_Counts: TypeAlias = tuple[tuple[Callable[[float], None], int], ...]

_REMEMBERED: Final = 4096
_UNLISTED: Final = "unlisted"


class DroppedFields:
    """Counts dropped fields by what they say about a person, and logs each the first time. For one process.

    A field that the catalogue does not list is news of Fanvue's: whoever reads the log can add it.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, tuple[str, ...]], _Counts] = {}
        self._logged: set[tuple[str, str]] = set()

    def note(self, type_name: str, names: tuple[str, ...]) -> None:
        """Count the fields that were dropped from one event."""
        counts = self._counts.get((type_name, names))
        if counts is None:
            counts = self._first(type_name, names)
        for add, number in counts:
            add(number)

    def _first(self, type_name: str, names: tuple[str, ...]) -> _Counts:
        """Work out the counts of what was not seen in this combination, and log what was not seen at all."""
        classes = {name: _class(type_name, name) for name in names}
        counts = tuple(
            (FIELDS_DROPPED.adding(personal=personal), number)
            for personal, number in Counter(classes.values()).items()
        )
        if len(self._counts) < _REMEMBERED:
            self._counts[type_name, names] = counts
            new = [name for name in names if (type_name, name) not in self._logged]
            self._logged.update((type_name, name) for name in new)
            for name in new:
                _log.info("event_field_dropped", type=type_name, field=name, personal=classes[name])
        return counts


def _class(type_name: str, name: str) -> str:
    """The class of a field, or of the first one inside of it that is not kept."""
    for path, field in event_type(type_name).fields.items():
        plain = path.replace("[]", "").replace("{}", "")
        if not field.kept and (plain == name or plain.startswith(f"{name}.")):
            return field.personal.value
    return _UNLISTED
