"""The developer area: an app's credentials, redirect URIs, scopes, and its webhooks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fankeep.errors import ConfigurationError
from fankeep.fanvue.scopes import SCOPES
from fankeep.sandbox.apps import App
from fankeep.sandbox.endpoints import Endpoint
from fankeep.sandbox.pages.forms import read_own_form
from fankeep.sandbox.pages.render import PageRenderer, see_other
from fankeep.sandbox.payloads import TOPICS, sample_scene
from fankeep.sandbox.sandbox import Sandbox

__all__ = ["DeveloperPages"]

_Page: TypeAlias = Callable[[Request], Awaitable[Response]]
_Post: TypeAlias = Callable[[Request, dict[str, str]], Awaitable[Response]]

_SCOPE_FIELD = "scope "
_TOPIC_FIELD = "topic "
_NAME_LENGTH = 80


class DeveloperPages:
    """What an app's owner sees and changes."""

    def __init__(self, sandbox: Sandbox, pages: PageRenderer) -> None:
        self._sandbox = sandbox
        self._pages = pages

    def routes(self) -> list[Route]:
        """The routes of the developer area."""
        shown = {
            "/developer/{client_id}": self._show,
            "/developer/{client_id}/endpoints/{endpoint_id}": self._history,
        }
        posts = {
            "/developer": self._register,
            "/developer/{client_id}/delete": self._delete_app,
            "/developer/{client_id}/secret": self._reset_secret,
            "/developer/{client_id}/redirects": self._redirects,
            "/developer/{client_id}/scopes": self._scopes,
            "/developer/{client_id}/endpoints": self._add_endpoint,
            "/developer/{client_id}/endpoints/{endpoint_id}/toggle": self._toggle,
            "/developer/{client_id}/endpoints/{endpoint_id}/delete": self._delete,
            "/developer/{client_id}/endpoints/{endpoint_id}/test": self._test,
        }
        return [
            Route("/developer", self._first, methods=["GET"]),
            *(Route(path, self._guarded(show), methods=["GET"]) for path, show in shown.items()),
            *(
                Route(path, self._guarded(self._submitted(post)), methods=["POST"])
                for path, post in posts.items()
            ),
        ]

    async def _first(self, _request: Request) -> Response:
        return see_other(f"/developer/{self._sandbox.apps.first.client_id}")

    async def _show(self, request: Request) -> Response:
        return self._page(self._app(request))

    async def _history(self, request: Request) -> Response:
        endpoint = self._endpoint(request)
        values: dict[str, object] = {
            "app": self._app(request),
            "endpoint": endpoint,
            "history": list(reversed(endpoint.history))[:100],
            "topics": list(TOPICS),
        }
        return self._pages.page("endpoint", values)

    async def _register(self, _request: Request, form: dict[str, str]) -> Response:
        app = self._sandbox.register_app(form.get("name", "").strip()[:_NAME_LENGTH] or "New app")
        return self._page(app, new_secret=app.client_secret.reveal())

    async def _delete_app(self, request: Request, _form: dict[str, str]) -> Response:
        self._sandbox.delete_app(self._app(request).client_id)
        return see_other("/developer")

    async def _reset_secret(self, request: Request, _form: dict[str, str]) -> Response:
        app = self._app(request)
        return self._page(app, new_secret=self._sandbox.reset_secret(app.client_id).reveal())

    async def _redirects(self, request: Request, form: dict[str, str]) -> Response:
        app = self._app(request)
        self._sandbox.apps.register_redirects(app, form.get("redirect_uris", "").split())
        return self._back(app)

    async def _scopes(self, request: Request, form: dict[str, str]) -> Response:
        app = self._app(request)
        self._sandbox.apps.enable_scopes(app, _named(form, _SCOPE_FIELD))
        return self._back(app)

    async def _add_endpoint(self, request: Request, form: dict[str, str]) -> Response:
        app = self._app(request)
        topics = frozenset(_named(form, _TOPIC_FIELD)) or None
        endpoint_id = self._sandbox.add_endpoint(app.client_id, form.get("url", "").strip(), topics=topics)
        return see_other(f"/developer/{app.client_id}/endpoints/{endpoint_id}")

    async def _toggle(self, request: Request, _form: dict[str, str]) -> Response:
        endpoint = self._endpoint(request)
        endpoint.enabled = not endpoint.enabled
        return self._back(self._app(request))

    async def _delete(self, request: Request, _form: dict[str, str]) -> Response:
        self._sandbox.endpoints.remove(self._endpoint(request).id)
        return self._back(self._app(request))

    async def _test(self, request: Request, form: dict[str, str]) -> Response:
        endpoint, topic = self._endpoint(request), form.get("event", "")
        if topic not in TOPICS:
            raise ConfigurationError("there is no such event")
        world = self._sandbox.world
        scene = sample_scene(world, world.first_creator, world.dice, now=self._sandbox.now())
        await self._sandbox.sender.settle(self._sandbox.sender.publish(topic, scene, [endpoint]))
        return see_other(f"/developer/{endpoint.client_id}/endpoints/{endpoint.id}")

    @staticmethod
    def _submitted(post: _Post) -> _Page:
        """Take a form from our own pages only."""

        async def endpoint(request: Request) -> Response:
            return await post(request, await read_own_form(request))

        return endpoint

    def _guarded(self, page: _Page) -> _Page:
        """Show a mistake as a page."""

        async def endpoint(request: Request) -> Response:
            try:
                return await page(request)
            except ConfigurationError as problem:
                values: dict[str, object] = {"title": "That does not work", "text": str(problem)}
                return self._pages.page("message", values, status=400)

        return endpoint

    def _page(self, app: App, *, new_secret: str | None = None) -> Response:
        values: dict[str, object] = {
            "app": app,
            "apps": list(self._sandbox.apps),
            "new_secret": new_secret,
            "scopes": list(SCOPES.values()),
            "signing_secret": app.signing_secret.reveal(),
            "endpoints": self._sandbox.endpoints.of(app.client_id),
            "topics": list(TOPICS.values()),
            "connected": len(self._sandbox.consents.creators_of(app.client_id)),
        }
        return self._pages.page("developer", values)

    def _app(self, request: Request) -> App:
        app = self._sandbox.apps.get(request.path_params["client_id"])
        if app is None:
            raise ConfigurationError("there is no such app")
        return app

    def _endpoint(self, request: Request) -> Endpoint:
        endpoint = self._sandbox.endpoints.get(request.path_params["endpoint_id"])
        if endpoint is None or endpoint.client_id != request.path_params["client_id"]:
            raise ConfigurationError("there is no such endpoint")
        return endpoint

    @staticmethod
    def _back(app: App) -> Response:
        return see_other(f"/developer/{app.client_id}")


def _named(form: dict[str, str], prefix: str) -> list[str]:
    """The names of ticked boxes."""
    return [name.removeprefix(prefix) for name in form if name.startswith(prefix)]
