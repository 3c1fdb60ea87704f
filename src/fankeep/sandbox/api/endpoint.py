"""The way of a call: version, token, scopes, rate limit, inputs, handler."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from fankeep.fanvue.operations import OPERATIONS, Operation, answer_schema
from fankeep.fanvue.schema import Content
from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.checks import check_version, take_allowance, token_of
from fankeep.sandbox.api.handlers import handlers_for
from fankeep.sandbox.api.inputs import read_call_body, read_params, read_query
from fankeep.sandbox.api.routing import Found, Routes
from fankeep.sandbox.broken_answers import spoil
from fankeep.sandbox.faults import Moment, Target
from fankeep.sandbox.http import json_answer, read_body
from fankeep.sandbox.journal import Entry
from fankeep.sandbox.json import Json
from fankeep.sandbox.passing import settle
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.tokens import AccessToken
from fankeep.sandbox.world import Creator

__all__ = ["ApiEndpoint"]


class ApiEndpoint:
    """Answers every operation, unprefixed and under ``/v1``."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._routes = Routes(OPERATIONS.values())
        self._handlers = handlers_for(OPERATIONS.values())

    async def call(self, request: Request, entry: Entry) -> Response:
        """Answer one call, or let it go wrong when told to."""
        found = self._find(request)
        operation = found.operation.id if found else None
        self._sandbox.befall(Target.API, operation, entry)
        fault = self._sandbox.faults.take(Target.API, operation)
        if fault is None:
            return await self._answer(request, found, entry)
        if fault.moment is Moment.AFTER:
            return await spoil(fault, await self._answer(request, found, entry), entry, self._sandbox)
        broken = await spoil(fault, json_answer({"error": "none"}), entry, self._sandbox)
        return await self._answer(request, found, entry) if fault.waits else broken

    async def _answer(self, request: Request, found: Found | None, entry: Entry) -> Response:
        headers: dict[str, str] = {}
        try:
            return await self._checked(request, _known(found), entry, headers)
        except ApiRefusal as refusal:
            entry.outcome = HTTPStatus(refusal.status).phrase.lower().replace(" ", "_")
            return json_answer(refusal.body, refusal.status, {**headers, **refusal.headers})

    async def _checked(
        self, request: Request, found: Found, entry: Entry, headers: dict[str, str]
    ) -> Response:
        operation = found.operation
        entry.route = operation.path
        entry.note(operation=operation.id, versioned=found.versioned)
        headers |= check_version(request, self._sandbox.settings)
        token = token_of(request, self._sandbox)
        owner = self._sandbox.world.creators[token.chain.authorization.creator]
        entry.note(creator=owner.uuid, chain=token.chain.number)
        headers |= take_allowance(
            token.chain.authorization, self._sandbox, creator=found.params.get("creatorUserUuid")
        )
        _check_scopes(operation, token)
        managed = (self._sandbox.world.creators[uuid] for uuid in owner.manages)
        if settle(self._sandbox, (owner, *managed)):
            self._sandbox.keep()
        by_cursor = found.versioned and self._sandbox.settings.switches.v1_cursor_lists
        call = ApiCall(
            sandbox=self._sandbox,
            operation=operation,
            client_id=token.chain.authorization.client_id,
            owner=owner,
            creator=self._acting_for(found, owner),
            params=read_params(operation, found.params),
            query=read_query(operation, request.url.query, with_cursor=by_cursor),
            asked=frozenset(request.query_params),
            body=read_call_body(operation, await read_body(request)),
            versioned=found.versioned,
            by_cursor=by_cursor,
        )
        return self._render(operation, self._handlers[operation.id](call), headers)

    def _find(self, request: Request) -> Found | None:
        raw_path: bytes = request.scope.get("raw_path") or request.url.path.encode()
        return self._routes.find(request.method, raw_path.decode("ascii", "replace").partition("?")[0])

    def _acting_for(self, found: Found, owner: Creator) -> Creator:
        """The creator that a call is about; an agency may act for those whom it manages."""
        if found.operation.path.startswith("/agencies/") and not owner.manages:
            raise ApiRefusal(403, {"error": "Forbidden"})
        uuid = found.params.get("creatorUserUuid")
        if uuid is None or uuid.lower() == owner.uuid:
            return owner
        creator = self._sandbox.world.creators.get(uuid.lower())
        if creator is None:
            raise ApiRefusal(404, {"message": "Creator not found"})
        if creator.uuid not in owner.manages:
            raise ApiRefusal(403, {"error": "Forbidden"})
        return creator

    @staticmethod
    def _render(operation: Operation, answer: Json, headers: Mapping[str, str]) -> Response:
        schema = answer_schema(operation)
        if schema is None:
            return Response(status_code=operation.status, headers=dict(headers))
        if isinstance(schema, Content):
            return PlainTextResponse(str(answer), operation.status, headers=dict(headers))
        return json_answer(answer, operation.status, headers)


def _known(found: Found | None) -> Found:
    if found is None:
        raise ApiRefusal(404, {"message": "Not Found"})
    return found


def _check_scopes(operation: Operation, token: AccessToken) -> None:
    if not set(operation.scopes) <= set(token.chain.authorization.scopes):
        raise ApiRefusal(403, {"error": "Forbidden"})
