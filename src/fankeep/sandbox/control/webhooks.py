"""The part of the control API that is about webhooks and about acting as a fan."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fankeep.sandbox.control.actions import Action, app_of
from fankeep.sandbox.control.deeds import Deed, act_as_fan
from fankeep.sandbox.control.wanted import ControlError, Wanted
from fankeep.sandbox.endpoints import Delivery, Endpoint
from fankeep.sandbox.forging import Forge
from fankeep.sandbox.json import Json, JsonObject
from fankeep.sandbox.passing import settle
from fankeep.sandbox.payloads import TOPICS, sample_scene
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.world import Creator, Fan

__all__ = ["WEBHOOK_ACTIONS"]


async def add_endpoint(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """Add a webhook endpoint; the app's signing secret is in this answer."""
    topics = wanted.texts("topics")
    endpoint_id = sandbox.add_endpoint(
        app_of(sandbox, wanted).client_id,
        wanted.needed_text("url"),
        topics=None if topics is None else frozenset(topics),
    )
    endpoint = _endpoint(sandbox, endpoint_id)
    return {**endpoint.as_json(), "secret": endpoint.secret.reveal()}


async def edit_endpoint(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """Switch an endpoint on or off."""
    endpoint = _endpoint(sandbox, wanted.needed_text("id"))
    endpoint.enabled = wanted.flag("enabled", default=endpoint.enabled)
    return endpoint.as_json()


async def remove_endpoint(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """Delete an endpoint."""
    return {"removed": sandbox.endpoints.remove(wanted.needed_text("id"))}


async def fire(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """Send test events to the endpoints, whether or not the creator has connected the app."""
    topic = wanted.needed_text("event")
    if topic not in TOPICS:
        raise ControlError(f"event: expected one of {', '.join(TOPICS)}")
    creator = sandbox.creator(wanted.text("creator"))
    forge = wanted.optional_choice("forge", Forge)
    chosen = wanted.text("endpoint")
    if chosen is None:
        targets = [endpoint for endpoint in sandbox.endpoints if endpoint.enabled]
    else:
        targets = [_endpoint(sandbox, chosen)]
    if not targets:
        raise ControlError("endpoint: there is none that is on")
    sent: list[Delivery] = []
    for _ in range(wanted.count("count")):
        scene = sample_scene(sandbox.world, creator, sandbox.world.dice, now=sandbox.now())
        sent += sandbox.sender.publish(topic, scene, targets, forge=forge)
    originals = list(sent)
    for _ in range(wanted.count("copies") - 1):
        sent += [copy for delivery in originals for copy in _again(sandbox, delivery)]
    return await _told(sandbox, wanted, sent)


async def resend(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """Send an event again under the same id, as Fanvue's retries do."""
    event_id = wanted.needed_text("event_id")
    found = {delivery.endpoint_id: delivery for delivery in sandbox.endpoints.find(event_id=event_id)}
    if not found:
        raise ControlError("event_id: no such event")
    again = [copy for delivery in found.values() for copy in _again(sandbox, delivery)]
    return await _told(sandbox, wanted, again)


async def act(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """Do something as a fan, after what was due before."""
    settle(sandbox)
    creator = sandbox.creator(wanted.text("creator"))
    deed = wanted.choice("do", Deed)
    name = wanted.text("fan")
    fan = _somebody_for(deed, sandbox, creator) if name is None else sandbox.world.fan(name)
    if fan is None:
        raise ControlError("fan: no such fan")
    deliveries = act_as_fan(sandbox, deed, creator, fan, wanted)
    return {"fan": fan.uuid, **await _told(sandbox, wanted, deliveries)}


def _somebody_for(deed: Deed, sandbox: Sandbox, creator: Creator) -> Fan:
    """The creator's first follower; for a visit somebody who does not follow yet, as long as there is one."""
    if deed is Deed.VISIT:
        strangers = (fan for fan in sandbox.world.fans.values() if fan not in creator.followers)
        return next(strangers, creator.followers[0])
    return creator.followers[0]


def _again(sandbox: Sandbox, delivery: Delivery) -> list[Delivery]:
    return sandbox.sender.resend(_endpoint(sandbox, delivery.endpoint_id), delivery)


def _endpoint(sandbox: Sandbox, endpoint_id: str) -> Endpoint:
    endpoint = sandbox.endpoints.get(endpoint_id)
    if endpoint is None:
        raise ControlError("no such endpoint")
    return endpoint


async def _told(sandbox: Sandbox, wanted: Wanted, deliveries: list[Delivery]) -> JsonObject:
    """The deliveries; with ``wait`` only once each has been tried."""
    if wanted.flag("wait", default=False):
        await sandbox.sender.settle(deliveries)
    return {"deliveries": [_shown(sandbox, delivery) for delivery in deliveries]}


def _shown(sandbox: Sandbox, delivery: Delivery) -> Json:
    endpoint = sandbox.endpoints.get(delivery.endpoint_id)  # which may have been removed meanwhile
    return {**delivery.as_json(), "url": None if endpoint is None else endpoint.url}


WEBHOOK_ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "endpoints": add_endpoint,
        "endpoints/edit": edit_endpoint,
        "endpoints/remove": remove_endpoint,
        "fire": fire,
        "resend": resend,
        "act": act,
    }
)
