import json
from collections.abc import Callable

import pytest

from fankeep.fanvue import Event, VerifiedWebhook, parse_event, sign_webhook, verify_webhook

NOW = 1_700_000_000


@pytest.fixture
def verified() -> Callable[[bytes], VerifiedWebhook]:
    """Sign a body and take it through the real check."""

    def check(body: bytes) -> VerifiedWebhook:
        header = sign_webhook(body, "a signing secret of the test", timestamp=NOW)
        return verify_webhook(body, header, "a signing secret of the test", now=NOW)

    return check


@pytest.fixture
def event(verified) -> Callable[..., Event]:
    """Read an event from a value, or from the exact bytes of a body."""

    def read(body: object, hint: str | None = None) -> Event:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return parse_event(verified(raw), hint)

    return read
