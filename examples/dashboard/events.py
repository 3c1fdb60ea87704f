"""What happens at Fanvue: events that the gateway sends on, and the browsers that watch them."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import AsyncIterator, Mapping

TOLERANCE = 300  # seconds between the sender's clock and ours
KEPT = 50
REMEMBERED = 10_000


class NotGenuine(Exception):
    """The request does not come from the gateway."""


def verify(body: bytes, headers: Mapping[str, str], secret: str, *, now: float) -> str:
    """Check a signature the way of Standard Webhooks and return the event's id.

    Your language has a library for this; it is written out here because it is short.

    Args:
        body: exactly as it arrived, before anything decoded it.
        headers: with lower-case names.
        secret: ``whsec_`` and base64.
        now: seconds since 1970.

    Raises:
        NotGenuine: whatever is wrong with it.
    """
    event_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not event_id or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise NotGenuine
    if abs(now - int(timestamp)) > TOLERANCE:
        raise NotGenuine
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((event_id.encode(), timestamp.encode(), body))
    right = base64.b64encode(hmac.digest(key, signed, "sha256"))
    given = headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(b"v1," + right, one.encode()) for one in given):
        raise NotGenuine
    return event_id


class Feed:
    """The last events of each creator, in memory, and who is watching them now."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._events: defaultdict[str, deque[dict]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._watching: defaultdict[str, set[asyncio.Queue]] = defaultdict(set)

    def add(self, event_id: str, event: dict) -> None:
        """Take an event once, however often it comes: the gateway delivers at least once."""
        if event_id in self._seen:
            return
        self._seen[event_id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        # Fanvue tells most facts under two names while the older one is phased out; one of them comes here.
        if event["creator"] is None:
            return
        self._events[event["creator"]].append(event)
        for queue in self._watching[event["creator"]]:
            queue.put_nowait(event)

    async def watch(self, creator: str, *, until: float) -> AsyncIterator[str]:
        """Tell a browser what happened and what happens, as server-sent events.

        Args:
            creator: whose events.
            until: seconds since 1970. The browser then comes back by itself and shows again who it is, so
                that a page that was left open sees nothing after a logout.
        """
        queue: asyncio.Queue[dict] = asyncio.Queue()
        for event in self._events[creator]:
            queue.put_nowait(event)
        self._watching[creator].add(queue)
        yield "retry: 500\n\n"
        try:
            while True:
                event = await asyncio.wait_for(queue.get(), until - time.time())
                yield f"data: {json.dumps(event)}\n\n"
        except TimeoutError:
            return
        finally:
            self._watching[creator].discard(queue)
