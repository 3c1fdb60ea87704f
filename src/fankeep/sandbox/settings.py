"""What a sandbox is told before it starts: its registration, its clock rates, and the disputed facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from fankeep.errors import ConfigurationError
from fankeep.sandbox.faults import Fault
from fankeep.sandbox.loopback import is_loopback_address
from fankeep.secret import Secret

__all__ = [
    "AppRegistration",
    "EventScopes",
    "GraceAnswer",
    "RevokeSpent",
    "SandboxSettings",
    "SecretReading",
    "SmartListKey",
    "SubscriptionScope",
    "Switches",
    "TokenFormat",
]


class GraceAnswer(StrEnum):
    """What a repeat of a spent refresh token gets inside the grace."""

    OWN_PAIR = "own_pair"
    SAME_PAIR = "same_pair"
    OWN_PAIR_EARLIER_REVOKED = "own_pair_earlier_revoked"


class RevokeSpent(StrEnum):
    """What revoking a refresh token that was already spent does; the answer is 200 in each case."""

    NOTHING = "nothing"
    CHAIN = "chain"
    CONSENT = "consent"


class EventScopes(StrEnum):
    """Which events an app hears only with a certain scope."""

    DOCUMENTED = "documented"
    """Checkout events and payouts, with ``read:creator``; no other row of Fanvue's table is known."""

    RESOURCE = "resource"
    """These, and each other event with the scope of what it is about, as third parties report."""


class TokenFormat(StrEnum):
    """What an access token looks like."""

    OPAQUE = "opaque"
    JWT = "jwt"


class SecretReading(StrEnum):
    """How a signing secret becomes the key of the signature."""

    LITERAL = "literal"  # all of it, the whsec_ included
    HEX = "hex"  # what follows whsec_, decoded
    BASE64 = "base64"  # the same, as Standard Webhooks has it


class SmartListKey(StrEnum):
    """Under which key a mass message names Fanvue's own lists."""

    UUIDS = "smartListUuids"  # the specification
    IDS = "smartListIds"  # a client of 2026


class SubscriptionScope(StrEnum):
    """Which scope the subscriptions API needs."""

    SELF = "read:self"  # the newest specification that was seen
    CREATOR = "read:creator"  # the documentation


@dataclass(frozen=True, slots=True)
class Switches:
    """Facts about Fanvue on which the sources disagree or say nothing; the default is the likelier reading.

    Attributes:
        grace_answer: what a repeat inside the grace gets.
        grace_repeats: how many repeats the grace allows; ``None`` for any number.
        revoke_spent: what revoking a spent refresh token does.
        client_secret_post: also accept the client secret in the form body.
        issuer_trailing_slash: the issuer identifier ends in a slash.
        echo_nonce: the ID token carries the nonce of the authorization request.
        token_format: opaque or JWT access tokens.
        refresh_token_on_reconnect: a second authorization of the same app gets a refresh token too.
        offline_suffices: ``offline`` alone brings a refresh token, as ``offline_access`` does.
        scope_on_refresh: the answer to a refresh names the scopes again.
        http_redirect_uris: plain http is accepted for redirect URIs to this machine's loopback names.
        v1_cursor_lists: under ``/v1`` chats and media are cursor lists: ``cursor``, ``size``, ``nextCursor``.
        version_header_required: a call without the version header is refused with 400.
        resign_retries: every attempt of a delivery gets its own ``t`` and signature.
        version_deprecated: answers carry ``Deprecation``, ``Sunset`` and the next version.
        subscriptions_refused: the subscriptions API answers 400, as a private app has seen it.
        subscription_scope: the scope that the subscriptions API needs.
        smart_list_key: under which key a mass message names Fanvue's own lists.
        bucket_per_app: each app has a bucket of its own; off, all apps that act for one user share one.
        event_scopes: which events need a scope that the creator has granted to the app.
        topic_headers: deliveries carry the unsigned ``x-fanvue-topic`` and ``x-fanvue-event-id``.
        secret_reading: how a signing secret becomes the key of the signature.
        standard_headers: deliveries carry the headers of Standard Webhooks beside Fanvue's signature.
        message_text: ``creator.message.*`` events carry the text of the message.
    """

    grace_answer: GraceAnswer = GraceAnswer.OWN_PAIR
    grace_repeats: int | None = None
    revoke_spent: RevokeSpent = RevokeSpent.NOTHING
    client_secret_post: bool = False
    issuer_trailing_slash: bool = False
    echo_nonce: bool = True
    token_format: TokenFormat = TokenFormat.OPAQUE
    refresh_token_on_reconnect: bool = True
    offline_suffices: bool = False
    scope_on_refresh: bool = True
    http_redirect_uris: bool = True
    v1_cursor_lists: bool = False
    version_header_required: bool = True
    version_deprecated: bool = False
    subscriptions_refused: bool = False
    subscription_scope: SubscriptionScope = SubscriptionScope.SELF
    smart_list_key: SmartListKey = SmartListKey.UUIDS
    bucket_per_app: bool = True
    resign_retries: bool = True
    event_scopes: EventScopes = EventScopes.DOCUMENTED
    topic_headers: bool = True
    secret_reading: SecretReading = SecretReading.LITERAL
    standard_headers: bool = False
    message_text: bool = True


