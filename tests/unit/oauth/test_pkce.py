import base64

import pytest

from fankeep.oauth.pkce import base64url, calculate_code_challenge, make_code_verifier

# RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_vector_of_rfc_7636_appendix_b():
    verifier = make_code_verifier(base64.urlsafe_b64decode(VERIFIER + "="))
    assert verifier.reveal() == VERIFIER
    assert calculate_code_challenge(verifier) == CHALLENGE


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_verifier_needs_exactly_32_random_bytes(length):
    with pytest.raises(ValueError, match="32"):
        make_code_verifier(bytes(length))


def test_base64url_has_neither_padding_nor_the_other_alphabet():
    assert base64url(b"\xfb\xff\xfe\xff") == "-__-_w"
