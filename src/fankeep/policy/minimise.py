"""Keeping only the fields that are on a list, and naming those that were not kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

__all__ = ["Json", "KeepList", "Minimised", "minimise"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_Tree: TypeAlias = "dict[str, _Tree]"

_MAX_FIELD = 64
_MAX_DROPPED = 64
_UNNAMED = "?"
_ANY = "{}"


class KeepList:
    """The fields of a message that may be kept, as dotted paths.

    ``data.sender.uuid`` keeps a scalar at that place. Lists on the way are looked through, so
    ``data.items.price`` keeps the price of every item. A path keeps scalars only: an object that turns up
    where a number was expected is dropped, since nobody decided on its fields. ``data.notes{}`` keeps the
    scalars of a map, whatever their names are.
    """

    __slots__ = ("_paths", "_tree")

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = tuple(paths)
        self._tree: _Tree = {}
        for path in self._paths:
            node = self._tree
            for part in path.split("."):
                name = part.removesuffix(_ANY)
                if not _is_field(name):
                    raise ValueError("a keep list names fields, parted by dots")
                node = node.setdefault(name, {})
                if name != part:
                    node = node.setdefault(_ANY, {})

    def without(self, paths: Iterable[str]) -> KeepList:
        """Return a list that has nothing at these paths and below them."""
        gone = tuple(f"{path}." for path in paths)
        return KeepList(path for path in self._paths if not f"{path.replace(_ANY, '')}.".startswith(gone))

    @property
    def tree(self) -> Mapping[str, _Tree]:
        """The names at the top level, each with those below it; an empty one marks a kept scalar."""
        return self._tree


class Minimised(NamedTuple):
    """What is left of a message.

    Attributes:
        kept: only listed fields; objects and lists that became empty are left out.
        dropped: sorted dotted paths of what was left out, at most 64. A key that is not a plain field name
            may itself be personal (a map by user name), so it appears as ``?``.
    """

    kept: dict[str, Json]
    dropped: tuple[str, ...]


def minimise(data: Mapping[str, Json], keep: KeepList) -> Minimised:
    """Split a decoded JSON object into what may be kept and the names of the rest.

    Security:
        Recursion goes as deep as the keep list, not as deep as the data.
    """
    dropped: set[str] = set()
    kept = _object(data, keep.tree, "", dropped)
    return Minimised(kept, tuple(sorted(dropped)[:_MAX_DROPPED]))


def _object(
    data: Mapping[str, Json], tree: Mapping[str, _Tree], prefix: str, dropped: set[str]
) -> dict[str, Json]:
    kept: dict[str, Json] = {}
    any_name = tree.get(_ANY)
    for name, value in data.items():
        below = tree.get(name, any_name)
        if below is None:
            dropped.add(prefix + _nameable(name))
        elif below or isinstance(value, (dict, list)):
            for result in _kept(value, below, prefix + _nameable(name), dropped):
                kept[name] = result
        else:
            kept[name] = value  # the usual case: a scalar where the list has one
    return kept


def _nameable(name: str) -> str:
    """The name as it may be told: a key of a map is not promised to be a plain one, nor to be nobody's."""
    return name if _is_field(name) else _UNNAMED


def _is_field(name: str) -> bool:
    """Whether this is a plain field name: letters, digits and underscores of ASCII, no digit first."""
    return len(name) <= _MAX_FIELD and name.isascii() and name.isidentifier()


def _kept(value: Json, tree: Mapping[str, _Tree], path: str, dropped: set[str]) -> tuple[Json, ...]:
    """What is left of a value: one result or none (a result of None is JSON's null)."""
    if isinstance(value, list):
        return _kept_list(value, tree, path, dropped)
    if isinstance(value, dict) and tree:
        inner = _object(value, tree, f"{path}.", dropped)
        return (inner,) if inner or not value else ()
    if isinstance(value, dict) or (tree and value is not None):
        dropped.add(path)
        return ()
    return (value,)


def _kept_list(
    values: list[Json], tree: Mapping[str, _Tree], path: str, dropped: set[str]
) -> tuple[Json, ...]:
    if any(
        isinstance(value, list) for value in values
    ):  # a list of lists: nothing of Fanvue's has that shape
        dropped.add(path)
        return ()
    kept = [result for value in values for result in _kept(value, tree, path, dropped)]
    return (kept,) if kept or not values else ()
