"""Every error that fankeep raises on purpose, as one small tree.

The first split is by who must act:

    FankeepError
    ├── ConfigurationError        the operator: a setting, a file, a key is wrong
    ├── ProviderError             Fanvue said no, in a way that repeating does not change
    ├── RetryableError            nobody yet: the same call may work later
    │   ├── TransportError        the network; says whether the request may have arrived
    │   ├── RefreshPending        another caller is refreshing this grant
    │   ├── StorageUnavailable    the database is gone, busy or full
    │   └── KeyUnavailable        a key-encryption key cannot be used now
    ├── HostileInputError         nobody: the input is malformed or forged
    │   ├── VerificationError     a webhook that is not Fanvue's
    │   └── CallbackError         an OAuth callback that does not belong to a login of ours
    ├── AccessError               the user or the app: not allowed, or not connected any more
    │   ├── NotConnected          this user has no grant
    │   ├── ReconnectRequired     the grant has ended; only a new login helps
    │   └── NotAllowed            the operation is not on the app's list
    └── StorageError              stored data cannot be used
        └── SealError             one opaque failure for every value that does not open

A message never contains input bytes, tokens, headers or addresses of the call: it may end up in a log or
on a screen. Mistakes in calling code stay ``TypeError`` and ``ValueError``.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AccessError",
    "CallbackError",
    "ConfigurationError",
    "FankeepError",
    "HostileInputError",
    "KeyUnavailable",
    "NotAllowed",
    "NotConnected",
    "ProviderError",
    "ReconnectRequired",
    "RefreshPending",
    "RetryableError",
    "SealError",
    "StorageError",
    "StorageUnavailable",
    "TransportError",
    "VerificationError",
]


class FankeepError(Exception):
    """Something that fankeep knows how to name went wrong.

    Attributes:
        code: stable and documented; the ``error`` of the JSON answer and the ``code`` of the log line.
        status: the HTTP status that a shell answers with.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or _first_line(type(self)))


class ConfigurationError(FankeepError):
    """A setting, a file or a key does not fit; the operator has to change it."""

    code = "configuration"


class ProviderError(FankeepError):
    """Fanvue refused the request.

    Attributes:
        oauth_error: the error code of RFC 6749 section 5.2, when the answer carried a known one.
        http_status: the status of the answer.
    """

    code = "provider_refused"
    status = 502

    def __init__(
        self, message: str | None = None, *, oauth_error: str | None = None, http_status: int | None = None
    ) -> None:
        super().__init__(message)
        self.oauth_error = oauth_error
        self.http_status = http_status


class RetryableError(FankeepError):
    """The call did not succeed this time; the same call may work later.

    Attributes:
        retry_after: seconds after which another try makes sense, when that is known.
    """

    code = "try_again"
    status = 503

    def __init__(self, message: str | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TransportError(RetryableError):
    """The request got no usable answer.

    Attributes:
        outcome_unknown: True when the server may have acted on the request; False only when it is certain
            that the request never left.
    """

    code = "upstream_unreachable"
    status = 502

    def __init__(self, message: str | None = None, *, outcome_unknown: bool) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown


class RefreshPending(RetryableError):
    """The access token is being refreshed and did not arrive in time."""

    code = "refresh_pending"


class StorageUnavailable(RetryableError):
    """The database did not answer.

    Attributes:
        outcome_unknown: True when a commit was sent and not confirmed: the change may be there. Otherwise
            nothing was changed.
    """

    code = "storage_unavailable"

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after: float | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.outcome_unknown = outcome_unknown


class KeyUnavailable(RetryableError):
    """A key-encryption key cannot be used now; nothing was opened or sealed."""

    code = "key_unavailable"


class HostileInputError(FankeepError):
    """The input is malformed or forged.

    Attributes:
        reason: a short fixed word for logs and metrics; never part of the answer, which may have a text of
            its own for it.
    """

    code = "invalid_request"
    status = 400

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class VerificationError(HostileInputError):
    """The webhook's signature does not verify.

    Attributes:
        signed_at: when it was signed, in seconds since 1970, if all that is wrong with it is that time.
    """

    code = "invalid_signature"
    status = 401

    def __init__(self, reason: str, *, signed_at: int | None = None) -> None:
        super().__init__(reason)
        self.signed_at = signed_at


class CallbackError(HostileInputError):
    """The sign-in could not be completed; start again."""

    code = "login_failed"


class AccessError(FankeepError):
    """This is not allowed."""

    code = "forbidden"
    status = 403


class NotConnected(AccessError):
    """This user is not connected to Fanvue."""

    code = "not_connected"
    status = 401


class ReconnectRequired(AccessError):
    """The connection to Fanvue has ended; the creator has to connect again.

    Attributes:
        reason: why it ended, for example ``revoked_at_fanvue`` or ``answer_lost``.
    """

    code = "reconnect_required"
    status = 401

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class NotAllowed(AccessError):
    """The operation is not on this app's list."""

    code = "not_allowed"


class StorageError(FankeepError):
    """Stored data cannot be used."""

    code = "storage"


class SealError(StorageError):
    """The sealed value does not open."""

    code = "seal"


def _first_line(cls: type[FankeepError]) -> str:
    """Use the class's own description as the message, so that the two cannot drift apart."""
    return (cls.__doc__ or cls.code).strip().splitlines()[0]
