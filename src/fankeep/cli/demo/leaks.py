"""Searching what was written for what must not be in it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

__all__ = ["Leak", "encodings", "search_bytes", "search_files"]

_SHORTEST = 8


@dataclass(frozen=True, slots=True)
class Leak:
    """Where a needle was found; the needle itself is named by its kind only."""

    kind: str
    encoding: str
    place: str


def encodings(needle: str) -> dict[str, list[bytes]]:
    """Return how a value may be written: plain, base64 at each of the three alignments, hex, URL-encoded."""
    raw = needle.encode()
    return {
        "plain": [raw],
        "base64": [*_base64(raw, b"+/"), *_base64(raw, b"-_")],
        "hex": [raw.hex().encode(), raw.hex().upper().encode()],
        "url": [encoded for encoded in _url(needle) if encoded != raw],
    }


def search_bytes(content: bytes, needles: Mapping[str, Iterable[str]], place: str) -> list[Leak]:
    """Search one piece of content for needles, given by kind."""
    return [
        Leak(kind, encoding, place)
        for kind, values in needles.items()
        for value in values
        for encoding, forms in encodings(value).items()
        if len(value) >= _SHORTEST and any(form in content for form in forms)
    ]


def search_files(folder: Path, needles: Mapping[str, Iterable[str]]) -> tuple[list[Leak], int]:
    """Search every file below a folder; return what was found and how many bytes were read."""
    found: list[Leak] = []
    size = 0
    known = {kind: list(values) for kind, values in needles.items()}
    for path in _files(folder):
        content = path.read_bytes()
        size += len(content)
        found += search_bytes(content, known, path.name)
    return found, size


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _base64(raw: bytes, alphabet: bytes) -> Iterator[bytes]:
    """Encode at each alignment, without the characters at the ends that depend on the neighbours."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw, altchars=alphabet).rstrip(b"=")
        begin = (0, 2, 3)[offset]
        end = len(encoded) if (offset + len(raw)) % 3 == 0 else len(encoded) - 1
        yield encoded[begin:end]


def _url(needle: str) -> Iterator[bytes]:
    yield quote(needle, safe="").encode()
    yield quote_plus(needle).encode()
