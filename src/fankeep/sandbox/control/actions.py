"""What the control API makes happen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import urlsplit

from fankeep.sandbox.apps import App
from fankeep.sandbox.authorization import AuthorizationServer, Reply
from fankeep.sandbox.consents import Login
from fankeep.sandbox.control.wanted import ControlError, Wanted
from fankeep.sandbox.fault_reading import read_fault
from fankeep.sandbox.faults import FaultKind
from fankeep.sandbox.http import parse_form
from fankeep.sandbox.json import Json, JsonObject
from fankeep.sandbox.passing import settle
from fankeep.sandbox.refusals import Refusal, RefusalKind
from fankeep.sandbox.sandbox import Sandbox

__all__ = ["ACTIONS", "Action", "app_of"]

Action: TypeAlias = Callable[[Sandbox, Wanted], Awaitable[JsonObject]]


def app_of(sandbox: Sandbox, wanted: Wanted) -> App:
    """The app that a request names; the first one when it names none.

    Raises:
        ControlError: there is no such app.
    """
    client_id = wanted.text("client_id")
    app = sandbox.apps.first if client_id is None else sandbox.apps.get(client_id)
    if app is None:
        raise ControlError("client_id: no such app")
    return app


async def hold(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """Hold the next answers of the token endpoint back, after the tokens were rotated."""
    sandbox.arm(read_fault({**wanted.members, "kind": FaultKind.HELD.value}))
    return {"held": len(sandbox.faults.held)}


async def release(sandbox: Sandbox, _wanted: Wanted) -> JsonObject:
    """Let the held answers go."""
    return {"released": sandbox.faults.release()}


async def fault(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """Let something go wrong; the members are the keys of a scenario's fault."""
    return sandbox.arm(read_fault(wanted.members)).as_json()


async def clear_faults(sandbox: Sandbox, _wanted: Wanted) -> JsonObject:
    """Let nothing more go wrong."""
    sandbox.faults.disarm()
    return {}


async def clock(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """Move the sandbox's clock on; what is due by then happens at once."""
    seconds = wanted.number("advance", 0.0)
    if seconds < 0:
        raise ControlError("advance: expected 0 seconds or more; the clock does not go back")
    sandbox.clock.advance(seconds)
    settle(sandbox)
    return {"now": sandbox.now(), "clock_offset": sandbox.clock.offset}


async def expire(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """Let the access tokens of one creator, or of all, expire now."""
    name = wanted.text("creator")
    creator = None if name is None else sandbox.creator(name).uuid
    return {"expired": sandbox.tokens.expire_access_tokens(creator=creator, now=sandbox.now())}


async def lifetime(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """Set how long access tokens live that are issued from now on."""
    seconds = wanted.number("seconds", sandbox.settings.access_token_lifetime)
    if seconds <= 0:
        raise ControlError("seconds: expected more than 0")
    sandbox.tokens.access_token_lifetime = seconds
    return {"access_token_lifetime": seconds}


async def withdraw(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """A creator takes an app's access back."""
    creator = sandbox.creator(wanted.text("creator"))
    client_id = app_of(sandbox, wanted).client_id
    return {"ended": sandbox.withdraw(creator=creator.uuid, client_id=client_id)}


async def reset_secret(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """The owner resets an app's secret; the new one is shown in this answer only."""
    app = app_of(sandbox, wanted)
    secret = sandbox.reset_secret(app.client_id).reveal()
    return {"client_id": app.client_id, "client_secret": secret}


async def edit_app(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """The owner changes redirect URIs or enabled scopes; connected creators keep what they granted."""
    app = app_of(sandbox, wanted)
    sandbox.apps.register_redirects(app, wanted.texts("redirect_uris") or app.redirect_uris)
    scopes = wanted.texts("scopes")
    if scopes is not None:
        sandbox.apps.enable_scopes(app, scopes)
    return {
        "client_id": app.client_id,
        "redirect_uris": list(app.redirect_uris),
        "scopes": list[Json](sorted(app.scopes)),
    }


async def approve(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """Do what a creator does on the pages: sign in and decide about an authorization URL."""
    server = AuthorizationServer(sandbox)
    creator = sandbox.creator(wanted.text("creator"))
    try:
        request = server.accept(parse_form(urlsplit(wanted.needed_text("url")).query))
    except (Refusal, ValueError):
        raise ControlError("url: not an authorization request for a registered app") from None
    if isinstance(request, Reply):
        return {"location": request.location}
    if not wanted.flag("allow", default=True):
        return {"location": server.deny(request, RefusalKind.ACCESS_DENIED).location}
    scopes = wanted.texts("scopes")
    login = Login(creator.uuid, sandbox.now())
    reply = server.approve(request, login, request.scopes if scopes is None else scopes)
    return {"location": reply.location}


ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "hold": hold,
        "release": release,
        "faults": fault,
        "faults/clear": clear_faults,
        "clock": clock,
        "expire": expire,
        "lifetime": lifetime,
        "withdraw": withdraw,
        "reset-secret": reset_secret,
        "app": edit_app,
        "approve": approve,
    }
)
