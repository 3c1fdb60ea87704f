"""Cookies, cross-site decisions, return paths, hosts, minimisation: any input gives a value or our error."""

from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fankeep.errors import HostileInputError
from fankeep.policy import (
    SESSION_COOKIE,
    Allowed,
    HostList,
    KeepList,
    RequestOrigin,
    TrustedProxies,
    cookies_without_ours,
    decide,
    minimise,
    parse_cookies,
    parse_return_path,
    set_cookie,
)
from fankeep.secret import Secret

cookie_value = st.text("ABCxyz019-_.~", min_size=1, max_size=200)


@given(cookie_value)
def test_what_is_set_is_read_back(value):
    pair = set_cookie(SESSION_COOKIE, Secret(value), max_age=60).partition(";")[0]
    assert parse_cookies([pair.encode()])[SESSION_COOKIE].reveal() == value


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_any_cookie_header_gives_clean_values_or_our_error(headers):
    try:
        found = parse_cookies(headers)
    except HostileInputError:
        return
    assert all(value.reveal().isascii() for value in found.values())


@given(st.lists(st.binary(max_size=200), max_size=4), cookie_value)
def test_no_cookie_of_ours_reaches_the_app_behind(headers, value):
    ours = b"__Host-Fankeep-Session=" + value.encode()
    for mixed in ([ours, *headers], [*headers, ours], [b"; ".join([*headers, ours, *headers])]):
        kept = cookies_without_ours(mixed)
        assert kept is None or b"__host-fankeep-session=" not in b";" + kept.lower().replace(b" ", b"")


origins = st.sampled_from(["https://app.example", "https://evil.example", "null", ""]) | st.text(max_size=30)
sites = st.sampled_from(["same-origin", "same-site", "cross-site", "none"]) | st.text(max_size=15)


@given(
    st.sampled_from(["GET", "POST", "PUT"]) | st.text(max_size=8),
    st.lists(sites, max_size=2),
    st.lists(origins, max_size=2),
    st.lists(st.sampled_from(["1", "0"]), max_size=2),
)
def test_the_api_is_allowed_only_to_our_own_pages(method, site, origin, header):
    decision = decide(
        method,
        RequestOrigin(sec_fetch_site=site, origin=origin, request_header=header),
        public_origin="https://app.example",
        area="api",
    )
    own = site == ["same-origin"] or (not site and origin == ["https://app.example"])
    assert (decision == Allowed()) == (own and header == ["1"] and len(origin) < 2)


tricky = st.text("/\\.%2fF5cCeE?#:@a\t\n ", max_size=30).map(lambda text: "/" + text)


@given(tricky | st.text(max_size=60))
@example("/%2e%2e//evil.example")
@example("/.//evil.example")
def test_a_return_path_always_stays_on_this_origin(value):
    try:
        path = parse_return_path(value)
    except HostileInputError:
        return
    for spelling in (path, unquote(path)):
        target = urlsplit(urljoin("https://app.example/auth/callback", spelling))
        assert (target.scheme, target.netloc) == ("https", "app.example")
        assert "\\" not in spelling
        assert spelling.isprintable()


HOSTS = HostList.for_origins(["https://app.example"])


@given(st.lists(st.binary(max_size=40) | st.just(b"app.example"), max_size=3))
def test_only_the_one_listed_host_is_answered(headers):
    try:
        host = HOSTS.check(headers)
    except HostileInputError:
        return
    assert host in {"app.example", "app.example:443"}
    assert len(headers) == 1


@given(st.text(max_size=20), st.lists(st.text(max_size=40), max_size=3))
def test_nobody_undeclared_can_say_where_a_request_came_from(peer, forwarded):
    proxies = TrustedProxies()
    assert proxies.client(peer, forwarded) == peer
    assert proxies.scheme(peer, "http", forwarded) == "http"


names = st.sampled_from(["id", "data", "secretText", "price", "items"])
documents = st.dictionaries(
    names,
    st.recursive(
        st.none() | st.integers() | st.just("private words"),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=12,
    ),
)
KEEP = KeepList(["id", "data.price", "items.id"])


@given(documents)
def test_a_field_that_is_not_listed_is_never_kept(document):
    result = minimise(document, KEEP)
    assert "secretText" not in str(result.kept)
    assert minimise(result.kept, KEEP).kept == result.kept
    assert minimise(result.kept, KEEP).dropped == ()


@given(documents)
def test_everything_that_was_left_out_is_named(document):
    result = minimise(document, KEEP)
    if result.kept != document and not result.dropped:
        pytest.fail(f"lost without a word: {document}")


@given(st.dictionaries(st.text(max_size=70), st.integers(), max_size=100))
def test_names_of_dropped_fields_are_plain_and_few(document):
    dropped = minimise(document, KEEP).dropped
    assert len(dropped) <= 64
    assert all(name == "?" or name.isidentifier() for name in dropped)
