import pytest

from fankeep.errors import CallbackError
from fankeep.oauth.query import MAX_QUERY_BYTES, parse_query


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        (b"", {}),
        (b"code=a&state=b", {"code": "a", "state": "b"}),
        (b"scope=a+b&iss=https%3A%2F%2Fx", {"scope": "a b", "iss": "https://x"}),
        (b"code=abc==", {"code": "abc=="}),
        (b"text=%C3%A4", {"text": "ä"}),
        (b"code=&state=b&flag", {"state": "b"}),
        (b"a=" + b"x" * (MAX_QUERY_BYTES - 2), {"a": "x" * (MAX_QUERY_BYTES - 2)}),
        (b"&".join(b"p%d=1" % number for number in range(32)), {f"p{number}": "1" for number in range(32)}),
    ],
)
def test_a_well_formed_query_is_read(query, parameters):
    assert parse_query(query) == parameters


@pytest.mark.parametrize(
    "query",
    [
        b"&",
        b"=x",
        b"a=1&",
        b"a=1&&b=2",
        b"code=a&code=a",
        b"code=a&%63ode=b",
        b"code=&code=b",
        b"a=%",
        b"a=%1",
        b"a=%zz",
        b"a=%FF",
        b"a=%C0%AF",
        b"a=%ED%A0%80",
        b"a=\xc3\xa4",
        b"a=b c",
        b"a=b#c",
        b"a=%00",
        b"a=%0d%0ax",
        b"a=%C2%85",
        b"a=" + b"x" * (MAX_QUERY_BYTES - 1),
        b"&".join(b"p%d=1" % number for number in range(33)),
    ],
)
def test_what_two_readers_could_see_differently_is_refused(query):
    with pytest.raises(CallbackError) as caught:
        parse_query(query)
    assert caught.value.reason == "query_malformed"
