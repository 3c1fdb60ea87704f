import asyncio
import re
import time

import pytest

from fankeep.errors import ProviderError, TransportError
from fankeep.gateway import Limits
from fankeep.secret import Secret

SESSION = "__Host-fankeep-session"


def assert_guarded(answer):
    assert answer.one("strict-transport-security") == "max-age=31536000; includeSubDomains"
    assert answer.one("x-content-type-options") == "nosniff"
    assert answer.one("cross-origin-opener-policy") == "same-origin"
    assert answer.one("cache-control") == "no-store"
    assert answer.one("referrer-policy") in {"same-origin", "no-referrer"}
    policy = answer.one("content-security-policy")
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert answer.one("access-control-allow-origin") is None


async def test_the_connect_page_says_in_plain_words_what_the_app_will_be_able_to_do(site):
    answer = await site.page("GET", "/auth/login")
    assert answer.status == 200
    assert_guarded(answer)
    html = answer.body.decode()
    assert "see your profile" in html
    assert "read your chats" in html
    assert "stay connected until you disconnect it" in html
    assert "Use another Fanvue account" in html
    assert not re.search(r"(?:src|href)=\"https?://(?!www\.fanvue\.com/settings)", html)
    assert "<script" not in html


async def test_a_sign_in_starts_with_a_post_and_goes_to_fanvue_with_everything_it_needs(site):
    answer = await site.page("POST", "/auth/login", b"return_to=%2Finbox")
    assert answer.status == 303
    assert_guarded(answer)
    assert answer.one("location").startswith("https://auth.fanvue.example/oauth2/auth?")
    parameters, cookie = await site.begin()
    assert parameters["code_challenge_method"] == ["S256"]
    assert parameters["redirect_uri"] == [f"{site.origin}/auth/callback"]
    assert parameters["scope"] == ["openid offline_access offline read:self read:chat"]
    assert "prompt" not in parameters
    assert re.fullmatch(r"__Host-fankeep-login-[0-4]=[A-Za-z0-9_-]+", cookie)
    assert "Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax" in answer.one("set-cookie")


async def test_two_sign_ins_share_nothing(site):
    (first, one), (second, other) = await site.begin(), await site.begin()
    assert one != other
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]


async def test_another_account_can_be_asked_for(site):
    parameters, _ = await site.begin(b"prompt=login")
    assert parameters["prompt"] == ["login"]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": None},
        {"sec_fetch_site": None, "origin": "https://evil.example"},
        {"sec_fetch_site": None, "origin": "null"},
        {"sec_fetch_site": ["same-origin", "same-origin"]},
    ],
)
@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout", "/auth/disconnect"])
async def test_nobody_else_s_page_can_post_to_us(site, path, headers):
    answer = await site.page("POST", path, cookie=await site.sign_in(), **headers)
    assert answer.status == 403
    assert_guarded(answer)
    assert answer.all("set-cookie") == []
    assert site.lifecycle.disconnected == []


async def test_a_browser_without_fetch_metadata_signs_in_by_its_origin(site):
    await site.begin(sec_fetch_site=None, origin=site.origin)


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/%5Cevil.example", "/a%0d%0aset-cookie:%20x", "%2F%2Fevil"],
)
async def test_nobody_can_choose_where_we_redirect_to(site, target):
    posted = await site.page("POST", "/auth/login", f"return_to={target}".encode())
    asked = await site.page("GET", f"/auth/login?return_to={target}")
    left = await site.page("POST", "/auth/logout", f"return_to={target}".encode())
    assert [posted.status, asked.status, left.status] == [400, 400, 400]
    assert b"evil" not in posted.body + asked.body + left.body


async def test_the_way_back_completes_the_sign_in_and_sends_the_browser_on(site, user):
    parameters, cookie = await site.begin(b"return_to=%2Finbox%3Ftab%3D1")
    answer = await site.page(
        "GET",
        f"/auth/callback?code=abc&state={parameters['state'][0]}",
        cookie=cookie,
        sec_fetch_site="cross-site",
    )
    assert answer.status == 303
    assert_guarded(answer)
    assert answer.one("location") == "/inbox?tab=1"
    assert answer.one("referrer-policy") == "no-referrer"
    assert answer.cookie(cookie.partition("=")[0]).split("; ")[1] == "Max-Age=0"
    session = answer.cookie(SESSION)
    assert "Path=/; Secure; HttpOnly; SameSite=Lax" in session
    assert "domain" not in session.lower()
    shown = await site("GET", "/auth/session", cookie=session.partition(";")[0])
    assert shown.json["user"] == user


async def callback(site, query, cookie):
    return await site.page("GET", f"/auth/callback?{query}", cookie=cookie, sec_fetch_site="cross-site")


