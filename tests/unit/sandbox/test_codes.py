"""Authorization codes and PKCE."""

import pytest

from fankeep.sandbox.codes import CodeBook, check_challenge
from fankeep.sandbox.refusals import Refusal, RefusalKind


@pytest.fixture
def book():
    return CodeBook(lifetime=600)


@pytest.fixture
def redeem(book, pkce, start, authorization):
    def call(code, after=0.0, **changes):
        granted = authorization()
        given = {
            "client_id": granted.client_id,
            "redirect_uri": granted.redirect_uri,
            "verifier": pkce[0],
            "now": start + after,
        }
        return book.redeem(code, **{**given, **changes})

    return call


@pytest.fixture
def code(book, authorization, start):
    return book.issue(authorization(), now=start)


def test_a_code_is_good_for_what_was_authorized(redeem, code, authorization):
    assert redeem(code, 599.9) == authorization()


def test_a_code_is_good_once(redeem, code, book):
    redeem(code)
    assert book.was_used(code)
    with pytest.raises(Refusal) as caught:
        redeem(code)
    assert caught.value.description.endswith("The authorization code has already been used.")


def test_a_code_is_good_for_ten_minutes(redeem, code):
    with pytest.raises(Refusal) as caught:
        redeem(code, 600)
    assert caught.value.kind is RefusalKind.INVALID_GRANT


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "4b9f6a52-6d7b-4a34-9a57-2f0b7f0a4e02"},
        {"redirect_uri": "http://localhost:9999/auth/callback/"},
        {"verifier": "a" * 43},
        {"verifier": "short"},
        {"verifier": ""},
        {"verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" + "a" * 90},
    ],
)
def test_a_code_is_bound_and_a_failed_try_does_not_spend_it(redeem, code, change):
    with pytest.raises(Refusal) as caught:
        redeem(code, **change)
    assert caught.value.kind is RefusalKind.INVALID_GRANT
    assert redeem(code)


def test_an_unknown_code_is_an_invalid_grant(redeem):
    with pytest.raises(Refusal) as caught:
        redeem("ory_ac_none")
    assert caught.value.kind is RefusalKind.INVALID_GRANT


@pytest.mark.parametrize(
    ("challenge", "method", "words"),
    [
        ("", "S256", "must include a code_challenge"),
        ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "plain", "must use the 'S256'"),
        ("too-short", "S256", "not a SHA-256 digest"),
    ],
)
def test_pkce_with_s256_is_demanded(challenge, method, words):
    with pytest.raises(Refusal, match="invalid_request") as caught:
        check_challenge(challenge, method)
    assert words in caught.value.description


def test_the_check_value_of_rfc_7636_is_accepted():
    check_challenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S256")
