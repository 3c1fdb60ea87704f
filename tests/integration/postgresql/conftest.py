"""What lies between fankeep and a PostgreSQL server: a pooler, or a network that fails at a chosen moment."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager

import pytest
import trustme
from bench.rig.cutting import Network
from bench.rig.postgresql import PostgreSQL

from fankeep.transport.ports import free_port


@pytest.fixture(scope="module")
def own_server():
    """A server that a test may stop, kill and start again."""
    with PostgreSQL(in_memory=True) as server:
        yield server


@contextmanager
def pooler(server, **settings):
    """Run pgbouncer in transaction mode, with two connections to the server for all its clients."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    program = shutil.which("pgbouncer", path=search)
    assert program, "no pgbouncer: make test installs it for root; else: sudo apt-get install pgbouncer"
    port = free_port()
    lines = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": "transaction",
        "default_pool_size": 2,
    } | settings
    file, log = server.folder / f"pgbouncer-{port}.ini", server.folder / f"pgbouncer-{port}.log"
    file.write_text(
        f"[databases]\n* = host=127.0.0.1 port={server.port} user={server.user}\n[pgbouncer]\n"
        + "".join(f"{name} = {value}\n" for name, value in lines.items())
    )
    server.runs_as.own(file)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "--quiet", file],
            stdout=output,
            stderr=output,
            user=server.runs_as.user,
            group=server.runs_as.group,
            extra_groups=server.runs_as.extra_groups,
        )
    try:
        deadline = time.monotonic() + 30
        while not listens(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def pgbouncer(postgresql):
    with pooler(postgresql) as port:
        yield port


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture(scope="session")
def tls_port(postgresql, authority):
    """A port of ``localhost`` behind which the server is reached with TLS; its own build has none."""
    certificate = authority.issue_cert("localhost")
    files = {"key": certificate.private_key_pem, "cert": certificate.cert_chain_pems[0]}
    for name, pem in files.items():
        path = postgresql.folder / f"tls-{name}.pem"
        path.write_bytes(pem.bytes())
        path.chmod(0o600)
        postgresql.runs_as.own(path)
    settings = {f"client_tls_{name}_file": postgresql.folder / f"tls-{name}.pem" for name in files}
    with pooler(postgresql, client_tls_sslmode="require", **settings) as port:
        yield port


@pytest.fixture
async def network(postgresql):
    async with Network(postgresql.port) as between:
        yield between
