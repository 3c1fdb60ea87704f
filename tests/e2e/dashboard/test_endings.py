"""Saying no, logging out, disconnecting, and access that was taken back at Fanvue."""

import re

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SESSION = "fetch('/auth/session').then(answer => answer.json())"


async def test_saying_no_at_fanvue_connects_nothing_and_offers_to_start_again(visitor, site):
    page = visitor.page
    await page.goto(f"{site.gateway}/auth/login")
    await page.get_by_role("button", name="Continue to Fanvue").click()
    await page.get_by_role("button", name="@lucamoreno").click()
    await page.get_by_role("button", name="Cancel").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Nothing was connected")
    await expect(page.get_by_role("button", name="Start again")).to_be_visible()
    await visitor.picture("refused-at-fanvue")


async def test_logout_ends_the_session_at_the_server_and_leaves_the_connection(new_visitor, visitor, site):
    await visitor.connect("miahart")
    stolen = [cookie for cookie in await visitor.context.cookies() if "localhost" in cookie["domain"]]
    await visitor.page.get_by_role("button", name="Log out").click()
    await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Your fans, as it happens")

    thief = await new_visitor()
    await thief.context.add_cookies(stolen)
    await thief.page.goto(site.gateway)
    await expect(thief.page.get_by_role("heading", level=1)).to_have_text("Your fans, as it happens")
    assert (await thief.page.evaluate(SESSION))["connected"] is False
    assert any(grant["live"] for grant in site.grants("miahart"))


async def test_disconnect_asks_first_and_then_leaves_no_live_token_at_fanvue(visitor, site, eventually):
    await visitor.connect("ayobankole")
    page = visitor.page
    await page.get_by_role("link", name="Disconnect").click()
    await visitor.picture("7-disconnect")
    assert any(grant["live"] for grant in site.grants("ayobankole"))
    await page.get_by_role("button", name="Disconnect").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Nothing is connected here")
    await visitor.picture("8-disconnected")
    await eventually(lambda: not any(grant["live"] for grant in site.grants("ayobankole")))
    for grant in site.grants("ayobankole"):
        assert (grant["live_access_tokens"], grant["live_refresh_tokens"]) == (0, 0)
    await page.goto(site.gateway)
    await expect(page.get_by_role("link", name=re.compile("^Connect"))).to_be_visible()


async def test_access_taken_back_at_fanvue_shows_how_to_connect_again(visitor, site):
    site.do("lifetime", seconds=2)
    try:
        await visitor.connect("zoelindqvist")
        site.do("withdraw", creator="zoelindqvist")
    finally:
        site.do("lifetime", seconds=3600)
    page = visitor.page
    await page.wait_for_timeout(2000)
    await page.reload()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Please connect again")
    await visitor.picture("9-reconnect")
    await page.get_by_role("link", name="Connect again").click()
    await expect(page.get_by_role("status")).to_contain_text("has ended")
    await page.get_by_role("button", name="Continue to Fanvue").click()
    await page.get_by_role("button", name="Allow").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Zoë Lindqvist")
