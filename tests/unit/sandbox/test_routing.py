"""Which operation a path is for."""

import pytest

from fankeep.fanvue.operations import OPERATIONS
from fankeep.sandbox.api.routing import Routes


@pytest.fixture(scope="module")
def routes():
    return Routes(OPERATIONS.values())


def filled(path):
    return "/".join("abc%20d" if part.startswith("{") else part for part in path.split("/"))


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_operation_is_found_unprefixed_and_under_v1(routes, operation_id):
    operation = OPERATIONS[operation_id]
    for prefix in ("", "/v1"):
        found = routes.find(operation.method, prefix + filled(operation.path))
        assert found.operation is operation
        assert found.versioned is bool(prefix)
        assert set(found.params.values()) <= {"abc d"}


def test_a_literal_goes_before_a_parameter(routes):
    assert routes.find("GET", "/chats/unread").operation.id == "getUnreadChatsCount"
    assert routes.find("GET", "/media/bulk").operation.id == "getBulkMedia"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/nothing"), ("PUT", "/users/me"), ("GET", "/chats//messages")]
)
def test_anything_else_is_not_found(routes, method, path):
    assert routes.find(method, path) is None
