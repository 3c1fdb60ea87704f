"""The steps of the demo in their order, and the run through them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fankeep.cli.demo import attacks, secrecy, story, survival
from fankeep.cli.demo.receiver import Receiver
from fankeep.cli.demo.report import Failed, Report
from fankeep.cli.demo.scene import Scene
from fankeep.cli.stack import Stack
from fankeep.telemetry import configure
from fankeep.transport.ports import free_port

__all__ = ["STEPS", "run"]

Step = Callable[[Scene], list[str]]

STEPS: tuple[tuple[str, Step], ...] = (
    ("A creator connects through the whole flow", story.connect),
    ("The app calls the API through the gateway", story.call_api),
    ("The access token expires under 50 parallel calls", story.refresh_once),
    ("Twenty signed events arrive, five of them twice", story.receive_events),
    ("Forged, unsigned, tampered, stale, future-dated and replayed deliveries", attacks.forge_events),
    ("Callbacks with wrong, missing, reused and foreign state", attacks.forge_callbacks),
    ("Everything that the browsers received is searched for tokens", secrecy.search_browser),
    ("Databases, logs and all output are searched for every secret", secrecy.search_files_and_logs),
    ("A sealed token is moved to where it does not belong", secrecy.move_tokens),
    (
        "The gateway is killed while Fanvue has rotated and holds its answer back",
        survival.crash_during_refresh,
    ),
    ("Posts from other sites, and without the custom header", attacks.post_from_other_sites),
    ("Log out, disconnect, and what Fanvue has left", story.leave),
    ("Both searches once more, after the crash and the end", secrecy.search_again),
)


def run(folder: Path, *, as_json: bool) -> int:
    """Run every step on a fresh stack and return the exit code.

    Args:
        folder: for databases and logs; emptied first.
        as_json: print one JSON object a step.

    Raises:
        ConfigurationError: the folder cannot be used.
    """
    logs = folder / "logs"
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        (logs / "output.log").open("w", encoding="utf-8") as output,
        (logs / "demo.log").open("a", encoding="utf-8") as own_log,
        Stack(folder / "data", gateway_port=free_port(), sandbox_port=free_port(), logs=logs) as stack,
        Receiver(stack.credentials.forward_secret, stack.gateway_url) as receiver,
    ):
        configure(stream=own_log)
        report = Report(as_json, output)
        scene = Scene(stack, receiver, logs)
        for number, (title, step) in enumerate(STEPS, start=1):
            report.begin(number, title)
            findings, error = _outcome(step, scene)
            report.end(number, title, findings, error)
        return report.close()


def _outcome(step: Step, scene: Scene) -> tuple[list[str], str | None]:
    """Run a step; whatever goes wrong in one is its failure, and the next one still runs."""
    try:
        return step(scene), None
    except Failed as failed:
        return [], str(failed)
    except Exception as error:  # noqa: BLE001 - a demo must count what broke, not stop at it
        return [], f"{type(error).__name__}: {error}"
