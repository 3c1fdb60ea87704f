"""A creator connects in a browser: what they read, what the browser gets, and what it never gets."""

import json

import pytest

# One browser serves all tests, in the loop of the session.
pytestmark = pytest.mark.asyncio(loop_scope="session")

SESSION = "async () => { const r = await fetch('/auth/session'); return [r.status, await r.text()]; }"
CALL = """async () => {
    const r = await fetch('/api/fanvue/users/me', {headers: {'Fankeep-Request': '1'}});
    return [r.status, await r.text()];
}"""


async def open_app(page, stack):
    """Open a page of the app behind the gateway: same origin, and free to fetch."""
    await page.route(
        f"{stack.gateway_url}/", lambda route: route.fulfill(content_type="text/html", body="the app")
    )
    await page.goto(f"{stack.gateway_url}/")


async def sign_in(page, stack, creator):
    await page.goto(f"{stack.gateway_url}/auth/login")
    await page.get_by_role("button", name="Continue to Fanvue").click()
    await page.get_by_role("button", name=creator).click()


async def connect(page, stack, creator, *, decision="Allow"):
    """Connect a creator who was not asked before: Fanvue does not ask twice."""
    await sign_in(page, stack, creator)
    await page.get_by_role("button", name=decision, exact=True).click()
    await page.wait_for_url(f"{stack.gateway_url}/**")


async def test_the_connect_page_says_in_plain_words_what_the_app_will_be_able_to_do(page, stack):
    await page.goto(f"{stack.gateway_url}/auth/login")

    text = await page.inner_text("main")
    assert "will be able to" in text
    assert "Read your chats, with all messages, photos and videos in them" in text
    assert "Your password is never seen here" in text


async def test_a_creator_who_agrees_is_signed_in_and_the_app_may_call(page, stack):
    await connect(page, stack, "Mia Hart")

    await open_app(page, stack)
    assert json.loads((await page.evaluate(SESSION))[1])["connected"] is True
    status, text = await page.evaluate(CALL)
    assert status == 200
    assert json.loads(text)["handle"] == "miahart"


async def test_a_creator_who_agreed_before_comes_back_without_being_asked_again(page, stack):
    await sign_in(page, stack, "Mia Hart")

    await page.wait_for_url(f"{stack.gateway_url}/**")
    await open_app(page, stack)
    assert json.loads((await page.evaluate(SESSION))[1])["connected"] is True


async def test_the_code_leaves_the_address_bar(page, stack):
    await connect(page, stack, "Luca Moreno")

    assert "code=" not in page.url
    assert "state=" not in page.url


async def test_scripts_see_neither_cookies_nor_storage(page, stack):
    await connect(page, stack, "Zoë Lindqvist")

    await open_app(page, stack)
    assert await page.evaluate("document.cookie") == ""
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0
    cookies = [cookie for cookie in await page.context.cookies() if cookie["domain"] == "localhost"]
    assert cookies
    for cookie in cookies:
        assert cookie["name"].startswith("__Host-")
        assert cookie["httpOnly"]
        assert cookie["secure"]


async def test_a_creator_who_declines_reads_that_nothing_was_connected(page, stack):
    await connect(page, stack, "Ayo Bankole", decision="Cancel")

    assert "Nothing was connected" in await page.inner_text("body")
    await open_app(page, stack)
    assert json.loads((await page.evaluate(SESSION))[1]) == {"connected": False}


async def test_a_stranger_gets_json_and_no_sign_in_page_from_the_api(page, stack):
    await open_app(page, stack)

    status, text = await page.evaluate(CALL)

    assert status == 401
    assert set(json.loads(text)) == {"error", "message", "reference"}
