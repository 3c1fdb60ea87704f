"""Bodies that are hostile though rightly signed: what a leaked secret or a broken sender could send."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

from bench.rig.post_office import CREATOR

from fankeep.fanvue import EVENT_TYPES

__all__ = ["SHAPES", "Hostile", "seeds"]

_UUID: Final = "11111111-1111-4111-8111-111111111111"
_STRANGE: Final[tuple[Any, ...]] = (
    *(
        None,
        True,
        0,
        -1,
        2**63,
        2**64,
        -(2**63) - 1,
        10**400,
        1e308,
        0.1,
        "",
        " ",
        "\0",
        "\n",
        "a\0b",
        "\x1b[2J",
    ),
    *(
        "\u202egnp.exe",
        "\ud800",
        "é" * 200,
        "9" * 5000,
        "../../etc/passwd",
        "'; DROP TABLE events; --",
        "[[[",
        "{}",
    ),
    *(
        "creator.message.received",
        "unknown",
        "message.received",
        "creator.*",
        "CREATOR.MESSAGE.RECEIVED",
        "a.b.c",
    ),
    *(CREATOR, CREATOR.upper(), _UUID, _UUID + "\n", "{" + _UUID + "}", _UUID.replace("-", ""), "-" * 36),
    *("2026-11-07T10:04:05Z", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+23:59", "2026-W01", "24:00"),
    *([], {}, [[]], [None], {"": None}, {"uuid": []}, {"uuid": {"uuid": CREATOR}}, {"__proto__": {}}),
)
_FIELDS: Final = (
    *("id", "type", "timestamp", "data", "uuid", "creator", "fan", "sender", "text", "price", "created_at"),
    *(
        "message",
        "messageUuid",
        "recipientUuid",
        "senderUuid",
        "context",
        "postUuid",
        "routeUuid",
        "follower",
    ),
    *(
        "media_uuids",
        "payment",
        "purchaser",
        "subscription",
        "amount",
        "tip",
        "readMessagesCount",
        "a.b",
        "",
        "\0",
    ),
)
_LARGE: Final = 300_000


def seeds() -> list[bytes]:
    """Make one honest body of every kind of event, with few fields."""
    data = {"uuid": _UUID, "creator": {"uuid": CREATOR}, "fan": {"uuid": _UUID}, "price": 5, "text": "é"}
    enveloped = [
        {"id": f"evt_{number}", "type": name, "timestamp": "2026-11-07T10:04:05.123Z", "data": data}
        for number, name in enumerate(EVENT_TYPES)
    ]
    flat = {
        "messageUuid": _UUID,
        "message": {"text": "é"},
        "sender": {"uuid": _UUID},
        "recipientUuid": CREATOR,
    }
    return [json.dumps(body).encode() for body in (*enveloped, flat, {**flat, "context": "post", "price": 5})]


class Hostile:
    """Makes bodies, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._seeds = seeds()

    def body(self) -> bytes:
        """Make one."""
        return SHAPES[self._random.randrange(len(SHAPES))](self)

    def honest(self) -> bytes:
        """An event of its own that has nothing wrong with it."""
        body = json.loads(self._random.choice(self._seeds))
        key = "id" if "id" in body else "messageUuid"
        body[key] = f"evt_{self._random.getrandbits(64):x}"
        return json.dumps(body).encode()

    def noise(self) -> bytes:
        return self._random.randbytes(self._random.randrange(200))

    def strange_fields(self) -> bytes:
        """An event, some of whose fields hold what nobody expects there."""
        body = json.loads(self.honest())
        places = [body, *(value for value in body.values() if isinstance(value, dict))]
        for _ in range(self._random.randrange(1, 4)):
            self._random.choice(places)[self._random.choice(_FIELDS)] = self._value(2)
        return json.dumps(body, ensure_ascii=self._random.random() < 0.9).encode("utf-8", "surrogatepass")

    def any_json(self) -> bytes:
        return json.dumps(self._value(4)).encode()

    def deep(self) -> bytes:
        depth = self._random.choice((31, 32, 33, 1000, 50_000))
        begin, end = self._random.choice(((b"[", b"]"), (b'{"data":', b"}"), (b'[{"id":', b"}]")))
        inner = self._random.choice((b"1", b"", b'"x"'))
        return begin * depth + inner + end * self._random.choice((depth, depth - 1, 0))

    def repeated_key(self) -> bytes:
        body = self._random.choice(self._seeds)
        key = self._random.choice((b'"id"', b'"type"', b'"data"', b'"uuid"', b'"\\u0069d"'))
        return body.replace(b"{", b"{" + key + b': "twice", ', self._random.choice((1, -1)))

    def broken_text(self) -> bytes:
        """Bytes changed, lost or added; other encodings; something before or after."""
        body = self.honest()
        place = self._random.randrange(len(body))
        pieces = (
            b"\xff",
            b"\0",
            b"\xc0\xaf",
            b"\xed\xa0\x80",
            b"\\ud800",
            b"NaN",
            b"Infinity",
            b"//",
            b",",
            b"1e999",
        )
        return self._random.choice(
            (
                body[:place],
                body[:place] + self._random.choice(pieces) + body[place:],
                body[:place] + self._random.choice(pieces) + body[place + 1 :],
                b"\xef\xbb\xbf" + body,
                body.decode().encode("utf-16"),
                body + body,
                body + b"\0",
                b"",
            )
        )

    def large(self) -> bytes:
        if self._random.random() < 0.95:  # they cost as much as hundreds of others
            return self.strange_fields()
        body = json.loads(self.honest())
        filler = self._random.choice(("a", "\0", "é")) * _LARGE
        body[self._random.choice(("id", "type", "timestamp", "text", filler))] = filler
        return json.dumps(body, ensure_ascii=False).encode()

    def _value(self, depth: int) -> Any:
        if depth and self._random.random() < 0.3:
            count = self._random.randrange(4)
            if self._random.random() < 0.5:
                return [self._value(depth - 1) for _ in range(count)]
            return {self._random.choice(_FIELDS): self._value(depth - 1) for _ in range(count)}
        return self._random.choice(_STRANGE)


SHAPES: Final[Sequence[Callable[[Hostile], bytes]]] = (
    Hostile.honest,
    Hostile.noise,
    Hostile.strange_fields,
    Hostile.any_json,
    Hostile.deep,
    Hostile.repeated_key,
    Hostile.broken_text,
    Hostile.large,
)
