"""Fanvue's numbers: how long, how many, how large.

Where Fanvue documents nothing, the comment says so; the real value is then learned from answers.
"""

from __future__ import annotations

__all__ = [
    "ACCESS_TOKEN_SECONDS",
    "AUTHORIZATION_CODE_SECONDS",
    "CLIENT_REFERENCE_MAX",
    "CURSOR_LIMIT_DEFAULT",
    "MEDIA_NAME_MAX",
    "MEDIA_UPLOAD_MAX_BYTES",
    "METADATA_KEYS_MAX",
    "METADATA_KEY_MAX",
    "METADATA_VALUE_MAX",
    "PAGE_SIZE_DEFAULT",
    "PAGE_SIZE_MAX",
    "PRICE_MAX_PURCHASABLE_CENTS",
    "PRICE_MIN_CENTS",
    "RATE_LIMIT_HEADER",
    "RATE_LIMIT_REMAINING_HEADER",
    "RATE_LIMIT_REQUESTS",
    "RATE_LIMIT_RESET_HEADER",
    "RATE_LIMIT_SECONDS",
    "REFRESH_GRACE_SECONDS",
    "STATE_MIN_LENGTH",
    "TEXT_MAX",
    "VERIFIER_MAX_LENGTH",
    "VERIFIER_MIN_LENGTH",
    "WEBHOOK_ANSWER_SECONDS",
    "WEBHOOK_TOLERANCE_SECONDS",
]

# Sign-in
STATE_MIN_LENGTH = 8  # Ory Hydra's default; a shorter state is refused
VERIFIER_MIN_LENGTH = 43  # RFC 7636 section 4.1
VERIFIER_MAX_LENGTH = 128
AUTHORIZATION_CODE_SECONDS = 600  # Ory Hydra's default; not documented
ACCESS_TOKEN_SECONDS = 3600  # typical; `expires_in` of the answer decides
REFRESH_GRACE_SECONDS = 30  # reported: a repeat of a refresh inside it is answered, later it ends the grant

# Calls: one bucket per app and user, and one more per creator under /creators/{creatorUserUuid}/
RATE_LIMIT_REQUESTS = 200  # older text says 100; the headers of the answer decide
RATE_LIMIT_SECONDS = 60
RATE_LIMIT_HEADER = "x-ratelimit-limit"
RATE_LIMIT_REMAINING_HEADER = "x-ratelimit-remaining"
RATE_LIMIT_RESET_HEADER = "x-ratelimit-reset"  # seconds since 1970
PAGE_SIZE_DEFAULT = 15
PAGE_SIZE_MAX = 50
CURSOR_LIMIT_DEFAULT = 20

# Content
TEXT_MAX = 5000  # characters of a message or post
PRICE_MIN_CENTS = 300
PRICE_MAX_PURCHASABLE_CENTS = 50_000  # a dearer message is accepted, but no fan can buy it
MEDIA_UPLOAD_MAX_BYTES = 1_610_612_736
MEDIA_NAME_MAX = 255

# Attribution of checkout links: written by the buyer, so never trusted
CLIENT_REFERENCE_MAX = 200
METADATA_KEYS_MAX = 10
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 200

# Webhooks
WEBHOOK_ANSWER_SECONDS = 10  # reported: a slower answer counts as failed
WEBHOOK_TOLERANCE_SECONDS = 300  # suggested by the documentation
