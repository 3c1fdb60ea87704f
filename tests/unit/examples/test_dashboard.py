"""The example app believes the gateway and nobody else."""

import importlib.util
import json
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey
from standardwebhooks import Webhook
from starlette.requests import Request

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "dashboard"
SECRET = "whsec_" + "c2VjcmV0IG9mIHRoaXMgdGVzdCBhbmQgbm90aGluZyBlbHNl"
OTHER = "whsec_" + "YW5vdGhlciBzZWNyZXQgdGhhdCBub2JvZHkgZXZlciB1c2Vz"
NOW = 1_700_000_000
BODY = json.dumps({"id": "e1", "creator": "c", "family": "creator"}).encode()
AUDIENCE = "http://127.0.0.1:8081"


def load(name):
    spec = importlib.util.spec_from_file_location(f"dashboard_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


events, identity = load("events"), load("identity")


def signed(body=BODY, *, secret=SECRET, event_id="e1", at=NOW):
    """What a Standard Webhooks library makes."""
    signature = Webhook(secret).sign(event_id, datetime.fromtimestamp(at, UTC), body.decode())
    return {"webhook-id": event_id, "webhook-timestamp": str(at), "webhook-signature": signature}


def test_a_standard_webhooks_signature_is_believed_also_beside_others():
    headers = signed()
    assert events.verify(BODY, headers, SECRET, now=NOW) == "e1"
    headers["webhook-signature"] = f"v1,AAAA v2,whatever {headers['webhook-signature']}"
    assert events.verify(BODY, headers, SECRET, now=NOW) == "e1"


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "e2"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(NOW + 1)},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "١٢"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": ""},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é"},
    ],
)
def test_any_other_header_is_refused(changed):
    with pytest.raises(events.NotGenuine):
        events.verify(BODY, signed() | changed, SECRET, now=NOW)


def test_another_body_another_secret_and_another_time_are_refused():
    for body, headers, now in (
        (BODY + b" ", signed(), NOW),
        (BODY, signed(secret=OTHER), NOW),
        (BODY, signed(), NOW + 301),
        (BODY, signed(), NOW - 301),
        (BODY, {}, NOW),
    ):
        with pytest.raises(events.NotGenuine):
            events.verify(body, headers, SECRET, now=now)


@pytest.fixture
def standing_clock(monkeypatch):
    """The feed's wait for news gets all of its time, however long the events before it took."""
    monkeypatch.setattr(events, "time", SimpleNamespace(time=lambda: NOW))


@pytest.mark.usefixtures("standing_clock")
async def test_a_feed_takes_an_event_once_keeps_fifty_and_shows_each_creator_their_own():
    feed = events.Feed()
    for number in (*range(60), 59):
        feed.add(f"e{number}", {"id": number, "creator": "mia", "family": "creator"})
    feed.add("nobody", {"id": "nobody", "creator": None, "family": "unknown"})
    feed.add("luca", {"id": "luca", "creator": "luca", "family": "creator"})

    told = [text async for text in feed.watch("mia", until=NOW + 0.05)]
    assert told[0] == "retry: 500\n\n"
    assert [json.loads(text.removeprefix("data: "))["id"] for text in told[1:]] == list(range(10, 60))


@pytest.mark.usefixtures("standing_clock")
async def test_a_feed_shows_a_fact_that_came_by_its_older_name():
    feed = events.Feed()
    feed.add("old", {"id": "old", "creator": "mia", "family": "legacy", "type": "message.received"})

    told = [text async for text in feed.watch("mia", until=NOW + 0.05)]
    assert json.loads(told[1].removeprefix("data: "))["id"] == "old"


@pytest.fixture(scope="module")
def key():
    made = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"})
    made.ensure_kid()
    return made


@pytest.fixture(scope="module")
def gateway(key):
    class Keys(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"keys": [key.as_dict(private=False)]}).encode()
            self.send_response(200 if self.path == "/.well-known/fankeep/jwks.json" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    with HTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def ask(gateway, key):
    """Ask who somebody is whose header says this."""

    async def ask(*, signer=None, header=None, text=None, **claims):
        now = int(time.time())
        right = {"iss": gateway, "aud": AUDIENCE, "sub": "mia", "state": "live", "exp": now + 60}
        said = {name: value for name, value in (right | claims).items() if value is not None}
        head = {"alg": "Ed25519", "kid": key.kid, "typ": "fankeep-identity+jwt"} | (header or {})
        token = text or jwt.encode(head, said, signer or key, algorithms=["Ed25519"])
        scope = {"type": "http", "headers": [(b"fankeep-identity", token.encode())]}
        return await identity.IdentityCheck(gateway, AUDIENCE)(Request(scope))

    return ask


async def test_the_gateways_word_is_believed(ask):
    assert (await ask())[:2] == ("mia", True)
    assert (await ask(state="dead"))[:2] == ("mia", False)


async def test_a_word_that_is_not_the_gateways_or_not_for_this_app_is_worth_nothing(ask):
    stranger = OKPKey.generate_key("Ed25519")
    for wrong in (
        {"signer": stranger},
        {"aud": "http://127.0.0.1:9999"},
        {"iss": "http://elsewhere.example"},
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"sub": None},
        {"header": {"typ": "JWT"}},
        {"text": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtaWEifQ."},
        {"text": "not a token"},
    ):
        assert await ask(**wrong) is None, wrong


async def test_without_the_header_nobody_is_asked(gateway):
    check = identity.IdentityCheck("http://127.0.0.1:9", AUDIENCE)
    assert await check(Request({"type": "http", "headers": []})) is None
