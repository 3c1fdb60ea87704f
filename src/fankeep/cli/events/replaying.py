"""``fankeep events replay``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from fankeep.cli.events.filters import as_digest, as_json, filter_options, made
from fankeep.cli.operating import on_stores, operator
from fankeep.cli.progress import progress_bars

if TYPE_CHECKING:
    from fankeep.inbox.replaying import Batch, Single
    from fankeep.keep.stores import Stores
    from fankeep.store.event_queries import Counted, EventFilter

__all__ = ["command"]

_SHADOW: Final = (
    "an event of another family tells the same, and was or will be handled: a replay may double its effect; "
    "say --shadow if you want that"
)
_TWICE: Final = "it was handled before; its effect may come twice"
_NO_HANDLER: Final = "no_handler"


@click.command(
    "replay",
    epilog="""\b
Examples:
  fankeep events replay 5b0c1f0e8f5d4a0a9c2f6f3f4b1d7e90
  fankeep events replay --state dead --dry-run
  fankeep events replay --state dead --type "creator.payment.*" --since 2d
  fankeep events replay --state handled --since 2026-11-29T14:00Z --until 2026-11-29T15:00Z

It may be ended at any time. Dead letters: run it again. Others are found again as soon as they were handled
again: go on with the --after that was printed.""",
)
@click.argument("event_ids", metavar="[ID]...", nargs=-1)
@filter_options(state=True)
@click.option("--after", type=click.IntRange(0), default=0, metavar="SEQ", help="Go on behind this one.")
@click.option("--shadow", is_flag=True, help="Also events that are kept as `shadow`.")
@click.option("--dry-run", is_flag=True, help="Replay nothing; say how many it would be.")
@as_json
def command(
    *,
    event_ids: tuple[str, ...],
    after: int,
    shadow: bool,
    dry_run: bool,
    as_json: bool,
    **options: object,
) -> None:
    """Have events handled once more: those of the IDs, or all that the options describe.

    Without --state, dead letters are meant. What was handled has its effect once more, that of a two-phase
    handler too, unless the handler looks at `replayed` or knows the id. Each replay is counted on the event
    and written to the trail with your account. An event that is in somebody's hands is taken away from them.
    """
    if bool(event_ids) == (any(options.values()) or after > 0):
        raise click.UsageError("name events by their ids, or describe them by options")
    if event_ids:
        _replay_named(event_ids, shadow=shadow, dry_run=dry_run, as_json=as_json)
        return
    wanted = made(options, state="dead")
    if wanted.state == "shadow" and not shadow:
        raise click.UsageError(_SHADOW)
    if dry_run:
        _say_how_many(wanted, after, as_json=as_json)
    else:
        _Bulk(wanted, after, as_json=as_json).run()


def _replay_named(event_ids: Sequence[str], *, shadow: bool, dry_run: bool, as_json: bool) -> None:
    from fankeep.inbox.replaying import Replays
    from fankeep.keep.settings import Settings

    digests = [as_digest(event_id) for event_id in event_ids]

    async def work(stores: Stores) -> list[tuple[bool, Single]]:
        replays = Replays(stores.data, actor=operator())
        return [
            (await _had_effect(stores, digest), await replays.one(digest, shadow=shadow, dry_run=dry_run))
            for digest in digests
        ]

    outcomes = on_stores(Settings(), work)
    for event_id, (had_effect, outcome) in zip(event_ids, outcomes, strict=True):
        if had_effect:
            click.echo(f"{event_id}: {_TWICE}", err=True)
        if as_json:
            click.echo(json.dumps({"id": event_id, "outcome": outcome, "dry_run": dry_run}))
        elif outcome == "replayed":
            click.echo(f"{'would replay' if dry_run else 'replayed'} {event_id}")
        else:
            told = _SHADOW if outcome == "shadow" else "there is no event of this id"
            click.echo(f"fankeep: {event_id}: {told}", err=True)
    click.get_current_context().exit(0 if {outcome for _, outcome in outcomes} == {"replayed"} else 1)


async def _had_effect(stores: Stores, digest: bytes) -> bool:
    from fankeep.store import event_queries

    found = await stores.data.read(lambda tx: event_queries.load(tx, digest))
    return found is not None and found.state == "handled" and found.reason != _NO_HANDLER


def _say_how_many(wanted: EventFilter, after: int, *, as_json: bool) -> None:
    from fankeep.keep.settings import Settings

    async def work(stores: Stores) -> Counted:
        return await _counted(stores, wanted, after)

    found = on_stores(Settings(), work)
    if as_json:
        click.echo(json.dumps({"would_replay": found.events, "without_payload": found.without_payload}))
    else:
        click.echo(f"would replay {found.events} events")
        _say_what_is_gone(found)


class _Bulk:
    """A replay of many, and how far it has come."""

    def __init__(self, wanted: EventFilter, after: int, *, as_json: bool) -> None:
        self._wanted = wanted
        self._through = after
        self._count = 0
        self._begun = False
        self._as_json = as_json

    def run(self) -> None:
        from fankeep.keep.settings import Settings

        try:
            found = on_stores(Settings(), self._work)
        except BaseException:
            if self._begun:
                self._say()
            raise
        self._say()
        _say_what_is_gone(found)

    def _say(self) -> None:
        if self._as_json:
            click.echo(json.dumps({"replayed": self._count, "through": self._through}))
        else:
            click.echo(f"replayed {self._count} events, up to --after {self._through}")

    async def _work(self, stores: Stores) -> Counted:
        from fankeep.inbox.replaying import Replays

        found = await _counted(stores, self._wanted, self._through)
        self._begun = True
        with progress_bars() as bars:
            advance = bars.step("replaying", found.events)

            def done(batch: Batch) -> None:
                self._count += batch.count
                self._through = batch.through
                advance(batch.count)

            await Replays(stores.data, actor=operator()).all(self._wanted, after=self._through, done=done)
        return found


async def _counted(stores: Stores, wanted: EventFilter, after: int) -> Counted:
    from fankeep.store import event_queries

    return await stores.data.read(lambda tx: event_queries.count(tx, wanted, after=after))


def _say_what_is_gone(found: Counted) -> None:
    if found.without_payload:
        click.echo(
            f"{found.without_payload} of them have no payload any more: handlers get empty data", err=True
        )
