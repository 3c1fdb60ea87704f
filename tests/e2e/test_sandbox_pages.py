"""The sandbox's pages in a real browser."""

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from playwright.async_api import expect

from fankeep.sandbox import AppRegistration, SandboxSettings, running_sandbox
from fankeep.sandbox.codes import Authorization

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

on_a_desk = pytest.mark.parametrize("page", ["desk"], indirect=True)

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SCREENSHOTS = Path(__file__).parents[2] / "artifacts" / "screenshots"
SIZES = {"desk": (1280, 900, "light"), "phone": (390, 844, "dark")}

# The text whose contrast with what is behind it is below 4.5 to 1 (WCAG 2.2, 1.4.3).
PALE = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => channels(colour).slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    const style = getComputedStyle(element);
    if (element !== document.body && style.backgroundImage !== "none") return null;
    const parts = channels(style.backgroundColor);
    if (parts.length < 4 || parts[3] === 1) return style.backgroundColor;
    return element.parentElement ? behind(element.parentElement) : "rgb(255, 255, 255)";
  };
  const hasText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const pale = (element) => {
    const back = behind(element);
    if (!back || !element.checkVisibility()) return false;
    const [high, low] = [light(getComputedStyle(element).color), light(back)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05) < 4.5;
  };
  return [...document.body.querySelectorAll("*")]
    .filter((element) => hasText(element) && pale(element))
    .map((element) => `${element.tagName}: ${element.textContent.trim().slice(0, 40)}`);
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def app():
    """The app that the creators come back to: its addresses, and the request lines that reached it.

    A browser also opens connections that it never uses: each is closed here, whatever state it is in.
    """
    lines, open_connections = [], set()

    async def answer(reader, writer):
        open_connections.add(asyncio.current_task())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"(?i)\r\ncontent-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            lines.append(head.partition("\r\n")[0])
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\nConnection: close\r\n\r\nthe app was called"
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    base = f"http://localhost:{server.sockets[0].getsockname()[1]}"
    yield SimpleNamespace(callback=f"{base}/auth/callback", webhooks=f"{base}/webhooks/fanvue", lines=lines)
    server.close()
    for connection in open_connections:
        connection.cancel()
    await asyncio.gather(*open_connections, return_exceptions=True)


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox(app):
    app = AppRegistration(name="Sunrise Chat", redirect_uris=(app.callback,))
    async with running_sandbox(SandboxSettings(port=0, retry_delays=(), apps=(app,))) as made:
        yield made


@pytest_asyncio.fixture(params=list(SIZES), loop_scope="session")
async def page(request, browser):
    """A page on a desk in daylight or on a phone at night; fails on anything the console complains of."""
    width, height, scheme = SIZES[request.param]
    context = await browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    made = await context.new_page()
    complaints = []
    made.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield made
    await context.close()
    assert complaints == []


