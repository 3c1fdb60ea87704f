"""``fankeep keys``: the keys that wrap every other key, from their making to their end."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from fankeep.cli.operating import on_stores, span
from fankeep.cli.progress import progress_bars

if TYPE_CHECKING:
    from fankeep.datakeys import Compromise, KekStatus, Rewrap, Rotation
    from fankeep.instances import Instance, Instances
    from fankeep.keep.stores import Stores
    from fankeep.types import KeyId

__all__ = ["command"]

T = TypeVar("T")

_FASTEST = 100_000
_as_json = click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")
_rate = click.option(
    "--rate",
    type=click.IntRange(1, _FASTEST),
    default=500,
    show_default=True,
    help="At most so many keys or values a second, so that replicas go on at their speed.",
)


@click.group(
    epilog="""\b
Examples, in the order of a rotation:
  fankeep keys add --file /etc/fankeep/keys.json
  fankeep keys status
  fankeep keys promote kek-20261124-5f0c9a1e
  fankeep keys rewrap
  fankeep keys retire kek-20251124-0d6c1f3b --file /etc/fankeep/keys.json"""
)
def command() -> None:
    """Make, promote, rewrap and retire the keys that wrap every other key.

    Whoever has such a key and the key database can open the data: keep the keys apart from both databases
    and from their back-ups, and keep a copy of them; without them nothing can be opened again.
    """


@command.command(
    epilog="""\b
Examples:
  fankeep keys add --file keys.json
  fankeep keys add --file keys.json --json"""
)
@click.option(
    "--file",
    "path",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The key file; made when it is not there, readable by its owner only. Keys in it stay.",
)
@_as_json
def add(path: Path, *, as_json: bool) -> None:
    """Make a new key, in a new key file or in one that is in use.

    It wraps nothing until it is promoted. For AWS KMS and Vault make the key there and name it in
    FANKEEP_KEYS.
    """
    from fankeep.kms import add_to_key_file

    key_id = add_to_key_file(path)
    if as_json:
        click.echo(json.dumps({"file": str(path), "key_id": key_id}))
    else:
        click.echo(f"made key {key_id} in {path}; keep a copy of the file in a safe place")


@command.command(
    epilog="""\b
Examples:
  fankeep keys status
  fankeep keys status --json"""
)
@_as_json
def status(*, as_json: bool) -> None:
    """Show every key, what it wraps, and which living replicas lack it."""
    keys = _on_rotation(lambda rotation: rotation.status())
    if as_json:
        click.echo(json.dumps({"keys": [asdict(key) for key in keys]}))
    else:
        _print_status(keys)


@command.command(
    epilog="""\b
Examples:
  fankeep keys promote kek-20261124-5f0c9a1e
  fankeep keys promote arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"""
)
@click.argument("key")
@_as_json
def promote(key: str, *, as_json: bool) -> None:
    """Let KEY wrap new data keys from now on; what others have wrapped stays readable.

    Refuses while a living replica lacks the key, and when the key does not do its work.
    """
    from fankeep.types import KeyId

    late = _on_rotation(lambda rotation: rotation.promote(KeyId(key)))
    if as_json:
        click.echo(json.dumps({"primary": key, "lacking": list(late)}))
    else:
        click.echo(f"{key} is the primary key; `fankeep keys rewrap` puts everything under it")
    for replica in late:
        click.echo(f"fankeep: {replica} started meanwhile without this key: restart it with it", err=True)


@command.command(
    epilog="""\b
Examples:
  fankeep keys rewrap
  fankeep keys rewrap --rate 50 --json

It may be ended at any time and run again: it goes on where it was."""
)
@_rate
@_as_json
def rewrap(*, rate: int, as_json: bool) -> None:
    """Put every data key under the primary key, while replicas go on.

    Exits with 0 when nothing is under another key any more, counted while nothing could be put there.
    """
    with progress_bars() as progress:
        done = _on_rotation(lambda rotation: rotation.rewrap(progress, per_second=rate))
    if as_json:
        click.echo(json.dumps(asdict(done)))
    else:
        click.echo(f"{done.rewrapped} data keys are under {done.primary} now; left under others: {done.left}")
    _report_damage(done)
    click.get_current_context().exit(1 if done.left else 0)


@command.command(
    epilog="""\b
