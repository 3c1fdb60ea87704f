import copy
import dataclasses
import pickle
from typing import get_args

import pytest

from fankeep.errors import CallbackError
from fankeep.oauth import CallbackReason, PendingLogin, VerifiedCallback, pinned_server, validate_callback
from fankeep.oauth.callback import _ERROR_REASONS
from fankeep.secret import Secret


@pytest.fixture
def refusal(login, now, server):
    """Validate a query, with ``{state}`` filled in, and return the reason of the refusal."""

    def refuse(query: str, *, at=now, by=server) -> str:
        with pytest.raises(CallbackError) as caught:
            validate_callback(query.format(state=login.state.reveal()).encode(), [login], now=at, server=by)
        return caught.value.reason

    return refuse


def test_a_callback_of_our_own_is_verified(server, login, callback):
    assert callback.code.reveal() == "ory_ac_x.y"
    assert callback.login is login
    assert callback.issuer == server.issuer
    assert callback.return_path == "/home?tab=1"


def test_unknown_parameters_are_ignored(server, login, now):
    query = f"code=c&scope=openid+offline&state={login.state.reveal()}&session_state=x".encode()
    assert validate_callback(query, [login], now=now, server=server).code == Secret("c")


def test_the_login_is_found_among_several(server, now):
    logins = [PendingLogin.start(bytes([n]) * 96, return_path=f"/{n}", now=now) for n in range(5)]
    for login in logins:
        query = f"code=c&state={login.state.reveal()}".encode()
        assert validate_callback(query, logins, now=now, server=server).login is login


@pytest.mark.parametrize("query", ["", "code=c", "code=c&state=", "error=access_denied"])
def test_a_callback_without_state_is_refused(refusal, query):
    assert refusal(query) == "state_missing"


@pytest.mark.parametrize("query", ["code=c&state=x", "code=c&state={state}x", "code=c&state=%C3%A4"])
def test_a_state_that_no_login_of_this_browser_has_is_refused(refusal, query):
    assert refusal(query) == "state_unknown"


def test_a_callback_to_a_browser_without_logins_is_refused(server, login, now):
    with pytest.raises(CallbackError, match="sign-in"):
        validate_callback(f"code=c&state={login.state.reveal()}".encode(), [], now=now, server=server)


def test_a_login_older_than_ten_minutes_is_refused(refusal, now):
    assert refusal("code=c&state={state}", at=now + 600) == "state_expired"


@pytest.mark.parametrize("issuer", ["https%3A%2F%2Fevil.example", "https%3A%2F%2Fauth.fanvue.com%2F"])
def test_another_issuer_is_refused_even_with_an_error(refusal, issuer):
    assert refusal("code=c&state={state}&iss=" + issuer) == "issuer_mismatch"
    assert refusal("error=access_denied&state={state}&iss=" + issuer) == "issuer_mismatch"


def test_the_right_issuer_passes(server, login, now):
    query = f"code=c&state={login.state.reveal()}&iss=https%3A%2F%2Fauth.fanvue.com".encode()
    assert validate_callback(query, [login], now=now, server=server).issuer == "https://auth.fanvue.com"


def test_a_missing_issuer_is_refused_when_the_server_announces_it(refusal):
    announcing = pinned_server(authorization_response_iss_parameter_supported=True)
    assert refusal("code=c&state={state}", by=announcing) == "issuer_missing"
    assert refusal("error=access_denied&state={state}", by=announcing) == "access_denied"


@pytest.mark.parametrize(("error", "reason"), _ERROR_REASONS.items())
def test_every_known_error_has_its_fixed_reason(refusal, error, reason):
    assert refusal(f"error={error}&state={{state}}") == reason


def test_a_refusal_by_the_creator_is_told_apart(refusal):
    assert refusal("error=access_denied&state={state}") == "access_denied"


def test_an_unknown_error_and_the_servers_text_are_never_kept(login, server, now):
    query = f"error=pwned&error_description=call+me&state={login.state.reveal()}".encode()
    with pytest.raises(CallbackError) as caught:
        validate_callback(query, [login], now=now, server=server)
    assert caught.value.reason == "provider_error"
    assert "pwned" not in repr(caught.value) + str(caught.value)
    assert "call me" not in repr(caught.value) + str(caught.value)


def test_an_error_beside_a_code_is_still_an_error(refusal):
    assert refusal("code=c&error=server_error&state={state}") == "provider_unavailable"


@pytest.mark.parametrize("name", ["access_token", "id_token", "token", "response"])
def test_an_answer_of_another_flow_is_refused(refusal, name):
    assert refusal(f"code=c&{name}=x&state={{state}}") == "unexpected_parameter"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("state={state}", "code_missing"),
        ("code=&state={state}", "code_missing"),
        ("code=%C3%A4&state={state}", "code_malformed"),
        ("code=" + "x" * 2049 + "&state={state}", "code_malformed"),
        ("code=a&code=b&state={state}", "query_malformed"),
        ("code=a&state={state}&state={state}", "query_malformed"),
    ],
)
def test_a_code_that_cannot_be_one_is_refused(refusal, query, reason):
    assert refusal(query) == reason


def test_every_reason_of_the_error_table_is_a_documented_one():
    assert set(_ERROR_REASONS.values()) <= set(get_args(CallbackReason))


def test_a_verified_callback_cannot_be_made_without_the_check(login, callback):
    with pytest.raises(TypeError):
        VerifiedCallback(Secret("c"), login, "https://auth.fanvue.com", object())
    with pytest.raises(TypeError):
        VerifiedCallback(Secret("c"), login, "https://auth.fanvue.com")
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(callback, code=Secret("stolen"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        callback.code = Secret("stolen")


def test_a_verified_callback_neither_prints_nor_pickles_its_code(callback):
    assert "ory_ac" not in repr(callback)
    for attempt in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(callback)
