"""Whatever a client sends, the gateway answers: never an exception, never a 5xx of its own making."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fankeep.datakeys import InstallationKeys
from fankeep.datakeys.open_key import OpenKey
from fankeep.errors import NotConnected
from fankeep.fanvue.webhook_secrets import WebhookSecret
from fankeep.gateway import Assertions, GatewayConfig, GatewayServices, Limits, public_app
from fankeep.oauth import ClientRegistration, pinned_server
from fankeep.policy import HostList, TrustedProxies
from fankeep.secret import Secret
from fankeep.sessions import PendingLogins, Session, SessionLimits
from fankeep.transport import StreamedResponse
from fankeep.types import KeyId, UserId

ORIGIN = "https://app.example"
USER = UserId("00000000-0000-4000-8000-000000000001")
GOOD = "g" * 43
KEYS = InstallationKeys("i" * 32, OpenKey(KeyId("key-1"), "installation", Secret(b"k" * 32), b""))


class Sessions:
    limits = SessionLimits()

    async def start(self, user, *, replaces=None):
        return Secret(GOOD)

    async def lookup(self, session_id):
        return Session(USER, b"h", 60.0) if session_id.reveal() == GOOD else None

    async def use_state(self, state):
        return True


class Nobody:
    """Lifecycle, API and inbox, which no generated request may reach with anything but clean values."""

    async def logout(self, session):
        pass

    async def disconnect(self, user):
        return True

    async def grant_status(self, user):
        return None

    @asynccontextmanager
    async def forward(self, user, operation, params, query, headers, *, body=None, timeout=60.0):
        assert user == USER
        raise NotConnected
        yield

    async def accept(self, verified):
        raise AssertionError("nothing here is signed")

    @asynccontextmanager
    async def stream(self, request, body=None, *, length=None, timeout, max_bytes=0):
        assert "__host-fankeep" not in request.headers.get("cookie", "").lower()
        assert request.headers.get("fankeep-identity", "eyJ").startswith("eyJ")
        assert request.url.startswith("http://127.0.0.1:3000/")

        async def chunks():
            yield b"ok"

        yield StreamedResponse(200, [], chunks())


async def ready():
    return True


def gateway(upstream):
    config = GatewayConfig(
        public_origin=ORIGIN,
        hosts=HostList.for_origins([ORIGIN]),
        proxies=TrustedProxies(),
        require_https=True,
        server=pinned_server(),
        client=ClientRegistration("client", f"{ORIGIN}/auth/callback", ("openid", "read:self")),
        operations=frozenset({"getCurrentUser"}),
        webhook_secrets=[WebhookSecret("main", Secret("a signing secret for this test"))],
        upstream=upstream,
        limits=Limits(webhook_body=64, api_body=64, form_body=64, receive=0.05),
    )
    services = GatewayServices(
        sessions=Sessions(),
        logins=PendingLogins(KEYS),
        lifecycle=Nobody(),
        api=Nobody(),
        inbox=Nobody(),
        subscriptions=Nobody(),
        assertions=Assertions(KEYS, issuer=ORIGIN, audience="http://127.0.0.1:3000"),
        transport=Nobody(),
        ready=ready,
        late=lambda signed_at: None,
    )
    return public_app(config, services)


APPS = [gateway(None), gateway("http://127.0.0.1:3000")]

paths = st.sampled_from(
    [b"/auth/login", b"/auth/callback", b"/auth/logout", b"/auth/disconnect", b"/auth/session",
     b"/api/fanvue/users/me", b"/api/fanvue/", b"/webhooks/fanvue", b"/webhooks/fanvue/",
     b"/webhooks/fanvue/a", b"/healthz", b"/readyz", b"/", b"*", b"",
     b".evil.example/", b"@evil.example/"]
) | st.binary(max_size=30).map(lambda tail: b"/" + tail)  # fmt: skip
queries = st.sampled_from([b"", b"return_to=/x", b"return_to=//x", b"code=a&state=b", b"a=%ff"]) | st.binary(
    max_size=30
)
names = st.sampled_from(
    [b"host", b"cookie", b"content-type", b"content-length", b"content-encoding", b"transfer-encoding",
     b"sec-fetch-site", b"origin", b"fankeep-request", b"fankeep-identity", b"x-forwarded-proto",
     b"x-forwarded-for", b"x-fanvue-signature", b"accept", b"connection"]
) | st.binary(max_size=12)  # fmt: skip
values = st.sampled_from(
    [b"app.example", b"same-origin", b"cross-site", b"1", b"https", b"application/json", b"text/html",
     b"application/x-www-form-urlencoded", b"__Host-fankeep-session=" + GOOD.encode(), ORIGIN.encode(),
     b"__Host-fankeep-login-0=AAAA", b"t=1,v0=" + b"0" * 64, b"chunked", b"5"]
) | st.binary(max_size=40)  # fmt: skip
messages = st.lists(
    st.builds(
        lambda body, more: {"type": "http.request", "body": body, "more_body": more},
        st.binary(max_size=80),
        st.booleans(),
    )
    | st.just({"type": "http.disconnect"}),
    max_size=3,
)


async def ask(app, scope, incoming):
    sent = []

    async def receive():
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent


@settings(max_examples=300)
@given(
    app=st.sampled_from(APPS),
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT"]) | st.text(max_size=8),
    path=paths,
    query=queries,
    headers=st.lists(st.tuples(names, values), max_size=8),
    scheme=st.sampled_from(["http", "https"]),
    client=st.sampled_from([None, ("127.0.0.1", "1"), ("", 0), ("nonsense", 1)]),
    incoming=messages,
)
@example(APPS[0], "GET", b"/auth/login", b"", [], "https", None, [])
def test_every_request_gets_one_answer_or_has_left(
    app, method, path, query, headers, scheme, client, incoming
):
    scope = {
        "type": "http",
        "method": method,
        "path": path.decode("latin-1"),
        "raw_path": path,
        "query_string": query,
        "headers": [(b"host", b"app.example"), *headers],
        "scheme": scheme,
        "client": client,
    }
    sent = asyncio.run(ask(app, scope, list(incoming)))
    starts = [message for message in sent if message["type"] == "http.response.start"]
    assert len(starts) <= 1
    if starts:
        assert starts[0]["status"] < 500
        assert b"strict-transport-security" in {name for name, _ in starts[0]["headers"]}
    else:
        assert (
            {"type": "http.disconnect"} in incoming
            or (incoming and incoming[-1].get("more_body"))
            or not incoming
        )


@pytest.mark.parametrize("app", APPS)
def test_a_websocket_is_closed(app):
    assert asyncio.run(ask(app, {"type": "websocket"}, [])) == [{"type": "websocket.close", "code": 1003}]


@pytest.mark.parametrize("app", APPS)
def test_the_server_s_own_start_and_stop_are_acknowledged(app):
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = asyncio.run(ask(app, {"type": "lifespan"}, incoming))
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


@given(st.text(max_size=300), st.sampled_from(["__Host-fankeep-login-0", "__Host-fankeep-login-9"]))
def test_a_made_up_login_cookie_opens_nothing(value, name):
    assert PendingLogins(KEYS).read({name: Secret(value)}) == {}
