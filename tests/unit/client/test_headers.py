"""Which header fields pass."""

import pytest

from fankeep.client.headers import announced_length, answer_headers, request_headers
from fankeep.errors import HostileInputError


def test_listed_fields_pass_in_lower_case_and_repeats_are_joined():
    headers = [("Accept", "a/b"), ("accept", " c/d "), ("Content-Type", "application/json")]
    assert request_headers(headers) == {"accept": "a/b, c/d", "content-type": "application/json"}


@pytest.mark.parametrize(
    "name",
    [
        "Cookie",
        "Authorization",
        "Host",
        "Connection",
        "Content-Length",
        "X-Fanvue-API-Version",
        "X-Forwarded-For",
        "Origin",
    ],
)
def test_everything_else_stays_behind(name):
    assert request_headers([(name, "1")]) == {}


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\0", "é", "\x7f"])
def test_a_value_that_cannot_be_sent_is_hostile(value):
    with pytest.raises(HostileInputError) as caught:
        request_headers([("accept", value)])
    assert caught.value.reason == "header_malformed"


def test_an_unlisted_field_may_hold_anything():
    assert request_headers([("x-name", "é\n")]) == {}


def test_an_answer_shows_rate_limits_and_nothing_that_acts_on_the_browser():
    passing = [
        ("content-type", "application/json"),
        ("x-ratelimit-remaining", "3"),
        ("retry-after", "5"),
        ("deprecation", "@1"),
        ("x-request-id", "r"),
    ]
    stopped = [
        ("set-cookie", "a=b"),
        ("location", "https://evil.example"),
        ("access-control-allow-origin", "*"),
        ("strict-transport-security", "max-age=0"),
        ("transfer-encoding", "chunked"),
        ("server", "x"),
        ("content-security-policy", "none"),
        ("clear-site-data", "*"),
    ]
    assert answer_headers([*passing, *stopped]) == passing


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ([("Content-Length", "12")], 12),
        ([], None),
        ([("content-length", "1"), ("content-length", "1")], None),
        ([("content-length", "+1")], None),
        ([("content-length", "\u0661")], None),
        ([("content-length", "9" * 16)], None),
    ],
)
def test_a_length_counts_only_when_it_is_plain(headers, length):
    assert announced_length(headers) == length
