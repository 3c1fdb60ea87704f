"""Key services that refuse, are gone, or never answer; and what they get to see."""

import asyncio
import base64
import hashlib
import os
import socket
import threading

import pytest

from fankeep.errors import ConfigurationError, KeyUnavailable
from fankeep.kms import WrapContext, from_setting
from fankeep.kms.aws import AwsKey
from fankeep.kms.remote import RemoteCalls
from fankeep.secret import Secret
from fankeep.transport.ports import free_port

DATA_KEY = Secret(os.urandom(32))
CONTEXT = WrapContext("installation-1", "5939ae62-3eb5-4433-954f-f78c7b4282f3", "dk-1")
ARN = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture
def aws_key(aws):
    arn = aws.create_key()["KeyMetadata"]["Arn"]
    return from_setting(f"aws-kms:{arn}"), arn


@pytest.fixture
def vault_key(vault):
    vault.add_version("fankeep")
    return from_setting(f"vault:{vault.url}/transit/fankeep"), "vault:transit/fankeep"


async def refused(kms, key_id):
    with pytest.raises(KeyUnavailable) as refusal:
        await kms.wrap(key_id, DATA_KEY, CONTEXT)
    assert (refusal.value.status, refusal.value.code) == (503, "key_unavailable")
    return str(refusal.value)


async def test_an_aws_key_that_is_not_there_is_unavailable(aws):
    assert "NotFoundException" in await refused(from_setting(f"aws-kms:{ARN}"), ARN)


async def test_aws_gets_the_user_in_a_digest_alone(aws, aws_key, monkeypatch):
    kms, arn = aws_key
    wrapped = await kms.wrap(arn, DATA_KEY, CONTEXT)
    seen = {
        "fankeep:installation": "installation-1",
        "fankeep:data-key": "dk-1",
        "fankeep:bound-to": hashlib.sha256(CONTEXT.encoded()).hexdigest(),
    }
    assert not any(CONTEXT.owner in value for value in seen.values())
    answer = aws.decrypt(KeyId=arn, CiphertextBlob=wrapped, EncryptionContext=seen)
    assert answer["Plaintext"] == DATA_KEY.reveal()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "alias/fankeep",
        "arn:aws:kms:eu-central-1:123456789012:alias/fankeep",
        "1234abcd",
        ARN + "\n",
        ARN + "/x",
    ],
)
def test_an_aws_key_is_named_by_its_arn_and_by_nothing_that_can_be_moved(name):
    with pytest.raises(ConfigurationError, match="by its ARN"):
        AwsKey.named(name)


async def test_without_the_right_token_vault_is_unavailable(vault, vault_key, monkeypatch):
    monkeypatch.setenv("VAULT_TOKEN", "hvs.another")
    kms = from_setting(f"vault:{vault.url}/transit/fankeep")
    message = await refused(kms, "vault:transit/fankeep")
    assert "Forbidden" in message
    assert "hvs." not in message


async def test_a_vault_key_that_is_not_there_is_unavailable(vault):
    await refused(from_setting(f"vault:{vault.url}/transit/nothing"), "vault:transit/nothing")


async def test_after_vault_has_rotated_its_key_both_versions_unwrap(vault, vault_key):
    kms, key_id = vault_key
    before = await kms.wrap(key_id, DATA_KEY, CONTEXT)
    vault.add_version("fankeep")
    after = await kms.wrap(key_id, DATA_KEY, CONTEXT)
    assert (before[:9], after[:9]) == (b"vault:v1:", b"vault:v2:")
    assert await kms.unwrap(key_id, before, CONTEXT) == await kms.unwrap(key_id, after, CONTEXT) == DATA_KEY


async def test_vault_gets_the_context_as_associated_data(vault, vault_key):
    kms, key_id = vault_key
    await kms.wrap(key_id, DATA_KEY, CONTEXT)
    ((path, body),) = vault.seen
    assert path == "/v1/transit/encrypt/fankeep"
    assert body["associated_data"] == base64.b64encode(CONTEXT.encoded()).decode()


async def test_a_mount_may_have_a_path(vault):
    vault.mount = "team/transit"
    vault.add_version("fankeep")
    kms = from_setting(f"vault:{vault.url}/team/transit/fankeep")
    assert kms.ids == ("vault:team/transit/fankeep",)
    assert await kms.wrap(kms.ids[0], DATA_KEY, CONTEXT)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "fankeep",
        "https://vault.example.com",
        "https://vault.example.com/fankeep",
        "http://vault.example.com/transit/fankeep",
        "https://user@vault.example.com/transit/fankeep",
        "https://vault.example.com/transit/fankeep?x=1",
        "https://vault.example.com/transit/../fankeep/",
        "ftp://localhost/transit/fankeep",
    ],
)
def test_an_address_that_is_no_transit_key_or_not_encrypted_is_refused(address):
    with pytest.raises(ConfigurationError, match="transit"):
        from_setting(f"vault:{address}")


@pytest.mark.parametrize("kind", ["aws-kms", "vault"])
async def test_a_service_that_is_gone_makes_the_key_unavailable(kind, aws, vault, monkeypatch):
    nobody = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", nobody)
    kms = from_setting({"aws-kms": f"aws-kms:{ARN}", "vault": f"vault:{nobody}/transit/fankeep"}[kind])
    await refused(kms, kms.ids[0])


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
        b"\x00\x01garbage\r\n\r\n",
    ],
)
async def test_an_answer_that_is_not_vaults_makes_the_key_unavailable(answer, vault):
    with Says(answer) as port:
        kms = from_setting(f"vault:http://127.0.0.1:{port}/transit/fankeep")
        message = await refused(kms, kms.ids[0])
        assert "hello" not in message


async def test_a_call_that_never_ends_is_given_up_and_keeps_only_its_own_place():
    calls, end = RemoteCalls("kek", seconds=0.2), threading.Event()
    try:
        waiting = [asyncio.create_task(calls.run(end.wait)) for _ in range(6)]
        for task in waiting:
            with pytest.raises(KeyUnavailable, match="no answer in time"):
                await task
        assert calls._free.locked()
    finally:
        end.set()
    async with asyncio.timeout(30):
        while calls._free.locked():
            await asyncio.sleep(0.01)
    assert await RemoteCalls("kek").run(lambda: 7) == 7


class Says:
    """Answers every connection with the same bytes."""

    def __init__(self, answer):
        self.answer = answer
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve)

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(self.answer)

    def __enter__(self):
        self.thread.start()
        return self.socket.getsockname()[1]

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
