"""Laws of what passes between an app and the API, for any input."""

from urllib.parse import parse_qsl

from hypothesis import given, settings
from hypothesis import strategies as st

from fankeep.client import ApiAnswer
from fankeep.client.answers import read_answer
from fankeep.client.headers import ANSWER_HEADERS, REQUEST_HEADERS, answer_headers, request_headers
from fankeep.client.paging import next_page
from fankeep.client.query import encode_query
from fankeep.errors import FankeepError, HostileInputError
from fankeep.transport.headers import TRANSPORT_HEADERS, check_headers

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.one_of(
    st.text(max_size=10),
    st.sampled_from(
        sorted(REQUEST_HEADERS | ANSWER_HEADERS | TRANSPORT_HEADERS | {"cookie", "authorization"})
    ),
)
FIELDS = st.lists(
    st.tuples(NAMES.flatmap(lambda n: st.sampled_from([n, n.upper(), n.title()])), TEXT), max_size=6
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "nextCursor", "pagination", "hasMore", "x"]), inner, max_size=4
        )
    ),
)


@given(FIELDS)
@settings(max_examples=300)
def test_a_request_passes_listed_fields_only_and_they_can_be_sent(fields):
    try:
        passed = request_headers(fields)
    except HostileInputError:
        return
    assert passed.keys() <= REQUEST_HEADERS
    check_headers(passed)


@given(FIELDS)
def test_an_answer_passes_listed_fields_only_and_unchanged(fields):
    passed = answer_headers(fields)
    assert {name for name, _ in passed} <= ANSWER_HEADERS
    assert [value for _, value in passed] == [v for name, v in fields if name.lower() in ANSWER_HEADERS]


def test_no_list_holds_what_belongs_to_a_connection_or_to_a_login():
    assert not REQUEST_HEADERS & TRANSPORT_HEADERS
    assert not REQUEST_HEADERS & {"authorization", "cookie", "x-fanvue-api-version"}
    assert not ANSWER_HEADERS & (TRANSPORT_HEADERS - {"content-length"})
    assert not ANSWER_HEADERS & {"set-cookie", "location", "www-authenticate"}


@given(st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=6))
@settings(max_examples=300)
def test_a_query_is_read_back_as_it_was_built(pairs):
    encoded = encode_query(pairs)
    assert parse_qsl(encoded, keep_blank_values=True) == pairs
    assert encoded.isascii()
    assert not set(encoded) & set(" #?/\\\r\n\0")


@given(
    st.integers(100, 599),
    st.sampled_from(["application/json", "text/plain", "", "x/y"]),
    st.binary(max_size=40),
)
@settings(max_examples=300)
def test_any_answer_is_a_value_or_one_of_our_errors(status, content_type, body):
    try:
        answer = read_answer(status, [("content-type", content_type), ("retry-after", "1")], body)
    except FankeepError:
        return
    assert isinstance(answer, ApiAnswer)
    assert 200 <= status < 300


@given(JSON, st.lists(st.tuples(st.sampled_from(["page", "cursor", "size"]), TEXT), max_size=3))
@settings(max_examples=300)
def test_a_next_page_is_never_the_same_page(data, asked):
    try:
        following = next_page(data, asked)
    except FankeepError:
        return
    if following is not None:
        assert following != asked
        names = [name for name, _ in following]
        assert len([name for name in names if name in {"page", "cursor"}]) >= 1
