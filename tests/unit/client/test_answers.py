"""What an answer means: a value, a refusal, or nobody knows."""

import pytest

from fankeep.client import ApiError, RateLimit
from fankeep.client.answers import read_answer
from fankeep.errors import ProviderError, RetryableError, TransportError

JSON = [("content-type", "application/json; charset=utf-8")]


def test_a_good_answer_keeps_unknown_fields():
    answer = read_answer(200, JSON, b'{"uuid": "u", "brandNew": [1, null, {"x": 1.5}]}')
    assert answer.data == {"uuid": "u", "brandNew": [1, None, {"x": 1.5}]}
    assert answer.status == 200


def test_an_answer_without_a_body_has_no_data():
    assert read_answer(204, [], b"").data is None


def test_a_text_answer_is_text_and_other_content_is_left_out():
    assert (
        read_answer(200, [("content-type", "text/plain")], b"https://x.example/part").data
        == "https://x.example/part"
    )
    assert read_answer(200, [("content-type", "image/png")], b"\x89PNG").data is None


def test_what_the_api_says_about_itself_comes_along():
    headers = [
        *JSON,
        ("x-ratelimit-limit", "200"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1790000000"),
        ("x-request-id", "abc"),
        ("sunset", "Sat, 31 Jan 2026 00:00:00 GMT"),
    ]
    answer = read_answer(200, headers, b"{}")
    assert answer.rate_limit == RateLimit(limit=200, remaining=0, reset_at=1_790_000_000)
    assert answer.request_id == "abc"
    assert answer.deprecated is True


@pytest.mark.parametrize("value", ["", "-1", "1.5", "soon", "٣", "9" * 30])
def test_a_rate_limit_that_is_not_a_plain_number_is_unknown(value):
    answer = read_answer(200, [("x-ratelimit-remaining", value)], b"{}")
    assert answer.rate_limit == RateLimit(limit=None, remaining=None, reset_at=None)
    assert answer.deprecated is False


@pytest.mark.parametrize("status", [300, 302, 400, 401, 403, 404, 409, 410, 422])
def test_a_refusal_carries_the_answer_but_shows_nothing_of_it(status):
    with pytest.raises(ApiError) as caught:
        read_answer(status, JSON, b'{"errors": ["price of marked@example.com"]}')
    error = caught.value
    assert error.http_status == status
    assert error.answer.data == {"errors": ["price of marked@example.com"]}
    assert "marked" not in str(error) + repr(error) + repr(error.answer)


def test_a_refusal_that_cannot_be_read_is_a_refusal_all_the_same():
    with pytest.raises(ApiError) as caught:
        read_answer(403, JSON, b"<html>")
    assert caught.value.answer.data is None


@pytest.mark.parametrize(("value", "seconds"), [("30", 30), ("0", 0), ("later", None), (None, None)])
def test_the_rate_limit_says_when_to_come_back(value, seconds):
    headers = [] if value is None else [("retry-after", value)]
    with pytest.raises(RetryableError) as caught:
        read_answer(429, headers, b'{"error": "slow down"}')
    assert caught.value.retry_after == seconds
    assert not isinstance(caught.value, TransportError)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_after_a_server_error_nobody_knows_what_was_done(status):
    with pytest.raises(TransportError) as caught:
        read_answer(status, [], b"")
    assert caught.value.outcome_unknown is True


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b'{"a": "\xff"}'])
def test_a_good_answer_that_cannot_be_read_is_not_one_to_repeat(body):
    with pytest.raises(ProviderError) as caught:
        read_answer(201, JSON, body)
    assert not isinstance(caught.value, ApiError)
    assert caught.value.http_status == 201
    assert caught.value.__cause__ is None
