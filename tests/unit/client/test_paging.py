"""Pages: numbered or by cursor, told apart by the answer."""

import pytest

from fankeep.client.paging import next_page
from fankeep.errors import ProviderError


def numbered(page: int, *, more: bool) -> dict:
    return {"data": [1], "pagination": {"page": page, "size": 1, "hasMore": more}}


def test_numbered_pages_count_up_from_the_first():
    assert next_page(numbered(1, more=True), [("size", "1")]) == [("size", "1"), ("page", "2")]
    assert next_page(numbered(2, more=True), [("page", "2"), ("size", "1")]) == [("size", "1"), ("page", "3")]


def test_numbered_pages_begin_where_they_were_told_to():
    assert next_page(numbered(7, more=True), [("page", "7")]) == [("page", "8")]


def test_the_last_numbered_page_is_the_last():
    assert next_page(numbered(2, more=False), [("page", "2")]) is None


def test_a_numbered_page_without_entries_is_the_last_whatever_it_says():
    assert next_page({"data": [], "pagination": {"hasMore": True}}, []) is None


def test_a_cursor_is_followed_as_it_is():
    asked = [("limit", "5"), ("cursor", "a")]
    assert next_page({"data": [], "nextCursor": "b/+="}, asked) == [("limit", "5"), ("cursor", "b/+=")]


@pytest.mark.parametrize("cursor", [None, ""])
def test_without_a_further_cursor_there_is_no_further_page(cursor):
    assert next_page({"data": [1], "nextCursor": cursor}, []) is None


def test_a_cursor_that_points_back_is_an_error_and_no_circle():
    with pytest.raises(ProviderError):
        next_page({"data": [1], "nextCursor": "a"}, [("cursor", "a")])


@pytest.mark.parametrize(
    "data", [None, [1, 2], "text", {}, {"pagination": []}, {"data": [1], "pagination": {"hasMore": 1}}]
)
def test_an_answer_that_is_no_page_has_no_next_one(data):
    assert next_page(data, []) is None
