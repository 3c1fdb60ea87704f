"""Pairs of header and body that Fanvue did not sign with an active secret, or not now.

Each kind of pair is one way to get such a thing past a verifier. A pair that is only another spelling of a
genuine one is not among them: a blank more in a header takes no secret away from anybody.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from fankeep.fanvue import WebhookSecret
from fankeep.secret import Secret

__all__ = ["KINDS", "NOW", "SECRETS", "Forger", "Header", "genuine"]

Header: TypeAlias = "str | bytes | None"

NOW: Final = 1_800_000_000
_TOLERANCE: Final = 300

_ACTIVE: Final = (
    "whsec_0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "whsec_another-one-of-the-autumn-8c7b6a5948372615",
)
_ENDED: Final = "whsec_ended-7f6e5d4c3b2a190807f6e5d4c3b2a1908"
_TO_COME: Final = "whsec_to-come-a1b2c3d4e5f60718293a4b5c6d7e8f9"
_FOREIGN: Final = "whsec_somebody-else-99aabbccddeeff001122334455"

SECRETS: Final = (
    WebhookSecret("main", Secret(_ACTIVE[0])),
    WebhookSecret("zoe", Secret(_ACTIVE[1]), "creator:5939ae62-3eb5-4433-954f-f78c7b4282f3"),
    WebhookSecret("ended", Secret(_ENDED), not_after=NOW),
    WebhookSecret("to-come", Secret(_TO_COME), not_before=NOW + 1),
)
"""What the verifier is given: two that are active, one that has ended, one that has not begun."""

_TOKENS: Final = (
    *("t", "v0", "v1", "=", ",", ";", " ", "\t", "\r\n", "\0", "+", "-", "_", ".", "e9", "0x", "é", "\u0661"),
    *(str(NOW), "1" * 13, "0" * 64, "f" * 64, "F" * 64, "g" * 64, "0" * 63, "\ud800", "t=", ",v0="),
)
_HEX: Final = "0123456789abcdef"


class _Pair(NamedTuple):
    header: Header
    body: bytes


def genuine(body: bytes, *, secret: str = _ACTIVE[0], at: int = NOW) -> str:
    """Sign as Fanvue does, by its documentation."""
    return f"t={at},v0={_mac(secret.encode(), b'%d.' % at + body)}"


def _mac(key: bytes, signed: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(key, signed, algorithm).hexdigest()


class Forger:
    """Makes pairs, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._bodies = [self._event() for _ in range(64)]

    def pair(self) -> tuple[str, Header, bytes]:
        """Make one: its kind, the header and the body."""
        kind = self._random.choice(_NAMES)
        header, body = KINDS[kind](self)
        if isinstance(header, str) and self._random.random() < 0.5:
            header = header.encode("utf-8", "surrogatepass")
        return kind, header, body

    def control(self) -> tuple[str, bytes]:
        """Make a genuine pair, which has to be accepted: a verifier that refuses all would look safe."""
        body = self.body()
        at = NOW + self._random.randint(-_TOLERANCE, _TOLERANCE)
        return genuine(body, secret=self._random.choice(_ACTIVE), at=at), body

    def body(self) -> bytes:
        """Take the body of some event."""
        return self._random.choice(self._bodies)

    def noise(self) -> _Pair:
        length = self._random.choice((0, 1, 8, 75, 300))
        header: Header = self._random.choice((None, "", self._random.randbytes(length), self._text(length)))
        return _Pair(header, self._random.randbytes(self._random.randrange(64)))

    def tokens(self) -> _Pair:
        return _Pair("".join(self._random.choices(_TOKENS, k=self._random.randrange(12))), self.body())

    def other_key(self) -> _Pair:
        body, text = self.body(), self._random.choice(_ACTIVE)
        key = self._random.choice(
            (
                b"",
                _FOREIGN.encode(),
                text.removeprefix("whsec_").encode(),
                bytes.fromhex("0f1e2d3c4b5a6978"),
                base64.b64encode(text.encode()),
                text.encode() + b"\n",
                text[::-1].encode(),
                text.swapcase().encode(),
                f'"{text}"'.encode(),
                str(Secret).encode(),
            )
        )
        return _Pair(f"t={NOW},v0={_mac(key, b'%d.' % NOW + body)}", body)

    def inactive_secret(self) -> _Pair:
        body = self.body()
        return _Pair(genuine(body, secret=self._random.choice((_ENDED, _TO_COME))), body)

    def other_construction(self) -> _Pair:
        body, key, time = self.body(), _ACTIVE[0].encode(), b"%d" % NOW
        made = self._random.choice(
            (
                _mac(key, body),
                _mac(key, time + body),
                _mac(key, time + b":" + body),
                _mac(key, body + b"." + time),
                _mac(key, time + b".." + body),
                _mac(key, time + b"." + body + b"\n"),
                _mac(key, time + b"." + body, "sha1"),
                _mac(key, time + b"." + body, "sha512"),
                _mac(key, time + b"." + body)[:-1],
                _mac(key, time + b"." + body) + "0",
                _mac(time + b"." + body, key),
                hashlib.sha256(key + time + b"." + body).hexdigest(),
                hashlib.sha256(time + b"." + body).hexdigest(),
            )
        )
        return _Pair(f"t={NOW},v0={made}", body)

    def unknown_scheme(self) -> _Pair:
        body = self.body()
        right, wrong = genuine(body).partition("v0=")[2], self._digits(64)
        scheme = self._random.choice(("v1", "v", "v00", "V0", "sha256", "v0x", "signature"))
        elements = [f"t={NOW}", f"{scheme}={right}", f"v0={wrong}"][: self._random.choice((2, 3))]
        self._random.shuffle(elements)
        return _Pair(",".join(elements), body)

    def changed_body(self) -> _Pair:
        body = self.body()
        return _Pair(genuine(body), self._changed(body))

    def changed_time(self) -> _Pair:
        body = self.body()
        at = self._random.choice(
            (str(NOW + 1), str(NOW - 1), f"0{NOW}", f"+{NOW}", f"{NOW}.0", f"{NOW}e0", f" {NOW}", f"-{NOW}")
        )
        return _Pair(genuine(body).replace(f"t={NOW}", f"t={at}"), body)

    def stale_or_future(self) -> _Pair:
        body = self.body()
        off = self._random.choice((_TOLERANCE + 1, 1200, 86_400, 10**9))
        at = max(0, NOW + self._random.choice((-off, off)))
        return _Pair(genuine(body, at=self._random.choice((at, 0, 10**12 - 1))), body)

    def changed_digit(self) -> _Pair:
        body = self.body()
        header = genuine(body)
        place = self._random.randrange(header.index("v0=") + 3, len(header))
        other = self._random.choice(_HEX.replace(header[place], "") + "gG\0 é\ud800")
        return _Pair(header[:place] + other + header[place + 1 :], body)

    def repeated_time(self) -> _Pair:
        body = self.body()
        header = genuine(body)
        return _Pair(
            self._random.choice((f"{header},t={NOW}", f"t={NOW - 400},{header}", f"t=,{header}")), body
        )

    def many_signatures(self) -> _Pair:
        body = self.body()
        count = self._random.choice((2, 8, 9, 40, 400))
        return _Pair(f"t={NOW}," + ",".join(f"v0={self._digits(64)}" for _ in range(count)), body)

    def very_long(self) -> _Pair:
        body = self.body()
        filler = self._random.choice(("a", "0", ",", "t=1,", " ", "=", "\0")) * self._random.choice(
            (1024, 65_536)
        )
        return _Pair(self._random.choice((filler, genuine(body) + filler, filler + genuine(body))), body)

    def of_another_body(self) -> _Pair:
        """A right header somehow edited, over a body that it was not made for."""
        header = list(genuine(self.body()))
        for _ in range(self._random.randrange(4)):
            header[self._random.randrange(len(header))] = self._random.choice(_TOKENS)
        return _Pair("".join(header), self._changed(self.body()) + b" ")

    def _changed(self, body: bytes) -> bytes:
        place = self._random.randrange(len(body))
        match self._random.randrange(8):
            case 0:
                return body[:place] + bytes([body[place] ^ self._random.randint(1, 255)]) + body[place + 1 :]
            case 1:
                return body[:place] + body[place + 1 :]
            case 2:
                return body[:place] + self._random.randbytes(1) + body[place:]
            case 3:
                return body + self._random.choice((b"\n", b" ", b"\0", b"\xff", b"{}"))
            case 4:
                return b"\xef\xbb\xbf" + body
            case 5:
                return json.dumps(json.loads(body)).encode()
            case 6:
                return body[: place or 1][:-1]
            case _:
                return body.replace(b"night-owl", b"nicht-owl")

    def _event(self) -> bytes:
        data = {"uuid": self._digits(32), "fan": {"handle": "night-owl", "name": "é"}, "price": 500}
        event = {"id": f"evt_{self._digits(16)}", "type": "creator.message.received", "data": data}
        return json.dumps(event, separators=(",", ":")).encode()

    def _digits(self, count: int) -> str:
        return "".join(self._random.choices(_HEX, k=count))

    def _text(self, length: int) -> str:
        return "".join(map(chr, self._random.choices(range(0x1100), k=length)))


KINDS: Final[dict[str, Callable[[Forger], _Pair]]] = {
    method.__name__: method
    for method in (
        Forger.noise,
        Forger.tokens,
        Forger.other_key,
        Forger.inactive_secret,
        Forger.other_construction,
        Forger.unknown_scheme,
        Forger.changed_body,
        Forger.changed_time,
        Forger.stale_or_future,
        Forger.changed_digit,
        Forger.repeated_time,
        Forger.many_signatures,
        Forger.very_long,
        Forger.of_another_body,
    )
}
_NAMES: Final[Sequence[str]] = tuple(KINDS)
