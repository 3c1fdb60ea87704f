"""The page about the control API has its routes and what they take, all of them and no others."""

import re
from pathlib import Path

import fankeep.sandbox.control
from fankeep.sandbox import AppRegistration, SandboxSettings, running_sandbox
from fankeep.sandbox.control import control_routes

PAGE = Path("docs/reference/control-api.md")
ROW = re.compile(r"^\| `(GET|POST) (/sandbox/[^`]+)` \|[^|]*\|([^|]*)\|$", re.MULTILINE)
TAKEN = re.compile(
    r"""\bwanted\.(?:text|needed_text|number|count|flag|texts|choice|optional_choice)\("(\w+)\""""
)


async def test_every_route_is_on_the_page(pages):
    settings = SandboxSettings(port=0, apps=(AppRegistration(redirect_uris=("http://localhost/callback",)),))
    async with running_sandbox(settings) as sandbox:
        served = {
            (method, route.path) for route in control_routes(sandbox) for method in route.methods - {"HEAD"}
        }
    assert {row[:2] for row in ROW.findall(pages[PAGE])} == served


def test_every_member_is_on_the_page(pages):
    rows = [members for method, _, members in ROW.findall(pages[PAGE]) if method == "POST"]
    named = {name for members in rows for name in re.findall(r"`(\w+)`", members)}
    sources = Path(fankeep.sandbox.control.__file__).parent.glob("*.py")
    taken = {name for source in sources for name in TAKEN.findall(source.read_text())}
    assert named == taken | {"kind"}
