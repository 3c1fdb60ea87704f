from dataclasses import fields, replace

import pytest

from fankeep.sealing import Suite
from fankeep.sealing.associated_data import Context, associated_data, associated_head

HEAD = associated_head(1, Suite.AES_256_GCM_SIV, "k1")


def test_the_head_is_format_suite_and_key_id():
    assert HEAD == b"\0\0\0\1\1\0\0\0\1\1\0\0\0\2k1"


def test_the_parts_follow_in_the_documented_order():
    context = Context("i", "u", "t", "r", "f", 258)
    assert associated_data(b"", context) == (
        b"\0\0\0\1i\0\0\0\1u\0\0\0\1t\0\0\0\1r\0\0\0\1f\0\0\0\x08\0\0\0\0\0\0\1\2"
    )


@pytest.mark.parametrize("name", [field.name for field in fields(Context)])
def test_every_part_of_the_context_counts(context, name):
    other = replace(context, **{name: 4 if name == "generation" else "other"})
    assert associated_data(HEAD, other) != associated_data(HEAD, context)


@pytest.mark.parametrize("generation", [-1, 1 << 64])
def test_a_generation_outside_64_bits_is_refused(context, generation):
    with pytest.raises(ValueError, match="generation"):
        associated_data(HEAD, replace(context, generation=generation))


def test_text_that_cannot_be_encoded_is_refused(context):
    with pytest.raises(ValueError):
        associated_data(HEAD, replace(context, record="\ud800"))
