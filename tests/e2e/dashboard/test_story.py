"""What a creator sees and does in the example app, from the first page to a reply."""

import json
import re
import urllib.request

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": "dark"}


async def act_in_the_panel(visitor, creator, *, fan, text):
    """Write as a fan, with the buttons of the sandbox's control panel."""
    panel = await visitor.context.new_page()
    await panel.goto(visitor.site.panel)
    form = panel.locator("form[action='/panel/act']")
    await form.locator("[name=fan]").select_option(label=fan)
    await form.locator("[name=creator]").select_option(label=creator)
    await form.locator("[name=do]").select_option("message")
    await form.get_by_label("Text").fill(text)
    async with panel.expect_navigation():
        await form.get_by_role("button", name="Do it").click()
    await panel.close()


async def press_tab_until(page, name):
    """Move the focus with the keyboard alone to what has this accessible name."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if await focused.count() and re.search(name, (await focused.inner_text()).strip()):
            return
    raise AssertionError(f"the keyboard does not reach {name}")


async def test_the_connect_page_says_in_plain_words_what_the_app_will_be_able_to_do(visitor, site):
    page = visitor.page
    await page.goto(site.gateway)
    await visitor.picture("1-welcome")
    await page.get_by_role("link", name="Connect your Fanvue account").click()

    await expect(page.get_by_role("heading", level=1)).to_contain_text("Connect your Fanvue account")
    sentences = await page.locator(".scopes .what").all_inner_texts()
    assert len(sentences) >= 3
    assert all(re.fullmatch(r"[A-Za-z][^_:{}]{15,}", sentence) for sentence in sentences)
    await visitor.picture("2-connect")


async def test_fanvues_login_and_consent_lead_back_to_a_page_with_the_profile(visitor, site):
    page = visitor.page
    await page.goto(f"{site.gateway}/auth/login")
    await page.get_by_role("button", name="Continue to Fanvue").click()
    await visitor.picture("3-fanvue-login")
    await page.get_by_role("button", name="@miahart").click()
    await visitor.picture("4-fanvue-consent")
    await page.get_by_role("button", name="Allow").click()

    await page.wait_for_url(f"{site.gateway}/")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Mia Hart")
    await expect(page.locator("#about")).to_contain_text("@miahart")
    await expect(page.locator("#chats li").first).to_be_visible()
    await visitor.picture("5-dashboard")


async def test_what_a_fan_does_appears_live_and_the_reply_arrives_at_fanvue(visitor, site):
    await visitor.connect("miahart")
    page = visitor.page
    fan = await page.locator("#chats strong").nth(2).inner_text()
    await act_in_the_panel(visitor, "Mia Hart", fan=fan, text="Are the tickets still there?")

    await expect(page.locator("#live li").first).to_contain_text(f"{fan} wrote to you")
    row = page.get_by_role("button", name=fan)
    await expect(row).to_contain_text("Are the tickets still there?")
    await row.click()
    await expect(page.locator("#messages")).to_contain_text("Are the tickets still there?")
    await expect(page.locator("#live li").first).to_contain_text(f"You read what {fan} wrote")
    await page.get_by_label("Your message").fill("They are. See you <b>there</b>!")
    await page.get_by_role("button", name="Send").click()

    await expect(page.locator("#sent")).to_have_text("Sent.")
    await expect(page.locator("#messages li").last).to_contain_text("They are. See you <b>there</b>!")
    await expect(page.locator("#live li").first).to_contain_text(f"You wrote to {fan}")
    await visitor.picture("6-live-and-reply")
    newest = messages_at_fanvue(site, await row.get_attribute("data-fan"))[0]
    assert newest["text"] == "They are. See you <b>there</b>!"
    assert newest["sender"]["handle"] == "miahart"


def messages_at_fanvue(site, fan):
    """Ask the sandbox itself, past the gateway."""
    token = site.needles("access_token")["access_token"][-1]
    request = urllib.request.Request(
        f"{site.sandbox}/chats/{fan}/messages?markAsRead=false",
        headers={"Authorization": f"Bearer {token}", "X-Fanvue-API-Version": "2025-06-26"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["data"]


async def test_events_are_there_again_after_a_reload_and_another_creator_sees_none_of_them(
    new_visitor, visitor
):
    await visitor.connect("lucamoreno")
    fan = await visitor.page.locator("#chats strong").first.inner_text()
    await act_in_the_panel(visitor, "Luca Moreno", fan=fan, text="Hi Luca")
    await expect(visitor.page.locator("#live li")).to_have_count(1)
    await visitor.page.reload()
    await expect(visitor.page.locator("#live li")).to_have_count(1)

    other = await new_visitor()
    await other.connect("zoelindqvist")
    await expect(other.page.locator("#pulse")).to_have_text("connected")
    await expect(other.page.locator("#live li")).to_have_count(0)


async def test_a_repeated_delivery_appears_once(visitor, site, eventually):
    await visitor.connect("ayobankole")
    creator = site.creator("ayobankole")["uuid"]
    sent = site.do("fire", event="creator.follow.created", creator=creator, copies=3, wait=True)
    assert [one["attempts"][-1]["status"] for one in sent["deliveries"]] == [200, 200, 200]
    await expect(visitor.page.locator("#live li")).to_have_count(1)
    site.do("fire", event="creator.payment.succeeded", creator=creator, wait=True)

    await expect(visitor.page.locator("#live li").first).to_contain_text("paid")
    await expect(visitor.page.locator("#live li")).to_have_count(2)


async def test_the_keyboard_is_enough_to_connect_and_to_answer(visitor, site):
    page = visitor.page
    await page.goto(site.gateway)
    for name in ("^Connect your Fanvue account", "^Continue to Fanvue", "@miahart", "^Allow"):
        await press_tab_until(page, name)
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site.gateway}/")
    await page.locator("#chats li").first.wait_for()

    await press_tab_until(page, "new|hello|\\?")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Your message")).to_be_visible()
    while not await page.get_by_label("Your message").evaluate("field => field === document.activeElement"):
        await page.keyboard.press("Tab")
    await page.keyboard.type("Typed and sent without a mouse")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#messages li").last).to_contain_text("Typed and sent without a mouse")


async def test_everything_fits_on_a_phone_in_the_dark(new_visitor, site):
    visitor = await new_visitor(**PHONE)
    page = visitor.page
    await page.goto(site.gateway)
    await visitor.picture("phone-1-welcome")
    await page.goto(f"{site.gateway}/auth/login")
    await visitor.picture("phone-2-connect")
    await visitor.connect("zoelindqvist")
    await page.locator("#chats button").first.click()
    await expect(page.get_by_role("button", name="Send")).to_be_visible()
    await visitor.picture("phone-3-dashboard")

    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for control in await page.locator("button:visible, a:visible").all():
        assert (await control.bounding_box())["height"] >= 40


async def test_an_amount_that_was_not_kept_is_not_shown_as_none_at_all(visitor):
    event = {"id": "1", "type": "creator.payment.succeeded", "timestamp": "2026-01-01T12:00:00Z", "data": {}}
    stream = f"data: {json.dumps(event)}\n\n"
    await visitor.page.route(
        "**/live", lambda route: route.fulfill(body=stream, content_type="text/event-stream")
    )
    await visitor.connect("lucamoreno")

    await expect(visitor.page.locator("#live li strong").first).to_have_text("Somebody paid")
