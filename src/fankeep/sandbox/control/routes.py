"""The routes of the control API: ``GET`` shows, ``POST`` with JSON does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fankeep.errors import ConfigurationError
from fankeep.sandbox.control import views
from fankeep.sandbox.control.actions import ACTIONS, Action
from fankeep.sandbox.control.app_plans import APP_PLAN_ACTIONS
from fankeep.sandbox.control.wanted import ControlError, Wanted
from fankeep.sandbox.control.webhooks import WEBHOOK_ACTIONS
from fankeep.sandbox.http import json_answer, read_json, same_origin
from fankeep.sandbox.json import Json
from fankeep.sandbox.sandbox import Sandbox

__all__ = ["control_routes"]


def control_routes(sandbox: Sandbox) -> list[Route]:
    """All routes of the control API.

    Security:
        There is no sign-in: the listener is on loopback and refuses foreign ``Host`` names and the pages of
        other origins; what changes something needs a JSON body, which such a page cannot send unasked.
    """
    shown: dict[str, Callable[[Request], Json]] = {
        "state": lambda _request: views.state(sandbox),
        "grants": lambda _request: views.grants(sandbox),
        "journal": lambda request: views.journal(sandbox, request.query_params),
        "needles": lambda _request: views.needles(sandbox),
        "endpoints": lambda _request: views.endpoints(sandbox),
        "deliveries": lambda request: views.deliveries(sandbox, request.query_params),
        "held": lambda _request: views.held(sandbox),
    }
    routes = [Route(f"/sandbox/{name}", _shows(view), methods=["GET"]) for name, view in shown.items()]
    for name, action in {**ACTIONS, **APP_PLAN_ACTIONS, **WEBHOOK_ACTIONS}.items():
        routes.append(Route(f"/sandbox/{name}", _does(sandbox, action), methods=["POST"]))
    return routes


def _shows(view: Callable[[Request], Json]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if not same_origin(request):
            return _refused("this is not for another site's page")
        try:
            return json_answer(view(request))
        except ControlError as problem:
            return _refused(str(problem))
        except ValueError:
            return _refused("the query does not fit")

    return endpoint


def _does(sandbox: Sandbox, action: Action) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" or not same_origin(request):
            return _refused("send JSON, and not from another site's page")
        try:
            return json_answer(await action(sandbox, Wanted(await read_json(request))))
        except (ControlError, ConfigurationError, ValueError) as problem:
            return _refused(str(problem))

    return endpoint


def _refused(message: str) -> Response:
    return json_answer({"error": "invalid_request", "message": message}, 400)
