"""What a test does to a sandbox and asks it: people's deeds, faults, the clock, the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Literal, TypeAlias, TypeVar

from fankeep.errors import ConfigurationError
from fankeep.fanvue.scopes import SCOPES
from fankeep.fanvue.strict_json import Json
from fankeep.sandbox import ControlClient
from fankeep.testing.connecting import Client, Connected

__all__ = ["Control", "Deed", "Row"]

Row: TypeAlias = dict[str, Json]
"""One entry of the journal, one grant, one delivery."""

Deed: TypeAlias = Literal[
    "message", "follow", "subscribe", "renewal", "tip", "purchase", "like", "comment", "visit", "online",
    "offline", "refund", "dispute",
]  # fmt: skip

T = TypeVar("T")

_SECONDS = 60.0


class Control:
    """The levers of one sandbox; every call is finished when it returns.

    The calls block. In a test whose own event loop has to answer meanwhile, such as one that receives the
    webhooks it fires with ``wait=True``, call them with ``await asyncio.to_thread(...)``.
    """

    def __init__(
        self,
        client: ControlClient,
        loop: asyncio.AbstractEventLoop,
        *,
        base_url: str,
        client_id: str,
        client_secret: str,
    ) -> None:
        self._client = client
        self._loop = loop
        self._base_url = base_url
        self._client_id = client_id
        self._client_secret = client_secret

    # People

    def connect(self, creator: str | None = None, *, scopes: Iterable[str] | None = None) -> Connected:
        """Let a creator connect the first app, by script, through the real endpoints.

        Args:
            creator: uuid or handle; the first one by default.
            scopes: what the app asks for; everything it has enabled by default.

        Raises:
            ConfigurationError: there is no such creator, or a scope is not enabled.
        """
        state = self.state()
        people, apps = _rows(state["creators"]), _rows(state["apps"])
        person = next((one for one in people if creator in (None, one["uuid"], one["handle"])), None)
        if person is None:
            raise ConfigurationError("the sandbox has no creator of that name")
        app = next(one for one in apps if one["client_id"] == self._client_id)
        enabled = _texts(app, "scopes")
        client = Client(self._base_url, self._client_id, self._client_secret, _texts(app, "redirect_uris")[0])
        wanted = [scope for scope in SCOPES if scope in enabled] if scopes is None else scopes
        callback = self.approve(client.authorization_url(wanted), str(person["uuid"]))
        return client.tokens(callback, creator=str(person["uuid"]))

    def approve(
        self,
        authorization_url: str,
        creator: str | None = None,
        *,
        allow: bool = True,
        scopes: Iterable[str] | None = None,
    ) -> str:
        """Do what a creator does in the browser: sign in and decide about the app's authorization URL.

        Args:
            authorization_url: where the app sent the browser.
            creator: uuid or handle; the first one by default.
            allow: False declines.
            scopes: what the creator agrees to; everything by default.

        Returns:
            Where the browser is sent next: the app's callback with ``code`` or ``error``.
        """
        chosen = None if scopes is None else list[Json](scopes)
        answer = self._do("approve", url=authorization_url, creator=creator, allow=allow, scopes=chosen)
        return str(answer["location"])

    def act(
        self,
        deed: Deed,
        *,
        creator: str | None = None,
        fan: str | None = None,
        text: str | None = None,
        price: int = 500,
        post: str | None = None,
        message: str | None = None,
        link: str | None = None,
        wait: bool = False,
    ) -> list[Row]:
        """Act as a fan; the webhooks of connected creators tell of it.

        Args:
            deed: what the fan does.
            creator: uuid or handle; the first one by default.
            fan: uuid or handle; the creator's first follower by default, and for a visit somebody who does
                not follow yet.
            text: of a message or a comment.
            price: in cents, of a tip, a subscription, or a purchase of what has no price.
            post: uuid of the post to tip for, buy, like or comment on; the newest for the last two.
            message: uuid of the locked message to buy; the newest by default.
            link: uuid of the tracking link to come through; the newest by default.
            wait: return only once every delivery was tried.

        Returns:
            The deliveries.
        """
        return self._deliveries(
            "act",
            do=deed,
            creator=creator,
            fan=fan,
            text=text,
            price=price,
            post=post,
            message=message,
            link=link,
            wait=wait,
        )

    def withdraw(self, creator: str | None = None) -> None:
        """The creator takes the app's access back: 401 and ``invalid_grant`` from now on."""
        self._do("withdraw", creator=creator)

    # Webhooks

    def deliver_to(self, url: str, *, topics: Iterable[str] | None = None) -> str:
        """Add a webhook endpoint to the first app; returns its id.

        Args:
            url: on this machine's loopback.
            topics: the events it wants; all by default.
        """
        chosen = None if topics is None else list[Json](topics)
        answer = self._do("endpoints", url=url, topics=chosen)
        return str(answer["id"])

    def fire(
        self,
        event: str,
        *,
        count: int = 1,
        copies: int = 1,
        forge: str | None = None,
        creator: str | None = None,
        wait: bool = False,
    ) -> list[Row]:
        """Send test events to the endpoints.

        Args:
            event: a topic, such as ``creator.message.received`` or ``tip.new``.
            count: how many different events.
            copies: how often each is delivered.
            forge: how to spoil it: ``unsigned wrong tampered stale future replay``.
            creator: whom it is about; the first creator by default.
            wait: return only once every delivery was tried.

        Returns:
            The deliveries.
        """
        return self._deliveries(
            "fire", event=event, count=count, copies=copies, forge=forge, creator=creator, wait=wait
        )

    def resend(self, event_id: str, *, wait: bool = False) -> list[Row]:
        """Deliver an event again under the same id, as Fanvue's retries do."""
        return self._deliveries("resend", event_id=event_id, wait=wait)

    # The app's registration

    def register(
        self, *, redirect_uris: Iterable[str] | None = None, scopes: Iterable[str] | None = None
    ) -> None:
        """Change the app's redirect URIs or enabled scopes; connected creators keep what they granted."""
        uris = None if redirect_uris is None else list[Json](redirect_uris)
        self._do("app", redirect_uris=uris, scopes=None if scopes is None else list[Json](scopes))

    def reset_secret(self) -> str:
        """Give the app a new client secret; the old one stops working at once."""
        self._client_secret = str(self._do("reset-secret")["client_secret"])
        return self._client_secret

    # What goes wrong, and when

    def fault(self, kind: str, **details: Json) -> None:
        """Let something go wrong; the same as a ``[[fault]]`` of a scenario file.

        Args:
            kind: such as ``lost``, ``status``, ``reordered`` or ``secret_reset``.
            details: the other keys of a fault, such as ``target``, ``skip``, ``count`` or ``chance``.

        Raises:
            ConfigurationError: there is no such fault; the message names the key.
        """
        self._do("faults", kind=kind, **details)

    def clear_faults(self) -> None:
        """Let nothing more go wrong."""
        self._do("faults/clear")

    def hold(self, **details: Json) -> None:
        """Hold the next answers back until ``release``, of the token endpoint by default; as ``fault``."""
        self._do("hold", **details)

    def release(self) -> int:
        """Let the held answers go; returns how many there were."""
        return _number(self._do("release"), "released")

    def expire(self, creator: str | None = None) -> int:
        """Let the access tokens of one creator, or of all, expire now; returns how many."""
        return _number(self._do("expire", creator=creator), "expired")

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock on: tokens age, rate limits refill, webhooks are signed later.

        Raises:
            ConfigurationError: the number is negative; time does not go back.
        """
        self._do("clock", advance=seconds)

    # What happened

    def journal(self, **wanted: str | int) -> list[Row]:
        """Requests and deliveries, oldest first, whose fields or notes have the wanted values.

        Example:
            ``journal(kind="token", grant_type="refresh_token")``

        Raises:
            ConfigurationError: no entry has a field of that name, or is of that kind; the message has those
                that there are.
        """
        return self._rows("journal", **wanted)

    def grants(self) -> list[Row]:
        """Every token chain, with how often each of its refresh tokens was used."""
        return self._rows("grants")

    def deliveries(self, **wanted: str) -> list[Row]:
        """Every delivery with its attempts; of one ``event_id`` or ``endpoint`` when asked so.

        Raises:
            ConfigurationError: deliveries cannot be asked for by a field of that name.
        """
        return self._rows("deliveries", **wanted)

    def state(self) -> Row:
        """Creators, fans, apps, endpoints, armed faults and the clock."""
        shown = self._wait(self._client.show("state"))
        assert isinstance(shown, dict)
        return shown

    def _do(self, action: str, **wanted: Json) -> Row:
        return self._wait(self._client.do(action, **wanted))

    def _deliveries(self, action: str, **wanted: Json) -> list[Row]:
        return _rows(self._do(action, **wanted)["deliveries"])

    def _rows(self, view: str, **wanted: str | int) -> list[Row]:
        return _rows(self._wait(self._client.show(view, **wanted)))

    def _wait(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_SECONDS)


def _rows(value: Json) -> list[Row]:
    assert isinstance(value, list)
    return [row for row in value if isinstance(row, dict)]


def _texts(row: Row, name: str) -> list[str]:
    values = row[name]
    assert isinstance(values, list)
    return [str(value) for value in values]


def _number(row: Row, name: str) -> int:
    value = row[name]
    assert isinstance(value, int)
    return value
