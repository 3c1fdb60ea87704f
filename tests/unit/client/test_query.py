"""Query strings from names and values."""

import pytest

from fankeep.client.query import encode_query, query_pairs


def test_values_are_spelled_as_the_api_expects_them():
    query = {
        "page": 2,
        "includeDeleted": True,
        "search": None,
        "status": ["ready", "error"],
        "since": "2026-01-01",
    }
    assert query_pairs(query) == [
        ("page", "2"),
        ("includeDeleted", "true"),
        ("status", "ready,error"),
        ("since", "2026-01-01"),
    ]


def test_a_name_can_be_repeated():
    assert (
        encode_query(query_pairs([("filter", "unread"), ("filter", "online")]))
        == "filter=unread&filter=online"
    )


def test_nothing_in_a_value_can_end_it():
    assert encode_query([("a&b=c", "x&y=z#/?+ é")]) == "a%26b%3Dc=x%26y%3Dz%23%2F%3F%2B%20%C3%A9"


def test_no_pairs_make_no_query():
    assert encode_query([]) == ""


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ValueError):
        encode_query([("a", "\ud800")])
