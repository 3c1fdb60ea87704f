import dataclasses
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from fankeep.errors import CallbackError
from fankeep.oauth import LOGIN_RANDOM_BYTES, PendingLogin, build_authorization_url
from fankeep.oauth.pkce import calculate_code_challenge
from fankeep.secret import Secret


def parameters_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def test_the_authorization_request_has_the_parameters_of_the_code_flow_and_no_other(server, client, login):
    url = build_authorization_url(server, client, login)
    assert url.startswith("https://auth.fanvue.com/oauth2/auth?")
    assert parameters_of(url) == {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": "https://app.example/auth/callback",
        "scope": "openid offline_access read:self",
        "state": login.state.reveal(),
        "nonce": login.nonce.reveal(),
        "code_challenge": calculate_code_challenge(login.verifier),
        "code_challenge_method": "S256",
    }


def test_the_verifier_is_never_in_the_address(server, client, login):
    assert login.verifier.reveal() not in build_authorization_url(server, client, login)


def test_a_prompt_is_asked_for_when_there_is_one(server, client, login):
    url = build_authorization_url(server, client, dataclasses.replace(login, prompt="login"))
    assert parameters_of(url)["prompt"] == "login"


def test_state_nonce_and_verifier_come_from_different_random_bytes(login):
    values = {login.state.reveal(), login.nonce.reveal(), login.verifier.reveal()}
    assert len(values) == 3
    assert {len(value) for value in values} == {43}


@pytest.mark.parametrize("length", [0, 32, LOGIN_RANDOM_BYTES - 1, LOGIN_RANDOM_BYTES + 1])
def test_a_login_needs_exactly_its_random_bytes(length):
    with pytest.raises(ValueError, match="96"):
        PendingLogin.start(bytes(length), return_path="/", now=0.0)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "home",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/a\\b",
        "/a\nb",
        "/ä",
        "/a b",
        "/" + "a" * 1024,
    ],
)
def test_a_return_path_that_could_leave_the_origin_is_refused(path):
    with pytest.raises(ValueError, match="path"):
        PendingLogin.start(bytes(96), return_path=path, now=0.0)


@pytest.mark.parametrize("path", ["/", "/home", "/a//b?next=%2F%2Fx#y", "/~x"])
def test_a_local_return_path_is_kept(path):
    assert PendingLogin.start(bytes(96), return_path=path, now=0.0).return_path == path


@pytest.mark.parametrize(
    ("age", "expired"), [(-61, True), (-60, False), (0, False), (599.9, False), (600, True)]
)
def test_a_login_lives_ten_minutes(login, now, age, expired):
    assert login.expired(now + age) is expired


@pytest.mark.parametrize("created_at", [float("nan"), float("inf")])
def test_a_login_without_a_real_time_is_refused(login, created_at):
    with pytest.raises(ValueError, match="created_at"):
        dataclasses.replace(login, created_at=created_at)


def test_encoding_is_compact_and_comes_back_the_same(login):
    encoded = login.encode()
    assert len(encoded) < 200
    assert PendingLogin.decode(encoded) == login


def test_the_longest_login_fits_into_a_cookie():
    login = PendingLogin.start(bytes(96), return_path="/" + "a" * 1023, now=1.0, prompt="consent")
    assert len(login.encode()) <= 1200
    assert PendingLogin.decode(login.encode()) == login


def test_a_login_cannot_be_printed(login):
    assert login.verifier.reveal() not in repr(login)
    assert login.state.reveal() not in repr(login)


def encoded_with(login: PendingLogin, position: int, value: object) -> bytes:
    members = msgspec.msgpack.decode(login.encode())
    members[position] = value
    return msgspec.msgpack.encode(members)


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (0, 2),
        (1, "short"),
        (1, "=" * 43),
        (2, b"x" * 43),
        (3, None),
        (4, "//evil.example"),
        (5, "0"),
        (5, float("nan")),
        (6, "none"),
    ],
)
def test_every_member_is_checked_when_decoded(login, position, value):
    with pytest.raises(CallbackError) as caught:
        PendingLogin.decode(encoded_with(login, position, value))
    assert caught.value.reason == "login_malformed"


def test_decoding_refuses_what_is_cut_longer_or_too_large(login):
    encoded = login.encode()
    for data in (b"", encoded[:-1], encoded + b"\x00", encoded_with(login, 4, "/" + "a" * 5000)):
        with pytest.raises(CallbackError):
            PendingLogin.decode(data)


def test_the_members_refuse_what_start_would_not_make(login):
    with pytest.raises(ValueError, match="43"):
        dataclasses.replace(login, state=Secret("guessable"))
