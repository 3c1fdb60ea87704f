"""A verifier as many receivers have one, to be measured beside fankeep's: right for honest senders."""

from __future__ import annotations

import hmac
import json

__all__ = ["verify"]


def verify(
    body: bytes, header: str, secret: str, *, now: float, tolerance: float = 300.0
) -> dict[str, object]:
    """Check a delivery and read it; a ValueError refuses it."""
    elements = dict(element.split("=") for element in header.split(","))
    timestamp, signature = int(elements["t"]), elements["v0"]
    if now - timestamp > tolerance:
        raise ValueError("too old")
    signed = f"{timestamp}.{body.decode()}".encode()
    if not hmac.compare_digest(hmac.new(secret.encode(), signed, "sha256").hexdigest(), signature):
        raise ValueError("wrong signature")
    event: dict[str, object] = json.loads(body)
    return event
