import copy
import pickle

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from fankeep.sealing import Suite, derive_key, derive_sealing_key
from fankeep.secret import Secret

DATA_KEY = Secret(bytes(range(32)))


def derive(purpose="grants", data_key=DATA_KEY, key_id="dk-1", suite=Suite.AES_256_GCM_SIV):
    return derive_sealing_key(data_key, key_id=key_id, purpose=purpose, suite=suite)


def test_hkdf_expand_is_that_of_rfc_5869():
    # Test case 1 of RFC 5869 appendix A.1, from its pseudorandom key on.
    prk = bytes.fromhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
    okm = HKDFExpand(SHA256(), 42, bytes(range(0xF0, 0xFA))).derive(prk)
    assert okm.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_purposes_and_data_keys_give_different_commitments():
    commitments = {
        derive().commitment,
        derive("events").commitment,
        derive(data_key=Secret(bytes(32))).commitment,
    }
    assert len(commitments) == 3


def test_a_plain_key_shares_no_bytes_with_the_sealing_key_of_the_same_purpose():
    subkey_and_commitment = HKDFExpand(SHA256(), 64, b"fankeep/v1/grants").derive(DATA_KEY.reveal())
    plain = derive_key(DATA_KEY, purpose="grants").reveal()
    assert len(plain) == 32
    assert plain not in {subkey_and_commitment[:32], subkey_and_commitment[32:]}


def test_plain_keys_differ_by_purpose():
    assert derive_key(DATA_KEY, purpose="sessions") != derive_key(DATA_KEY, purpose="grants")


@pytest.mark.parametrize("purpose", ["", "a" * 65, "key/grants", "Grants", "a b", "9a", "a\n", "é"])
def test_a_purpose_of_the_wrong_form_is_refused(purpose):
    with pytest.raises(ValueError, match="purpose"):
        derive(purpose)
    with pytest.raises(ValueError, match="purpose"):
        derive_key(DATA_KEY, purpose=purpose)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length):
    with pytest.raises(ValueError, match="32 bytes"):
        derive(data_key=Secret(bytes(length)))
    with pytest.raises(ValueError, match="32 bytes"):
        derive_key(Secret(bytes(length)), purpose="grants")


def test_repr_shows_only_the_key_id_and_the_suite():
    assert repr(derive()) == "SealingKey(key_id='dk-1', suite=<Suite.AES_256_GCM_SIV: 1>)"


@pytest.mark.parametrize("leak", [pickle.dumps, copy.deepcopy])
def test_a_sealing_key_is_neither_pickled_nor_copied(leak):
    with pytest.raises(TypeError):
        leak(derive())
