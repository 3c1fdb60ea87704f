"""The setting ``FANKEEP_WEBHOOK_SECRETS``: one secret a line, or a JSON object.

    # the Events tab of the app
    main=whsec_0f2c...
    # a subscription that one creator's token made, replaced on the first of December
    zoe-old@creator:5939ae62-3eb5-4433-954f-f78c7b4282f3=3f9a... not_after=2026-12-02T00:00:00Z
    zoe-new@creator:5939ae62-3eb5-4433-954f-f78c7b4282f3=77b1... not_before=2026-12-01T00:00:00Z

The same as JSON, for platforms that keep a variable on one line:

    {"main": "whsec_0f2c...", "zoe-old@creator:5939...": {"value": "3f9a...", "not_after": "2026-..."}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from fankeep.errors import ConfigurationError
from fankeep.fanvue.webhook_secrets import WebhookSecret
from fankeep.secret import Secret
from fankeep.secrets.strength import NAME, why_unusable

__all__ = ["parse_webhook_secrets"]

_SETTING: Final = "FANKEEP_WEBHOOK_SECRETS"

# Standard Webhooks asks for 24 bytes.
_SHORTEST: Final = 24

_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_HEAD = re.compile(rf"(?P<name>{NAME})(?:@(?P<scope>creator:{_UUID}))?", re.ASCII)
_QUOTES: Final = ("'", '"', "`")
_OPTIONS: Final = frozenset({"not_before", "not_after"})

_Pairs: TypeAlias = tuple[tuple[str, object], ...]
"""A JSON object with its repetitions: ``json`` would keep the last and hide the rest."""


class _Entry(NamedTuple):
    """A secret as it was written."""

    head: str
    value: str
    options: dict[str, str]


class _Wrong(Exception):
    """What is wrong with one entry, as a fixed sentence; the place is added where it is known."""


def parse_webhook_secrets(setting: Secret[str]) -> tuple[WebhookSecret, ...]:
    """Read the webhook signing secrets.

    Args:
        setting: lines of ``name=value``, or a JSON object of names and values. ``name@creator:<uuid>``
            speaks for the events of one creator, a name alone for the app. ``not_before`` and ``not_after``,
            RFC 3339 times, follow the value after a blank; in JSON the value is then an object with
            ``value`` and these. Empty lines and lines that begin with ``#`` don't count.

    Returns:
        At least one secret; the order means nothing.

    Raises:
        ConfigurationError: says where something is wrong, and shows neither values nor names.
    """
    text = setting.reveal().strip()
    written = _json_entries(text) if text.startswith("{") else _lines(text)
    secrets = tuple(_secret(place, entry) for place, entry in written)
    if not secrets:
        raise ConfigurationError(f"{_SETTING} holds no secret: write one line name=value for each")
    if len({secret.name for secret in secrets}) < len(secrets):
        raise ConfigurationError(f"{_SETTING} gives two secrets one name")
    if len({secret.value.reveal() for secret in secrets}) < len(secrets):
        raise ConfigurationError(
            f"{_SETTING} holds one secret twice: which of them matched could not be told"
        )
    return secrets


def _secret(place: str, written: str | tuple[str, object]) -> WebhookSecret:
    try:
        entry = _from_line(written) if isinstance(written, str) else _from_json(*written)
        return _checked(entry)
    except _Wrong as wrong:
        raise ConfigurationError(f"{_SETTING}, {place}: {wrong}") from None


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield f"line {number}", line


def _from_line(line: str) -> _Entry:
    head, separator, rest = line.partition("=")
    if head.lstrip()[:1] in _QUOTES:
        raise _Wrong("there are quotation marks around the line: leave them out")
    value, *options = rest.split() or [""]
    pairs = [option.partition("=") for option in options]
    if not separator or not all(equals for _, equals, _ in pairs):
        raise _Wrong(
            "write name=value with a name of your choice, like main=whsec_...; nothing but not_before=<time> "
            "and not_after=<time> may follow, after a blank"
        )
    return _Entry(head.strip(), value, _once((name, given) for name, _, given in pairs))


def _json_entries(text: str) -> Iterator[tuple[str, tuple[str, object]]]:
    try:
        pairs: _Pairs = json.loads(text, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        raise ConfigurationError(f"{_SETTING} is neither lines of name=value nor a JSON object") from None
    for number, pair in enumerate(pairs, start=1):
        yield f"entry {number}", pair


def _from_json(head: str, written: object) -> _Entry:
    # Objects arrive as tuples of pairs; JSON's own arrays are lists.
    options = _once(written if isinstance(written, tuple) else [("value", written)])
    return _Entry(head, options.pop("value", ""), options)


def _once(pairs: Iterable[tuple[str, object]]) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, given in pairs:
        if name in options or not isinstance(given, str):
            raise _Wrong("each part is given once, as text")
        options[name] = given
    return options


def _checked(entry: _Entry) -> WebhookSecret:
    head = _HEAD.fullmatch(entry.head)
    if head is None:
        raise _Wrong(
            "a name is letters, digits and . _ - and may be followed by @creator: and a lower-case uuid"
        )
    if not entry.options.keys() <= _OPTIONS:
        raise _Wrong("beside the value there are only not_before and not_after")
    problem = why_unusable(entry.value, at_least=_SHORTEST)
    if problem is not None:
        raise _Wrong(problem)
    start, end = (_time(entry.options.get(name)) for name in ("not_before", "not_after"))
    if start is not None and end is not None and start >= end:
        raise _Wrong("not_after is not later than not_before")
    return WebhookSecret(head["name"], Secret(entry.value), head["scope"] or "app", start, end)


def _time(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise _Wrong("a time is written like 2026-12-01T00:00:00Z")
    return time.timestamp()
