import pytest

from fankeep.secrets import why_unusable


def why(value):
    return why_unusable(value, at_least=24)


@pytest.mark.parametrize(
    "value",
    [
        "0f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e0f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e",
        "whsec_0f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e",
        "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "wZ3-Kq_0Jm8xVb5TnRcY2sDfGhLpQaEi1uOo7X9B4vM",
        "fv-test-signing-secret-0001",
        "p@ssw0rd,with;odd:characters!",
    ],
)
def test_what_looks_like_a_secret_is_usable(value):
    assert why(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "changeme-changeme-changeme",
        "CHANGE_ME_CHANGE_ME_CHANGE_ME",
        "your-client-secret-goes-here-1234",
        "YOUR_WEBHOOK_SIGNING_SECRET",
        "whsec_your_signing_secret_from_fanvue",
        "replace-with-the-secret-from-fanvue",
        "<paste-the-secret-of-the-app>",
        "${FANVUE_CLIENT_SECRET_VALUE}",
        "$FANVUE_CLIENT_SECRET_VALUE_1",
        "$(cat /run/secrets/client-secret)".replace(" ", "-"),
        "{{secrets.client_secret_value}}",
        "whsec_0f2c4e6a8b0d...9f8e7d6c5b",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ],
)
def test_placeholders_are_named_as_such(value):
    assert why(value) == "this is a placeholder: put in the real secret"


@pytest.mark.parametrize(
    "value", ["", "has a blank in it, and is long", "ends\n" * 6, "z\u00e9" * 20, "a\0b" * 9]
)
def test_invisible_and_foreign_characters_are_refused(value):
    assert "visible" in why(value)


@pytest.mark.parametrize("quote", ['"', "'", "`"])
def test_quotation_marks_around_a_secret_are_refused(quote):
    secret = "0f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"
    assert "quotation" in why(quote + secret + quote)
    assert "quotation" in why(secret + quote)


@pytest.mark.parametrize("separator", [",", ";"])
def test_several_secrets_on_one_line_are_refused(separator):
    assert "several" in why(f"0f2c4e6a8b0d1f3a5c7e9b1d{separator}new=e9c7a5f3d1b9e7c5a3f1d0b8")


@pytest.mark.parametrize("value", ["0" * 64, "12345" * 10, "ab" * 32])
def test_a_pattern_is_refused(value):
    assert "repeats" in why(value)


def test_a_short_secret_is_refused_and_the_bound_named():
    assert why("0123456789abcdef0123456") == "a secret has at least 24 characters"
    assert why("0123456789abcdef01234567") is None
