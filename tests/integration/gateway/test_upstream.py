import asyncio
import hashlib
import json

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from fankeep.transport.listener import listening


class AppBehind:
    """Says what it got; misbehaves by path."""

    def __init__(self):
        self.requests = []
        self.go_on = asyncio.Event()

    async def __call__(self, scope, receive, send):
        body = b""
        more = scope["type"] == "http"
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        seen = {
            "method": scope["method"],
            "path": scope["raw_path"].decode(),
            "query": scope["query_string"].decode(),
            "headers": [
                [name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]
            ],
            "body": hashlib.sha256(body).hexdigest(),
        }
        self.requests.append(seen)
        headers = [(b"content-type", b"application/json")]
        if scope["path"] == "/headers":
            headers += [
                (b"set-cookie", b"theme=dark"),
                (b"set-cookie", b"lang=en"),
                (b"set-cookie", b"__Host-fankeep-session=planted; Path=/; Secure"),
                (b"keep-alive", b"timeout=5"),
                (b"x-app", b"1"),
            ]
        if scope["path"] == "/strict":
            headers += [(b"referrer-policy", b"no-referrer"), (b"cache-control", b"public, max-age=60")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(seen).encode(), "more_body": True})
        if scope["path"] == "/slow":
            await self.go_on.wait()
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def behind(open_site, find_port):
    """The gateway with an app behind it; gives the site and that app."""
    app, port = AppBehind(), find_port()
    async with (
        listening(app, host="127.0.0.1", port=port),
        open_site(upstream=f"http://127.0.0.1:{port}") as site,
    ):
        yield site, app


def header(answer_json, name):
    return [value for key, value in answer_json["headers"] if key == name]


async def test_what_is_not_ours_goes_to_the_app_as_it_came(behind):
    site, app = behind
    answer = await site("GET", "/some/pa%20th?b=2&a=1&a=3")
    assert (answer.status, answer.json["path"], answer.json["query"]) == (200, "/some/pa%20th", "b=2&a=1&a=3")
    for ours in ("/auth/session", "/api/fanvue/users/me", "/webhooks/fanvue", "/healthz", "/auth/nothing"):
        await site("GET", ours)
    assert len(app.requests) == 1


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_methods_and_bodies_pass(behind, method):
    site, _ = behind
    body = b"x" * 50_000 if method in {"POST", "PUT", "PATCH"} else b""
    answer = await site(method, "/upload", body)
    assert answer.json["method"] == method
    assert answer.json["body"] == hashlib.sha256(body).hexdigest()


async def test_a_body_of_unknown_length_passes(behind):
    site, _ = behind
    sent = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    answer = await site("POST", "/upload", sent, content_length=None, transfer_encoding="chunked")
    assert answer.json["body"] == hashlib.sha256(b"hello world").hexdigest()


async def test_the_app_gets_no_cookie_of_ours_and_no_word_that_only_we_may_say(behind):
    site, _ = behind
    session = await site.sign_in()
    answer = await site(
        "GET",
        "/",
        cookie=[f"theme=dark; {session}", "__HOST-fankeep-login-0=x; lang=en"],
        fankeep_identity="forged",
        x_forwarded_for="203.0.113.9",
        x_forwarded_host="evil.example",
        x_forwarded_proto="gopher",
        x_real_ip="203.0.113.9",
        forwarded="for=203.0.113.9",
        connection="close, x-secret-hop",
        x_secret_hop="1",
        te="trailers",
    )
    seen = answer.json
    assert header(seen, "cookie") == ["theme=dark; lang=en"]
    assert header(seen, "x-forwarded-host") == [site.host]
    assert header(seen, "x-forwarded-proto") == ["http"]
    assert header(seen, "x-forwarded-for") == ["127.0.0.1"]
    for name in ("x-real-ip", "forwarded", "x-secret-hop", "te"):
        assert header(seen, name) == []
    assert "forged" not in json.dumps(seen)
    assert session.partition("=")[2] not in json.dumps(seen)


async def test_a_header_name_that_app_servers_confuse_with_ours_is_dropped(behind):
    site, app = behind
    request = (
        f"GET / HTTP/1.1\r\nhost: {site.host}\r\nconnection: close\r\n"
        "fankeep_identity: forged\r\nx_forwarded_for: forged\r\n\r\n"
    )
    await site.raw(request.encode())
    assert "forged" not in json.dumps(app.requests)


async def test_who_is_asking_is_signed_for_this_app_alone_and_for_a_minute(behind, user):
    site, _ = behind
    answer = await site("GET", "/", cookie=await site.sign_in())
    (assertion,) = header(answer.json, "fankeep-identity")
    keys = (await site("GET", "/.well-known/fankeep/jwks.json")).json
    assert "d" not in keys["keys"][0]
    token = jwt.decode(assertion, KeySet.import_key_set(keys), algorithms=["Ed25519"])
    assert token.header["typ"] == "fankeep-identity+jwt"
    claims = token.claims
    assert (claims["sub"], claims["iss"], claims["aud"]) == (user, site.origin, site.config.upstream)
    assert claims["exp"] - claims["iat"] == 60
    assert claims["state"] == "live"
    assert "read:chat" in claims["scope"].split()


