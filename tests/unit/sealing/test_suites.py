"""The primitives are the published ones: vectors from RFC 8452 appendix C.2 and the GCM specification."""

import pytest
from cryptography.exceptions import UnsupportedAlgorithm

from fankeep.errors import ConfigurationError
from fankeep.sealing import Suite, new_cipher, suites
from fankeep.secret import Secret


@pytest.mark.parametrize(
    ("plaintext", "result"),
    [
        ("", "07f5f4169bbf55a8400cd47ea6fd400f"),
        ("0100000000000000", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"),
    ],
)
def test_the_first_suite_is_aes_256_gcm_siv_of_rfc_8452(plaintext, result):
    cipher = new_cipher(Suite.AES_256_GCM_SIV, Secret(b"\1" + bytes(31)))
    assert cipher.encrypt(b"\3" + bytes(11), bytes.fromhex(plaintext), b"").hex() == result


def test_the_second_suite_is_aes_256_gcm():
    # Test case 13 of the GCM specification: everything zero, nothing encrypted.
    cipher = new_cipher(Suite.AES_256_GCM, Secret(bytes(32)))
    assert cipher.encrypt(bytes(12), b"", b"").hex() == "530f8afbc74536b9a963b4f1c4cb738b"


def test_every_suite_has_a_cipher_with_a_sixteen_byte_tag():
    for suite in Suite:
        assert len(new_cipher(suite, Secret(bytes(32))).encrypt(bytes(12), b"", b"")) == 16


def test_an_openssl_without_the_suite_is_a_configuration_error(monkeypatch):
    def lacking(key):
        raise UnsupportedAlgorithm("AES-GCM-SIV")

    monkeypatch.setitem(suites._CIPHERS, Suite.AES_256_GCM_SIV, lacking)
    with pytest.raises(ConfigurationError, match="AES_256_GCM_SIV"):
        new_cipher(Suite.AES_256_GCM_SIV, Secret(bytes(32)))
