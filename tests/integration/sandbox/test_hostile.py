"""Another site's page in the developer's browser, and clients that send what nobody should."""

import asyncio
import base64
import json
from urllib.parse import urlsplit

import pytest

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DEEP = "[" * 200_000


async def raw(app, data):
    """Send bytes as they are; returns the status line of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(app.sandbox.base_url).port)
    try:
        writer.write(data)
        async with asyncio.timeout(30):
            return (await reader.readline()).decode().rstrip()
    finally:
        writer.close()


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [""],
        ["evil.example"],
        ["localhost.evil.example"],
        ["localhost@evil.example"],
        ["0.0.0.0"],
        ["2130706433"],
        ["[::ffff:10.0.0.1]"],
        ["127.0.0.1:x"],
        ["127.0.0.1", "evil.example"],
    ],
    ids=repr,
)
async def test_a_name_that_was_bound_to_this_machine_is_not_answered(app, hosts):
    lines = [f"Host: {host}" for host in hosts]
    head = "\r\n".join(["GET /sandbox/needles HTTP/1.1", *lines, "", ""])
    assert await raw(app, head.encode()) == "HTTP/1.1 421 Misdirected Request"


@pytest.mark.parametrize("host", ["localhost:1", "LOCALHOST", "app.localhost", "[::1]:80", "127.0.0.1"])
async def test_names_that_are_always_this_machine_are_answered(app, host):
    assert await raw(app, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()) == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    "foreign",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
    ],
    ids=str,
)
async def test_another_sites_page_can_neither_read_nor_change_anything(app, foreign):
    secret = app.client_secret
    client_id = app.client_id
    for view in ("state", "needles", "grants", "journal", "endpoints", "deliveries", "held"):
        answer = await app.call("GET", f"/sandbox/{view}", headers=foreign)
        assert answer.status == 400
        assert secret.encode() not in answer.body
    for action in ("reset-secret", "expire", "withdraw", "clock", "endpoints", "act", "app"):
        assert (await app.call("POST", f"/sandbox/{action}", "{}", {**JSON, **foreign})).status == 400
    pages = (f"/developer/{client_id}/secret", f"/developer/{client_id}/delete", "/developer", "/panel/act")
    for page in pages:
        assert (await app.form(page, {"name": "x"}, foreign)).status == 400
    assert app.sandbox.apps.first.client_secret.reveal() == secret
    assert len(list(app.sandbox.apps)) == 1


async def test_no_answer_lets_another_origin_read_it_or_guess_its_type(app):
    for path in ("/sandbox/state", "/openapi.json", "/", "/users/me", "/.well-known/jwks.json"):
        headers = (await app.call("GET", path, headers={"Origin": app.sandbox.base_url})).headers
        assert not [name for name in headers if name.startswith("access-control-")]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/oauth2/token", FORM, 413),
        ("/oauth2/revoke", FORM, 413),
        ("/sandbox/clock", JSON, 400),
        ("/panel/act", FORM, 400),
        ("/login", FORM, 400),
        ("/webhooks/subscriptions", JSON, 400),
    ],
)
async def test_a_huge_body_is_not_kept(app, path, headers, status):
    assert (await app.call("POST", path, "a=" + "x" * (2 << 20), headers)).status == status


@pytest.mark.parametrize(
    "body",
    [
        "1e308",
        "-1e308",
        "1e18",
        "99999999999999999999",
        "-9999999999",
        "true",
        '"x"',
        "null",
        DEEP,
    ],
    ids=lambda body: body[:12],
)
async def test_no_number_breaks_the_clock(app, body):
    answer = await app.call("POST", "/sandbox/clock", f'{{"advance":{body}}}', JSON)
    assert answer.status == 400
    assert (await app.call("POST", "/sandbox/lifetime", '{"seconds":1e300}', JSON)).status == 400
    assert (await app.connect())["expires_in"] == 3600


async def test_the_clock_ends_with_the_third_millennium_however_it_gets_there(app):
    steps = [await app.call("POST", "/sandbox/clock", '{"advance":9999999999}', JSON) for _ in range(4)]
    assert [step.status for step in steps] == [200, 200, 200, 400]
    assert (await app.connect())["expires_in"] == 3600


@pytest.mark.parametrize(
    "action",
    ["endpoints", "act", "approve", "fire", "app", "withdraw", "faults", "hold", "expire", "lifetime"],
)
async def test_no_control_request_makes_the_sandbox_fail(app, action):
    for body in (b"\xff", b"null", b"[]", b'{"url":"\\ud800"}', b'{"url":5,"creator":{}}', b'{"count":1e9}'):
        answer = await app.call("POST", f"/sandbox/{action}", body, JSON)
        assert answer.status in (200, 400), body
        json.loads(answer.body)


@pytest.mark.parametrize(
    "body", [b"\xff=\xfe", b"grant_type=%ff", b"grant_type=x&refresh_token=%ed%a0%80", b"a&b;c", b"=1" * 300]
)
async def test_a_token_request_that_is_none_is_refused(app, body):
    answer = await app.call("POST", "/oauth2/token", body, {**FORM, **app.basic})
    assert (answer.status, answer.json["error"]) in (
        (400, "invalid_request"),
        (400, "unsupported_grant_type"),
    )


@pytest.mark.parametrize("value", ["Basic", "Basic \xe9", "Bearer x", "Basic " + "A" * 5000])
async def test_credentials_that_are_none_are_an_invalid_client(app, value):
    unreadable = "Basic " + base64.b64encode(b"\xff\xfe:x").decode()
    for sent in (value, unreadable):
        answer = await app.form("/oauth2/token", {"grant_type": "x"}, {"Authorization": sent})
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "path",
    [
        "//users/me",
        "/users%2fme",
        "/users/../users/me",
        "/v1/v1/users/me",
        "/sandbox/../sandbox/needles",
        "/%00",
    ],
)
async def test_a_path_is_matched_as_it_stands(app, path):
    token = (await app.connect())["access_token"]
    assert (await app.api("GET", path, token)).status == 404


async def test_what_an_app_calls_itself_is_text_and_never_markup(app):
    name = "<script>alert(1)</script>"
    page = (await app.form("/developer", {"name": name}, {"Sec-Fetch-Site": "same-origin"})).body
    assert name.encode() not in page
    assert b"&lt;script&gt;" in page
    avatar = await app.call("GET", "/assets/avatar/%3Cscript%3E.svg")
    assert b"<script" not in avatar.body


async def test_a_client_that_leaves_in_the_middle_of_a_request_is_no_failure(app, caplog):
    port = urlsplit(app.sandbox.base_url).port
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = b"POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    writer.write(head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\ngrant_type=")
    await writer.drain()

    async with asyncio.timeout(30):
        while not await app.show("journal?kind=token"):
            await asyncio.sleep(0.01)
        writer.close()
        while not await app.show("journal?kind=token&outcome=client_left"):
            await asyncio.sleep(0.01)
    assert "sandbox_failed" not in caplog.text
