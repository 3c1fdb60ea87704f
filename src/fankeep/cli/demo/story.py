"""The good story: connect, call, refresh, events, log out, disconnect."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from fankeep.cli.demo.scene import LANDING, LONG_LIFE, SHORT_LIFE, Creator, Scene, expect, wait_until

__all__ = ["call_api", "connect", "leave", "receive_events", "refresh_once"]

_CALLERS = 50
_ONCE, _TWICE = 15, 5
_EVENTS = ("creator.message.received", "creator.payment.succeeded", "creator.follow.created")


def connect(scene: Scene) -> list[str]:
    """Connect two creators, the first one through every page."""
    scene.control.do("lifetime", seconds=SHORT_LIFE)
    browser, creator = scene.first.browser, scene.first
    page = browser.open(f"{scene.stack.gateway_url}/auth/login?return_to={LANDING}")
    expect("chats" in page.body.decode(), "the connect page does not say that chats will be read")
    fanvue = browser.submit(page, page.form("/auth/login"))
    expect(fanvue.url.startswith(scene.stack.sandbox_url), "the login did not lead to Fanvue")
    consent = browser.submit(fanvue, fanvue.form("/login"), {"creator": creator.uuid})
    landed = browser.submit(consent, consent.form("/consent"), {"decision": "allow"})
    scene.control.do("lifetime", seconds=LONG_LIFE)
    expect(landed.url == scene.stack.gateway_url + LANDING, "the browser did not come back")
    session = scene.session(browser)
    expect(session.get("user") == creator.uuid, "the browser's session is not that of who signed in")
    scopes = session.get("scopes")
    count = len(scopes) if isinstance(scopes, list) else 0
    scene.connect(scene.second)
    return [f"{creator.name} and {scene.second.name} are connected, each with {count} scopes"]


def call_api(scene: Scene) -> list[str]:
    """Call the API through the gateway, as the browser does."""
    profile = scene.api(scene.first, "/users/me")
    expect(profile.status == 200, f"/users/me answered {profile.status}")
    expect(profile.json().get("uuid") == scene.first.uuid, "the profile is another creator's")
    chats = scene.api(scene.first, "/chats?size=5")
    expect(chats.status == 200, f"/chats answered {chats.status}")
    forbidden = scene.api(scene.first, "/media")
    expect(forbidden.status in (403, 404), f"an operation that is not listed answered {forbidden.status}")
    return [
        "GET /users/me and GET /chats answered 200",
        f"GET /media, which the app did not list, answered {forbidden.status}",
    ]


def refresh_once(scene: Scene) -> list[str]:
    """Let the first access token expire and call from many sides at once.

    The gateway also refreshes by itself when a token in use is about to expire; whoever begins, it is once.
    """
    time.sleep(SHORT_LIFE)
    with ThreadPoolExecutor(_CALLERS) as pool:
        answers = list(pool.map(lambda _: scene.api(scene.first, "/users/me").status, range(_CALLERS)))
    good = answers.count(200)
    expect(good == _CALLERS, f"{good} of {_CALLERS} calls were answered with 200")
    refreshes = scene.control.count(0, kind="token", grant_type="refresh_token")
    expect(refreshes == 1, f"the token endpoint saw {refreshes} refreshes")
    return [f"{_CALLERS} parallel calls answered 200; the token endpoint saw {refreshes} refresh"]


def receive_events(scene: Scene) -> list[str]:
    """Send twenty events, five of them twice."""
    sent: list[str] = []
    deliveries = 0
    for index in range(_ONCE + _TWICE):
        copies = 2 if index < _TWICE else 1
        told = scene.control.do(
            "fire", event=_EVENTS[index % len(_EVENTS)], creator=scene.first.uuid, copies=copies, wait=True
        )
        rows = told["deliveries"]
        deliveries += len(rows)
        expect(all(row["succeeded"] for row in rows), "a genuine delivery was not taken")
        sent.append(rows[0]["event_id"])
    expect(len(set(sent)) == _ONCE + _TWICE, "the sandbox sent fewer events than asked for")
    wait_until(lambda: len(scene.receiver.handled) == len(sent), "not every event was handled")
    time.sleep(0.5)  # a second handling would come about now
    counts = set(scene.receiver.handled.values())
    expect(counts == {1}, f"events were handled {sorted(counts)} times")
    expect(scene.receiver.refused == 0, "the app refused a forwarded event")
    return [
        f"{deliveries} deliveries of {len(sent)} events, all answered 2xx",
        f"{len(scene.receiver.handled)} events handled, each once, and forwarded with a signature",
    ]


def leave(scene: Scene) -> list[str]:
    """Log out, then disconnect, and look at what Fanvue has left."""
    browser, base = scene.first.browser, scene.stack.gateway_url
    host = "localhost"
    old = browser.cookies(host)
    page = f"{base}/auth/session"
    out = browser.request("POST", f"{base}/auth/logout", form={}, initiator=page, navigate=True)
    expect(out.status in (200, 303), f"logout answered {out.status}")
    for name, value in old.items():
        browser.set_cookie(host, name, value)
    after = scene.api(scene.first, "/users/me")
    expect(after.status == 401, f"the old cookie still works: {after.status}")
    findings = [f"after the logout the old cookie answers {after.status}"]
    before = scene.control.now()
    for creator in scene.creators:
        scene.connect(creator)
        gone = creator.browser.request(
            "POST", f"{base}/auth/disconnect", form={}, initiator=page, navigate=True
        )
        expect(gone.status in (200, 303), f"disconnect answered {gone.status}")
        wait_until(partial(_nothing_lives, scene, creator), f"Fanvue has a live token of {creator.name}")
        findings.append(f"{creator.name}: {len(scene.grant_chains(creator))} token chains, none of them live")
    revoked = scene.control.count(before, kind="revoke", outcome="ok")
    expect(revoked >= len(scene.creators), f"the journal shows {revoked} revocations")
    return [*findings, f"the journal shows {revoked} revocations of refresh tokens"]


def _nothing_lives(scene: Scene, creator: Creator) -> bool:
    return not any(chain["live"] for chain in scene.grant_chains(creator))
