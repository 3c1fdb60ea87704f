"""A real browser, and a stack of real processes without an app behind it."""

import os
import shutil

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from fankeep.cli.stack import Stack
from fankeep.transport.ports import free_port

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(autouse=True, scope="session")
def patience():
    """A loaded machine may be slow; a page that never comes is what a test is about."""
    expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def chromium():
    """The path of Chromium. Without one the tests fail; nobody should believe that they ran."""
    names = (os.environ["CHROMIUM"],) if os.environ.get("CHROMIUM") else BROWSERS
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.fail(
            "browser tests need Chromium: install it (Debian, Ubuntu: apt-get install chromium), or name it "
            "in CHROMIUM",
            pytrace=False,
        )
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium):
    """One browser for all tests; those that share it run in the loop of the session."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser):
    """A page in a profile of its own."""
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """Sandbox and gateway."""
    folder = tmp_path_factory.mktemp("stack")
    with Stack(
        folder / "data", gateway_port=free_port(), sandbox_port=free_port(), logs=folder / "logs"
    ) as stack:
        stack.start_sandbox()
        stack.start_gateway()
        yield stack