@dataclass(frozen=True, slots=True)
class AppRegistration:
    """One app as its owner registered it in the developer area.

    Attributes:
        client_id: a UUID; generated when not given.
        client_secret: 64 hex digits; generated when not given.
        redirect_uris: compared exactly, character by character.
        scopes: what the app has enabled; ``None`` enables every scope.
        webhook_url: an endpoint to create at the start, subscribed to every event.
        webhook_secret: the app's signing secret; generated when not given.
    """

    name: str = "My fankeep app"
    client_id: str | None = None
    client_secret: Secret[str] | None = None
    redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] | None = None
    webhook_url: str | None = None
    webhook_secret: Secret[str] | None = None


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Everything that shapes a sandbox.

    Attributes:
        host: a loopback address; anything else is refused.
        port: 0 picks a free one.
        seed: the same seed makes the same creators, fans, chats and messages.
        creators: how many there are, from 4 on; those past the fourth have an account and nothing in it.
        access_token_lifetime, refresh_token_lifetime, code_lifetime: seconds.
        grace: seconds from the first use of a refresh token in which it may be repeated.
        rate_limit: calls per ``rate_window`` seconds and bucket.
        retired_versions: values of the version header that are answered with 410.
        retry_delays: seconds between the attempts of a delivery; their number plus one is the attempts.
        delivery_timeout: seconds after which a delivery attempt counts as failed.
        scenario: what goes wrong, and when.
    """

    host: str = "127.0.0.1"
    port: int = 4010
    seed: int = 1
    creators: int = 4
    access_token_lifetime: float = 3600.0
    refresh_token_lifetime: float = 30 * 86400.0
    code_lifetime: float = 600.0
    grace: float = 30.0
    rate_limit: int = 200
    rate_window: float = 60.0
    retired_versions: tuple[str, ...] = ("2025-01-15",)
    retry_delays: tuple[float, ...] = (1.0, 5.0, 30.0, 120.0, 600.0)
    delivery_timeout: float = 10.0
    apps: tuple[AppRegistration, ...] = (AppRegistration(),)
    switches: Switches = field(default_factory=Switches)
    scenario: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        if not is_loopback_address(self.host):
            raise ConfigurationError("the sandbox binds to a loopback address only; use 127.0.0.1 or ::1")
        if not 0 <= self.port <= 65535:
            raise ConfigurationError("the sandbox's port must be between 0 and 65535")
        if not self.apps:
            raise ConfigurationError("the sandbox needs at least one app registration")
        if not self.delivery_timeout > 0:
            raise ConfigurationError("the sandbox's delivery_timeout is a number of seconds above 0")