async def test_two_assertions_are_never_the_same(behind):
    site, _ = behind
    cookie = await site.sign_in()
    shown = [header((await site("GET", "/", cookie=cookie)).json, "fankeep-identity") for _ in range(2)]
    assert shown[0] != shown[1]


async def test_nobody_signed_in_means_no_assertion(behind):
    site, _ = behind
    assert header((await site("GET", "/")).json, "fankeep-identity") == []


async def test_an_ended_session_means_no_assertion_at_once(behind):
    site, _ = behind
    cookie = await site.sign_in()
    await site.page("POST", "/auth/logout", cookie=cookie)
    assert header((await site("GET", "/", cookie=cookie)).json, "fankeep-identity") == []


async def test_the_app_s_answer_passes_without_hop_headers_and_cannot_set_our_cookies(behind):
    site, _ = behind
    answer = await site("GET", "/headers")
    assert answer.all("set-cookie") == ["theme=dark", "lang=en"]
    assert answer.all("keep-alive") == []
    assert answer.one("x-app") == "1"


async def test_the_app_s_answer_gets_what_it_does_not_say_itself(behind):
    site, _ = behind
    plain = await site("GET", "/", cookie=await site.sign_in())
    assert plain.one("strict-transport-security") == "max-age=31536000; includeSubDomains"
    assert plain.one("x-content-type-options") == "nosniff"
    assert plain.one("cache-control") == "no-store"
    strict = await site("GET", "/strict", cookie=await site.sign_in())
    assert strict.one("referrer-policy") == "no-referrer"
    assert strict.one("cache-control") == "public, max-age=60"


async def test_an_answer_streams_through(behind):
    site, app = behind
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(f"GET /slow HTTP/1.1\r\nhost: {site.host}\r\n\r\n".encode())
    async with asyncio.timeout(30):
        await reader.readuntil(b'"path"')
    app.go_on.set()
    writer.close()


@pytest.mark.parametrize("target", ["/a/../b", "/a/%2e%2e/b", "/a\\b", "/a%zz", "/a?q=\\"])
async def test_an_address_that_could_be_read_in_two_ways_is_not_passed_on(behind, target):
    site, app = behind
    answer = await site("GET", target)
    assert answer.status in {200, 400}
    for request in app.requests:
        assert request["path"] == target.partition("?")[0]


async def test_a_method_that_nobody_needs_is_refused(behind):
    site, _ = behind
    assert (await site("TRACE", "/")).status == 405


async def test_a_body_over_the_cap_is_refused(behind):
    site, _ = behind
    answer = await site("POST", "/upload", b"x" * 70_000)
    assert answer.status == 413


async def test_an_app_that_is_not_there_is_a_502_without_details(open_site, find_port):
    async with open_site(upstream=f"http://127.0.0.1:{find_port()}") as site:
        answer = await site("GET", "/")
        assert (answer.status, answer.json["error"]) == (502, "upstream_unreachable")
        page = await site.page("GET", "/")
        assert page.status == 502
        assert b"127.0.0.1" not in page.body


@pytest.mark.parametrize(
    "said",
    [
        {"sec_fetch_site": "same-site", "origin": "https://sibling.example"},
        {"sec_fetch_site": "cross-site", "origin": "https://evil.example"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": ["same-origin", "cross-site"]},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_change_that_another_sites_page_asks_for_reaches_the_app_as_nobodys(behind, method, said):
    site, _ = behind
    answer = await site(method, "/pay", cookie=await site.sign_in(), **said)
    assert answer.status == 200
    assert header(answer.json, "fankeep-identity") == []


async def test_a_change_that_our_own_page_asks_for_reaches_the_app_as_the_users(behind):
    site, _ = behind
    cookie = await site.sign_in()
    for own in ({"sec_fetch_site": "same-origin"}, {"origin": site.origin}):
        answer = await site("POST", "/pay", cookie=cookie, **own)
        assert len(header(answer.json, "fankeep-identity")) == 1


async def test_a_link_from_another_site_leads_to_the_app_as_the_user(behind):
    site, _ = behind
    answer = await site("GET", "/", cookie=await site.sign_in(), sec_fetch_site="cross-site")
    assert len(header(answer.json, "fankeep-identity")) == 1


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-User",
        "X-Forwarded-Prefix",
        "X-Forwarded-Ssl",
        "X-Forwarded-Protocol",
        "X-Forwarded-Scheme",
        "X-Forwarded-Server",
        "X-Original-Url",
        "X-Rewrite-Url",
        "X-Auth-Request-Email",
        "Remote-User",
        "X-Remote-User",
        "X-Client-Ip",
        "True-Client-Ip",
        "CF-Connecting-IP",
        "Fankeep.Identity",
    ],
)
async def test_what_apps_believe_of_a_proxy_cannot_be_said_by_the_client(behind, name):
    site, app = behind
    await site("GET", "/", **{name: "forged"})
    assert len(app.requests) == 1
    assert "forged" not in json.dumps(app.requests)
