"""The one outbound HTTP client.

Nothing else in fankeep opens a connection to a web server. What callers may rely on:

1. No proxy from the environment, no redirect followed, TLS 1.2 or newer, both time-outs always set.
2. ``TransportError.outcome_unknown`` is False only when it is certain that nothing was sent.
3. With ``keep_alive=False`` every call has a connection of its own.
4. A cancelled call counts as sent.
5. Bodies pass in both directions as they come, with a cap on what is read; nothing is decompressed.
6. The path that is asked for is the path that was given.
7. Fields that frame a message or concern one connection never come from the caller.
8. Errors hold nothing of address, fields or body.
"""

from __future__ import annotations

from fankeep.transport.flow import drive, drive_sync
from fankeep.transport.headers import TRANSPORT_HEADERS
from fankeep.transport.outgoing import NotSent
from fankeep.transport.transport import StreamedResponse, Transport

__all__ = ["TRANSPORT_HEADERS", "NotSent", "StreamedResponse", "Transport", "drive", "drive_sync"]
