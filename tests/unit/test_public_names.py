"""The names of the package: what ``from fankeep import`` promises, and how little it costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fankeep

PROMISED = {
    "Keep",
    "Secret",
    "Settings",
    "VerificationError",
    "VerifiedWebhook",
    "sign_webhook",
    "verify_webhook",
}


def test_the_promised_names_are_among_them():
    assert set(fankeep.__all__) >= PROMISED


def test_the_names_are_sorted():
    assert fankeep.__all__ == sorted(fankeep.__all__)


@pytest.mark.parametrize("name", fankeep.__all__)
def test_every_name_can_be_imported_and_comes_from_where_type_checkers_look(name):
    value = getattr(fankeep, name)

    assert value.__name__ == name
    assert typed_homes()[name] == fankeep._HOMES[name]


def test_every_name_is_in_dir():
    assert set(fankeep.__all__) <= set(dir(fankeep))


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Kepe'"):
        _ = fankeep.Kepe


def test_verifying_a_webhook_does_not_load_the_rest():
    show = "import sys; from fankeep import verify_webhook; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)

    rooms = {name.split(".")[1] for name in done.stdout.split() if name.startswith("fankeep.")}
    assert "fanvue" in rooms
    assert rooms <= {"errors", "fanvue", "hmac_sha256", "secret", "types"}


def typed_homes():
    """Where the imports for type checkers take each name from."""
    tree = ast.parse(Path(fankeep.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    return {alias.name: node.module for node in block.body for alias in node.names}