@pytest.fixture
def shoot(page):
    """Keeps a picture of the page, and looks at what no page may have: sideways scrolling, pale text."""

    async def take(name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        variant = "phone" if page.viewport_size["width"] < 500 else "desk"
        await page.screenshot(path=SCREENSHOTS / f"sandbox-{name}-{variant}.png", full_page=True)
        width = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, "the page scrolls sideways"
        assert await page.evaluate(PALE) == []

    return take


@pytest.fixture
def press(page):
    """Presses a button and waits for the page that it leads to."""

    async def do(name, **how):
        async with page.expect_navigation():
            await page.get_by_role("button", name=name, **how).click()

    return do


@pytest.fixture
def tab_to(page):
    """Goes to a button by the Tab key alone; it has to be seen where one is."""

    async def go(name):
        button = page.get_by_role("button", name=name)
        await expect(button).to_be_visible()
        for _ in range(40):
            await page.keyboard.press("Tab")
            if await button.evaluate("button => button === document.activeElement"):
                break
        await expect(button).to_be_focused()
        await expect(button).to_have_css("outline-width", "3px")

    return go


def authorize_url(sandbox, scope):
    params = {
        "response_type": "code",
        "client_id": sandbox.apps.first.client_id,
        "redirect_uri": sandbox.apps.first.redirect_uris[0],
        "scope": scope,
        "state": "a state of the test",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"{sandbox.base_url}/oauth2/auth?{urlencode(params)}"


async def test_a_creator_signs_in_and_grants_one_scope_of_two(sandbox, page, press, shoot):
    await page.goto(authorize_url(sandbox, "openid offline_access read:self read:chat write:chat"))
    await shoot("login")
    await press("Mia Hart")
    await expect(page.get_by_role("heading", name="Sunrise Chat asks for access")).to_be_visible()
    await shoot("consent")
    await page.get_by_role("checkbox", name=re.compile("write:chat")).uncheck()
    await press("Allow")
    await expect(page.get_by_text("the app was called")).to_be_visible()
    creator = sandbox.world.first_creator.uuid
    granted = sandbox.consents.granted(creator=creator, client_id=sandbox.apps.first.client_id)
    assert granted == {"openid", "offline_access", "read:self", "read:chat"}


@on_a_desk
async def test_signing_in_again_for_what_was_granted_before_leads_straight_to_the_app(
    sandbox, app, page, press
):
    url = authorize_url(sandbox, "openid read:self")
    await page.goto(url)
    await press("Mia Hart")
    await press("Allow")
    await page.goto(f"{url}&prompt=login")
    await press("Mia Hart")
    await expect(page.get_by_text("the app was called")).to_be_visible()
    callbacks = [line for line in app.lines if line.startswith("GET /auth/callback?code=")]
    assert len(callbacks) == 2


@on_a_desk
async def test_the_keyboard_is_enough_to_sign_in_and_cancel(sandbox, page, tab_to):
    await page.goto(authorize_url(sandbox, "openid read:self"))
    await tab_to("Luca Moreno")
    async with page.expect_navigation(url=re.compile("/consent")):
        await page.keyboard.press("Enter")
    await tab_to("Cancel")
    async with page.expect_navigation(url=re.compile("error=access_denied")):
        await page.keyboard.press("Enter")


@on_a_desk
async def test_form_post_brings_the_answer_to_the_app(sandbox, app, page, press):
    await page.goto(authorize_url(sandbox, "openid read:self") + "&response_mode=form_post")
    await press("Mia Hart")
    await page.get_by_role("button", name="Allow").click()
    await expect(page.get_by_text("the app was called")).to_be_visible()
    assert app.lines[0] == "POST /auth/callback HTTP/1.1"


async def test_the_owner_resets_the_secret_and_sees_the_new_one_once(sandbox, page, press, shoot):
    old = sandbox.apps.first.client_secret.reveal()
    await page.goto(f"{sandbox.base_url}/developer")
    await shoot("developer")
    await press("Reset secret")
    new = sandbox.apps.first.client_secret.reveal()
    assert new != old
    await expect(page.get_by_text(new)).to_be_visible()
    await shoot("secret")
    await page.goto(f"{sandbox.base_url}/developer")
    await expect(page.get_by_text(new)).to_have_count(0)


@on_a_desk
async def test_the_owner_registers_another_app_and_deletes_it(sandbox, page, press, shoot):
    await page.goto(f"{sandbox.base_url}/developer")
    await page.get_by_label("Name of a new app").fill("Night Owl")
    await press("Register app")
    _, owl = sandbox.apps
    await expect(page.get_by_text(owl.client_secret.reveal())).to_be_visible()
    await shoot("apps")
    await page.get_by_text("Delete Night Owl").click()
    await press("Delete app")
    await expect(page.get_by_role("heading", name="Sunrise Chat")).to_be_visible()
    assert [one.name for one in sandbox.apps] == ["Sunrise Chat"]


@on_a_desk
async def test_the_owner_changes_redirect_uris_and_scopes(sandbox, page, press):
    await page.goto(f"{sandbox.base_url}/developer")
    await page.get_by_label("Redirect URIs").fill("http://localhost:1/a\nhttps://app.example/b")
    await press("Save redirects")
    assert sandbox.apps.first.redirect_uris == ("http://localhost:1/a", "https://app.example/b")
    await page.get_by_text(re.compile(r"\d+ of \d+ enabled")).click()
    await page.get_by_role("checkbox", name="write:agency").uncheck()
    await press("Save scopes")
    assert "write:agency" not in sandbox.apps.first.scopes


async def test_the_owner_adds_an_endpoint_sends_a_test_event_and_sees_its_history(
    sandbox, app, page, press, shoot
):
    await page.goto(f"{sandbox.base_url}/developer")
    await page.get_by_label("URL", exact=True).fill(app.webhooks)
    await press("Add endpoint")
    await page.get_by_label("Event").select_option("tip.new")
    await press("Send test event")
    await expect(page.get_by_role("cell", name="tip.new")).to_be_visible()
    await expect(page.get_by_role("cell", name="200")).to_be_visible()
    assert app.lines == ["POST /webhooks/fanvue HTTP/1.1"]
    await shoot("history")
    (endpoint,) = sandbox.endpoints
    await page.goto(f"{sandbox.base_url}/developer")
    await page.get_by_text("View signing secret").click()
    await expect(page.get_by_text(sandbox.apps.first.signing_secret.reveal())).to_be_visible()
    await shoot("signing-secret")
    await press("Switch off")
    assert not endpoint.enabled
    await shoot("endpoints")


async def test_one_acts_as_a_fan_and_connected_apps_are_told(sandbox, app, page, press, shoot):
    creator = sandbox.world.first_creator
    client_id = sandbox.apps.first.client_id
    sandbox.add_endpoint(client_id, app.webhooks, topics=frozenset({"message.received", "tip.new"}))
    await page.goto(authorize_url(sandbox, "openid offline_access read:self read:chat read:fan read:creator"))
    await press("Mia Hart")
    await press("Allow")
    fan = next(fan for fan in sandbox.world.fans.values() if fan not in creator.subscribers)
    paid = len(creator.payments)

    await page.goto(f"{sandbox.base_url}/panel")
    await page.locator("select[name=fan]").select_option(label=fan.display_name)
    await page.locator("select[name=creator]").select_option(label=creator.display_name)
    for deed in ("message", "tip", "subscribe"):
        await page.locator("select[name=do]").select_option(deed)
        await press("Do it")
        await expect(page.get_by_role("status")).to_contain_text("Done.")
        await expect(page.locator("select[name=fan]")).to_have_value(fan.uuid)
    assert [message.type for message in creator.chats[fan.uuid].messages][-2:] == ["SINGLE_RECIPIENT", "TIP"]
    assert [payment.source for payment in creator.payments[paid:]] == ["tip", "subscription"]
    assert fan in creator.subscribers
    async with asyncio.timeout(30):
        while sum(line.startswith("POST /webhooks") for line in app.lines) < 2:
            await asyncio.sleep(0.01)
    await page.reload()
    for told in ("message.received", "tip.new"):
        await expect(page.get_by_role("cell", name=re.compile(told))).to_be_visible()
    await shoot("acted")


async def test_answers_are_made_to_go_wrong_and_right_again(sandbox, page, press, shoot):
    await page.goto(f"{sandbox.base_url}/panel")
    await press("Arm", exact=True)
    await expect(page.get_by_text(re.compile("1 . token: held"))).to_be_visible()
    await shoot("panel")
    await press("Disarm all")
    assert sandbox.faults.armed == []
    await page.goto(sandbox.base_url)
    await shoot("home")


@on_a_desk
async def test_a_creator_takes_the_access_back(sandbox, page, press):
    app, creator = sandbox.apps.first, sandbox.world.first_creator.uuid
    scopes = ("openid", "offline_access")
    sandbox.consents.grant(creator=creator, client_id=app.client_id, scopes=scopes)
    granted = Authorization(app.client_id, creator, scopes, app.redirect_uris[0], CHALLENGE, sandbox.now())
    sandbox.tokens.start(granted, "a code", now=sandbox.now())
    await page.goto(f"{sandbox.base_url}/panel")
    await press("Withdraw as creator")
    await expect(page.get_by_role("cell", name="withdrawn")).to_be_visible()
    assert not sandbox.consents.creators_of(app.client_id)
