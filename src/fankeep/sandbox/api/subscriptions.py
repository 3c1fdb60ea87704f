"""Webhook subscriptions that an app makes through the API, for the creator who authorized it."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from fankeep.errors import ConfigurationError
from fankeep.sandbox.api.call import ApiRefusal
from fankeep.sandbox.api.checks import check_version, take_allowance, token_of
from fankeep.sandbox.codes import Authorization
from fankeep.sandbox.endpoints import Endpoint
from fankeep.sandbox.http import json_answer, read_json
from fankeep.sandbox.journal import Entry
from fankeep.sandbox.json import Json, JsonObject
from fankeep.sandbox.sandbox import Sandbox

__all__ = ["SUBSCRIPTIONS_PATH", "SubscriptionsEndpoint"]

SUBSCRIPTIONS_PATH = "/webhooks/subscriptions"


class SubscriptionsEndpoint:
    """Makes, lists and deletes subscriptions; each has a signing secret of its own.

    It is not part of the specification's operations.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def create(self, request: Request, entry: Entry) -> Response:
        """``POST``: the answer is the only one that shows the signing secret."""
        try:
            body = await read_json(request)
        except ValueError:
            body = {}
        return self._answer(request, entry, lambda who: self._create(who, body))

    async def show(self, request: Request, entry: Entry) -> Response:
        """``GET``: those of this app and creator."""
        return self._answer(
            request, entry, lambda who: json_answer({"data": [_row(one) for one in self._own(who)]})
        )

    async def delete(self, request: Request, entry: Entry) -> Response:
        """``DELETE``: one of them."""
        wanted: str = request.path_params["id"]
        return self._answer(request, entry, lambda who: self._delete(who, wanted))

    def _answer(self, request: Request, entry: Entry, work: Callable[[Authorization], Response]) -> Response:
        headers: dict[str, str] = {}
        try:
            headers |= check_version(request, self._sandbox.settings)
            authorization = token_of(request, self._sandbox).chain.authorization
            entry.note(creator=authorization.creator, client_id=authorization.client_id)
            headers |= take_allowance(authorization, self._sandbox)
            self._check_scope(authorization)
            answer = work(authorization)
        except ApiRefusal as refusal:
            return json_answer(refusal.body, refusal.status, {**headers, **refusal.headers})
        answer.headers.update(headers)
        return answer

    def _check_scope(self, who: Authorization) -> None:
        if self._sandbox.settings.switches.subscription_scope not in who.scopes:
            raise ApiRefusal(403, {"error": "Forbidden"})

    def _create(self, who: Authorization, body: JsonObject) -> Response:
        url, events = body.get("url"), body.get("events")
        if self._sandbox.settings.switches.subscriptions_refused:
            raise ApiRefusal(400, {"message": "Bad Request"})
        if not isinstance(url, str) or not isinstance(events, list) or not events:
            raise ApiRefusal(400, {"errors": ["url and events are needed"]})
        topics = frozenset(str(one) for one in events)
        try:
            endpoint_id = self._sandbox.add_endpoint(who.client_id, url, topics=topics, creator=who.creator)
        except ConfigurationError:
            raise ApiRefusal(400, {"errors": ["url or events do not fit"]}) from None
        endpoint = next(one for one in self._own(who) if one.id == endpoint_id)
        return json_answer({**_row(endpoint), "signingSecret": endpoint.secret.reveal()}, 201)

    def _delete(self, who: Authorization, wanted: str) -> Response:
        if wanted not in {one.id for one in self._own(who)}:
            raise ApiRefusal(404, {"message": "Subscription not found"})
        self._sandbox.endpoints.remove(wanted)
        return Response(status_code=204)

    def _own(self, who: Authorization) -> list[Endpoint]:
        return [one for one in self._sandbox.endpoints.of(who.client_id) if one.creator == who.creator]


def _row(endpoint: Endpoint) -> JsonObject:
    return {"id": endpoint.id, "url": endpoint.url, "events": list[Json](sorted(endpoint.topics))}
