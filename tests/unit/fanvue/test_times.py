"""Times out of bodies: what is read can be written again."""

from datetime import UTC, datetime

import pytest

from fankeep.fanvue.times import as_iso, as_seconds, is_writable


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00Z",
        "2026-11-14T22:13:20+14:00",
        "9999-12-31T23:59:59Z",
        "0001-01-01T14:00:00+14:00",
    ],
)
def test_a_time_that_was_read_can_be_written(text):
    assert datetime.fromisoformat(as_iso(as_seconds(text))) == datetime.fromisoformat(text)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "9999-12-31T23:59:59.999999Z",  # as a float, this is the year 10000
    ],
)
def test_a_time_that_could_not_be_written_again_is_none(text):
    assert as_seconds(text) is None


@pytest.mark.parametrize("seconds", [-62_135_596_801.0, 253_402_300_800.0, float("nan"), float("inf")])
def test_nobody_writes_what_is_outside_of_the_years_1_to_9999(seconds):
    assert not is_writable(seconds)
    with pytest.raises(ValueError, match="9999"):
        as_iso(seconds)


@pytest.mark.parametrize("seconds", [-62_135_596_800.0, 253_402_300_799.9999])
def test_the_ends_of_what_is_writable_can_be_written(seconds):
    assert is_writable(seconds)
    assert datetime.fromtimestamp(seconds, UTC)
