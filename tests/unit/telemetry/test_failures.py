import pytest

from fankeep import errors
from fankeep.telemetry import describe_error


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


def test_our_own_error_is_its_code_and_fixed_words():
    assert describe_error(errors.CallbackError("state_reused")) == {
        "type": "CallbackError",
        "code": "login_failed",
        "reason": "state_reused",
    }
    assert describe_error(errors.ProviderError("words", oauth_error="invalid_grant", http_status=400)) == {
        "type": "ProviderError",
        "code": "provider_refused",
        "oauth_error": "invalid_grant",
        "http_status": 400,
    }


def test_a_foreign_error_is_its_type_and_frames_and_causes():
    def fail():
        raise KeyError("hunter2") from raised(OSError("hunter2"))

    with pytest.raises(KeyError) as caught:
        fail()
    described = describe_error(caught.value)
    assert described["type"] == "KeyError"
    assert described["causes"] == ["OSError"]
    assert "hunter2" not in str(described)
    assert described["frames"][-1].startswith("unit/telemetry/test_failures.py:")
    assert described["frames"][-1].endswith(":fail")


def test_only_the_innermost_frames_are_kept():
    def deep(level):
        if level:
            deep(level - 1)
        raise ValueError

    try:
        deep(50)
    except ValueError as error:
        frames = describe_error(error)["frames"]
    assert len(frames) == 12
    assert frames[-1].endswith(":deep")
