"""A crash at the worst moment: Fanvue has rotated, and nobody has the answer."""

from __future__ import annotations

import contextlib
import threading
import time
from http.client import HTTPException

from fankeep.cli.demo.scene import LONG_LIFE, SHORT_LIFE, Scene, expect, wait_until

__all__ = ["crash_during_refresh"]


def crash_during_refresh(scene: Scene) -> list[str]:
    """Kill the gateway between the rotation and its answer, and start it again."""
    scene.control.do("lifetime", seconds=SHORT_LIFE)
    scene.connect(scene.first)
    before = scene.control.now()
    scene.control.do("lifetime", seconds=LONG_LIFE)
    scene.control.do("hold", grant_type="refresh_token")  # before it expires: the gateway may begin by itself
    time.sleep(SHORT_LIFE)
    caller = threading.Thread(target=_call_and_lose, args=(scene,), daemon=True)
    caller.start()
    wait_until(lambda: scene.control.show("held"), "the refresh did not reach Fanvue")
    scene.gateway.kill()
    caller.join()
    scene.control.do("release")
    scene.control.do("faults/clear")
    before_crash = _logged_generation(scene, "login_stored")
    started = time.monotonic()
    scene.start_gateway()
    wait_until(
        lambda: scene.api(scene.first, "/users/me").status == 200, "after the restart the API does not answer"
    )
    seconds = time.monotonic() - started
    sends = scene.control.since(before, kind="token", grant_type="refresh_token")
    tokens = {entry["refresh_token"] for entry in sends}
    expect(len(tokens) == 1, f"{len(tokens)} different refresh tokens were sent")
    after_crash = _logged_generation(scene, "refresh_stored")
    expect(after_crash == before_crash + 1, f"generation {before_crash} was followed by {after_crash}")
    return [
        "the sandbox rotated and held its answer back; the gateway was killed with SIGKILL",
        f"restarted, it sent the same refresh token again, inside the grace: {len(sends)} sends in all",
        f"the grant lives: generation {before_crash}, now {after_crash}; answered after {seconds:.1f} s",
    ]


def _call_and_lose(scene: Scene) -> None:
    """Make the call that dies with the gateway."""
    with contextlib.suppress(OSError, HTTPException):
        scene.api(scene.first, "/users/me")


def _logged_generation(scene: Scene, event: str) -> int:
    """Return the newest generation that the gateway logged as stored."""
    generations = [line["generation"] for line in scene.log_lines() if line["event"] == event]
    expect(generations, f"nothing was logged as {event}")
    return int(generations[-1])
