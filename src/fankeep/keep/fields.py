"""Every setting as data: its meaning, its default, and how its text is read.

The page of the documentation that lists them is made from this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fankeep.fanvue.hosts import API_URL, ISSUER_URL
from fankeep.fanvue.limits import WEBHOOK_TOLERANCE_SECONDS
from fankeep.fanvue.operations import OPERATIONS
from fankeep.fanvue.scopes import FIXED_SCOPES, required_scopes
from fankeep.fanvue.webhook_secrets import Reading, WebhookSecret
from fankeep.keep import parsing
from fankeep.policy.hosts import Network
from fankeep.policy.retry import DELIVERY_RETRIES
from fankeep.secret import Secret
from fankeep.secrets import Record
from fankeep.store.postgresql_address import SCHEMES

__all__ = ["CALLBACK_PATH", "EVERY_OPERATION", "SECRET_FIELDS", "Fields"]

CALLBACK_PATH: Final = "/auth/callback"
WEBHOOK_PATH: Final = "/webhooks/fanvue"
EVERY_OPERATION: Final = "all"

_LOCAL: Final = ".fankeep"  # the folder of a developer's machine

_IN_A_FILE: Final = "may lie in a file"  # marks a secret: its variable has a twin that ends in _FILE

_Origin = Annotated[str, BeforeValidator(parsing.as_origin)]
_Words = Annotated[tuple[str, ...], BeforeValidator(parsing.as_words)]
_Hosts = Annotated[tuple[str, ...], BeforeValidator(parsing.as_hosts)]
_Path = Annotated[Path, BeforeValidator(parsing.as_path)]
_ClientSecret = Annotated[Secret[str], BeforeValidator(parsing.as_client_secret), _IN_A_FILE]
_SigningKey = Annotated[Secret[str], BeforeValidator(parsing.as_signing_key)]
_DatabaseUrl = Annotated[Secret[str], BeforeValidator(parsing.as_database_url), _IN_A_FILE]


def _known(operations: tuple[str, ...]) -> tuple[str, ...]:
    """Spell ``all`` out and leave out what the API does not have; a rule complains about that."""
    return tuple(name for name in OPERATIONS if {name, EVERY_OPERATION} & set(operations))


def _scopes_needed(values: dict[str, object]) -> tuple[str, ...]:
    """The scopes' default: exactly what the operations need."""
    return required_scopes(_known(parsing.as_words(values.get("operations", ()))))


def _with_fixed_scopes(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*FIXED_SCOPES, *parsing.as_words(value))))


def _keys_beside(values: dict[str, object]) -> Secret[str]:
    """The key store's default: a second file beside the data, so that the two can be kept apart later.

    PostgreSQL has none: the address of the data stands here, and a rule asks for another one.
    """
    url = values.get("database_url")
    text = url.reveal() if isinstance(url, Secret) else ""
    if text.startswith(SCHEMES):
        return Secret(text)
    stem, dot, suffix = str(text).rpartition(".")
    return Secret(f"{stem}-keys.{suffix}" if dot and "/" not in suffix else f"{text}-keys")


