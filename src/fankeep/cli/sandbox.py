"""``fankeep sandbox``: a local Fanvue."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fankeep.cli.sandbox_views import VIEWS

if TYPE_CHECKING:
    from fankeep.sandbox import AppRegistration, Keeper, Sandbox, SandboxSettings, StateFile
    from fankeep.sandbox.state import Saved

__all__ = ["command"]

_DEFAULT_PUBLIC_URL = "http://localhost:8080"


@click.group(
    invoke_without_command=True,
    epilog="""\b
Examples:
  fankeep sandbox                    pages, OAuth, API and webhooks on http://127.0.0.1:4010
  fankeep sandbox --port 4011 --seed 7 --token-lifetime 60
  fankeep sandbox --state world.state    go on after a restart: who was connected still is
  fankeep sandbox --scenario flaky.toml  let things go wrong, by count, by time or by chance
  fankeep sandbox --switch token_format=jwt --switch echo_nonce=off
  fankeep sandbox journal --json     what a running one has seen; also: events, grants
  fankeep sandbox > sandbox.env      and source the file where the app runs

The registered app is the one of the FANKEEP_CLIENT_ID, FANKEEP_CLIENT_SECRET, FANKEEP_WEBHOOK_SECRETS and
FANKEEP_PUBLIC_URL variables, so one environment fits gateway and sandbox. What is missing is made up; the
lines that complete the environment of a gateway go to stdout, everything else to stderr.

The switches, what they mean and how they stand are on the page about what the sandbox holds to.

A scenario is a TOML file with a [[fault]] for each thing that goes wrong; see the page about scenarios.

The file of --state is for one sandbox at a time. It holds the sandbox's secrets in clear, readable by its
owner only. An app that it knows keeps the secrets that it has there, whatever the environment says.
Switches, --token-lifetime and --grace are not in it: give them at each start.""",
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=4010, show_default=True,
    help="On 127.0.0.1; nothing else is ever bound. 0 picks a free one.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), metavar="INTEGER",
    help="The same seed makes the same world.  [default: 1, or the state's]",
)  # fmt: skip
@click.option(
    "--creators", default=4, show_default=True, type=click.IntRange(4, 10_000),
    help="How many; those past the fourth have an empty account.",
)  # fmt: skip
@click.option(
    "--token-lifetime",
    type=click.FloatRange(min=1),
    default=3600.0,
    show_default=True,
    help="Life of an access token, seconds.",
)
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Grace for a spent refresh token, seconds.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep the world in this file, and go on with the one that is in it.",
)
@click.option(
    "--scenario",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Let go wrong what this file says, when it says so.",
)
@click.option(
    "--switch",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another reading of a disputed fact; may be given several times.",
)
@click.pass_context
def command(
    ctx: click.Context,
    *,
    port: int,
    seed: int | None,
    creators: int,
    token_lifetime: float,
    grace: float,
    state: Path | None,
    scenario: Path | None,
    switches: tuple[str, ...],
) -> None:
    """Run a local Fanvue: sign-in pages, tokens, API, webhooks.

    Everything in it is made up. Stop it with Ctrl-C.
    """
    if ctx.invoked_subcommand is not None:
        return
    from fankeep.keep.server import event_loop
    from fankeep.sandbox import Keeper, SandboxSettings, StateFile, read_scenario, read_switches
    from fankeep.telemetry import configure
    from fankeep.transport.ports import available_port

    configure(format="console", level="WARNING")
    port = available_port("127.0.0.1", port)
    file = None if state is None else StateFile(state)
    with _locked(file):
        keeper = None if file is None else Keeper(file)
        saved = None if keeper is None else keeper.saved
        registration, missing = _registration(f"http://127.0.0.1:{port}", saved)
        settings = SandboxSettings(
            port=port,
            seed=_seed(seed, saved),
            creators=creators,
            access_token_lifetime=token_lifetime,
            grace=grace,
            apps=(registration,),
            switches=read_switches(switches),
            scenario=() if scenario is None else read_scenario(scenario),
        )
        with asyncio.Runner(loop_factory=event_loop) as runner:
            runner.run(_run(settings, keeper, missing, has_scenario=scenario is not None))


for _view in VIEWS:
    command.add_command(_view)


def _locked(file: StateFile | None) -> AbstractContextManager[None]:
    return nullcontext() if file is None else file.locked()


async def _run(
    settings: SandboxSettings, keeper: Keeper | None, environment: list[str], *, has_scenario: bool
) -> None:
    from fankeep.keep.server import stop_signal
    from fankeep.sandbox import running_sandbox

    with stop_signal() as stopped:
        async with running_sandbox(settings, keeper=keeper) as sandbox:
            for line in environment:  # only now: those of a sandbox that cannot start would be wrong
                click.echo(line)
            click.echo(f"sandbox: {sandbox.base_url}", err=True)
            if has_scenario:
                click.echo(f"scenario: {_armed(sandbox)}", err=True)
            for old, new in sandbox.moved:
                click.echo(f"webhooks: they went to {old}, and go to {new} from now on", err=True)
            await stopped.wait()


def _armed(sandbox: Sandbox) -> str:
    if not sandbox.settings.scenario:
        return "no faults"
    count = len(sandbox.faults.armed)
    return f"{count} fault armed" if count == 1 else f"{count} faults armed"


def _seed(given: int | None, saved: Saved | None) -> int:
    from fankeep.errors import ConfigurationError

    if saved is None:
        return 1 if given is None else given
    if given not in (None, saved.seed):
        raise ConfigurationError(f"the world of this state file was made with --seed {saved.seed}")
    return saved.seed


def _registration(base_url: str, saved: Saved | None) -> tuple[AppRegistration, list[str]]:
    """Read the registered app from the environment; also return the lines that complete the environment."""
    import secrets
    import uuid

    from fankeep.keep.environment import read_environment
    from fankeep.keep.fields import SECRET_FIELDS, Fields
    from fankeep.sandbox import AppRegistration
    from fankeep.secret import Secret
    from fankeep.secrets import parse_client_secrets, parse_webhook_secrets

    given = read_environment(Fields.model_fields, SECRET_FIELDS)
    missing: list[str] = []

    def value(name: str, made_up: str) -> str:
        found = given.get(name)
        if found is None:
            missing.append(f"export FANKEEP_{name.upper()}={made_up}")
            return made_up
        return found.reveal() if isinstance(found, Secret) else found

    known_app = saved.app if saved else None
    client_id = value("client_id", known_app.client_id if known_app else str(uuid.uuid4()))
    client_secret = value(
        "client_secret", known_app.client_secret.reveal() if known_app else secrets.token_hex(32)
    )
    signing_secret = known_app.signing_secret.reveal() if known_app else f"whsec_{secrets.token_hex(32)}"
    webhook_secrets = value("webhook_secrets", f"sandbox={signing_secret}")
    public_url = value("public_url", _DEFAULT_PUBLIC_URL).rstrip("/")
    for name, of_ours in {"env": "development", "issuer_url": base_url, "api_url": base_url}.items():
        value(name, of_ours)
    registration = AppRegistration(
        client_id=client_id,
        client_secret=parse_client_secrets(Secret(client_secret)).candidates()[0].value,
        redirect_uris=(f"{public_url}/auth/callback",),
        webhook_url=f"{public_url}/webhooks/fanvue",
        webhook_secret=Secret(str(parse_webhook_secrets(Secret(webhook_secrets))[0].value.reveal())),
    )
    return registration, missing
