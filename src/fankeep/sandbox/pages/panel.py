"""The control panel: act as a fan, let things go wrong, watch the grants and the journal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fankeep.errors import ConfigurationError
from fankeep.sandbox.control.actions import ACTIONS, Action
from fankeep.sandbox.control.deeds import Deed
from fankeep.sandbox.control.wanted import ControlError, Wanted
from fankeep.sandbox.control.webhooks import WEBHOOK_ACTIONS
from fankeep.sandbox.faults import RULES, Moment, Target
from fankeep.sandbox.json import JsonObject
from fankeep.sandbox.pages.forms import read_own_form
from fankeep.sandbox.pages.render import PageRenderer, see_other
from fankeep.sandbox.sandbox import Sandbox

__all__ = ["PanelPages"]

_DONE: Mapping[str, str] = MappingProxyType(
    {
        "act": "Done. What was told of it stands in the journal below.",
        "faults": "Armed. The next answers go wrong.",
        "faults/clear": "Disarmed. Nothing goes wrong any more.",
        "release": "Released. The answers are on their way.",
        "clock": "The clock has moved.",
        "expire": "Expired. Apps have to refresh now.",
        "withdraw": "Withdrawn. The app has lost its access.",
    }
)
"""The buttons, and what the panel says after each."""

_CHOICES = ("fan", "creator", "do")
_NUMBERS = frozenset({"advance", "count", "price", "seconds", "status"})
_SHOWN_ENTRIES = 40
_ANSWERS = (Target.TOKEN, Target.REVOKE, Target.API)
_ACTIONS: Mapping[str, Action] = MappingProxyType(
    {name: action for name, action in {**ACTIONS, **WEBHOOK_ACTIONS}.items() if name in _DONE}
)


class PanelPages:
    """The control API with buttons."""

    def __init__(self, sandbox: Sandbox, pages: PageRenderer) -> None:
        self._sandbox = sandbox
        self._pages = pages

    def routes(self) -> list[Route]:
        """The routes of the start page and the control panel."""
        return [
            Route("/", self._home, methods=["GET"]),
            Route("/panel", self._show, methods=["GET"]),
            *(
                Route(f"/panel/{name}", self._pressed(name, action), methods=["POST"])
                for name, action in _ACTIONS.items()
            ),
        ]

    async def _home(self, _request: Request) -> Response:
        values: dict[str, object] = {
            "base_url": self._sandbox.base_url,
            "app": self._sandbox.apps.first,
            "creators": list(self._sandbox.world.creators.values()),
        }
        return self._pages.page("home", values)

    async def _show(self, request: Request) -> Response:
        sandbox = self._sandbox
        asked = request.query_params
        values: dict[str, object] = {
            "done": _DONE.get(asked.get("done", "")),
            "chosen": {name: asked.get(name, "") for name in _CHOICES},
            "now": sandbox.now(),
            "offset": round(sandbox.clock.offset),
            "creators": list(sandbox.world.creators.values()),
            "fans": list(sandbox.world.fans.values()),
            "deeds": list(Deed),
            "targets": _ANSWERS,
            "kinds": [
                kind for kind, rule in RULES.items() if _ANSWERS[0] in rule.targets and not rule.is_incident
            ],
            "delivery_kinds": [kind for kind, rule in RULES.items() if rule.targets == (Target.DELIVERY,)],
            "moments": list(Moment),
            "faults": sandbox.faults.armed,
            "held": sandbox.faults.held,
            "chains": list(reversed(sandbox.tokens.chains))[:20],
            "people": sandbox.world.creators,
            "apps": {app.client_id: app for app in sandbox.apps},
            "entries": list(reversed(sandbox.journal.find(limit=_SHOWN_ENTRIES))),
        }
        return self._pages.page("panel", values)

    def _pressed(self, name: str, action: Action) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                form = await read_own_form(request)
                await action(self._sandbox, Wanted(_typed(form)))
            except (ControlError, ConfigurationError) as problem:
                values: dict[str, object] = {"title": "That does not work", "text": str(problem)}
                return self._pages.page("message", values, status=400)
            again = {choice: form[choice] for choice in _CHOICES if choice in form}
            return see_other(f"/panel?{urlencode({'done': name, **again})}")

        return endpoint


def _typed(form: Mapping[str, str]) -> JsonObject:
    """Form fields as the control API wants them; an empty field counts as missing."""
    return {name: _number(value) if name in _NUMBERS else value for name, value in form.items() if value}


def _number(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value
