import json

import pytest

from fankeep import errors
from fankeep.policy import error_body, page_text, retry_after
from fankeep.policy.errors import API_TEXTS


def test_an_error_answer_has_one_shape():
    body = json.loads(error_body("not_found", "ref123"))
    assert body == {"error": "not_found", "message": "There is nothing here.", "reference": "ref123"}


def test_a_reason_is_told_only_by_a_text_of_our_own():
    told = json.loads(error_body("invalid_request", "r", reason="limit_out_of_range"))
    assert told["message"] == "limit must be a whole number, 1 to 500."
    general = json.loads(error_body("invalid_request", "r", reason="host_malformed"))
    assert general["message"] == API_TEXTS["invalid_request"]


def test_a_code_without_its_own_words_gets_general_ones():
    assert json.loads(error_body("storage", "r"))["message"] == "Something went wrong."
    assert page_text("storage").title == "Something went wrong"


def test_every_error_that_a_caller_can_do_something_about_has_words():
    todo = [errors.FankeepError]
    while todo:
        error = todo.pop()
        todo += error.__subclasses__()
        if error.__module__ == "fankeep.errors" and error.status < 500:
            assert error.code in API_TEXTS


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (errors.RetryableError(), 1),
        (errors.RetryableError(retry_after=2.2), 3),
        (errors.RetryableError(retry_after=0.0), 1),
        (errors.RetryableError(retry_after=1e9), 3600),
        (errors.StorageError(), None),
    ],
)
def test_a_passing_error_says_when_to_come_back(error, seconds):
    assert retry_after(error) == seconds
