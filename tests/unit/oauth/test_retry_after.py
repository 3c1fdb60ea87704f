import pytest

from fankeep.oauth.retry_after import MAX_RETRY_AFTER, parse_retry_after
from fankeep.types import HttpResponse

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT


def parse(text: str) -> float | None:
    return parse_retry_after(HttpResponse(429, {"retry-after": text}), now=NOW)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 5 ", 5.0),
        ("0", 1.0),
        ("9999999999", MAX_RETRY_AFTER),
        ("Fri, 15 Jan 2027 08:02:00 GMT", 120.0),
        ("Fri, 15 Jan 2027 08:02:00 -0000", 120.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 1.0),
        ("Sat, 15 Jan 2028 08:00:00 GMT", MAX_RETRY_AFTER),
    ],
)
def test_seconds_and_dates_are_read_and_kept_within_bounds(text, seconds):
    assert parse(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "-5",
        "1.5",
        "1e3",
        "120, 120",
        "٣",
        "1" * 11,
        "x" * 500,
        "Fri, 15 Jan 2027 08:02:00 GMT (" + "x" * 60 + ")",
        "Fri, 99",
    ],
)
def test_what_is_neither_says_nothing(text):
    assert parse(text) is None


def test_a_missing_header_says_nothing():
    assert parse_retry_after(HttpResponse(429), now=NOW) is None