Examples:
  fankeep keys retire kek-20251124-0d6c1f3b
  fankeep keys retire kek-20251124-0d6c1f3b --file /etc/fankeep/keys.json

Back-ups of the key database from before the last rewrap still need the key: keep your copy of it until
the last of them has expired."""
)
@click.argument("key")
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Take the key out of this key file as well.",
)
@_as_json
def retire(key: str, *, path: Path | None, as_json: bool) -> None:
    """Take KEY out of use for good; refuses while anything needs it."""
    from fankeep.kms import remove_from_key_file
    from fankeep.types import KeyId

    _on_rotation(lambda rotation: rotation.retire(KeyId(key)))
    if path is not None:
        remove_from_key_file(path, KeyId(key))
    if as_json:
        click.echo(json.dumps({"retired": key, "file": None if path is None else str(path)}))
    else:
        rest = "take it out of FANKEEP_KEYS" if path is None else f"it is not in {path} any more"
        click.echo(f"{key} is out of use; {rest}")


@command.command(
    epilog="""\b
Examples:
  fankeep keys compromise kek-20251124-0d6c1f3b
  fankeep keys compromise kek-20251124-0d6c1f3b --to kek-20261124-5f0c9a1e --rate 2000

It may be ended at any time and run again: it goes on where it was."""
)
@click.argument("key")
@click.option("--to", "successor", help="The key that takes its place, when several could.")
@_rate
@_as_json
def compromise(key: str, *, successor: str | None, rate: int, as_json: bool) -> None:
    """Replace all that somebody may have who has KEY: promote another key, rewrap, renew, seal again.

    Every creator gets a new data key, and what was sealed under the old ones is sealed again, while replicas
    go on. Exits with 0 when nothing is left under a data key that KEY may have wrapped.
    """
    from fankeep.types import KeyId

    to = None if successor is None else KeyId(successor)
    with progress_bars() as progress:
        done = _on_rotation(
            lambda rotation: rotation.compromise(KeyId(key), to=to, progress=progress, per_second=rate)
        )
    if as_json:
        click.echo(json.dumps(asdict(done)))
    else:
        _print_compromise(done)
    _report_damage(done.rewrap)
    for place in done.reseal.damaged if done.reseal else ():
        click.echo(f"fankeep: the value in {place} does not open; it was left as it is", err=True)
    click.get_current_context().exit(1 if done.reseal is None or done.reseal.left else 0)


def _on_rotation(work: Callable[[Rotation], Awaitable[T]]) -> T:
    """Do something with the keys of the installation that the settings name."""
    from fankeep.datakeys import Rotation
    from fankeep.instances import Instances
    from fankeep.keep.settings import Settings

    async def on(stores: Stores) -> T:
        replicas = _Replicas(Instances(stores.data))
        rotation = Rotation(
            keys=stores.keys, data=stores.data, kms=stores.kms, datakeys=stores.datakeys, replicas=replicas
        )
        return await work(rotation)

    return on_stores(Settings(), on)


class _Replicas:
    """The living replicas by host and process."""

    def __init__(self, instances: Instances) -> None:
        self._instances = instances

    async def living(self) -> Sequence[str]:
        return _places(await self._instances.living())

    async def lacking(self, key_id: KeyId) -> Sequence[str]:
        return _places(await self._instances.lacking(key_id))


def _places(instances: Sequence[Instance]) -> list[str]:
    return [instance.place for instance in instances]


def _print_status(keys: Sequence[KekStatus]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("key", "state", "since", "data keys", "from", "replicas without it", box=None)
    for key in keys:
        source = "not at hand" if key.source is None else key.source
        table.add_row(key.id, key.state, span(key.age), str(key.data_keys), source, " ".join(key.lacking))
    Console(soft_wrap=True, markup=False, highlight=False).print(table)


def _print_compromise(done: Compromise) -> None:
    click.echo(
        f"{done.rewrap.rewrapped} data keys are under {done.rewrap.primary} now; left: {done.rewrap.left}"
    )
    if done.reseal is None:
        return
    click.echo(f"{done.renewed} creators have a new data key")
    click.echo(
        f"{done.reseal.resealed} values are sealed again; left under old data keys: {done.reseal.left}"
    )


def _report_damage(done: Rewrap) -> None:
    for key_id in done.damaged:
        click.echo(f"fankeep: the data key {key_id} does not open; it was left as it is", err=True)
