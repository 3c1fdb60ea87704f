"""An OpenAPI 3.1 document of what the sandbox serves, made from the same data as its answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType

from fankeep.fanvue.hosts import API_VERSION, API_VERSION_HEADER, AUTHORIZE_PATH, TOKEN_PATH
from fankeep.fanvue.operations import Operation, answer_schema, body_schema, component_schema, query_schema
from fankeep.fanvue.schema import Array, Content, Field, Node, parse_schema
from fankeep.fanvue.scopes import SCOPES, sentence
from fankeep.sandbox.api.json_schema import json_schema
from fankeep.sandbox.api.openapi_subscriptions import subscription_paths
from fankeep.sandbox.json import Json, JsonObject

__all__ = ["openapi_document"]

_SCHEME = "fanvue"
_LIMIT_HEADERS: JsonObject = {
    name: {"required": True, "schema": {"type": "integer"}}
    for name in ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
}

_ERRORS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        400: ("UnsupportedVersionResponse", "ValidationErrorResponse", "InvalidUuidErrorResponse"),
        401: ("UnauthorizedResponse",),
        403: ("UnauthorizedResponse",),
        404: ("NotFoundResponse",),
        409: ("NotFoundResponse", "UnauthorizedResponse"),
        410: ("SunsetVersionResponse",),
        413: ("UnauthorizedResponse",),
        429: ("RateLimitResponse",),
        502: ("UnauthorizedResponse",),
        503: ("UnauthorizedResponse",),
    }
)
"""The components with the shape of each error's body; there is none of one shape for all."""


def openapi_document(
    operations: Iterable[Operation], *, base_url: str, subscription_scope: str
) -> JsonObject:
    """Describe the operations.

    Args:
        operations: what is served of the specification; webhook subscriptions are beside it.
        base_url: the sandbox's listener; the same paths are served under ``/v1``.
        subscription_scope: what webhook subscriptions need.
    """
    paths = subscription_paths(scheme=_SCHEME, scope=subscription_scope, headers=_LIMIT_HEADERS)
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fanvue API, as the fankeep sandbox serves it",
            "version": API_VERSION,
            "description": "Everything in it is made up.",
        },
        "servers": [
            {"url": base_url},
            {"url": f"{base_url}/v1", "description": "the same under the newer prefix, assumed"},
        ],
        "paths": dict[str, Json](paths),
        "components": {
            "parameters": {"ApiVersion": _version_header()},
            "responses": {str(status): _error(status) for status in _ERRORS},
            "securitySchemes": {_SCHEME: _security_scheme(base_url)},
        },
    }


def _operation(operation: Operation) -> JsonObject:
    described: dict[str, Json] = {
        "operationId": operation.id,
        "security": [{_SCHEME: list[Json](operation.scopes)}],
        "parameters": [
            {"$ref": "#/components/parameters/ApiVersion"},
            *[_path_parameter(name, raw) for name, raw in operation.params.items()],
            *[_query_parameter(name, field) for name, field in query_schema(operation).fields.items()],
        ],
        "responses": {
            str(operation.status): _answer(operation),
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in _statuses(operation)},
        },
    }
    body = body_schema(operation)
    if body is not None:
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {"application/json": {"schema": json_schema(body, closed=False)}},
        }
    return described


def _statuses(operation: Operation) -> list[int]:
    """What Fanvue lists, and what any call can meet here: bad input, an unknown uuid, a body too large."""
    return sorted({400, 404, 413, *operation.errors})


def _answer(operation: Operation) -> JsonObject:
    answer: dict[str, Json] = {
        "description": HTTPStatus(operation.status).phrase,
        "headers": _LIMIT_HEADERS,
    }
    node = answer_schema(operation)
    if node is not None:
        answer["content"] = {_media_type(node): {"schema": json_schema(node, closed=True)}}
    return answer


def _media_type(node: Node) -> str:
    return node.media_type if isinstance(node, Content) else "application/json"


def _error(status: int) -> JsonObject:
    shapes: list[Json] = [
        json_schema(component_schema(f"responses/{name}"), closed=True) for name in _ERRORS[status]
    ]
    return {
        "description": HTTPStatus(status).phrase,
        "content": {"application/json": {"schema": shapes[0] if len(shapes) == 1 else {"anyOf": shapes}}},
    }


def _version_header() -> JsonObject:
    return {
        "name": API_VERSION_HEADER,
        "in": "header",
        "required": True,
        "schema": {"type": "string", "enum": [API_VERSION]},
    }


def _path_parameter(name: str, raw: str) -> JsonObject:
    schema = json_schema(parse_schema(raw), closed=False)
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameter(name: str, field: Field) -> JsonObject:
    described: dict[str, Json] = {
        "name": name,
        "in": "query",
        "required": not field.optional and field.default is None,
        "schema": json_schema(field.node, closed=False),
    }
    if isinstance(field.node, Array):
        described |= {"style": "form", "explode": False}
    return described


def _security_scheme(base_url: str) -> JsonObject:
    flow: JsonObject = {
        "authorizationUrl": f"{base_url}{AUTHORIZE_PATH}",
        "tokenUrl": f"{base_url}{TOKEN_PATH}",
        "refreshUrl": f"{base_url}{TOKEN_PATH}",
        "scopes": {scope: sentence(scope) for scope in SCOPES},
    }
    return {"type": "oauth2", "flows": {"authorizationCode": flow}}
