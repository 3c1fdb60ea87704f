import asyncpg
import pytest

from fankeep.errors import StorageError, StorageUnavailable
from fankeep.store import ConstraintViolated
from fankeep.store.postgresql_errors import as_ours, commit_as_ours


def server(state, message="a secret value"):
    return asyncpg.PostgresError.new({"C": state, "M": message})


@pytest.mark.parametrize(
    "state",
    [
        "08006",
        "25006",
        "25P03",
        "28P01",
        "3D000",
        "40001",
        "40P01",
        "53100",
        "53300",
        "55P03",
        "57014",
        "57P01",
        "57P03",
        "58030",
    ],
)
def test_what_may_work_later_is_unavailable_and_unchanged(state):
    error = as_ours(server(state))
    assert type(error) is StorageUnavailable
    assert not error.outcome_unknown
    assert "secret" not in str(error)


@pytest.mark.parametrize("state", ["23505", "23502", "22003", "22021"])
def test_what_the_schema_does_not_take_is_a_broken_rule_and_shows_no_value(state):
    error = as_ours(server(state))
    assert type(error) is ConstraintViolated
    assert "secret" not in str(error)


@pytest.mark.parametrize("state", ["XX001", "XX002", "XX000", "0A000"])
def test_damage_and_the_unexpected_are_storage_errors_that_show_no_value(state):
    error = as_ours(server(state))
    assert type(error) is StorageError
    assert "secret" not in str(error)


def test_a_statement_that_does_not_run_is_shown():
    assert "no such column" in str(as_ours(server("42703", "no such column")))


@pytest.mark.parametrize("problem", [OSError(), TimeoutError(), asyncpg.InterfaceError("closed")])
def test_a_network_that_fails_is_unavailable(problem):
    assert type(as_ours(problem)) is StorageUnavailable


def test_a_value_that_no_column_takes_is_a_broken_rule():
    assert type(as_ours(asyncpg.exceptions._base.DataError("'a secret value'"))) is ConstraintViolated


@pytest.mark.parametrize(
    "problem",
    [OSError(), TimeoutError(), asyncpg.InterfaceError("closed"), *map(server, ["57P01", "08006", "40003"])],
)
def test_a_commit_without_an_answer_is_unknown(problem):
    error = commit_as_ours(problem)
    assert type(error) is StorageUnavailable
    assert error.outcome_unknown


def test_a_commit_that_the_server_refused_is_known():
    assert type(commit_as_ours(server("23503"))) is ConstraintViolated
    assert not commit_as_ours(server("40001")).outcome_unknown
