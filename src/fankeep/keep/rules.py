"""What has to hold between settings, and what production asks for beyond that.

Each rule is one entry of a table: the setting it is about, whether the settings break it, and what to do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import urlsplit

from fankeep.fanvue.nearest import did_you_mean
from fankeep.fanvue.operations import OPERATIONS
from fankeep.fanvue.scopes import FIXED_SCOPES, SCOPES, required_scopes
from fankeep.fanvue.webhook_secrets import secret_keys
from fankeep.keep.environment import variable
from fankeep.keep.fields import EVERY_OPERATION, Fields
from fankeep.policy.hosts import is_loopback_name
from fankeep.policy.retry import DELIVERY_RETRIES, LONGEST_LEASE
from fankeep.secret import Secret
from fankeep.secrets import FORWARD, parse_client_secrets
from fankeep.store.postgresql_address import SCHEMES, PostgresqlAddress

__all__ = ["RULES", "Rule", "broken_rules"]

_DAY: Final = 86_400
_AROUND_A_TRY: Final = 60.0
"""Seconds: until it is begun, and until its end is known of a process that died."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence that the settings have to keep.

    Attributes:
        field: the setting that the operator changes when the rule is broken.
        broken: whether the settings break it.
        advice: what to do; follows the variable's name, and holds no value.
        where: where it counts.
        hint: what was probably meant; made of names that we know, not of what was written.
    """

    field: str
    broken: Callable[[Fields], bool]
    advice: str
    where: Literal["everywhere", "production", "development"] = "everywhere"
    hint: Callable[[Fields], str] = lambda _: ""


def _half(first: str, second: str) -> Callable[[Fields], bool]:
    """Of two settings that make sense together only, one is there."""
    return lambda given: (getattr(given, first) is None) != (getattr(given, second) is None)


def _loopback(address: str) -> bool:
    return is_loopback_name(urlsplit(address).netloc)


def _on_this_machine(host: str) -> bool:
    """Whether a listener's address is reached from this machine alone."""
    return host == "::1" or _loopback(f"http://{host}")


def _open_to_the_network(field: str) -> Callable[[Fields], bool]:
    """An address on which tokens or personal data travel is neither https nor on this machine."""
    return lambda given: _set(given, field).startswith("http://") and not _loopback(_set(given, field))


def _not_public(field: str) -> Callable[[Fields], bool]:
    """An address is not https, or names this machine."""
    return lambda given: not _set(given, field).startswith("https://") or _loopback(_set(given, field))


def _set(given: Fields, field: str) -> str:
    """The text of an address; one that is not set breaks no rule about addresses."""
    return str(getattr(given, field) or "https://unset.invalid")


def _unnamed(field: str) -> Callable[[Fields], bool]:
    """A setting was left to its default."""
    return lambda given: field not in given.model_fields_set


def _on_postgresql(url: Secret[str]) -> bool:
    return url.reveal().startswith(SCHEMES)


def _unprotected(field: str) -> Callable[[Fields], bool]:
    """A database on another machine is reached without TLS."""

    def broken(given: Fields) -> bool:
        url: Secret[str] = getattr(given, field)
        return _on_postgresql(url) and PostgresqlAddress.parse(url.reveal()).open_to_the_network

    return broken


def _no_such_file(field: str) -> Callable[[Fields], bool]:
    """A file is named and does not exist."""
    return lambda given: getattr(given, field) is not None and not getattr(given, field).is_file()


def _unknown_operation(given: Fields) -> bool:
    return not set(given.operations) <= {EVERY_OPERATION, *OPERATIONS}


def _keyless(given: Fields) -> bool:
    """A signing secret gives no key in any of the readings, so that it would never match."""
    readings = given.webhook_secret_format
    return not all(any(secret_keys(secret, readings)) for secret in given.webhook_secrets)


def _secret_names(given: Fields) -> set[str]:
    """The names of all secrets, as the register has them."""
    clients = {secret.name for secret in parse_client_secrets(given.client_secret).candidates()}
    return {FORWARD, *clients, *(secret.name for secret in given.webhook_secrets)}


def _unknown_secret(given: Fields) -> bool:
    return not given.secret_register.keys() <= _secret_names(given)


def _names_there_are(given: Fields) -> str:
    """What the secrets are called, which is not secret, and which of these was probably meant."""
    names = sorted(_secret_names(given))
    return f"; there are {', '.join(names)}{did_you_mean(given.secret_register, names)}"


