"""Attacks that have to fail: forged webhooks, foreign callbacks, requests from other sites."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from typing import Any

from fankeep.cli.demo.browser import Answer
from fankeep.cli.demo.receiver import ATTACK_PATH
from fankeep.cli.demo.scene import Scene, expect, parameter, wait_until

__all__ = ["forge_callbacks", "forge_events", "post_from_other_sites"]

_FORGED = ("wrong", "unsigned", "tampered", "stale", "future")
"""``wrong`` is forged with a secret that is not the app's."""
_REFUSED = 401
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_CHROMIUM_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def forge_events(scene: Scene) -> list[str]:
    """Deliver what Fanvue did not sign, and what it signed at another time."""
    before = dict(scene.receiver.handled)
    findings = []
    for forge in _FORGED:
        told = scene.control.do("fire", event="creator.message.received", forge=forge, wait=True)
        statuses = _statuses(told)
        expect(set(statuses) == {_REFUSED}, f"{forge}: answered {statuses}")
        findings.append(f"{forge}: {_REFUSED}")
    told = scene.control.do("fire", event="creator.message.received", forge="replay", wait=True)
    statuses = _statuses(told)
    expect(len(statuses) == 2 and set(statuses) <= {200, 202, 204}, f"replay: answered {statuses}")
    wait_until(lambda: len(scene.receiver.handled) == len(before) + 1, "the replayed event was not handled")
    time.sleep(0.5)
    new = {event: count for event, count in scene.receiver.handled.items() if event not in before}
    expect(list(new.values()) == [1], f"the replayed event was handled {list(new.values())} times")
    return [", ".join(findings), "replay: taken twice, handled once"]


def _statuses(told: dict[str, Any]) -> list[int | None]:
    return [attempt["status"] for row in told["deliveries"] for attempt in row["attempts"]]


def forge_callbacks(scene: Scene) -> list[str]:
    """Come back from Fanvue with a state that is not this browser's, or not this browser's any more."""
    victim, stranger = scene.new_browser(), scene.new_browser()
    good = scene.approve(scene.first, scene.begin_login(victim))
    state = parameter(good, "state")
    other_end = "A" if state[-1] != "A" else "B"
    before = scene.control.now()
    attempts = {
        "wrong": victim.open(good.replace(state, state[:-1] + other_end)),
        "missing": victim.open(good.replace(f"state={state}", "state=")),
        "foreign browser": stranger.open(good),
    }
    tried = scene.control.count(before, kind="token")
    expect(tried == 0, f"the token endpoint was asked {tried} times")
    jar = victim.cookies("localhost")
    victim.open(good)
    expect(scene.session(victim).get("connected"), "the untouched callback does not work")
    for name, value in jar.items():  # a browser that kept what it should have forgotten
        victim.set_cookie("localhost", name, value)
    middle = scene.control.now()
    attempts["reused"] = victim.open(good)
    tried = scene.control.count(middle, kind="token")
    expect(tried == 0, f"the token endpoint was asked {tried} times for a reused state")
    for name, answer in attempts.items():
        expect(answer.status == 400, f"{name}: answered {answer.status}")
    told = ", ".join(f"{name}: {answer.status}" for name, answer in attempts.items())
    return [told, "token requests caused by them: 0"]


def post_from_other_sites(scene: Scene) -> list[str]:
    """Post to the gateway from another site's page, and to the API without its header."""
    target = f"{scene.stack.gateway_url}/auth/disconnect"
    attack = scene.receiver.url + ATTACK_PATH
    browser = scene.first.browser
    # The worst browser there is: it sends the cookie along, which SameSite=Lax forbids.
    jar = "; ".join(f"{name}={value}" for name, value in browser.cookies("localhost").items())
    answer = browser.request(
        "POST", target, form={}, headers={"cookie": jar}, initiator=attack, navigate=True
    )
    _expect_cross_site(scene, answer)
    findings = [
        f"a cross-site POST to /auth/disconnect with the cookie: {answer.status}, logged as cross_site"
    ]
    findings.append(_from_chromium(scene, attack))
    before = scene.control.now()
    sent = browser.request(
        "POST",
        f"{scene.stack.gateway_url}/api/fanvue/chats/{scene.second.uuid}/message",
        headers={"content-type": "application/json"},
        initiator=target,
    )
    reached = scene.control.count(before, kind="api")
    expect(sent.status == 403, f"without the custom header: answered {sent.status}")
    expect(reached == 0, "the call reached Fanvue")
    findings.append(
        f"a POST to the API without the header Fankeep-Request: {sent.status}, nothing reached Fanvue"
    )
    still = scene.api(scene.first, "/users/me")
    expect(still.status == 200, "the creator is not connected any more")
    return findings


def _expect_cross_site(scene: Scene, answer: Answer) -> None:
    expect(answer.status == 403, f"a cross-site POST answered {answer.status}")
    reference = str(answer.json().get("reference"))
    reasons = scene.refusals(reference)
    expect(reasons == ["cross_site"], f"it was refused for another reason: {reasons}")


def _from_chromium(scene: Scene, attack: str) -> str:
    """Let a real browser open the hostile page, where there is one."""
    program = next((found for name in _CHROMIUM if (found := shutil.which(name))), None)
    if program is None:
        return "no Chromium on this machine, so only the scripted browser tried"
    already = len(_cross_site_lines(scene))
    with (
        tempfile.TemporaryDirectory(prefix="fankeep-demo-", ignore_cleanup_errors=True) as profile,
        subprocess.Popen(  # noqa: S603 - a browser that was looked up, on pages of this demo
            [program, *_CHROMIUM_OPTIONS, f"--user-data-dir={profile}", attack],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as chromium,
    ):
        try:
            wait_until(
                lambda: len(_cross_site_lines(scene)) > already,
                "the POST from Chromium did not arrive as cross-site",
                seconds=40.0,
            )
        finally:
            chromium.terminate()
    return "the same from a page in Chromium arrived as cross-site and was refused"


def _cross_site_lines(scene: Scene) -> list[object]:
    return [
        line
        for line in scene.log_lines()
        if line["event"] == "request_refused" and line["error"].get("reason") == "cross_site"
    ]
