import pytest

from fankeep.policy import Allowed, Refused, RequestOrigin, decide

ORIGIN = "https://app.example"


def page(method, **headers):
    return decide(method, RequestOrigin(**headers), public_origin=ORIGIN, area="page")


def api(method, **headers):
    return decide(method, RequestOrigin(**headers), public_origin=ORIGIN, area="api")


def test_a_post_from_our_own_page_is_allowed():
    assert page("POST", sec_fetch_site=["same-origin"], origin=[ORIGIN]) == Allowed()


def test_the_browser_s_own_word_counts_more_than_an_origin_that_a_referrer_policy_made_null():
    assert page("POST", sec_fetch_site=["same-origin"], origin=["null"]) == Allowed()


@pytest.mark.parametrize(
    "site", ["cross-site", "same-site", "none", "", "Same-Origin", "same-origin, cross-site"]
)
def test_another_site_is_refused_even_with_the_right_origin(site):
    assert page("POST", sec_fetch_site=[site], origin=[ORIGIN]) == Refused("cross_site")


def test_a_browser_without_fetch_metadata_is_judged_by_origin():
    assert page("POST", origin=[ORIGIN]) == Allowed()


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil",
        "https://APP.example",
        "",
    ],
)
def test_a_foreign_origin_is_refused(origin):
    assert page("POST", origin=[origin]) == Refused("foreign_origin")


def test_a_post_that_says_nothing_of_its_origin_is_refused():
    assert page("POST") == Refused("no_origin")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_a_page_is_free(method):
    assert page(method, sec_fetch_site=["cross-site"]) == Allowed()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "post", "BREW"])
def test_any_other_method_counts_as_a_change(method):
    assert page(method, sec_fetch_site=["cross-site"]) == Refused("cross_site")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_the_api_wants_the_custom_header_for_every_method(method):
    assert api(method, sec_fetch_site=["same-origin"]) == Refused("missing_request_header")
    assert api(method, sec_fetch_site=["same-origin"], request_header=["0"]) == Refused(
        "missing_request_header"
    )
    assert api(method, sec_fetch_site=["same-origin"], request_header=["1"]) == Allowed()


def test_the_custom_header_alone_is_not_enough():
    assert api("GET", request_header=["1"]) == Refused("no_origin")
    assert api("GET", request_header=["1"], sec_fetch_site=["same-site"]) == Refused("cross_site")


@pytest.mark.parametrize("name", ["sec_fetch_site", "origin", "request_header"])
def test_a_header_that_comes_twice_is_refused(name):
    twice = {"sec_fetch_site": ["same-origin"], "origin": [ORIGIN], "request_header": ["1"]}
    twice[name] = twice[name] * 2
    assert api("POST", **twice) == Refused("repeated_header")
