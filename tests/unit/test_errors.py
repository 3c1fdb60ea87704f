"""The tree of errors: codes are stable, messages hold nothing of the input."""

from __future__ import annotations

import inspect

import pytest

from fankeep import errors
from fankeep.errors import (
    CallbackError,
    FankeepError,
    HostileInputError,
    ProviderError,
    ReconnectRequired,
    RefreshPending,
    TransportError,
)

CLASSES = [
    value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, FankeepError)
]


def test_every_error_has_one_root_and_is_listed() -> None:
    assert {cls.__name__ for cls in CLASSES} == set(errors.__all__)


def test_the_tree_at_the_top_of_the_module_names_every_error() -> None:
    assert all(cls.__name__ in (errors.__doc__ or "") for cls in CLASSES)


@pytest.mark.parametrize("cls", CLASSES)
def test_a_code_is_a_word_and_the_status_an_error_status(cls: type[FankeepError]) -> None:
    assert cls.code.replace("_", "").isalpha()
    assert cls.code.islower()
    assert 400 <= cls.status <= 599


def test_codes_tell_errors_apart() -> None:
    codes = [cls.code for cls in CLASSES]
    assert len(set(codes)) == len(codes)


def test_the_message_is_what_the_class_says_of_itself() -> None:
    assert str(RefreshPending()) == "The access token is being refreshed and did not arrive in time."


@pytest.mark.parametrize(
    "error", [HostileInputError("mismatch"), CallbackError("state_used"), ReconnectRequired("answer_lost")]
)
def test_a_reason_is_for_the_log_and_not_part_of_the_message(error: FankeepError) -> None:
    assert error.reason not in str(error)


def test_what_the_server_said_is_kept_beside_the_message() -> None:
    error = ProviderError(oauth_error="invalid_grant", http_status=400)
    assert (error.oauth_error, error.http_status) == ("invalid_grant", 400)
    assert "invalid_grant" not in str(error)


def test_a_transport_error_has_to_say_whether_the_request_may_have_arrived() -> None:
    with pytest.raises(TypeError):
        TransportError("lost")
    assert TransportError(outcome_unknown=False).outcome_unknown is False
