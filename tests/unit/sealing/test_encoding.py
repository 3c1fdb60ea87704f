from fankeep.sealing.encoding import length_prefixed


def test_each_part_follows_its_length_as_four_bytes():
    assert length_prefixed(b"ab", b"", b"c") == b"\0\0\0\2ab\0\0\0\0\0\0\0\1c"


def test_moving_a_byte_to_the_next_part_changes_the_result():
    assert length_prefixed(b"ab", b"c") != length_prefixed(b"a", b"bc")


def test_an_empty_part_is_not_the_same_as_no_part():
    assert length_prefixed(b"") != length_prefixed()
