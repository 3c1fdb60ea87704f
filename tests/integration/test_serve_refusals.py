"""What `fankeep serve` refuses: one line that says what to do, exit code 2, nothing lost, nothing shown."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import apsw
import pytest

from fankeep.transport.ports import free_port

SECRET = "0123456789abcdef" * 4
OTHER_FOLDER_MODES = 0o777


class Installation:
    """A folder and an environment in which `fankeep serve` runs."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.folder = folder
        self.port = port = free_port()
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")
        }
        self.environment |= {
            "FANKEEP_ENV": "development",
            "FANKEEP_PUBLIC_URL": f"http://localhost:{port}",
            "FANKEEP_PORT": str(port),
            "FANKEEP_CLIENT_ID": "0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11",
            "FANKEEP_CLIENT_SECRET": SECRET,
            "FANKEEP_WEBHOOK_SECRETS": f"main=whsec_{SECRET}",
            "FANKEEP_ISSUER_URL": "http://127.0.0.1:9",
            "FANKEEP_API_URL": "http://127.0.0.1:9",
            "FANKEEP_OPERATIONS": "getCurrentUser",
            "FANKEEP_DATABASE_URL": f"sqlite:///{folder}/data.db",
            "FANKEEP_KEYS_DATABASE_URL": f"sqlite:///{folder}/keys.db",
            "FANKEEP_KEYS": f"file:{folder}/kek.json",
        }

    def start(self, **changes: str | None) -> subprocess.Popen[str]:
        environment = {**self.environment, **changes}
        return subprocess.Popen(
            [sys.executable, "-m", "fankeep", "serve"],
            env={name: value for name, value in environment.items() if value is not None},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run_once(self) -> None:
        """Start, wait until it is ready, and stop: the databases and keys exist afterwards."""
        process = self.start()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors

    def refusal(self, **changes: str | None) -> str:
        """Start, expect a refusal, and return its one line."""
        process = self.start(**changes)
        output, errors = process.communicate(timeout=30)
        complaints = [line for line in errors.splitlines() if not line.startswith("{")]
        assert process.returncode == 2, errors
        assert len(complaints) == 1, errors
        assert complaints[0].startswith("fankeep: ")
        assert "Traceback" not in errors + output
        assert SECRET not in errors + output
        return complaints[0]


@pytest.fixture
def installed(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "fankeep")


@pytest.fixture
def used(installed: Installation) -> Installation:
    installed.run_once()
    return installed


def test_an_unknown_setting_is_named_with_the_one_that_was_meant(installed) -> None:
    line = installed.refusal(FANKEEP_CLIENT_SECRETT="x")
    assert "FANKEEP_CLIENT_SECRETT" in line
    assert "FANKEEP_CLIENT_SECRET?" in line


def test_a_missing_secret_is_named(installed) -> None:
    assert "FANKEEP_CLIENT_SECRET is missing" in installed.refusal(FANKEEP_CLIENT_SECRET=None)


@pytest.mark.parametrize("value", ["changeme", "your-client-secret", "x" * 64, "abc123"])
def test_a_placeholder_or_short_secret_is_refused_and_not_shown(installed, value: str) -> None:
    line = installed.refusal(FANKEEP_CLIENT_SECRET=value)
    assert "FANKEEP_CLIENT_SECRET" in line
    assert value not in line


def test_no_webhook_secret_means_no_start(installed) -> None:
    assert "FANKEEP_WEBHOOK_SECRETS is missing" in installed.refusal(FANKEEP_WEBHOOK_SECRETS=None)


def test_http_in_production_is_refused(installed) -> None:
    line = installed.refusal(FANKEEP_ENV=None)
    assert "FANKEEP_PUBLIC_URL must be https" in line


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_secret_file_with_a_line_end_gives_the_secret(installed, ending: str) -> None:
    path = installed.folder / "client-secret"
    path.write_text(SECRET + ending, newline="")
    path.chmod(0o600)
    installed.environment |= {"FANKEEP_CLIENT_SECRET_FILE": str(path)}
    del installed.environment["FANKEEP_CLIENT_SECRET"]
    installed.run_once()


def test_a_secret_file_with_a_byte_order_mark_gives_the_secret_or_says_so(installed) -> None:
    path = installed.folder / "client-secret"
    path.write_bytes(b"\xef\xbb\xbf" + SECRET.encode())
    path.chmod(0o600)
    line = installed.refusal(FANKEEP_CLIENT_SECRET=None, FANKEEP_CLIENT_SECRET_FILE=str(path))
    assert "FANKEEP_CLIENT_SECRET_FILE" in line
    assert "byte order mark" in line.lower() or "bom" in line.lower()


def test_a_folder_that_others_can_write_to_is_refused(installed) -> None:
    installed.folder.chmod(OTHER_FOLDER_MODES)
    assert str(installed.folder) in installed.refusal()


def test_a_folder_that_cannot_be_made_is_named(installed) -> None:
    (installed.folder / "file").write_text("in the way")
    line = installed.refusal(FANKEEP_DATABASE_URL=f"sqlite:///{installed.folder}/file/data.db")
    assert "file" in line


def test_a_key_file_that_does_not_fit_the_stored_keys_is_named(used) -> None:
    key_id = next(iter(json.loads((used.folder / "kek.json").read_text())["keys"]))
    (used.folder / "kek.json").unlink()
    before = (used.folder / "keys.db").read_bytes()
    line = used.refusal()
    assert key_id in line
    assert (used.folder / "keys.db").read_bytes() == before


def test_a_key_with_the_right_name_and_the_wrong_bytes_is_refused(used) -> None:
    path = used.folder / "kek.json"
    content = json.loads(path.read_text())
    content["keys"] = {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in content["keys"]}
    path.write_text(json.dumps(content))
    assert next(iter(content["keys"])) in used.refusal()


def test_a_key_file_that_others_can_read_is_refused(used) -> None:
    (used.folder / "kek.json").chmod(0o644)
    assert "mode 0644" in used.refusal()


def test_keys_of_an_unknown_kind_are_refused_and_no_file_is_made(installed, monkeypatch) -> None:
    monkeypatch.chdir(installed.folder)
    line = installed.refusal(FANKEEP_KEYS="cloud:one")
    assert "FANKEEP_KEYS names places that begin with: file:, env:, aws-kms:, vault:" in line
    assert not list(installed.folder.glob("cloud*"))


@pytest.mark.parametrize("name", ["data.db", "keys.db"])
def test_a_newer_schema_is_refused(used, name: str) -> None:
    database = apsw.Connection(str(used.folder / name))
    database.execute("PRAGMA user_version = 9999")
    database.close()
    line = used.refusal()
    assert "newer" in line
    assert name in line


def test_the_key_store_of_another_installation_is_refused(used, tmp_path) -> None:
    other = Installation(tmp_path / "other")
    other.run_once()
    for name in ("keys.db", "kek.json"):
        shutil.copy(other.folder / name, used.folder / name)
    assert "another installation" in used.refusal()


def test_a_missing_key_store_beside_used_data_is_refused_and_not_replaced(used) -> None:
    for path in used.folder.glob("keys.db*"):
        path.unlink()
    assert "keys.db" in used.refusal()
    assert not (used.folder / "keys.db").exists()


def test_a_port_that_is_taken_is_named(installed) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", installed.port))
        taken.listen()
        assert f"port {installed.port} is in use" in installed.refusal()


def test_a_second_gateway_on_the_same_port_does_not_share_it_silently(installed) -> None:
    first = installed.start()
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", installed.port)) == 0:
                    break
            time.sleep(0.05)
        assert f"port {installed.port} is in use" in installed.refusal()
    finally:
        first.terminate()
        first.communicate(timeout=20)
