"""Reading typed values out of JSON that nobody promised anything about.

A shape is a frozen dataclass whose fields say where their value may lie. What is missing or of another type
becomes None, and what the shape does not name is passed over: Fanvue adds fields and values without notice,
and a receiver that insists on yesterday's schema loses today's events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, fields
from typing import Any, Final, NamedTuple, TypeVar

from fankeep.fanvue.strict_json import Json
from fankeep.fanvue.times import as_seconds

__all__ = ["amount", "count", "flag", "inner", "moment", "read_shape", "text", "text_map", "texts"]

S = TypeVar("S")

_PLACES: Final = "places"
_READ: Final = "read"

_Reader = Callable[[Json], Any]
_Place = tuple[str, ...]


class _Plan(NamedTuple):
    name: str
    places: tuple[_Place, ...]
    read: _Reader


_known: Final[dict[Any, tuple[_Plan, ...]]] = {}


def read_shape(shape: type[S], data: Mapping[str, Json]) -> S:
    """Make one value of a shape; whatever the data is, this raises nothing."""
    return shape(**{plan.name: _first(data, plan) for plan in _plans(shape)})


def text(*places: str, personal: bool = False) -> Any:
    """A text, taken as it is: new values of a status come through as they were written.

    Args:
        places: where it may lie, as dotted paths; the first that holds a text counts. The field's own name
            when nothing is given.
        personal: hidden from ``repr``.
    """
    return _field(places, lambda value: value if isinstance(value, str) else None, shown=not personal)


def flag(*places: str) -> Any:
    """A truth value."""
    return _field(places, lambda value: value if isinstance(value, bool) else None)


def count(*places: str) -> Any:
    """A whole number."""
    return _field(places, lambda value: value if type(value) is int else None)


amount = count
"""Money: a whole number in minor units of its currency."""


def moment(*places: str) -> Any:
    """A point in time, as seconds since 1970; a text without an offset could be any of 26 hours, so None."""
    return _field(places, as_seconds)


def texts(*places: str) -> Any:
    """A list of texts; elements that are none are left out."""

    def read(value: Json) -> tuple[str, ...] | None:
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else None

    return _field(places, read)


def text_map(*places: str) -> Any:
    """A flat map of texts, hidden from ``repr``; entries that are none are left out."""

    def read(value: Json) -> Mapping[str, str] | None:
        if not isinstance(value, dict):
            return None
        return {name: item for name, item in value.items() if isinstance(item, str)}

    return _field(places, read, shown=False)


def inner(shape: type[S], *places: str, bare: Callable[[Json], S | None] = lambda _: None) -> Any:
    """A value of another shape.

    Args:
        shape: of the object.
        places: where it may lie.
        bare: makes one of something that is no object.
    """

    def read(value: Json) -> S | None:
        return read_shape(shape, value) if isinstance(value, dict) else bare(value)

    return _field(places, read)


def _field(places: tuple[str, ...], read: _Reader, *, shown: bool = True) -> Any:
    paths = tuple(tuple(place.split(".")) for place in places)
    return field(default=None, repr=shown, metadata={_PLACES: paths, _READ: read})


def _plans(shape: type[Any]) -> tuple[_Plan, ...]:
    found = _known.get(shape)
    if found is None:
        found = _known[shape] = tuple(
            _Plan(one.name, one.metadata[_PLACES] or ((one.name,),), one.metadata[_READ])
            for one in fields(shape)
        )
    return found


def _first(data: Mapping[str, Json], plan: _Plan) -> Any:
    for place in plan.places:
        found = plan.read(_at(data, place))
        if found is not None:
            return found
    return None


def _at(data: Mapping[str, Json], place: _Place) -> Json:
    value = data.get(place[0])
    for name in place[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value
