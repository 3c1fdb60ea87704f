import secrets

import pytest

from fankeep.oauth import LOGIN_RANDOM_BYTES, PendingLogin
from fankeep.policy import LOGIN_COOKIES, parse_cookies, set_cookie
from fankeep.secret import Secret
from fankeep.sessions import PendingLogins

NOW = 1_700_000_000.0


def login(now=NOW, return_path="/inbox"):
    return PendingLogin.start(secrets.token_bytes(LOGIN_RANDOM_BYTES), return_path=return_path, now=now)


def test_a_sign_in_comes_back_from_its_cookie(pending):
    started = login()
    name, value = pending.put(started, {}, now=NOW)
    cookies = parse_cookies([set_cookie(name, value, max_age=600).partition(";")[0].encode()])
    assert pending.read(cookies) == {name: started}


def test_the_cookie_shows_nothing_of_what_is_in_it(pending):
    started = login()
    _, value = pending.put(started, {}, now=NOW)
    for hidden in (started.state, started.nonce, started.verifier):
        assert hidden.reveal() not in value.reveal()
    assert "inbox" not in value.reveal()


def test_a_browser_has_at_most_five_and_the_oldest_gives_way(pending):
    cookies = {}
    started = [login(NOW + second, f"/{second}") for second in range(7)]
    for one in started:
        name, value = pending.put(one, cookies, now=NOW + 10)
        cookies[name] = value
    assert len(cookies) == len(LOGIN_COOKIES) == 5
    kept = pending.read(cookies).values()
    assert {one.return_path for one in kept} == {"/2", "/3", "/4", "/5", "/6"}


def test_one_that_is_over_gives_way_before_any_that_is_not(pending):
    cookies = {}
    while len(cookies) < 5:
        name, value = pending.put(login(NOW + len(cookies)), cookies, now=NOW)
        cookies[name] = value
    oldest = min(pending.read(cookies).items(), key=lambda item: item[1].created_at)[0]
    name, _ = pending.put(login(NOW + 601), cookies, now=NOW + 600.5)
    assert name == oldest


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value[:-1],
        lambda value: value[:100] + ("A" if value[100] != "A" else "B") + value[101:],
        lambda value: "B" + value[1:],
        lambda value: "x",
        lambda value: "",
    ],
)
def test_a_changed_cookie_is_passed_over(pending, spoil):
    name, value = pending.put(login(), {}, now=NOW)
    assert pending.read({name: Secret(spoil(value.reveal()))}) == {}


def test_a_cookie_under_another_name_is_passed_over(pending):
    name, value = pending.put(login(), {}, now=NOW)
    for other in set(LOGIN_COOKIES) - {name}:
        assert pending.read({other: value}) == {}


def test_a_cookie_of_another_installation_is_passed_over(pending, make_keys):
    name, value = pending.put(login(), {}, now=NOW)
    assert PendingLogins(make_keys(installation_id="j" * 32)).read({name: value}) == {}
    assert PendingLogins(make_keys(material=b"z" * 32)).read({name: value}) == {}
