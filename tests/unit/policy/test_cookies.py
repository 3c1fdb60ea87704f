import pytest

from fankeep.errors import HostileInputError
from fankeep.policy import (
    LOGIN_COOKIES,
    SESSION_COOKIE,
    cookies_without_ours,
    expired_cookie,
    parse_cookies,
    set_cookie,
)
from fankeep.secret import Secret


def attributes(header: str) -> set[str]:
    return {part.strip().lower() for part in header.split(";")[1:]}


def test_a_cookie_is_host_bound_secure_and_out_of_reach_of_scripts():
    header = set_cookie(SESSION_COOKIE, Secret("abc"), max_age=60)
    assert header.startswith("__Host-fankeep-session=abc; ")
    assert attributes(header) == {"path=/", "secure", "httponly", "samesite=lax", "max-age=60"}


def test_clearing_a_cookie_keeps_its_attributes_so_that_browsers_accept_it():
    header = expired_cookie(SESSION_COOKIE)
    assert header.startswith("__Host-fankeep-session=; ")
    assert attributes(header) == {"path=/", "secure", "httponly", "samesite=lax", "max-age=0"}


@pytest.mark.parametrize("value", ["", "a b", "a;b", "a,b", 'a"', "a\r\nb", "ä", "x" * 4000])
def test_a_value_that_is_not_base64url_is_not_set(value):
    with pytest.raises(ValueError):
        set_cookie(SESSION_COOKIE, Secret(value), max_age=60)


@pytest.mark.parametrize("name", ["session", "__Secure-fankeep-session", "__Host-other"])
def test_only_our_own_names_are_set_or_cleared(name):
    with pytest.raises(ValueError):
        set_cookie(name, Secret("abc"), max_age=60)
    with pytest.raises(ValueError):
        expired_cookie(name)


def test_our_cookies_are_found_among_others_in_several_headers():
    found = parse_cookies(
        [b"theme=dark; __Host-fankeep-session=abc", b'odd="a b"; __Host-fankeep-login-0=x.y']
    )
    assert {name: value.reveal() for name, value in found.items()} == {
        SESSION_COOKIE: "abc",
        LOGIN_COOKIES[0]: "x.y",
    }


@pytest.mark.parametrize(
    "headers",
    [
        [b"__Host-fankeep-session=a; __Host-fankeep-session=b"],
        [b"__Host-fankeep-session=a", b"__Host-fankeep-session=a"],
    ],
)
def test_one_of_our_names_twice_is_refused(headers):
    with pytest.raises(HostileInputError) as refused:
        parse_cookies(headers)
    assert refused.value.reason == "duplicate_cookie"


@pytest.mark.parametrize("value", [b"", b"a b", b'"abc"', b"a=b", b"\xff", b"x" * 4000])
def test_a_value_that_we_never_set_is_refused(value):
    with pytest.raises(HostileInputError) as refused:
        parse_cookies([b"__Host-fankeep-session=" + value])
    assert refused.value.reason == "malformed_cookie"


def test_too_many_cookies_are_refused_before_they_are_read():
    with pytest.raises(HostileInputError) as refused:
        parse_cookies([b"a=b; " * 20_000])
    assert refused.value.reason == "cookies_too_large"


def test_a_name_in_another_case_is_not_our_cookie():
    assert parse_cookies([b"__host-fankeep-session=abc"]) == {}


def test_the_app_behind_us_gets_every_cookie_but_ours():
    header = cookies_without_ours([b"a=1; __Host-fankeep-session=s; b=2", b"__HOST-FANKEEP-LOGIN-0=x; c=3"])
    assert header == b"a=1; b=2; c=3"


def test_without_other_cookies_the_app_gets_no_cookie_header():
    assert cookies_without_ours([b"__Host-fankeep-session=s"]) is None
    assert cookies_without_ours([]) is None
