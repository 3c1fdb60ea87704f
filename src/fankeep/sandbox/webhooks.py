"""Sends webhooks: signed, retried with backoff, each delivery in a task of its own."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from functools import partial
from typing import ClassVar, TypeAlias

from fankeep.errors import TransportError
from fankeep.sandbox.clock import SandboxClock
from fankeep.sandbox.dice import Dice
from fankeep.sandbox.endpoints import Attempt, Delivery, Endpoint
from fankeep.sandbox.fault_book import FaultBook
from fankeep.sandbox.faults import Fault, FaultKind, Target
from fankeep.sandbox.forging import Forge, SignedBody, Signer, signed_bodies
from fankeep.sandbox.journal import Entry, Journal, Kind
from fankeep.sandbox.json import encode_json
from fankeep.sandbox.overtaking import Overtaking
from fankeep.sandbox.payloads import TOPICS, Scene
from fankeep.sandbox.settings import SandboxSettings
from fankeep.transport import Transport
from fankeep.types import HttpRequest

__all__ = ["WebhookSender", "webhook_request"]

_CLOSING_SECONDS = 5.0
_AT_ONCE = 64
_FORGES = {FaultKind(forge): forge for forge in Forge if forge is not Forge.REPLAY}

_Befall: TypeAlias = Callable[[Target, str | None, Entry], None]


def webhook_request(
    url: str, signed: SignedBody, *, topic: str, event_id: str, topic_headers: bool
) -> HttpRequest:
    """One delivery as an HTTP request."""
    headers = {"content-type": "application/json", **signed.headers}
    if topic_headers:
        headers |= {"x-fanvue-topic": topic, "x-fanvue-event-id": event_id}
    return HttpRequest("POST", url, headers, signed.body)


class WebhookSender:
    """Carries events to endpoints.

    Args:
        settings: the retry schedule and the disputed facts.
        clock: signs with this time; the waits between attempts are real time.
        transport: the outbound HTTP client.
        journal: gets an entry an attempt.
        faults: what goes wrong with deliveries.
        befall: lets incidents happen before an attempt.
        dice: makes event ids.
    """

    KEPT: ClassVar[tuple[str, ...]] = ("_dice",)

    def __init__(
        self,
        settings: SandboxSettings,
        *,
        clock: SandboxClock,
        transport: Transport,
        journal: Journal,
        faults: FaultBook,
        befall: _Befall,
        dice: Dice,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._transport = transport
        self._journal = journal
        self._faults = faults
        self._befall = befall
        self._overtaking = Overtaking()
        self._dice = dice
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def publish(
        self, topic: str, scene: Scene, endpoints: Iterable[Endpoint], *, forge: Forge | None = None
    ) -> list[Delivery]:
        """Start to send one event to each of the endpoints.

        Returns:
            The deliveries, which fill up with attempts as time goes by.
        """
        event_id = self._dice.uuid()
        scene = replace(scene, at=scene.at + self._clock.skew)
        if topic.startswith("creator.") and not self._settings.switches.message_text:
            scene = replace(scene, text=None)
        body = encode_json(TOPICS[topic].body(scene, event_id=event_id))
        return [
            delivery
            for endpoint in endpoints
            for delivery in self._start(endpoint, topic, event_id, body, forge)
        ]

    def resend(self, endpoint: Endpoint, delivery: Delivery) -> list[Delivery]:
        """Send an event again under the same id, as a retry by the platform would."""
        return self._start(endpoint, delivery.topic, delivery.event_id, delivery.body, None)

    def resume(self, endpoints: Iterable[Endpoint]) -> None:
        """Go on with what a stop of the sandbox interrupted; an attack is not repeated."""
        for endpoint in endpoints:
            for delivery in endpoint.history:
                if not delivery.done and delivery.forge is None:
                    self._spawn(self._deliver(endpoint, delivery, None))

    async def settle(self, deliveries: Iterable[Delivery], *, attempts: int = 1) -> None:
        """Wait until each delivery is done or has had that many attempts; an attack always to its end."""
        for delivery in deliveries:
            enough = math.inf if delivery.forge else attempts
            while not delivery.done and len(delivery.attempts) < enough:  # noqa: ASYNC110 - many may wait
                await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Give up every delivery that is still under way."""
        self._closing = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSING_SECONDS)

    def _start(
        self, endpoint: Endpoint, topic: str, event_id: str, body: bytes, forge: Forge | None
    ) -> list[Delivery]:
        """Begin a delivery, or several of them when a fault says so; an attack is spoiled enough as it is."""
        fault = None if forge else self._faults.take(Target.DELIVERY, topic)
        copies = fault.copies if fault and fault.kind is FaultKind.DUPLICATED else 1
        deliveries: list[Delivery] = []
        for _ in range(copies):
            delivery = Delivery(event_id, topic, endpoint.id, body, self._clock.now(), forge)
            delivery.fault = fault.kind if fault else None
            deliveries.append(delivery)
            if forge is None:
                self._spawn(self._deliver(endpoint, delivery, fault))
            else:
                self._spawn(self._attack(endpoint, delivery, forge))
        endpoint.history.extend(deliveries)
        return deliveries

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, endpoint: Endpoint, delivery: Delivery, fault: Fault | None) -> None:
        """Try until the receiver takes it or the schedule ends; a fault is about the first attempt."""
        sign = self._signing(endpoint, delivery)
        if not delivery.attempts:
            await self._hold_up(endpoint, fault)
            forge = _FORGES.get(fault.kind) if fault else None
            await self._attempt(endpoint, delivery, partial(sign, forge))
        for delay in self._settings.retry_delays[len(delivery.attempts) - 1 :]:
            if delivery.succeeded or not endpoint.enabled or self._closing:
                break
            await asyncio.sleep(delay)
            await self._attempt(endpoint, delivery, partial(sign, None))
        delivery.done = True

    async def _attack(self, endpoint: Endpoint, delivery: Delivery, forge: Forge) -> None:
        """Send what the forge says, each once: an attacker's requests are not retried."""
        signer = self._signer(endpoint, delivery)
        forged = deque(signed_bodies(delivery.body, signer, now=self._clock.told(), forge=forge))
        while forged:
            await self._attempt(endpoint, delivery, forged.popleft)
        delivery.done = True

    async def _hold_up(self, endpoint: Endpoint, fault: Fault | None) -> None:
        if fault is None:
            return
        if fault.kind is FaultKind.LATE:
            await asyncio.sleep(fault.seconds)
        if fault.kind is FaultKind.REORDERED:
            await self._overtaking.wait(endpoint.id, behind=fault.behind, longest=fault.seconds)

    def _signer(self, endpoint: Endpoint, delivery: Delivery) -> Signer:
        switches = self._settings.switches
        standard_id = delivery.event_id if switches.standard_headers else None
        return Signer(endpoint.secret, switches.secret_reading, standard_id)

    def _signing(self, endpoint: Endpoint, delivery: Delivery) -> Callable[[Forge | None], SignedBody]:
        """Signs the attempts of a delivery: each by itself, or all with the time of the first."""
        signer = self._signer(endpoint, delivery)
        first: float | None = None

        def sign(forge: Forge | None) -> SignedBody:
            nonlocal first
            if first is None or self._settings.switches.resign_retries:
                first = self._clock.told()
            return signed_bodies(delivery.body, signer, now=first, forge=forge)[0]

        return sign

    async def _attempt(self, endpoint: Endpoint, delivery: Delivery, sign: Callable[[], SignedBody]) -> None:
        number = len(delivery.attempts) + 1
        at = self._clock.now()
        entry = self._journal.begin(Kind.DELIVERY, "POST", delivery.topic, at=at)
        entry.note(endpoint=endpoint.id, event_id=delivery.event_id, attempt=number, forge=delivery.forge)
        entry.note(fault=delivery.fault if number == 1 else None)
        self._befall(Target.ANY, None, entry)
        self._befall(Target.DELIVERY, delivery.topic, entry)
        request = webhook_request(
            endpoint.url,
            sign(),
            topic=delivery.topic,
            event_id=delivery.event_id,
            topic_headers=self._settings.switches.topic_headers,
        )
        status = await self._send(request)
        entry.outcome = None if status is not None else "no_answer"
        entry.finish(status or 0, at=self._clock.now())
        delivery.attempts.append(Attempt(number, at, status))
        self._overtaking.sent(endpoint.id)

    async def _send(self, request: HttpRequest) -> int | None:
        async with self._slots:
            try:
                answer = await self._transport.send(request, timeout=self._settings.delivery_timeout)
            except (TransportError, ValueError):
                return None
            return answer.status