class Fields(BaseModel):
    """The settings one by one; what has to hold between them stands in ``rules``."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    env: Literal["production", "development"] = Field(
        default="production",
        description="`development` answers loopback names only and allows http, made-up keys and a sandbox.",
    )
    public_url: _Origin = Field(
        description="Where browsers reach this installation: scheme and host. The redirect URI to register "
        "at Fanvue is this, followed by `/auth/callback`.",
        examples=["https://app.example.com"],
    )
    client_id: Annotated[str, BeforeValidator(parsing.as_client_id)] = Field(
        description="The app's client id, from Fanvue's developer area.",
        examples=["0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11"],
    )
    client_secret: _ClientSecret = Field(
        description="The app's client secret, from the same place. Two lines `name=value` while one replaces "
        "the other.",
        examples=["4f1b..."],
    )
    webhook_secrets: Annotated[
        tuple[WebhookSecret, ...], BeforeValidator(parsing.as_webhook_secrets), _IN_A_FILE
    ] = Field(
        description="Signing secrets of webhooks: one line `name=value` each, or a JSON object. The name "
        "`name@creator:<uuid>` is for the events of one creator; `not_before=` and `not_after=` may follow.",
        examples=["main=whsec_..."],
    )
    webhook_secret_format: Annotated[tuple[Reading, ...], BeforeValidator(parsing.as_readings)] = Field(
        default=("literal",),
        description="How the text of a signing secret becomes the key of the signature, which Fanvue does "
        "not document: `literal`, all of it, as it is displayed; `hex` or `base64`, what follows `whsec_`, "
        "decoded. Of several each is tried.",
        examples=["literal hex"],
    )
    webhook_tolerance: Annotated[int, BeforeValidator(parsing.as_tolerance)] = Field(
        default=WEBHOOK_TOLERANCE_SECONDS,
        description="How many seconds the signing time of a delivery may lie behind or ahead of this "
        "machine's clock.",
    )
    keep_payloads_days: Annotated[int, BeforeValidator(parsing.as_days)] = Field(
        default=7,
        description="How many days the sealed fields of an event are kept. An event that fails is tried "
        "again for up to three days (with the most of `FANKEEP_EVENT_TRIES` up to a week); the rest is time "
        "to see dead letters and to replay them.",
    )
    keep_events_days: Annotated[int, BeforeValidator(parsing.as_days)] = Field(
        default=30,
        description="How many days the rest of an event is kept, by which a repeat is known. Fanvue does not "
        "document how long it repeats deliveries; three days are usual.",
    )
    backups_days: Annotated[int, BeforeValidator(parsing.as_days)] | None = Field(
        default=None,
        description="How many days you keep back-ups of the data. Only receipts of erasures make use of it: "
        "they say until when a back-up still holds what was erased.",
        examples=["30"],
    )
    key_backups_days: Annotated[int, BeforeValidator(parsing.as_days)] | None = Field(
        default=None,
        description="The same of back-ups of the keys, which must be kept for days only.",
        examples=["7"],
    )
    secret_register: Annotated[Mapping[str, Record], BeforeValidator(parsing.as_register)] = Field(
        default_factory=dict,
        description="Who answers for each secret, and its dates: one line a secret with its name, `owner=`, "
        "`created=` and `rotate_by=`, each as far as known. Unset: a secret is in use since fankeep met it "
        "first, and has to be replaced a year later. There is an alarm from thirty days before on.",
        examples=["main owner=ops created=2026-11-01 rotate_by=2027-11-01"],
    )
    issuer_url: _Origin = Field(default=ISSUER_URL, description="Where creators sign in.")
    issuer_slash: Literal["exact", "either"] = Field(
        default="exact",
        description="Whether the issuer's name must be `FANKEEP_ISSUER_URL` to the letter, or may have a "
        "slash at its end that the other has not.",
    )
    nonce: Literal["required", "if_present"] = Field(
        default="required",
        description="Whether an id_token without the nonce that was sent is refused. Fanvue does not "
        "document that it repeats the nonce; one that differs is always refused.",
    )
    api_url: _Origin = Field(default=API_URL, description="Where API calls go.")
    operations: _Words = Field(
        default=(),
        description="The API operations that the app may use, by id; `all` in development. No other one can "
        "be called through fankeep.",
        examples=["getCurrentUser listChats"],
    )
    scopes: Annotated[tuple[str, ...], BeforeValidator(_with_fixed_scopes)] = Field(
        default_factory=_scopes_needed,
        description="The scopes to ask creators for, beside those that every app needs. Unset: exactly what "
        "the operations need; production accepts nothing else.",
        examples=["read:self read:chat"],
    )
    database_url: _DatabaseUrl = Field(
        default_factory=lambda: Secret(f"sqlite:///{_LOCAL}/fankeep.db"),
        description="Where the data lies: a SQLite file, or a PostgreSQL database when there are several "
        "replicas. Production wants it named.",
        examples=["sqlite:////var/lib/fankeep/fankeep.db", "postgresql://fankeep:...@db.example.com/fankeep"],
    )
    keys_database_url: _DatabaseUrl = Field(
        default_factory=_keys_beside,
        description="Where the wrapped data keys lie, apart from the data and with back-ups of their own. "
        "Unset: a second file beside the data; PostgreSQL wants a second database named.",
        examples=[
            "sqlite:////var/lib/fankeep-keys/keys.db",
            "postgresql://fankeep:...@keys.example.com/fankeep_keys",
        ],
    )
    keys: Annotated[str, BeforeValidator(parsing.as_keys)] = Field(
        default=f"{_LOCAL}/keys.json",
        description="Where the key-encryption keys are, parted by spaces when there are several: "
        "`file:<path>` of a file that `fankeep keys add --file` made, `env:<variable>` that holds what such "
        "a file holds, `aws-kms:<key ARN>`, `vault:https://<host>/<mount>/<key>`. Their order means nothing. "
        "Production wants it named.",
        examples=["file:/etc/fankeep/keys.json"],
    )
    upstream_url: _Origin | None = Field(
        default=None, description="The app behind fankeep, when fankeep is its reverse proxy."
    )
    forward_url: Annotated[str, BeforeValidator(parsing.as_url)] | None = Field(
        default=None,
        description="Where verified events are sent on to: an address of your app that takes POST.",
        examples=["https://app.internal.example.com/events"],
    )
    forward_secret: Annotated[_SigningKey | None, _IN_A_FILE] = Field(
        default=None,
        description="Signs what goes to the forward URL: `whsec_` and the base64 of 24 to 64 random bytes, "
        "the form of Standard Webhooks.",
        examples=["whsec_..."],
    )
    events: Literal["push", "pull"] = Field(
        default="push",
        description="Whether events go to handlers and the forward URL, or wait until the app fetches them "
        "from the internal listener.",
    )
    reconcile: Literal["fill", "report", "off"] = Field(
        default="fill",
        description="What follows when rightly signed webhooks come too late: the API is read for what never "
        "arrived, and messages that are missing are stored as if they had come (`fill`), or only counted in "
        "log and trail (`report`).",
    )
    event_order: Literal["any", "creator"] = Field(
        default="any",
        description="`creator` hands a creator's events to handlers one after the other, in the order in "
        "which they were stored: one that fails holds up that creator's later ones until it is handled or "
        "given up. The same in every process.",
    )
    event_concurrency: Annotated[int, BeforeValidator(parsing.as_number(1, 1000))] = Field(
        default=32, description="How many events are in the hands of handlers at once, in each process."
    )
    event_timeout: Annotated[int, BeforeValidator(parsing.as_number(1, 3600))] = Field(
        default=30, description="How many seconds the handlers of one event have; then it counts as failed."
    )
    event_tries: Annotated[int, BeforeValidator(parsing.as_number(1, 30))] = Field(
        default=DELIVERY_RETRIES.tries,
        description="How often an event is tried, or fetched, with growing pauses, before it becomes a dead "
        "letter. The default takes about 31 hours.",
    )
    keep_fields: Annotated[tuple[str, ...], BeforeValidator(parsing.as_keep_fields)] = Field(
        default=(),
        description="Personal fields of events to keep beside ids, times, amounts and states: a type of "
        "event, or several with `*`, a colon, and a field by its path or by its name alone. The fields are "
        "listed [by event](events.md).",
        examples=["*message.received:text *:handle"],
    )
    logout: Literal["session", "last_session", "always"] = Field(
        default="session",
        description="What a logout ends: the session alone; with a creator's last session the connection to "
        "Fanvue as well; the connection always.",
    )
    host: Annotated[str, BeforeValidator(parsing.as_address)] = Field(
        default="127.0.0.1", description="The address that the public listener binds to."
    )
    port: Annotated[int, BeforeValidator(parsing.as_port)] = Field(
        default=8080, description="The port that the public listener binds to."
    )
    allowed_hosts: _Hosts = Field(
        default=(),
        description="Further hosts under which requests may come, besides that of the public URL: for an app "
        "whose own host rewrites `/auth`, `/api/fanvue` and `/webhooks` to fankeep, the name by which it "
        "reaches fankeep.",
        examples=["fankeep.internal.example.com"],
    )
    tls_cert_file: _Path | None = Field(
        default=None, description="The certificate chain, PEM, when fankeep ends TLS itself."
    )
    tls_key_file: _Path | None = Field(default=None, description="The certificate's private key, PEM.")
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(parsing.as_networks)] = Field(
        default=(),
        description="Addresses or networks of the proxies in front of fankeep that end TLS. Only their "
        "forwarded headers are believed.",
        examples=["10.0.0.0/8"],
    )

    internal_host: Annotated[str, BeforeValidator(parsing.as_address)] = Field(
        default="127.0.0.1",
        description="The address that the internal listener binds to: for the app's server code, bots and "
        "cron jobs. Never one that the Internet reaches.",
    )
    internal_port: Annotated[int, BeforeValidator(parsing.as_port)] | None = Field(
        default=None,
        description="The port that the internal listener binds to. Unset: there is no internal listener.",
        examples=["8081"],
    )
    internal_network: Literal["loopback", "private"] = Field(
        default="loopback",
        description="`private` declares that the internal listener is on a network that only your own "
        "programs reach, as inside a pod; then it may be plain http on another address than loopback.",
    )
    internal_tls_cert_file: _Path | None = Field(
        default=None, description="The certificate chain of the internal listener, PEM."
    )
    internal_tls_key_file: _Path | None = Field(
        default=None, description="The private key of that certificate, PEM."
    )

    @property
    def development(self) -> bool:
        """Whether this is a developer's machine: loopback names, http, a sandbox."""
        return self.env == "development"

    @property
    def redirect_uri(self) -> str:
        """The redirect URI, the same string at the authorization and the token endpoint (RFC 6749 4.1.3)."""
        return self.public_url + CALLBACK_PATH

    @property
    def webhook_url(self) -> str:
        """Where Fanvue's deliveries reach this installation."""
        return self.public_url + WEBHOOK_PATH

    @property
    def operation_ids(self) -> tuple[str, ...]:
        """The operations that the app may call, with ``all`` spelled out."""
        return _known(self.operations)


SECRET_FIELDS: Final = frozenset(
    name for name, field in Fields.model_fields.items() if _IN_A_FILE in field.metadata
)
"""Settings whose value must not be seen; each may lie in a file that the variable with ``_FILE`` names."""
