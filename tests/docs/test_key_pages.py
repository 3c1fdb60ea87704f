"""The pages about keys: the inventory names what the code has, and the guide's commands work."""

import ast
import asyncio
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from fankeep import Keep, Settings
from fankeep.datakeys.keyring import FRESH_SECONDS, KEPT_SECONDS, KEPT_USES, RENEW_AFTER_SECONDS
from fankeep.datakeys.rotation import Rotation
from fankeep.kms.setting import _SCHEMES
from fankeep.store.bound_columns import MAC_BOUND, SEAL_BOUND
from fankeep.store.sealed_values import COLUMNS

SEALING = Path("docs/reference/sealing.md")
SECONDS = 60
SECRET = "0123456789abcdef" * 4


@pytest.fixture
def inventory(pages):
    return pages[Path("docs/reference/keys.md")]


@pytest.fixture
def guide(pages):
    return pages[Path("docs/how-to/keys.md")]


def rows(page):
    """The cells of every row of the page's tables."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| ") and not line.startswith("|---")
    ]


def purposes(root):
    """The purposes for which the code asks for a key of the installation, as its source has them."""
    found = set()
    for file in (root / "src" / "fankeep").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("key", "sealing_key")
                and len(node.args) == 1
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(node.args[0].value)
    return found


def test_every_purpose_of_a_derived_key_is_in_the_inventory_and_no_other(inventory, root):
    listed = {row[0].strip("`"): row[1] for row in rows(inventory) if row[1] in ("root", "data key")}
    assert {name for name, origin in listed.items() if origin == "root"} == purposes(root)
    assert {name for name, origin in listed.items() if origin == "data key"} == {c.table for c in COLUMNS}


def test_every_column_of_sealed_values_is_in_the_inventory(inventory):
    for column in COLUMNS:
        assert f"`{column.table}.{column.column}`" in inventory


def test_the_page_on_sealing_lists_what_is_bound(pages):
    listed = {row[0].strip("`"): tuple(cell.split() for cell in row[1:]) for row in rows(pages[SEALING])}
    for table in {*MAC_BOUND, *SEAL_BOUND}:
        bound = (MAC_BOUND.get(table, ()), SEAL_BOUND.get(table, ()))
        assert listed[table] == tuple([f"`{name}`" for name in sorted(columns)] for columns in bound), table


def test_every_key_has_an_algorithm_a_purpose_an_owner_and_a_lifetime(inventory):
    assert all(all(row) for row in rows(inventory))
    assert {len(row) for row in rows(inventory)} == {5, 6}


def test_every_place_of_a_key_is_in_the_inventory_and_in_the_guide(inventory, guide):
    for scheme in _SCHEMES:
        assert f"(`{scheme}:`)" in inventory
        assert f"| `{scheme}:" in guide


def test_the_lifetimes_are_those_of_the_code(inventory, guide):
    assert f"seals for {RENEW_AFTER_SECONDS / 86400:.0f} days" in inventory
    assert KEPT_SECONDS == 3600
    assert f"up to an hour, or {KEPT_USES:,}\nuses" in guide
    assert Rotation.__init__.__kwdefaults__["settle"] == FRESH_SECONDS + 1
    assert f"waits {FRESH_SECONDS + 1:.0f} seconds" in guide


def test_the_commands_of_the_guide_make_rotate_and_replace_a_key(guide, tmp_path, root):
    found = re.findall(r"^ *```sh\n(.*?)^ *```$", guide, re.MULTILINE | re.DOTALL)
    make, name, add, promote, rewrap, retire, leak = found
    settings = {
        "env": "development",
        "public_url": "http://localhost:8080",
        "client_id": "0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11",
        "client_secret": SECRET,
        "webhook_secrets": f"main=whsec_{SECRET}",
        "operations": "getCurrentUser",
        "database_url": f"sqlite:///{tmp_path}/data.db",
        "keys_database_url": f"sqlite:///{tmp_path}/keys.db",
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
    environment |= {f"FANKEEP_{name.upper()}": value for name, value in settings.items()}
    environment["PATH"] = f"{root}/.venv/bin:{environment['PATH']}"
    key_file = tmp_path / "etc" / "fankeep" / "keys.json"

    def shell(*blocks, **variables):
        script = "\n".join(blocks).replace("/etc/fankeep", str(key_file.parent))
        subprocess.run(
            ["sh", "-e", "-c", script], env=environment | variables, timeout=SECONDS, check=True,
            capture_output=True, cwd=tmp_path,
        )  # fmt: skip

    def keys():
        return list(json.loads(key_file.read_text())["keys"])

    async def use():
        async with Keep(Settings(**settings, keys=f"file:{key_file}")) as keep:
            await keep._services.datakeys.ensure("somebody")

    shell(make)
    asyncio.run(use())
    shell(name, add)
    old, new = keys()
    shell(name, promote, rewrap, retire, OLD=old, NEW=new)
    assert keys() == [new]
    asyncio.run(use())
    shell(name, leak, OLD=new)
    assert len(keys()) == 2
    asyncio.run(use())
