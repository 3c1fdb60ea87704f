"""Which parts of a sandbox are kept, and how they get into the file and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Protocol

from fankeep.sandbox.apps import App, AppBook
from fankeep.sandbox.clock import SandboxClock
from fankeep.sandbox.codes import Authorization, CodeBook, IssuedCode
from fankeep.sandbox.consents import ConsentBook
from fankeep.sandbox.endpoints import Attempt, Delivery, Endpoint, EndpointBook
from fankeep.sandbox.fault_book import ArmedFault, FaultBook
from fankeep.sandbox.faults import Fault, FaultKind, Moment, Target
from fankeep.sandbox.forging import Forge
from fankeep.sandbox.issuer import Issuer
from fankeep.sandbox.journal import Journal
from fankeep.sandbox.json import JsonObject
from fankeep.sandbox.rate_limit import RateLimiter
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.state.file import StateFile
from fankeep.sandbox.state.graph import Classes, read_graph, write_graph
from fankeep.sandbox.tokens import AccessToken, Chain, EndReason, RefreshToken, TokenBook, TokenPair
from fankeep.sandbox.webhooks import WebhookSender
from fankeep.sandbox.world import (
    AppPlan,
    AppSubscription,
    Chat,
    Collection,
    Comment,
    Content,
    Creator,
    CustomList,
    Entitlement,
    Fan,
    Folder,
    Like,
    MassMessage,
    Media,
    MediaLink,
    Message,
    Notification,
    Payment,
    Post,
    Subscription,
    TeamMember,
    Template,
    TrackingLink,
    Upload,
    Visit,
    World,
)

__all__ = ["Keeper", "Saved"]


class _Part(Protocol):
    """A part of a sandbox that says which of its attributes are kept."""

    KEPT: ClassVar[tuple[str, ...]]


_PARTS: Mapping[str, type[_Part]] = MappingProxyType(
    {
        "world": World,
        "clock": SandboxClock,
        "issuer": Issuer,
        "apps": AppBook,
        "consents": ConsentBook,
        "codes": CodeBook,
        "tokens": TokenBook,
        "endpoints": EndpointBook,
        "sender": WebhookSender,
        "faults": FaultBook,
        "limiter": RateLimiter,
        "journal": Journal,
    }
)
"""The kept attributes of a sandbox, and what they are."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What stands in a file.

    Attributes:
        seed: of the world.
        app: the app that the sandbox was first started with.
        parts: the kept attributes of each part.
    """

    seed: int
    app: App
    parts: dict[str, dict[str, object]]


_CLASSES: Classes = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            *(Saved, App, Authorization, IssuedCode, AccessToken, RefreshToken, TokenPair, Chain, EndReason),
            *(Creator, Fan, TeamMember, Chat, Message, Payment, Subscription, Notification),
            *(Content, Post, Comment, Like, Collection, Media, MediaLink, Upload, Entitlement, Folder),
            *(CustomList, Template, MassMessage, TrackingLink, Visit),
            *(AppPlan, AppSubscription),
            *(Endpoint, Delivery, Attempt, Forge),
            *(ArmedFault, Fault, FaultKind, Moment, Target),
        )
    }
)


class Keeper:
    """Keeps a sandbox in a file.

    Args:
        file: where; read at once.

    Attributes:
        saved: what stood in the file; None when there was none.

    Raises:
        ConfigurationError: there is a file, and it is not a good one.
    """

    def __init__(self, file: StateFile) -> None:
        self._file = file
        content = file.read()
        self.saved = None if content is None else self._understood(content)

    def restore(self, sandbox: Sandbox) -> None:
        """Put what was read into a sandbox; without a file, write the first one.

        Raises:
            ConfigurationError: the file cannot be written, or another version has written it.
        """
        if self.saved is not None:
            self._put(self.saved, sandbox)
            sandbox.go_on()
        self.save(sandbox)

    def save(self, sandbox: Sandbox) -> None:
        """Write everything down.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        parts = {
            name: {attribute: getattr(getattr(sandbox, name), attribute) for attribute in kind.KEPT}
            for name, kind in _PARTS.items()
        }
        saved = Saved(sandbox.settings.seed, sandbox.apps.first, parts)
        self._file.write(write_graph(saved, _CLASSES))

    def _put(self, saved: Saved, sandbox: Sandbox) -> None:
        try:
            for name, attributes in saved.parts.items():
                for attribute, value in attributes.items():
                    setattr(getattr(sandbox, name), attribute, value)
        except ValueError:
            raise self._file.refused("it was written by another version") from None

    def _understood(self, content: JsonObject) -> Saved:
        try:
            saved = read_graph(content, _CLASSES)
        except ValueError:
            saved = None
        if not isinstance(saved, Saved) or _shape(saved) != {
            name: kind.KEPT for name, kind in _PARTS.items()
        }:
            raise self._file.refused("it was written by another version")
        return saved


def _shape(saved: Saved) -> dict[str, tuple[str, ...]]:
    return {name: tuple(attributes) for name, attributes in saved.parts.items()}
