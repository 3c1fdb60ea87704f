"""Which webhooks tell of what happens, and which apps may hear them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from fankeep.sandbox.consents import ConsentBook
from fankeep.sandbox.endpoints import Delivery, Endpoint, EndpointBook
from fankeep.sandbox.payloads import TOPICS, Scene
from fankeep.sandbox.settings import EventScopes
from fankeep.sandbox.webhooks import WebhookSender

__all__ = ["Happening", "Teller"]


class Happening(StrEnum):
    """Something that somebody did, or that time brought."""

    MESSAGE = "message"
    MESSAGE_SENT = "message_sent"
    MESSAGES_READ = "messages_read"
    MESSAGE_DELETED = "message_deleted"
    FOLLOW = "follow"
    SUBSCRIBE = "subscribe"
    RENEWAL = "renewal"
    RENEWAL_SWITCHED = "renewal_switched"
    SUBSCRIPTION_END = "subscription_end"
    TIP = "tip"
    PURCHASE = "purchase"
    REFUND = "refund"
    DISPUTE = "dispute"
    LIKE = "like"
    COMMENT = "comment"
    PRESENCE = "presence"


_TOPICS: Mapping[Happening, tuple[str, ...]] = MappingProxyType(
    {
        Happening.MESSAGE: ("message.received", "creator.message.received"),
        Happening.MESSAGE_SENT: ("creator.message.sent",),
        Happening.MESSAGES_READ: ("message.read", "creator.message.read"),
        Happening.MESSAGE_DELETED: ("creator.message.deleted",),
        Happening.FOLLOW: ("follow.new", "creator.follow.created"),
        Happening.SUBSCRIBE: (
            "subscription.new",
            "creator.subscription.activated",
            "creator.payment.succeeded",
        ),
        Happening.RENEWAL: ("creator.subscription.renewed", "creator.payment.succeeded"),
        Happening.RENEWAL_SWITCHED: ("creator.subscription.cancel_at_period_end_changed",),
        Happening.SUBSCRIPTION_END: ("creator.subscription.deactivated",),
        Happening.TIP: ("tip.new", "creator.payment.succeeded"),
        Happening.PURCHASE: ("purchase.new", "creator.payment.succeeded"),
        Happening.REFUND: ("creator.refund.created",),
        Happening.DISPUTE: ("creator.dispute.created",),
        Happening.LIKE: ("creator.post.liked",),
        Happening.COMMENT: ("creator.post.commented",),
        Happening.PRESENCE: ("creator.fan.presence_changed",),
    }
)


class Teller:
    """Publishes what happened to the apps that may hear of it.

    Only apps that the creator has connected hear anything, and of these only the ones to which the creator
    has granted the scope that the event needs.
    """

    def __init__(
        self,
        *,
        endpoints: EndpointBook,
        consents: ConsentBook,
        sender: WebhookSender,
        scopes: EventScopes,
    ) -> None:
        self._endpoints = endpoints
        self._consents = consents
        self._sender = sender
        self._scopes = scopes

    def tell(self, happening: Happening, scene: Scene) -> list[Delivery]:
        """Start the deliveries of every event that tells of it."""
        deliveries: list[Delivery] = []
        for topic in _TOPICS[happening]:
            listeners = self._listeners(topic, scene.creator.uuid)
            if listeners:
                deliveries += self._sender.publish(topic, scene, listeners)
        return deliveries

    def _listeners(self, topic: str, creator: str) -> list[Endpoint]:
        apps = {app for app in self._consents.apps_of(creator) if self._may_hear(topic, creator, app)}
        return [
            endpoint
            for endpoint in self._endpoints
            if endpoint.enabled
            and topic in endpoint.topics
            and endpoint.client_id in apps
            and endpoint.creator in (None, creator)
        ]

    def _may_hear(self, topic: str, creator: str, client_id: str) -> bool:
        needed = TOPICS[topic].scope(self._scopes)
        return needed is None or needed in self._consents.granted(creator=creator, client_id=client_id)
