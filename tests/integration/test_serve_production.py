"""`fankeep serve` as it stands in production: https by its own certificate, or behind a declared proxy."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import trustme

from fankeep.transport.ports import free_port

SECRET = "0123456789abcdef" * 4
HOST = "app.example.com"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


class Serving:
    """A running gateway in production, with nothing but the settings that it demands."""

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir(mode=0o700)
        key_file = folder / "keys.json"
        subprocess.run(
            [sys.executable, "-m", "fankeep", "keys", "add", "--file", key_file],
            check=True,
            capture_output=True,
        )
        self.port = free_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FANKEEP_")}
        environment |= {
            "FANKEEP_PUBLIC_URL": f"https://{HOST}",
            "FANKEEP_PORT": str(self.port),
            "FANKEEP_CLIENT_ID": "0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11",
            "FANKEEP_CLIENT_SECRET": SECRET,
            "FANKEEP_WEBHOOK_SECRETS": f"main=whsec_{SECRET}",
            "FANKEEP_OPERATIONS": "getCurrentUser",
            "FANKEEP_DATABASE_URL": f"sqlite:///{folder}/data.db",
            "FANKEEP_KEYS": f"file:{key_file}",
            **settings,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fankeep", "serve"], env=environment, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=60)
        return errors


def plain(serving: Serving) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection("127.0.0.1", serving.port, timeout=30))


def ask(
    connection: http.client.HTTPConnection, path: str, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection.request(
        "GET", path, headers={"host": HOST, **{k.replace("_", "-"): v for k, v in headers.items()}}
    )
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def test_own_certificate_files_serve_https_and_nothing_else(tmp_path, authority) -> None:
    certificate = authority.issue_cert(HOST)
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    for number, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(tmp_path / "chain.pem", append=number > 0)
    (tmp_path / "key.pem").chmod(0o600)
    serving = Serving(
        tmp_path / "fankeep",
        FANKEEP_TLS_CERT_FILE=str(tmp_path / "chain.pem"),
        FANKEEP_TLS_KEY_FILE=str(tmp_path / "key.pem"),
    )
    try:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        with (
            socket.create_connection(("127.0.0.1", serving.port)) as raw,
            context.wrap_socket(raw, server_hostname=HOST) as secure,
        ):
            assert secure.version() in ("TLSv1.2", "TLSv1.3")
            connection = http.client.HTTPConnection(HOST)
            connection.sock = secure
            status, headers, page = ask(connection, "/auth/login")
        assert status == 200
        assert b"<h1" in page
        assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
        with plain(serving) as connection, pytest.raises((http.client.HTTPException, OSError)):
            ask(connection, "/auth/login")
    finally:
        errors = serving.stop()
    assert serving.process.returncode == 0, errors


def test_the_internal_listener_has_a_certificate_of_its_own_and_wants_a_service_key(
    tmp_path, authority
) -> None:
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
    (tmp_path / "key.pem").chmod(0o600)
    port = free_port()
    serving = Serving(
        tmp_path / "fankeep",
        FANKEEP_TRUSTED_PROXIES="127.0.0.1/32",
        FANKEEP_INTERNAL_HOST="0.0.0.0",
        FANKEEP_INTERNAL_PORT=str(port),
        FANKEEP_INTERNAL_TLS_CERT_FILE=str(tmp_path / "chain.pem"),
        FANKEEP_INTERNAL_TLS_KEY_FILE=str(tmp_path / "key.pem"),
    )
    try:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        with closing(http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)) as inside:
            assert ask(inside, "/internal/v1/users")[0] == 401
            assert ask(inside, "/metrics")[0] == 200
            assert ask(inside, "/auth/login")[0] == 404
        with plain(serving) as public:
            assert ask(public, "/internal/v1/users", x_forwarded_proto="https")[0] == 404
    finally:
        errors = serving.stop()
    assert serving.process.returncode == 0, errors


def test_behind_a_declared_proxy_its_word_about_https_is_taken_and_plain_http_is_refused(tmp_path) -> None:
    serving = Serving(tmp_path / "fankeep", FANKEEP_TRUSTED_PROXIES="127.0.0.1/32")
    try:
        with plain(serving) as connection:
            assert ask(connection, "/auth/login", x_forwarded_proto="https")[0] == 200
            status, _, body = ask(connection, "/auth/session")
            assert status == 403
            assert json.loads(body)["error"] == "https_required"
            assert ask(connection, "/readyz")[0] == 200
    finally:
        errors = serving.stop()
    assert serving.process.returncode == 0, errors


def test_a_proxy_that_was_not_declared_is_not_believed(tmp_path) -> None:
    serving = Serving(tmp_path / "fankeep", FANKEEP_TRUSTED_PROXIES="10.0.0.0/8")
    try:
        with plain(serving) as connection:
            assert ask(connection, "/auth/login", x_forwarded_proto="https")[0] == 403
    finally:
        serving.stop()


def test_starting_needs_no_network(tmp_path) -> None:
    """The issuer of these tests is Fanvue's real one, which cannot be reached from here."""
    serving = Serving(tmp_path / "fankeep", FANKEEP_TRUSTED_PROXIES="127.0.0.1/32")
    try:
        with plain(serving) as connection:
            assert ask(connection, "/readyz")[0] == 200
    finally:
        serving.stop()


def test_an_app_host_that_rewrites_to_fankeep_may_use_the_name_it_reaches_it_by(tmp_path) -> None:
    serving = Serving(
        tmp_path / "fankeep",
        FANKEEP_TRUSTED_PROXIES="127.0.0.1/32",
        FANKEEP_ALLOWED_HOSTS="fankeep.internal.example.com",
    )
    try:
        with plain(serving) as connection:
            good = {"x_forwarded_proto": "https"}
            assert ask(connection, "/auth/login", host="fankeep.internal.example.com", **good)[0] == 200
            assert ask(connection, "/auth/login", host="other.example.com", **good)[0] == 400
    finally:
        serving.stop()


def test_nothing_for_development_answers_in_production(tmp_path) -> None:
    serving = Serving(tmp_path / "fankeep", FANKEEP_TRUSTED_PROXIES="127.0.0.1/32")
    paths = [
        "/docs",
        "/redoc",
        "/openapi.json",
        "/debug",
        "/panel",
        "/developer",
        "/sandbox/fire",
        "/metrics",
    ]
    try:
        with plain(serving) as connection:
            statuses = {path: ask(connection, path, x_forwarded_proto="https")[0] for path in paths}
            assert statuses == dict.fromkeys(paths, 404)
    finally:
        serving.stop()


def test_what_serves_never_imports_the_sandbox() -> None:
    program = "import sys, fankeep.cli.serve, fankeep.keep.server, fankeep.keep.services; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "fankeep.gateway" in done.stdout.split()
    assert [
        name for name in done.stdout.split() if name.startswith(("fankeep.sandbox", "fankeep.testing"))
    ] == []
