"""What a browser never gets, and what other sites cannot make it do."""

import pytest
from playwright.async_api import expect

from fankeep.cli.demo.leaks import search_bytes

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NEVER_IN_A_BROWSER = (
    "access_token",
    "client_secret",
    "code_verifier",
    "id_token",
    "refresh_token",
    "signing_secret",
)


async def test_no_secret_reaches_the_browser_in_any_answer_document_storage_or_readable_cookie(visitor, site):
    await visitor.connect("miahart")
    page = visitor.page
    await page.locator("#chats button").first.click()
    await page.locator("#messages li").first.wait_for()
    creator = site.creator("miahart")["uuid"]
    site.do("fire", event="creator.message.received", creator=creator, wait=True)
    await expect(page.locator("#live")).to_contain_text("wrote to you")
    seen = await visitor.received()
    for name in ("document.documentElement.outerHTML", "document.cookie", "JSON.stringify(localStorage)",
                 "JSON.stringify(sessionStorage)", "location.href"):  # fmt: skip
        seen.append((name, (await page.evaluate(name)).encode()))

    needles = site.needles(*NEVER_IN_A_BROWSER)
    assert [leak for place, content in seen for leak in search_bytes(content, needles, place)] == []
    assert await page.evaluate("document.cookie") == ""
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0


async def test_the_search_finds_what_is_there(visitor, site):
    await visitor.connect("miahart")
    creator = site.creator("miahart")["uuid"]
    site.do("fire", event="creator.message.received", creator=creator, wait=True)
    await expect(visitor.page.locator("#live")).to_contain_text("wrote to you")

    planted = {
        "in an answer of the API": ["miahart@creators.example"],
        "in the head of a redirect": site.needles("state")["state"][-1:],
        "in a page of Fanvue's": ["Who are you today?"],
        "in the event stream": ["creator.message.received"],
    }
    found = {
        leak.kind
        for place, content in await visitor.received()
        for leak in search_bytes(content, planted, place)
    }
    assert found == set(planted)


async def test_the_code_passes_through_the_address_bar_only(visitor, site):
    await visitor.connect("miahart")

    codes = site.needles("authorization_code")
    ours = [(url, content) for url, content in await visitor.received() if url.startswith(site.gateway)]
    assert ours
    assert [leak for url, content in ours for leak in search_bytes(content, codes, url)] == []
    assert "code=" not in visitor.page.url


async def test_cookies_are_ours_alone_and_out_of_reach_of_scripts(visitor, site):
    await visitor.connect("miahart")

    cookies = await visitor.context.cookies(site.gateway)
    assert cookies
    for cookie in cookies:
        assert cookie["name"].startswith("__Host-")
        assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax")


@pytest.mark.parametrize("path", ["/auth/logout", "/auth/disconnect"])
async def test_a_form_on_another_site_cannot_end_anything(visitor, site, other_site, eventually, path):
    await visitor.connect("lucamoreno")
    before = cross_site_refusals(site)
    page = visitor.page
    await page.goto(f"{other_site}/?{site.gateway}{path}")
    async with page.expect_response(f"{site.gateway}{path}") as answered:
        await page.get_by_role("button", name="Win").click()
    answer = await answered.value

    assert answer.request.method == "POST"
    assert answer.status == 403
    await expect(page.get_by_role("heading", level=1)).to_have_text("That did not come from this site")
    await eventually(lambda: cross_site_refusals(site) == before + 1)
    assert any(grant["live"] for grant in site.grants("lucamoreno"))
    await page.goto(site.gateway)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Luca Moreno")


def cross_site_refusals(site):
    """How many requests the gateway's log says it refused for being from another site."""
    return sum("request_refused" in line and "cross_site" in line for line in site.log().splitlines())


async def test_a_script_on_another_site_cannot_read_anything(visitor, site, other_site):
    await visitor.connect("lucamoreno")
    page = visitor.page
    await page.goto(other_site)

    for path in ("/api/fanvue/users/me", "/auth/session", "/live", "/"):
        call = "url => fetch(url, {credentials: 'include'}).then(a => a.text(), () => 'refused')"
        assert await page.evaluate(call, site.gateway + path) == "refused"
