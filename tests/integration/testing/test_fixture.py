"""The fixture ``fanvue_sandbox`` in tests of any style, with an app that knows nothing of fankeep."""

import asyncio
import http.client
import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from fankeep import ConfigurationError, verify_webhook
from fankeep.secret import Secret
from fankeep.testing import AppRegistration, SandboxSettings, fanvue_sandbox_in_thread, parse_scenario
from fankeep.testing.running import default_settings


def call(sandbox, path, token):
    connection = http.client.HTTPConnection(urlsplit(sandbox.api_url).netloc, timeout=10)
    headers = {"Authorization": f"Bearer {token}", "X-Fanvue-API-Version": "2025-06-26"}
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@contextmanager
def receiving():
    """A webhook receiver in a thread of its own."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((body, self.headers["x-fanvue-signature"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_sync_test_connects_a_creator_and_calls_the_api(fanvue_sandbox):
    tokens = fanvue_sandbox.control.connect()

    status, me = call(fanvue_sandbox, "/users/me", tokens.access_token)

    assert (status, me["uuid"]) == (200, tokens.creator)
    assert tokens.expires_in == 3600
    assert tokens.refresh_token
    assert tokens.id_token
    assert [entry["status"] for entry in fanvue_sandbox.control.journal(route="/users/me")] == [200]


async def test_an_async_test_can_use_it_from_its_own_loop(fanvue_sandbox):
    tokens = fanvue_sandbox.control.connect(scopes=["openid", "read:self"])
    host, port = urlsplit(fanvue_sandbox.api_url).netloc.split(":")

    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"GET /users/me HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        b"X-Fanvue-API-Version: 2025-06-26\r\n"
        b"Authorization: Bearer " + tokens.access_token.encode() + b"\r\n\r\n"
    )
    answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 200")
    assert tokens.refresh_token == ""
    assert set(tokens.scope.split()) == {"openid", "read:self"}


async def test_a_receiver_in_the_tests_own_loop_is_waited_for_in_a_thread(fanvue_sandbox):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        fanvue_sandbox.control.deliver_to(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook")
        (delivery,) = await asyncio.to_thread(fanvue_sandbox.control.fire, "tip.new", wait=True)

    assert delivery["attempts"][0]["status"] == 204


def test_what_a_fan_does_arrives_signed_with_the_webhook_secret(fanvue_sandbox):
    control = fanvue_sandbox.control
    tokens = control.connect()
    with receiving() as (url, got):
        control.deliver_to(url, topics=["creator.message.received"])
        (delivery,) = control.act("message", text="hello you", wait=True)

    body, header = got[0]
    verified = verify_webhook(body, header, Secret(fanvue_sandbox.webhook_secret), now=control.state()["now"])
    said = json.loads(verified.body)
    assert said["data"]["text"] == "hello you"
    assert said["data"]["creator"]["uuid"] == tokens.creator
    assert said["id"] == delivery["event_id"]
    assert control.deliveries(event_id=delivery["event_id"]) == [delivery]


def test_forged_and_repeated_events_are_sent_as_asked(fanvue_sandbox):
    control = fanvue_sandbox.control
    with receiving() as (url, got):
        control.deliver_to(url)
        (forged,) = control.fire("tip.new", forge="unsigned", wait=True)
        first, again = control.fire("tip.new", copies=2, wait=True)
        control.resend(first["event_id"], wait=True)

    assert forged["forge"] == "unsigned"
    assert first["event_id"] == again["event_id"]
    assert [header is None for _, header in got] == [True, False, False, False]


def test_expiry_withdrawal_and_a_new_secret_are_felt(fanvue_sandbox):
    control = fanvue_sandbox.control
    tokens = control.connect()
    assert control.expire() == 1
    assert call(fanvue_sandbox, "/users/me", tokens.access_token)[0] == 401

    newer = control.connect()
    control.advance(3599)
    assert call(fanvue_sandbox, "/users/me", newer.access_token)[0] == 200
    control.advance(1)
    assert call(fanvue_sandbox, "/users/me", newer.access_token)[0] == 401

    secret = control.reset_secret()
    assert secret != fanvue_sandbox.client_secret
    last = control.connect()
    control.withdraw()
    assert call(fanvue_sandbox, "/users/me", last.access_token)[0] == 401
    assert not any(grant["live"] for grant in control.grants())


def test_answers_go_wrong_and_are_held_back_on_command(fanvue_sandbox):
    control = fanvue_sandbox.control
    tokens = control.connect()
    control.fault("status", target="api", status=503, moment="before")
    control.fault("status", target="api", status=500, count=50)
    assert call_status(fanvue_sandbox, tokens) == 503
    assert call_status(fanvue_sandbox, tokens) == 500
    control.clear_faults()
    assert call_status(fanvue_sandbox, tokens) == 200

    control.hold(target="api")
    seen = []
    waiting = threading.Thread(target=lambda: seen.append(call_status(fanvue_sandbox, tokens)))
    waiting.start()
    while not control.state()["held"]:
        pass
    assert seen == []
    assert control.release() == 1
    waiting.join()
    assert seen == [200]


def call_status(sandbox, tokens):
    connection = http.client.HTTPConnection(urlsplit(sandbox.api_url).netloc, timeout=10)
    headers = {"Authorization": f"Bearer {tokens.access_token}", "X-Fanvue-API-Version": "2025-06-26"}
    try:
        connection.request("GET", "/users/me", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_creator_decides_about_the_apps_own_authorization_url(fanvue_sandbox):
    control = fanvue_sandbox.control
    control.register(redirect_uris=["http://localhost:3000/callback"], scopes=["openid", "read:self"])
    url = (
        f"{fanvue_sandbox.issuer_url}/oauth2/auth?response_type=code&client_id={fanvue_sandbox.client_id}"
        "&redirect_uri=http://localhost:3000/callback&scope=openid+read:self&state=0123456789"
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    )

    agreed = parse_qs(urlsplit(control.approve(url)).query)
    declined = parse_qs(urlsplit(control.approve(url, allow=False)).query)

    assert (agreed["state"], agreed["scope"]) == (["0123456789"], ["openid read:self"])
    assert declined["error"] == ["access_denied"]


def test_a_creator_that_does_not_exist_or_a_scope_that_is_not_enabled_is_an_error(fanvue_sandbox):
    with pytest.raises(ConfigurationError, match="no creator of that name"):
        fanvue_sandbox.control.connect("nobody")
    fanvue_sandbox.control.register(scopes=["openid"])
    with pytest.raises(ConfigurationError, match="invalid_scope"):
        fanvue_sandbox.control.connect(scopes=["read:chat"])


def test_two_sandboxes_have_ports_and_worlds_of_their_own(fanvue_sandbox):
    settings = SandboxSettings(
        port=0, seed=2, apps=(AppRegistration(redirect_uris=("http://localhost:3000/callback",)),)
    )
    with fanvue_sandbox_in_thread(settings) as other:
        tokens = other.control.connect()
        assert other.redirect_uris == ("http://localhost:3000/callback",)
        assert other.base_url != fanvue_sandbox.base_url
        assert tokens.creator not in {one["uuid"] for one in fanvue_sandbox.control.state()["creators"]}
        assert fanvue_sandbox.control.grants() == []
    with pytest.raises(ConnectionRefusedError):
        call(other, "/users/me", tokens.access_token)


def test_a_port_that_is_taken_fails_at_once(fanvue_sandbox):
    taken = SandboxSettings(port=urlsplit(fanvue_sandbox.base_url).port)
    with pytest.raises(ConfigurationError, match="in use"), fanvue_sandbox_in_thread(taken):
        pass


def test_secrets_are_not_in_what_pytest_prints_of_it(fanvue_sandbox):
    tokens = fanvue_sandbox.control.connect()

    shown = f"{fanvue_sandbox!r}{tokens!r}"

    for value in (fanvue_sandbox.client_secret, fanvue_sandbox.webhook_secret, tokens.access_token):
        assert value not in shown


@pytest.mark.fanvue_scenario(text='[[fault]]\ntarget = "api"\nkind = "status"\nstatus = 500\nskip = 1')
def test_a_marker_says_what_goes_wrong(fanvue_sandbox):
    tokens = fanvue_sandbox.control.connect()
    assert [call_status(fanvue_sandbox, tokens) for _ in range(3)] == [200, 500, 200]


@pytest.mark.fanvue_scenario("flaky.toml")
class TestMarkedClass:
    @pytest.fixture
    def fanvue_sandbox_settings(self):
        settings = default_settings()
        return replace(settings, scenario=parse_scenario('[[fault]]\nkind = "race"'))

    @pytest.mark.fanvue_scenario(text='[[fault]]\nkind = "duplicated"')
    def test_scenarios_of_settings_class_and_test_add_up(self, fanvue_sandbox):
        armed = fanvue_sandbox.control.state()["faults"]
        assert [fault["kind"] for fault in armed] == ["race", "slow", "duplicated"]


def test_a_marker_that_is_wrong_fails_the_test_with_one_line(tmp_path):
    expected = {
        'text="[[fault]]"': "fanvue_scenario: scenario, fault 1, kind: missing",
        '"nope.toml"': f"fanvue_scenario: cannot read the scenario {tmp_path}/nope.toml: No such file",
        'txt="[[fault]]"': "fanvue_scenario: give it the path of a file, or text=, and nothing else",
        '"nope.toml", text=""': "fanvue_scenario: give it the path of a file, or text=, and nothing else",
        "7": "fanvue_scenario: give it the path of a file, or text=, and nothing else",
        "": "fanvue_scenario: give it the path of a file, or text=, and nothing else",
    }
    tests = [
        f"@pytest.mark.fanvue_scenario({given})\ndef test_{number}(fanvue_sandbox):\n    pass\n"
        for number, given in enumerate(expected)
    ]
    (tmp_path / "test_app.py").write_text("import pytest\n\n" + "\n".join(tests))
    plugins = ("-p", "no:cacheprovider", "-p", "no:asyncio")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", *plugins, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
    )
    assert done.returncode == 1
    failures = done.stdout.partition("short test summary")[0]
    lines = [line for line in failures.splitlines() if line.startswith("fanvue_scenario")]
    assert len(lines) == len(expected), done.stdout
    for line, begins in zip(lines, expected.values(), strict=True):
        assert line.startswith(begins)
    assert "Traceback" not in done.stdout
    assert "plugin.py" not in done.stdout


def test_any_fault_is_armed_by_its_keys_or_refused_by_them(fanvue_sandbox):
    fanvue_sandbox.control.fault("clock_skew", seconds=3600)
    assert fanvue_sandbox.control.state()["faults"][0]["target"] == "any"
    with pytest.raises(ConfigurationError, match="behind: means nothing for lost at token"):
        fanvue_sandbox.control.fault("lost", behind=2)


def test_what_the_journal_cannot_be_asked_for_is_an_error_with_what_it_can(fanvue_sandbox):
    control = fanvue_sandbox.control
    control.connect()
    assert control.journal(kind="token", grant_type="authorization_code", since=0, limit=5)
    with pytest.raises(
        ConfigurationError, match=r"kidn, staus: expected only answered_at, .* kind, .* status"
    ):
        control.journal(kidn="api", staus=200)
    with pytest.raises(ConfigurationError, match=r"kind: expected one of page, .* api, "):
        control.journal(kind="apii")
    with pytest.raises(ConfigurationError, match="event: expected only endpoint, event_id"):
        control.deliveries(event="tip.new")


def test_the_clock_does_not_go_back(fanvue_sandbox):
    with pytest.raises(ConfigurationError, match="advance: expected 0 seconds or more"):
        fanvue_sandbox.control.advance(-1)


class TestSettingsOfItsOwn:
    @pytest.fixture
    def fanvue_sandbox_settings(self):
        uri = "http://localhost:3000/callback"
        return SandboxSettings(port=4010, seed=3, apps=(AppRegistration(redirect_uris=(uri,)),))

    def test_an_overridden_settings_fixture_counts_but_for_its_port(self, fanvue_sandbox):
        assert urlsplit(fanvue_sandbox.base_url).port != 4010
        assert fanvue_sandbox.redirect_uris == ("http://localhost:3000/callback",)
        assert fanvue_sandbox.control.state()["seed"] == 3
