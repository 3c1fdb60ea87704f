"""Which personal fields of events an operator wants to have kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from fankeep.fanvue.event_patterns import compiled, near_type
from fankeep.fanvue.event_types import EVENT_TYPES, EventType
from fankeep.fanvue.nearest import did_you_mean

__all__ = ["opted_in"]

_WORD: Final = re.compile(r"([a-z0-9_.*]{1,120}):([A-Za-z_][A-Za-z0-9_.]{0,120})")


def opted_in(words: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Read words like ``creator.message.received:text`` or ``*:handle``.

    Before the colon stands a type, or several with ``*`` for any characters; after it a field by its path, or
    by the end of it: ``handle`` is every field of that name.

    Returns:
        The paths by type, in the notation of the catalogue.

    Raises:
        ValueError: a word has another form, or names a type or a field that there is not. The message is made
            of names of the catalogue alone.
    """
    found: dict[str, dict[str, None]] = {}
    for word in words:
        match = _WORD.fullmatch(word)
        if match is None:
            raise ValueError("must be words like creator.message.received:text or *:handle")
        for kind, path in _fields(match[1], match[2]):
            found.setdefault(kind, {})[path] = None
    return {kind: tuple(paths) for kind, paths in found.items()}


def _fields(pattern: str, field: str) -> list[tuple[str, str]]:
    regex = compiled(pattern)
    kinds = [kind for name, kind in EVENT_TYPES.items() if regex.fullmatch(name)]
    if not kinds:
        raise ValueError(f"names a type of event that there is not{near_type(pattern)}")
    found = [(kind.name, path) for kind in kinds for path in kind.fields if _is_named(path, field)]
    if not found:
        raise ValueError(f"names a field that no such event has{did_you_mean([field], _names(kinds))}")
    return found


def _is_named(path: str, field: str) -> bool:
    plain = _plain(path)
    return plain == field or plain.endswith(f".{field}")


def _plain(path: str) -> str:
    return path.replace("[]", "").replace("{}", "")


def _names(kinds: Iterable[EventType]) -> list[str]:
    """Both ways to name a field: by its path and by its last name."""
    paths = [_plain(path) for kind in kinds for path in kind.fields]
    return [*paths, *(path.rpartition(".")[2] for path in paths)]