def _needed(given: Fields) -> set[str]:
    return {*FIXED_SCOPES, *required_scopes(given.operation_ids)}


def _days_of_tries(given: Fields) -> int:
    """Days until an event that keeps failing is a dead letter, rounded up."""
    retries = replace(DELIVERY_RETRIES, tries=given.event_tries)
    one_try = LONGEST_LEASE if given.events == "pull" else given.event_timeout
    return math.ceil(retries.longest(each=one_try + _AROUND_A_TRY) / _DAY)


RULES: Final = (
    Rule(
        "secret_register",
        _unknown_secret,
        "names a secret that is not there: they have the names of FANKEEP_CLIENT_SECRET (one that stands "
        "alone is `client-secret`) and FANKEEP_WEBHOOK_SECRETS, and `forward`",
        hint=_names_there_are,
    ),
    Rule(
        "webhook_secret_format",
        _keyless,
        "does not fit a secret of FANKEEP_WEBHOOK_SECRETS: `hex` and `base64` decode what follows `whsec_`",
    ),
    Rule(
        "operations",
        _unknown_operation,
        "names an operation that the API does not have",
        hint=lambda given: did_you_mean(given.operations, (*OPERATIONS, EVERY_OPERATION)),
    ),
    Rule(
        "scopes",
        lambda given: not set(given.scopes) <= set(SCOPES),
        "names a scope that Fanvue does not have",
        hint=lambda given: did_you_mean(given.scopes, SCOPES),
    ),
    Rule(
        "scopes",
        lambda given: not _needed(given) <= set(given.scopes),
        "does not cover what FANKEEP_OPERATIONS needs: unset it, then exactly the needed ones are asked for",
    ),
    Rule(
        "scopes",
        lambda given: not set(given.scopes) <= _needed(given),
        "asks for more than FANKEEP_OPERATIONS needs: unset it, then exactly the needed ones are asked for",
        where="production",
    ),
    Rule(
        "operations",
        lambda given: EVERY_OPERATION in given.operations,
        "must list the operations that the app uses, not all of them, in production",
        where="production",
    ),
    Rule(
        "keys_database_url",
        lambda given: _on_postgresql(given.database_url) and not _on_postgresql(given.keys_database_url),
        "must name a PostgreSQL database as FANKEEP_DATABASE_URL does: every replica needs the same keys",
    ),
    Rule(
        "keys_database_url",
        lambda given: given.keys_database_url == given.database_url,
        "must not be that of FANKEEP_DATABASE_URL: name a second one, since the keys lie apart from the data",
    ),
    Rule(
        "keep_payloads_days",
        lambda given: given.keep_payloads_days < _days_of_tries(given),
        "must last for all FANKEEP_EVENT_TRIES: an event that fails is tried again with what was kept",
        hint=lambda given: f"; with the other settings as they are that is {_days_of_tries(given)} or more",
    ),
    Rule(
        "keep_events_days",
        lambda given: given.keep_events_days <= given.keep_payloads_days,
        "must be more than FANKEEP_KEEP_PAYLOADS_DAYS: a repeat must be known for longer than there is "
        "something to handle",
    ),
    Rule(
        "webhook_tolerance",
        lambda given: 2 * given.webhook_tolerance > given.keep_events_days * _DAY,
        "must be at most half of FANKEEP_KEEP_EVENTS_DAYS: a delivery is accepted for that long before and "
        "after its time, and must be known as a repeat for all of it",
    ),
    Rule(
        "tls_key_file",
        _half("tls_cert_file", "tls_key_file"),
        "and FANKEEP_TLS_CERT_FILE go together: set both or neither",
    ),
    Rule(
        "internal_tls_key_file",
        _half("internal_tls_cert_file", "internal_tls_key_file"),
        "and FANKEEP_INTERNAL_TLS_CERT_FILE go together: set both or neither",
    ),
    Rule(
        "internal_tls_cert_file",
        _no_such_file("internal_tls_cert_file"),
        "names a file that cannot be found",
    ),
    Rule(
        "internal_tls_key_file",
        _no_such_file("internal_tls_key_file"),
        "names a file that cannot be found",
    ),
    Rule(
        "internal_port",
        lambda given: given.internal_port == given.port,
        "must be another port than FANKEEP_PORT: the two listeners answer different callers",
    ),
    Rule(
        "internal_host",
        lambda given: (
            not _on_this_machine(given.internal_host)
            and given.internal_tls_cert_file is None
            and given.internal_network == "loopback"
        ),
        "is not on this machine: set FANKEEP_INTERNAL_TLS_CERT_FILE and FANKEEP_INTERNAL_TLS_KEY_FILE, or "
        "declare with FANKEEP_INTERNAL_NETWORK=private that only your own programs reach it",
        where="production",
    ),
    Rule("tls_cert_file", _no_such_file("tls_cert_file"), "names a file that cannot be found"),
    Rule("tls_key_file", _no_such_file("tls_key_file"), "names a file that cannot be found"),
    Rule(
        "forward_secret",
        _half("forward_url", "forward_secret"),
        "and FANKEEP_FORWARD_URL go together: set both or neither",
    ),
    Rule(
        "event_order",
        lambda given: given.events == "pull" and given.event_order != "any",
        "is about what goes to handlers and the forward URL: unset it, or make FANKEEP_EVENTS push",
    ),
    Rule(
        "forward_url",
        _open_to_the_network("forward_url"),
        "must be https, since events hold personal data",
    ),
    Rule(
        "events",
        lambda given: given.events == "pull" and given.forward_url is not None,
        "is pull, so nothing is sent on: unset FANKEEP_FORWARD_URL and FANKEEP_FORWARD_SECRET, or make it "
        "push",
    ),
    Rule(
        "upstream_url",
        _open_to_the_network("upstream_url"),
        "must be https unless the app is on this machine, since personal data goes there",
    ),
    Rule("issuer_url", _open_to_the_network("issuer_url"), "must be https, since secrets go there"),
    Rule("api_url", _open_to_the_network("api_url"), "must be https, since tokens go there"),
    Rule(
        "public_url",
        lambda given: not _loopback(given.public_url),
        "must be a name of this machine, like http://localhost:8080, in development; for anything else unset "
        "FANKEEP_ENV",
        where="development",
    ),
    Rule(
        "allowed_hosts",
        lambda given: not all(is_loopback_name(host) for host in given.allowed_hosts),
        "must be names of this machine in development",
        where="development",
    ),
    Rule(
        "host",
        lambda given: not _on_this_machine(given.host),
        "must be 127.0.0.1, ::1 or localhost in development",
        where="development",
    ),
    Rule(
        "internal_host",
        lambda given: not _on_this_machine(given.internal_host),
        "must be 127.0.0.1, ::1 or localhost in development",
        where="development",
    ),
    Rule(
        "public_url",
        _not_public("public_url"),
        "must be https and no name of this machine in production",
        "production",
    ),
    Rule(
        "issuer_url",
        _not_public("issuer_url"),
        "must be https and no name of this machine in production",
        "production",
    ),
    Rule(
        "api_url",
        _not_public("api_url"),
        "must be https and no name of this machine in production",
        "production",
    ),
    Rule(
        "database_url",
        _unprotected("database_url"),
        "must use TLS to another machine in production: leave sslmode out of it",
        where="production",
    ),
    Rule(
        "keys_database_url",
        _unprotected("keys_database_url"),
        "must use TLS to another machine in production: leave sslmode out of it",
        where="production",
    ),
    Rule(
        "database_url",
        _unnamed("database_url"),
        "is missing: production wants the database named",
        "production",
    ),
    Rule(
        "keys",
        _unnamed("keys"),
        "is missing: make a key file with `fankeep keys add --file` and name it",
        where="production",
    ),
    Rule(
        "tls_cert_file",
        lambda given: given.tls_cert_file is None and not given.trusted_proxies,
        "is missing: set it and FANKEEP_TLS_KEY_FILE, or declare the proxies that end TLS in "
        "FANKEEP_TRUSTED_PROXIES",
        where="production",
    ),
)


def broken_rules(given: Fields) -> list[str]:
    """Return one sentence for each rule that the settings break; at most one for each setting."""
    sentences: dict[str, str] = {}
    for rule in RULES:
        if rule.where in ("everywhere", given.env) and rule.broken(given):
            sentences.setdefault(rule.field, f"{variable(rule.field)} {rule.advice}{rule.hint(given)}")
    return list(sentences.values())
