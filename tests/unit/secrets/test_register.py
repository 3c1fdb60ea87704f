"""What is written down about secrets: owners and days, line by line."""

from datetime import date

import pytest

from fankeep.errors import ConfigurationError
from fankeep.secrets import Record, parse_secret_register

NOON = 1_796_040_000.0  # 2026-11-30T12:00:00Z


def test_each_line_is_about_one_secret_and_every_part_may_be_left_out():
    register = parse_secret_register(
        "# who answers for what\n\n"
        "client-secret owner=ops created=2026-11-01 rotate_by=2027-05-01\n"
        "main rotate_by=2027-01-01\nforward\n"
    )

    assert register == {
        "client-secret": Record("ops", date(2026, 11, 1), date(2027, 5, 1)),
        "main": Record(rotate_by=date(2027, 1, 1)),
        "forward": Record(),
    }


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("main=abc", "begins with the name"),
        ("main\nmain owner=a", "begins with the name"),
        ("main owner", "come owner="),
        ("main owner=", "come owner="),
        ("main owner=a owner=b", "come owner="),
        ("main secret=abc", "come owner="),
        (f"main owner={'a' * 65}", "at most 64"),
        ("main created=yesterday", "2026-12-01"),
        ("main created=2026-11-01 rotate_by=2026-11-01", "not later"),
    ],
)
def test_a_line_of_another_form_is_refused_without_being_shown(line, advice):
    with pytest.raises(ConfigurationError, match=advice) as refused:
        parse_secret_register(f"first owner=me\n{line}")
    assert "line " in str(refused.value)
    assert "abc" not in str(refused.value)


@pytest.mark.parametrize(
    ("record", "since", "due"),
    [
        (Record(), date(2026, 11, 30), date(2027, 11, 30)),
        (Record(created=date(2026, 1, 1)), date(2026, 1, 1), date(2027, 1, 1)),
        (Record(rotate_by=date(2026, 12, 1)), date(2026, 11, 30), date(2026, 12, 1)),
    ],
)
def test_a_secret_is_due_on_its_day_or_a_year_after_it_came_into_use(record, since, due):
    assert (record.since(NOON), record.due(NOON)) == (since, due)
