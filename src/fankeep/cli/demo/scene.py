"""What all steps of the demo share: the running stack, two creators, and their browsers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fankeep.cli.demo.browser import Answer, Browser
from fankeep.cli.demo.control import Control
from fankeep.cli.demo.receiver import EVENTS_PATH, Receiver
from fankeep.cli.demo.report import Failed
from fankeep.cli.stack import Process, Stack

__all__ = ["LANDING", "LONG_LIFE", "SHORT_LIFE", "Creator", "Scene", "expect", "parameter", "wait_until"]

SHORT_LIFE = 6.0
LONG_LIFE = 3600.0
LANDING = "/auth/disconnect"
_REQUEST_HEADER = "1"


@dataclass
class Creator:
    """A made-up creator and the browser that they use."""

    uuid: str
    name: str
    browser: Browser


@dataclass
class Scene:
    """The running stack and the people in it.

    Attributes:
        browsers: every one that was ever opened, those of attackers too.
    """

    stack: Stack
    receiver: Receiver
    logs: Path
    control: Control = field(init=False)
    gateway: Process = field(init=False)
    creators: list[Creator] = field(init=False)
    browsers: list[Browser] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.stack.start_sandbox()
        self.control = Control(self.stack.sandbox_url)
        self.start_gateway()
        known = self.control.show("state")["creators"]
        self.creators = [Creator(one["uuid"], one["display_name"], self.new_browser()) for one in known[:2]]

    @property
    def first(self) -> Creator:
        """The creator of most steps."""
        return self.creators[0]

    @property
    def second(self) -> Creator:
        """Another creator."""
        return self.creators[1]

    def new_browser(self) -> Browser:
        """Open a browser; all that it receives will be searched."""
        browser = Browser()
        self.browsers.append(browser)
        return browser

    def start_gateway(self) -> None:
        """Start the gateway on the same databases as before."""
        self.gateway = self.stack.start_gateway(
            FANKEEP_FORWARD_URL=self.receiver.url + EVENTS_PATH,
            FANKEEP_FORWARD_SECRET=self.stack.credentials.forward_secret,
        )

    def api(self, creator: Creator, path: str, **more: str) -> Answer:
        """Call the Fanvue API through the gateway, as the page's script does."""
        url = f"{self.stack.gateway_url}/api/fanvue{path}"
        return creator.browser.fetch(url, fankeep_request=_REQUEST_HEADER, **more)

    def begin_login(self, browser: Browser) -> str:
        """Start a login and return the address of Fanvue's page, without going there."""
        page = browser.open(f"{self.stack.gateway_url}/auth/login?return_to={LANDING}")
        form = page.form("/auth/login")
        answer = browser.request("POST", form.action, form=form.fields, initiator=page.url, navigate=True)
        location = answer.header("location")
        if location is None:
            raise Failed(f"starting a login answered {answer.status}")
        return location

    def approve(self, creator: Creator, url: str) -> str:
        """Let the creator sign in and agree; return the callback address."""
        location: str = self.control.do("approve", url=url, creator=creator.uuid)["location"]
        return location

    def connect(self, creator: Creator) -> None:
        """Log a creator in, skipping Fanvue's pages."""
        callback = self.approve(creator, self.begin_login(creator.browser))
        creator.browser.open(callback, initiator=self.stack.sandbox_url)
        session = self.session(creator.browser)
        expect(session.get("user") == creator.uuid, f"{creator.name} is not connected after the login")

    def session(self, browser: Browser) -> dict[str, object]:
        """Ask the gateway what the browser's session is."""
        return browser.fetch(f"{self.stack.gateway_url}/auth/session").json()

    def grant_chains(self, creator: Creator) -> list[dict[str, Any]]:
        """Return the token chains that Fanvue has of this creator."""
        return [chain for chain in self.control.show("grants") if chain["creator"] == creator.uuid]

    def log_lines(self) -> list[dict[str, Any]]:
        """Return what the gateway has logged so far."""
        lines = (self.logs / "gateway.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def refusals(self, reference: str) -> list[str]:
        """Return the reasons that the log gives under a reference."""
        return [
            str(line["error"].get("reason"))
            for line in self.log_lines()
            if line.get("reference") == reference and line["event"] == "request_refused"
        ]


def expect(condition: object, complaint: str) -> None:
    """Fail the step unless the condition holds."""
    if not condition:
        raise Failed(complaint)


def wait_until(condition: Callable[[], object], complaint: str, seconds: float = 30.0) -> None:
    """Fail the step unless the condition holds before the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(complaint)
        time.sleep(0.05)


def parameter(url: str, name: str) -> str:
    """Return a query parameter of an address."""
    return parse_qs(urlsplit(url).query)[name][0]