async def test_a_state_of_another_browser_is_refused_before_any_token_request(site):
    parameters, _ = await site.begin()
    _, other_cookie = await site.begin()
    for cookie in (other_cookie, None, "__Host-fankeep-login-0=made-up"):
        answer = await callback(site, f"code=abc&state={parameters['state'][0]}", cookie)
        assert answer.status == 400
        assert answer.cookie(SESSION) is None
    assert site.lifecycle.connected == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "code=abc",
        "code=abc&state=",
        "code=abc&state=wrong",
        "code=abc&state={state}x",
        "code=abc&state={state}&state={state}",
        "state={state}",
        "code=&state={state}",
        "code=abc&state={state}&iss=https://evil.example",
        "error=access_denied&state={state}",
        "error=server_error&error_description=%3Cscript%3E&state={state}",
        "code=abc&state={state}&access_token=x",
        "%",
        "code=%ff&state={state}",
        "code=a%00b&state={state}",
    ],
)
async def test_whatever_is_wrong_with_a_callback_is_refused_before_any_token_request(site, query):
    parameters, cookie = await site.begin()
    answer = await callback(site, query.replace("{state}", parameters["state"][0]), cookie)
    assert answer.status == 400
    assert_guarded(answer)
    assert answer.one("referrer-policy") == "no-referrer"
    assert b"Start again" in answer.body
    assert b"script" not in answer.body
    assert answer.cookie(SESSION) is None
    assert site.lifecycle.connected == []


async def test_a_state_works_once(site):
    parameters, cookie = await site.begin()
    query = f"code=abc&state={parameters['state'][0]}"
    assert (await callback(site, query, cookie)).status == 303
    assert (await callback(site, query, cookie)).status == 400
    assert len(site.lifecycle.connected) == 1


async def test_of_callbacks_at_once_one_reaches_the_token_endpoint(site):
    parameters, cookie = await site.begin()
    query = f"code=abc&state={parameters['state'][0]}"
    answers = await asyncio.gather(*(callback(site, query, cookie) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [303] + [400] * 7
    assert len(site.lifecycle.connected) == 1


async def test_asking_about_a_callback_changes_nothing(site):
    parameters, cookie = await site.begin()
    target = f"/auth/callback?code=abc&state={parameters['state'][0]}"
    assert (await site.page("HEAD", target, cookie=cookie)).status == 405
    assert (await site.page("POST", target, cookie=cookie)).status == 405
    assert (await callback(site, target.partition("?")[2], cookie)).status == 303


async def test_several_windows_can_sign_in_at_once(site):
    first, cookie = await site.begin()
    second, another = await site.begin(cookie=cookie)
    assert cookie.partition("=")[0] != another.partition("=")[0]
    both = f"{cookie}; {another}"
    assert (await callback(site, f"code=a&state={second['state'][0]}", both)).status == 303
    assert (await callback(site, f"code=b&state={first['state'][0]}", both)).status == 303


async def test_the_session_id_changes_at_every_sign_in(site):
    old = await site.sign_in()
    parameters, cookie = await site.begin()
    answer = await callback(site, f"code=abc&state={parameters['state'][0]}", f"{cookie}; {old}")
    new = answer.cookie(SESSION).partition(";")[0]
    assert new != old
    assert (await site("GET", "/auth/session", cookie=old)).json == {"connected": False}
    assert (await site("GET", "/auth/session", cookie=new)).json["connected"] is True


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ProviderError(oauth_error="invalid_grant", http_status=400), 502),
        (TransportError(outcome_unknown=True), 502),
        (RuntimeError("hunter2"), 500),
    ],
)
async def test_a_sign_in_that_fails_behind_us_shows_no_detail(site, error, status):
    site.lifecycle.fails = error
    parameters, cookie = await site.begin()
    answer = await callback(site, f"code=abc&state={parameters['state'][0]}", cookie)
    assert answer.status == status
    assert_guarded(answer)
    assert answer.cookie(SESSION) is None
    assert b"invalid_grant" not in answer.body
    assert b"hunter2" not in answer.body
    assert re.search(rb"<code>[0-9a-f]{32}</code>", answer.body)


async def test_signing_out_ends_the_session_at_once_and_clears_the_browser(site):
    cookie = await site.sign_in()
    answer = await site.page("POST", "/auth/logout", cookie=cookie)
    assert (answer.status, answer.one("location")) == (303, "/")
    assert_guarded(answer)
    assert answer.one("clear-site-data") == '"cache", "storage"'
    assert "Max-Age=0" in answer.cookie(SESSION)
    assert (await site("GET", "/auth/session", cookie=cookie)).json == {"connected": False}


async def test_signing_out_twice_or_without_a_session_is_the_same(site):
    assert (await site.page("POST", "/auth/logout")).status == 303
    answer = await site("POST", "/auth/logout", sec_fetch_site="same-origin")
    assert (answer.status, answer.json) == (200, {"connected": False})


