"""Laws of the outbound client's checks, for any input."""

import asyncio
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from fankeep.transport.address import check_address
from fankeep.transport.headers import TRANSPORT_HEADERS, check_headers
from fankeep.transport.outgoing import Outgoing

SEGMENTS = st.sampled_from(
    ["a", "..", ".", "%2e", "%2E%2e", "%2f", "\\", "", "a b", "é", "?", "#", "@", "x.y", ";", "|", "[", "{"]
)
PATHS = st.lists(SEGMENTS, max_size=6).map("/".join)


def address_or_none(url: str):
    try:
        return check_address(url, https_only=False)
    except ValueError:
        return None


@given(
    st.one_of(st.text(), PATHS.map("https://api.example/{}".format), PATHS.map("http://localhost{}".format))
)
@settings(max_examples=300)
def test_an_accepted_address_is_sent_as_written_or_not_at_all(url):
    parsed = address_or_none(url)
    if parsed is not None:
        path = re.split(r"[?#]", url.split("://", 1)[1], maxsplit=1)[0]
        assert parsed.path == "/" + path.partition("/")[2]
        assert not {".", ".."} & set(re.sub("(?i)%2e", ".", parsed.path).split("/"))
        assert parsed.username == ""
        assert parsed.fragment is None


@given(st.sampled_from(["http", "https", "HTTP", "ftp", "file", "javascript"]), st.text(max_size=20))
def test_an_accepted_address_is_https_or_loopback(scheme, rest):
    parsed = address_or_none(f"{scheme}://{rest}")
    if parsed is not None and parsed.scheme != "https":
        host = parsed.host_str
        assert host == "[::1]" or host.endswith("localhost") or host.startswith("127.")


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=20), max_size=3))
@settings(max_examples=300)
def test_accepted_headers_hold_nothing_that_ends_a_line_or_frames_a_message(headers):
    try:
        check_headers(headers)
    except ValueError:
        return
    for name, value in headers.items():
        assert name == name.lower()
        assert name.isascii()
        assert name.lower() not in TRANSPORT_HEADERS
        assert value == value.strip()
        assert all(character == "\t" or " " <= character <= "~" for character in value)


@given(st.lists(st.binary(max_size=8), max_size=6), st.integers(0, 40))
def test_a_body_of_announced_length_has_that_length_or_breaks_off(pieces, length):
    async def source():
        for piece in pieces:
            yield piece

    async def collect():
        got = bytearray()
        try:
            async for piece in Outgoing(source(), length=length):
                got.extend(piece)
        except ValueError:
            return got, False
        return got, True

    got, whole = asyncio.run(collect())
    assert len(got) <= length
    assert whole == (sum(map(len, pieces)) == length)
