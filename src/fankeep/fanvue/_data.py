"""Reads the data files of this package; the only input of a room that is otherwise pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

__all__ = ["LazyMapping", "read_data"]

V = TypeVar("V")

_DATA = Path(__file__).with_name("data")


def read_data(name: str) -> bytes:
    """Return the content of a file in ``fankeep/fanvue/data``."""
    return (_DATA / name).read_bytes()


class LazyMapping(Mapping[str, V]):
    """A mapping whose content is loaded at the first look, and then kept."""

    def __init__(self, load: Callable[[], Mapping[str, V]]) -> None:
        self._loaded = cache(load)

    def __getitem__(self, key: str) -> V:
        return self._loaded()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded())

    def __len__(self) -> int:
        return len(self._loaded())