async def test_disconnecting_asks_first_and_then_ends_everything(site, user):
    cookie = await site.sign_in()
    page = await site.page("GET", "/auth/disconnect", cookie=cookie)
    assert_guarded(page)
    assert b"Disconnect" in page.body
    assert site.lifecycle.disconnected == []
    answer = await site.page("POST", "/auth/disconnect", cookie=cookie)
    assert (answer.status, answer.one("location")) == (303, "/auth/disconnect")
    assert site.lifecycle.disconnected == [user]
    after = await site.page("GET", "/auth/disconnect", cookie=cookie)
    assert b"Nothing is connected here" in after.body


async def test_disconnecting_needs_a_session(site):
    assert (await site.page("POST", "/auth/disconnect")).status == 401
    scripted = await site("POST", "/auth/disconnect", sec_fetch_site="same-origin")
    assert (scripted.status, scripted.json["error"]) == (401, "not_connected")


async def test_a_script_learns_what_came_of_a_disconnect(site):
    answer = await site("POST", "/auth/disconnect", sec_fetch_site="same-origin", cookie=await site.sign_in())
    assert answer.json == {"connected": False, "revoked": True}


async def test_the_session_shows_user_state_and_scopes_and_nothing_secret(site, user):
    site.lifecycle.grant.scopes = ("read:self",)
    answer = await site("GET", "/auth/session", cookie=await site.sign_in())
    assert_guarded(answer)
    assert answer.json == {
        "connected": True,
        "user": user,
        "state": "live",
        "reason": None,
        "scopes": ["read:self"],
        "missing_scopes": ["read:chat"],
    }


async def test_a_dead_grant_is_told_and_the_connect_page_offers_to_renew_it(site):
    cookie = await site.sign_in()
    site.lifecycle.grant.state, site.lifecycle.grant.reason = "dead", "revoked_at_fanvue"
    shown = (await site("GET", "/auth/session", cookie=cookie)).json
    assert (shown["connected"], shown["reason"]) == (False, "revoked_at_fanvue")
    assert b"has ended" in (await site.page("GET", "/auth/login", cookie=cookie)).body


async def test_another_site_cannot_read_the_session(site):
    cookie = await site.sign_in()
    for fetched_by in ("cross-site", "same-site"):
        answer = await site("GET", "/auth/session", cookie=cookie, sec_fetch_site=fetched_by)
        assert answer.status == 403


async def test_a_planted_second_session_cookie_is_refused(site):
    cookie = await site.sign_in()
    answer = await site("GET", "/auth/session", cookie=f"{cookie}; __Host-fankeep-session={'x' * 43}")
    assert answer.status == 400


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/auth/login", "GET, HEAD, POST"),
        ("GET", "/auth/logout", "POST"),
        ("PUT", "/auth/disconnect", "GET, HEAD, POST"),
        ("POST", "/auth/session", "GET, HEAD"),
    ],
)
async def test_other_methods_are_refused_by_name(site, method, path, allow):
    answer = await site.page(method, path)
    assert (answer.status, answer.one("allow")) == (405, allow)


async def test_an_unknown_address_under_auth_is_a_plain_page(site):
    answer = await site.page("GET", "/auth/nothing")
    assert answer.status == 404
    assert_guarded(answer)
    assert b"There is nothing here" in answer.body


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content_type": "application/json"}, b"{}", 415),
        ({"content_type": ["text/plain", "application/x-www-form-urlencoded"]}, b"a=b", 400),
        ({}, b"a=b&a=c", 400),
        ({}, b"prompt=consent", 400),
        ({}, b"a=%zz", 400),
        ({}, b"a=" + b"b" * 5000, 413),
    ],
)
async def test_a_form_is_read_strictly(site, headers, body, status):
    answer = await site.page("POST", "/auth/login", body, **headers)
    assert answer.status == status
    assert answer.all("set-cookie") == []


async def test_a_login_cookie_lives_ten_minutes_at_the_server_too(site):
    parameters, cookie = await site.begin()
    name, _, value = cookie.partition("=")
    login = site.logins.read({name: Secret(value)})[name]
    assert login.state.reveal() == parameters["state"][0]
    assert not login.expired(time.time() + 590)
    assert login.expired(time.time() + 610)


async def test_only_so_many_sign_ins_are_completed_at_once_and_the_next_one_loses_nothing(open_site):
    async with open_site(limits=Limits(sign_ins=2)) as site:
        release, arrived = asyncio.Event(), asyncio.Semaphore(0)
        connect = site.lifecycle.connect

        async def slow(callback):
            arrived.release()
            await release.wait()
            return await connect(callback)

        site.lifecycle.connect = slow
        begun = [await site.begin() for _ in range(3)]

        def come_back(parameters, cookie):
            (state,) = parameters["state"]
            return site.page("GET", f"/auth/callback?code=abc&state={state}", cookie=cookie)

        under_way = [asyncio.create_task(come_back(*one)) for one in begun[:2]]
        for _ in under_way:
            await arrived.acquire()
        refused = await come_back(*begun[2])
        assert (refused.status, refused.one("retry-after")) == (503, "2")
        release.set()
        assert [answer.status for answer in await asyncio.gather(*under_way)] == [303, 303]
        assert (await come_back(*begun[2])).status == 303
