"""The part of the OpenAPI document that is in no specification: webhook subscriptions."""

from __future__ import annotations

from collections.abc import Iterable

from fankeep.sandbox.api.subscriptions import SUBSCRIPTIONS_PATH
from fankeep.sandbox.json import Json, JsonObject
from fankeep.sandbox.payloads import TOPICS

__all__ = ["subscription_paths"]


def subscription_paths(*, scheme: str, scope: str, headers: JsonObject) -> dict[str, JsonObject]:
    """Describe creating, listing and deleting subscriptions.

    Args:
        scheme: the name of the security scheme.
        scope: what it needs.
        headers: what each answer has.
    """
    security: list[Json] = [{scheme: [scope]}]
    version: JsonObject = {"$ref": "#/components/parameters/ApiVersion"}

    def call(name: str, status: int, text: str, answer: JsonObject | None, *errors: int) -> dict[str, Json]:
        told: dict[str, Json] = {"description": text, "headers": headers}
        if answer is not None:
            told["content"] = {"application/json": {"schema": answer}}
        refusals: dict[str, Json] = {
            str(error): {"$ref": f"#/components/responses/{error}"} for error in _errors(errors)
        }
        return {
            "operationId": name,
            "security": security,
            "parameters": [version],
            "responses": {str(status): told, **refusals},
        }

    create = call("createWebhookSubscription", 201, "Created", _closed({**_ROW, "signingSecret": _TEXT}))
    create["requestBody"] = {"required": True, "content": {"application/json": {"schema": _WANTED}}}
    show = call("listWebhookSubscriptions", 200, "OK", _closed({"data": _list(_closed(_ROW))}))
    delete = call("deleteWebhookSubscription", 204, "No Content", None, 404)
    delete["parameters"] = [version, {"name": "id", "in": "path", "required": True, "schema": _TEXT}]
    return {
        SUBSCRIPTIONS_PATH: {"post": create, "get": show},
        f"{SUBSCRIPTIONS_PATH}/{{id}}": {"delete": delete},
    }


def _errors(more: Iterable[int]) -> list[int]:
    return sorted({400, 401, 403, 410, 429, *more})


def _closed(properties: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": list[Json](properties),
        "additionalProperties": False,
    }


def _list(items: JsonObject) -> JsonObject:
    return {"type": "array", "items": items}


_TEXT: JsonObject = {"type": "string"}
_EVENTS: JsonObject = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "string", "enum": list[Json](TOPICS)},
}
_ROW: JsonObject = {"id": _TEXT, "url": {"type": "string", "format": "uri"}, "events": _EVENTS}
_WANTED: JsonObject = {
    "type": "object",
    "properties": {
        "url": {
            "type": "string",
            "format": "uri",
            "description": "https, or http to a loopback name of this machine",
        },
        "events": _EVENTS,
    },
    "required": ["url", "events"],
}
