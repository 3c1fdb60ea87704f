"""What is stored about one fan of one creator: to hand it over, and to erase it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from fankeep.datakeys import DataKeys
from fankeep.errors import ConfigurationError, SealError
from fankeep.inbox.identity import event_id, index_of_fan
from fankeep.inbox.payload import open_payload
from fankeep.policy import Json
from fankeep.sealing import Mac, mac
from fankeep.store import Database, Transaction, fan_events, trail, users
from fankeep.store.events import State
from fankeep.store.fan_events import FanRow
from fankeep.telemetry import alarm, get_logger
from fankeep.types import UserId

__all__ = ["BackUps", "FanErased", "FanEvent", "Fans"]

_DAY: Final = 86_400.0
_PAGE: Final = 500
_SUBJECT_BYTES: Final = 16

log = get_logger("fankeep.privacy")


@dataclass(frozen=True, slots=True)
class FanEvent:
    """One event about a fan, as it is stored.

    Attributes:
        id: 32 hex digits.
        occurred_at: seconds since 1970, as Fanvue said; ``received_at`` is by the database's clock.
        state: what became of it.
        data: the fields that were kept, opened; None when they do not open. Hidden from ``repr``.
        dropped: names of the fields that came and were not kept.
    """

    id: str
    type: str
    family: str
    occurred_at: float | None
    received_at: float
    state: State
    data: Mapping[str, Json] | None = field(repr=False)
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BackUps:
    """For how many days the operator keeps back-ups, as far as the settings say."""

    data_days: int | None = None
    keys_days: int | None = None


@dataclass(frozen=True, slots=True)
class FanErased:
    """The receipt of an erasure.

    Attributes:
        subject: a keyed digest of creator and fan, the same as on the trail; nobody can be found by it.
        creator: whose fan it was.
        events: how many events had something about the fan.
        erased_at: seconds since 1970, by the database's clock.
        in_data_back_ups_until: when the last back-up of the data that holds it expires; None if the settings
            do not say for how long they are kept. One that is restored before is erased again.
        in_key_back_ups_until: when the last back-up of the keys expires that does not know of the erasure: a
            restore of that one, and of such data, would bring it back.
    """

    subject: str
    creator: UserId
    events: int
    erased_at: float
    in_data_back_ups_until: float | None
    in_key_back_ups_until: float | None


class Fans:
    """Export and erasure, one fan at a time.

    Args:
        data: the data database.
        datakeys: open what was sealed; their ledger keeps an erasure from being undone by a back-up.
        back_ups: for how long they are kept, for receipts.
    """

    def __init__(self, data: Database, datakeys: DataKeys, back_ups: BackUps | None = None) -> None:
        self._data = data
        self._keys = datakeys
        self._back_ups = back_ups or BackUps()
        self._fans = Mac(datakeys.installation.key("fan-index"))
        self._trail_key = datakeys.installation.key("trail")

    async def events(self, creator: UserId, fan: str, *, actor: str) -> AsyncIterator[FanEvent]:
        """Open every stored event about a fan, in the order in which they came; a line on the trail says so.

        Args:
            creator: whose fan it is.
            fan: the fan's uuid.
            actor: who asked for it, as the trail has it.

        Raises:
            ConfigurationError: the creator is not known here.
            RetryableError: the database or the key service did not answer.
        """
        await self._known(creator)
        subject = self._subject(creator, fan)
        await self._data.write(
            lambda tx: trail.note(tx, actor=actor, action="fan_exported", subject=subject, outcome="begun")
        )
        index, after = index_of_fan(self._fans, creator, fan), 0
        while rows := await self._page(index, after):
            for row in rows:
                yield await self._opened(creator, row)
            after = rows[-1].seq

    async def erase(self, creator: UserId, fan: str, *, actor: str) -> FanErased:
        """Take what is personal out of every stored event about a fan.

        What stays of an event says that one of this type came, and when. What comes later is stored again.

        Args:
            creator: whose fan it is.
            fan: the fan's uuid.
            actor: who asked for it, as the trail has it.

        Raises:
            ConfigurationError: the creator is not known here.
            RetryableError: it is not done; do it again.

        Security:
            The ledger comes first: whatever happens after, a restored back-up is erased again.
        """
        await self._known(creator)
        index = index_of_fan(self._fans, creator, fan)
        subject = self._subject(creator, fan)
        await self._keys.ledger.note("fan", index.hex())

        async def work(tx: Transaction) -> tuple[int, float]:
            events = await fan_events.erase(tx, index)
            outcome = f"events={events}"
            await trail.note(tx, actor=actor, action="fan_erased", subject=subject, outcome=outcome)
            return events, await fan_events.clock(tx)

        # What was accepted and is being stored at this moment goes as well.
        events, erased_at = await self._data.write(work, deliveries="held_up")
        log.info("fan_erased", subject=subject, events=events)
        return FanErased(
            subject,
            creator,
            events,
            erased_at,
            _later(erased_at, self._back_ups.data_days),
            _later(erased_at, self._back_ups.keys_days),
        )

    def _subject(self, creator: UserId, fan: str) -> str:
        return mac(self._trail_key, "fan", creator, fan)[:_SUBJECT_BYTES].hex()

    async def _known(self, creator: UserId) -> None:
        if await self._data.read(lambda tx: users.load(tx, creator)) is None:
            raise ConfigurationError("no creator of this id was ever connected: see `fankeep grants list`")

    async def _page(self, index: bytes, after: int) -> list[FanRow]:
        return await self._data.read(lambda tx: fan_events.page(tx, index, after=after, limit=_PAGE))

    async def _opened(self, creator: UserId, row: FanRow) -> FanEvent:
        return FanEvent(
            id=event_id(row.digest),
            type=row.type,
            family=row.family,
            occurred_at=row.occurred_at,
            received_at=row.received_at,
            state=row.state,
            data=await self._data_of(creator, row),
            dropped=tuple(row.dropped.split()),
        )

    async def _data_of(self, creator: UserId, row: FanRow) -> Mapping[str, Json] | None:
        if row.payload is None:
            return {}
        try:
            return await open_payload(
                self._keys,
                creator,
                event_id(row.digest),
                row.payload,
                family=row.family,
                type_name=row.type,
            )
        except SealError:
            alarm("seal_failure", table="events", creator=creator)
            return None


def _later(moment: float, days: int | None) -> float | None:
    return None if days is None else moment + days * _DAY
