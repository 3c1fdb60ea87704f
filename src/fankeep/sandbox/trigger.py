"""The engine of ``fankeep trigger``: send events, genuine or forged, through a sandbox or without one."""

from __future__ import annotations

import time
from dataclasses import dataclass

from fankeep.errors import ConfigurationError, TransportError
from fankeep.sandbox.control_client import ControlClient
from fankeep.sandbox.dice import Dice
from fankeep.sandbox.forging import Forge, Signer, signed_bodies
from fankeep.sandbox.json import Json, encode_json
from fankeep.sandbox.payloads import TOPICS, sample_scene
from fankeep.sandbox.webhooks import webhook_request
from fankeep.sandbox.world import make_world
from fankeep.secret import Secret
from fankeep.transport import Transport

__all__ = ["Trigger", "Triggered", "send_directly", "send_through_sandbox"]

_SECONDS = 10.0
_REFUSED = frozenset(forge.value for forge in Forge if forge is not Forge.REPLAY)


@dataclass(frozen=True, slots=True)
class Trigger:
    """What to send.

    Attributes:
        event: a topic such as ``creator.message.received`` or ``message.received``.
        count: how many different events.
        forge: how to spoil them; None for genuine ones.
        creator: uuid or handle of the creator; the first one by default.
    """

    event: str
    count: int = 1
    forge: Forge | None = None
    creator: str | None = None

    def __post_init__(self) -> None:
        if self.event not in TOPICS:
            raise ConfigurationError(f"there is no such event; the events are: {', '.join(TOPICS)}")
        if self.count < 1:
            raise ConfigurationError("the count must be at least 1")


@dataclass(frozen=True, slots=True)
class Triggered:
    """One request that was sent.

    Attributes:
        status: of the answer; None when there was none.
        url: of the receiver; None when its endpoint is gone.
        forge: how it was spoiled on purpose, if it was.
        fault: the armed fault that struck it, if one did.
    """

    event_id: str
    status: int | None
    url: str | None
    forge: str | None = None
    fault: str | None = None

    @property
    def forged(self) -> bool:
        """Whether a receiver has to refuse it; a replay it has seen before, and may take."""
        return any(spoiled in _REFUSED for spoiled in (self.forge, self.fault))

    @property
    def right(self) -> bool:
        """Whether the answer is the right one: 4xx to a forged request, 2xx to any other."""
        return self.status is not None and self.status // 100 == (4 if self.forged else 2)


async def send_through_sandbox(trigger: Trigger, control: ControlClient) -> list[Triggered]:
    """Let a running sandbox send to its endpoints.

    Raises:
        ConfigurationError: the sandbox refuses, for example because it has no endpoint.
        TransportError: the sandbox does not answer.
    """
    answer = await control.do(
        "fire",
        event=trigger.event,
        count=trigger.count,
        forge=trigger.forge.value if trigger.forge else None,
        creator=trigger.creator,
        wait=True,
    )
    deliveries = answer.get("deliveries")
    rows = deliveries if isinstance(deliveries, list) else []
    return [result for row in rows if isinstance(row, dict) for result in _attempts(row)]


async def send_directly(
    trigger: Trigger, *, to: str, secret: Secret[str], transport: Transport, seed: int = 1
) -> list[Triggered]:
    """Send without a sandbox, signed with a given secret.

    Args:
        trigger: what to send.
        to: the receiver's URL.
        secret: the signing secret that the receiver knows.
        transport: the outbound HTTP client.
        seed: of the made-up people in the events.

    Raises:
        ConfigurationError: there is no such creator.
    """
    now = time.time()
    world = make_world(seed, now=now)
    creator = world.first_creator if trigger.creator is None else world.creator(trigger.creator)
    if creator is None:
        raise ConfigurationError("there is no such creator")
    dice = Dice(seed, "trigger", str(now))
    sent: list[Triggered] = []
    for _ in range(trigger.count):
        event_id = dice.uuid()
        scene = sample_scene(world, creator, dice, now=now)
        body = encode_json(TOPICS[trigger.event].body(scene, event_id=event_id))
        for signed in signed_bodies(body, Signer(secret), now=now, forge=trigger.forge):
            request = webhook_request(to, signed, topic=trigger.event, event_id=event_id, topic_headers=True)
            try:
                status: int | None = (await transport.send(request, timeout=_SECONDS)).status
            except TransportError:
                status = None
            sent.append(Triggered(event_id, status, to, trigger.forge))
    return sent


def _attempts(row: dict[str, Json]) -> list[Triggered]:
    attempts = row.get("attempts")
    return [
        Triggered(
            event_id=str(row.get("event_id")),
            status=status if isinstance(status, int) else None,
            url=_text(row.get("url")),
            forge=_text(row.get("forge")),
            fault=_text(row.get("fault")) if attempt.get("number") == 1 else None,  # its retries are good
        )
        for attempt in (attempts if isinstance(attempts, list) else [])
        if isinstance(attempt, dict)
        for status in [attempt.get("status")]
    ]


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
