"""One API call on its way through the sandbox, and how it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fankeep.fanvue.operations import Operation
from fankeep.fanvue.schema import Leaf
from fankeep.fanvue.validation import validate
from fankeep.sandbox.json import Json, JsonObject
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.world import Chat, Creator, Fan

__all__ = ["ApiCall", "ApiRefusal"]

_UUID = Leaf("uuid")


class ApiRefusal(Exception):
    """A call that the API refuses; Fanvue's error bodies have several shapes.

    Attributes:
        status: of the answer.
        body: ``{error}``, ``{error, message}``, ``{errors}`` or ``{message}``.
    """

    def __init__(self, status: int, body: JsonObject, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A call that has passed every check.

    Attributes:
        client_id: the app that the token was given to.
        owner: who granted the token.
        creator: for whom the call acts: the owner, or a creator whom the owner manages.
        params: from the path, decoded.
        query: decoded and typed, defaults filled in.
        asked: the names that stood in the query.
        versioned: the path began with ``/v1``.
        by_cursor: lists that have become cursor lists under ``/v1`` are to be such.
    """

    sandbox: Sandbox = field(repr=False)
    operation: Operation
    client_id: str
    owner: Creator
    creator: Creator
    params: Mapping[str, str]
    query: Mapping[str, Json]
    asked: frozenset[str]
    body: JsonObject = field(repr=False)
    versioned: bool
    by_cursor: bool

    @property
    def now(self) -> float:
        """The sandbox's present, in seconds since 1970."""
        return self.sandbox.now()

    def fan(self, uuid: str) -> Fan | None:
        """The fan with this uuid."""
        return self.sandbox.world.fans.get(uuid.lower())

    def chat(self) -> Chat:
        """The creator's chat with the fan of the path.

        Raises:
            ApiRefusal: 404, there is none.
        """
        chat = self.creator.chats.get(self.params["userUuid"].lower())
        if chat is None:
            raise ApiRefusal(404, {"message": "Chat not found"})
        return chat

    def number(self, name: str, default: int) -> int:
        """A whole number of the query."""
        value = self.query.get(name, default)
        return int(value) if isinstance(value, (int, float)) else default

    def named(self, name: str) -> list[str]:
        """A list of words of the query, whether the contract has it as a list or as text with commas."""
        value = self.query.get(name)
        if isinstance(value, list):
            return [str(item) for item in value]
        return [word for word in value.split(",") if word] if isinstance(value, str) else []

    def named_uuids(self, name: str, *, most: int) -> list[str]:
        """Different uuids of the query, in lower case, from text with commas.

        Raises:
            ApiRefusal: 400, one is no uuid, or there are too many.
        """
        words = list(dict.fromkeys(word.lower() for word in self.named(name)))
        if len(words) > most or any(validate(_UUID, word) for word in words):
            raise ApiRefusal(400, {"errors": [f"{name}: expected at most {most} uuids with commas between"]})
        return words

    def text(self, name: str) -> str | None:
        """A text of the body; None when it is missing or null."""
        value = self.body.get(name)
        return value if isinstance(value, str) else None

    def uuids(self, name: str) -> list[str]:
        """A list of uuids of the body, in lower case."""
        value = self.body.get(name)
        return [str(item).lower() for item in value] if isinstance(value, list) else []
