import json

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from fankeep.datakeys import InstallationKeys
from fankeep.datakeys.open_key import OpenKey
from fankeep.gateway import Assertions
from fankeep.secret import Secret
from fankeep.types import KeyId, UserId

USER = UserId("00000000-0000-4000-8000-000000000001")


def assertions(material=b"k" * 32):
    keys = InstallationKeys("i" * 32, OpenKey(KeyId("key-1"), "installation", Secret(material), b""))
    return Assertions(keys, issuer="https://app.example", audience="http://127.0.0.1:3000")


def signed(by):
    return by.sign(USER, scopes=["read:self"], state="live", now=1_700_000_000.7)


def key_set(of):
    return KeySet.import_key_set(json.loads(of.key_set()))


def test_every_replica_signs_with_the_same_key():
    assert assertions().key_set() == assertions().key_set()
    assert jwt.decode(signed(assertions()), key_set(assertions()), algorithms=["Ed25519"])


def test_another_installation_signs_with_another_key():
    with pytest.raises(JoseError):
        jwt.decode(signed(assertions(b"z" * 32)), key_set(assertions()), algorithms=["Ed25519"])


def test_the_key_set_holds_no_private_part():
    for key in key_set(assertions()).keys:
        assert not key.is_private


def test_an_assertion_says_who_for_whom_and_until_when():
    claims = jwt.decode(signed(assertions()), key_set(assertions()), algorithms=["Ed25519"]).claims
    assert len(claims.pop("jti")) == 32
    assert claims == {
        "iss": "https://app.example",
        "aud": "http://127.0.0.1:3000",
        "sub": USER,
        "scope": "read:self",
        "state": "live",
        "iat": 1_700_000_000,
        "exp": 1_700_000_060,
    }
