"""The leak search of the demo finds what is there, however it is written."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fankeep.cli.demo.leaks import search_bytes, search_files

NEEDLES = st.text(st.characters(codec="ascii", min_codepoint=33), min_size=9, max_size=60)


@given(needle=NEEDLES, before=st.binary(max_size=20), after=st.binary(max_size=20))
def test_a_needle_is_found_inside_base64_at_every_alignment(needle: str, before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        found = search_bytes(encode(before + needle.encode() + after), {"token": [needle]}, "there")
        assert "base64" in {leak.encoding for leak in found}


@given(needle=NEEDLES)
def test_a_needle_is_found_plain_in_hex_and_url_encoded(needle: str) -> None:
    raw = needle.encode()
    written = {"plain": raw, "hex": raw.hex().encode(), "url": quote(needle, safe="").encode()}
    for encoding, content in written.items():
        found = {leak.encoding for leak in search_bytes(b"(" + content + b")", {"token": [needle]}, "there")}
        assert encoding in found or (encoding == "url" and content == raw and "plain" in found)


@pytest.mark.parametrize("content", [b"", b"nothing here", b"control-1"])
def test_what_is_not_there_is_not_found(content: bytes) -> None:
    assert search_bytes(content, {"token": ["a-secret-value"]}, "there") == []


def test_every_file_below_a_folder_is_searched(tmp_path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file.db-wal").write_bytes(b"\0\0a-secret-value\0")
    found, size = search_files(tmp_path, {"token": ["a-secret-value"]})
    assert [(leak.kind, leak.place) for leak in found] == [("token", "file.db-wal")]
    assert size == 17
