"""Every kind of key-encryption key, each over the same seam; services answer on real sockets."""

import importlib.util
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from fankeep.kms import create_key_file, from_setting

KINDS = ("file", "env", "aws-kms", "vault")


def _stand_in():
    spec = importlib.util.spec_from_file_location(
        "vault_stand_in", Path(__file__).with_name("vault_stand_in.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


vault_stand_in = _stand_in()


def _wake(url):
    """Make a first key, for which moto loads its KMS: longer than fankeep's own client may wait."""
    client = boto3.client(
        "kms",
        region_name="eu-central-1",
        endpoint_url=url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    client.create_key()
    client.close()


@pytest.fixture(scope="session")
def moto():
    """AWS KMS as moto plays it, on a port of its own."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    _wake(url)
    yield url
    server.stop()


@pytest.fixture
def aws(moto, monkeypatch):
    """Makes KMS keys; the environment is the one in which AWS's library finds the service."""
    for name, value in {
        "AWS_ENDPOINT_URL_KMS": moto,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("kms", region_name="eu-central-1")
    yield client
    client.close()


@pytest.fixture
def vault(monkeypatch):
    monkeypatch.setenv("VAULT_TOKEN", vault_stand_in.TOKEN)
    monkeypatch.delenv("VAULT_NAMESPACE", raising=False)
    monkeypatch.delenv("VAULT_CACERT", raising=False)
    with vault_stand_in.VaultStandIn() as stand_in:
        yield stand_in


@pytest.fixture(params=KINDS)
def make_place(request, tmp_path, monkeypatch):
    """Makes a new key of one kind and returns its place, as FANKEEP_KEYS names it."""
    numbers = iter(range(9))

    def file():
        path = tmp_path / f"keys-{next(numbers)}.json"
        create_key_file(path)
        return f"file:{path}"

    def env():
        path, name = tmp_path / "made.json", f"KEYS_{next(numbers)}"
        create_key_file(path)
        monkeypatch.setenv(name, path.read_text())
        path.unlink()
        return f"env:{name}"

    def aws_kms():
        client = request.getfixturevalue("aws")
        return f"aws-kms:{client.create_key()['KeyMetadata']['Arn']}"

    def vault():
        stand_in, name = request.getfixturevalue("vault"), f"fankeep-{next(numbers)}"
        stand_in.add_version(name)
        return f"vault:{stand_in.url}/transit/{name}"

    return dict(zip(KINDS, (file, env, aws_kms, vault), strict=True))[request.param]


@pytest.fixture
def place(make_place):
    return make_place()


@pytest.fixture
def kms(place):
    return from_setting(place)
