import pytest
from hypothesis import given
from hypothesis import strategies as st

from fankeep.errors import HostileInputError
from fankeep.gateway.upstream_headers import answer_headers, request_headers


def scope(*headers):
    return {"type": "http", "headers": list(headers)}


def test_ordinary_fields_pass_and_repeated_ones_are_joined():
    headers = request_headers(scope((b"accept", b"a"), (b"Accept", b"b"), (b"x-app", b" 1 ")))
    assert headers == {"accept": "a, b", "x-app": "1"}


@pytest.mark.parametrize(
    "field",
    [
        (b"x-odd", b"caf\xc3\xa9"),
        (b"x odd", b"1"),
        (b"x-odd", b"a\r\nb"),
        (b"", b"1"),
        (b"x_odd", b"1"),
        (b"x\xff", b"1"),
    ],
)
def test_a_field_that_cannot_be_sent_or_could_be_taken_for_another_stays_behind(field):
    assert request_headers(scope(field)) == {}


def test_what_a_client_names_in_connection_stays_behind():
    assert request_headers(scope((b"connection", b"X-Hop, close"), (b"x-hop", b"1"))) == {}


names = st.sampled_from(
    [
        b"cookie",
        b"Fankeep-Identity",
        b"x-forwarded-for",
        b"connection",
        b"host",
        b"accept",
        b"transfer-encoding",
    ]
) | st.binary(max_size=12)


@given(st.lists(st.tuples(names, st.binary(max_size=60)), max_size=8))
def test_whatever_a_client_sends_nothing_that_is_ours_to_say_goes_on(fields):
    try:
        kept = request_headers(scope(*fields))
    except HostileInputError:
        return
    assert (
        not {"fankeep-identity", "x-forwarded-for", "host", "transfer-encoding", "connection"} & kept.keys()
    )
    assert all(value.isascii() and value.isprintable() for value in kept.values() if "\t" not in value)
    assert "__host-fankeep-" not in kept.get("cookie", "").lower().replace(" ", "").split("=")[0]


def test_an_answer_without_a_word_on_caching_is_not_stored_when_it_is_personal():
    assert ("cache-control", "no-store") in answer_headers([], personal=True)
    assert ("cache-control", "no-store") not in answer_headers([], personal=False)
    said = answer_headers([("cache-control", "max-age=1")], personal=True)
    assert [value for name, value in said if name == "cache-control"] == ["max-age=1"]
