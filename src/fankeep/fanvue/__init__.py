"""What Fanvue is, as data and pure rules: hosts, scopes, operations, events, signature, limits.

The data lies beside the code in ``data/`` and is read at the first use. Nothing else in this room touches the
outside: times are parameters.
"""

from __future__ import annotations

from fankeep.fanvue.event_types import (
    EVENT_TYPES,
    UNKNOWN,
    Certainty,
    EventField,
    EventType,
    Family,
    event_type,
    names_of_fact,
)
from fankeep.fanvue.events import Event, parse_event
from fankeep.fanvue.identifiers import as_uuid
from fankeep.fanvue.operations import (
    COMPONENTS,
    OPERATIONS,
    Operation,
    SideEffect,
    answer_schema,
    body_schema,
    component_schema,
    operation,
    query_schema,
)
from fankeep.fanvue.personal import KEPT_BY_DEFAULT, Personal
from fankeep.fanvue.routes import Match, build_path, match
from fankeep.fanvue.schema import Node, leaf_paths, parse_schema
from fankeep.fanvue.scopes import (
    FIXED_SCOPES,
    SCOPES,
    Scope,
    ScopeComparison,
    check_scopes,
    compare_scopes,
    required_scopes,
    sentence,
)
from fankeep.fanvue.signature import (
    EVENT_ID_HEADER,
    REASONS,
    SIGNATURE_HEADER,
    TOPIC_HEADER,
    VerifiedWebhook,
    sign_webhook,
    verify_webhook,
)
from fankeep.fanvue.strict_json import Json, decode_strict
from fankeep.fanvue.validation import validate
from fankeep.fanvue.webhook_secrets import Reading, SecretLike, WebhookSecret

__all__ = [
    "COMPONENTS",
    "EVENT_ID_HEADER",
    "EVENT_TYPES",
    "FIXED_SCOPES",
    "KEPT_BY_DEFAULT",
    "OPERATIONS",
    "REASONS",
    "SCOPES",
    "SIGNATURE_HEADER",
    "TOPIC_HEADER",
    "UNKNOWN",
    "Certainty",
    "Event",
    "EventField",
    "EventType",
    "Family",
    "Json",
    "Match",
    "Node",
    "Operation",
    "Personal",
    "Reading",
    "Scope",
    "ScopeComparison",
    "SecretLike",
    "SideEffect",
    "VerifiedWebhook",
    "WebhookSecret",
    "answer_schema",
    "as_uuid",
    "body_schema",
    "build_path",
    "check_scopes",
    "compare_scopes",
    "component_schema",
    "decode_strict",
    "event_type",
    "leaf_paths",
    "match",
    "names_of_fact",
    "operation",
    "parse_event",
    "parse_schema",
    "query_schema",
    "required_scopes",
    "sentence",
    "sign_webhook",
    "validate",
    "verify_webhook",
]
