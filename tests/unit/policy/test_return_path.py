import pytest

from fankeep.errors import HostileInputError
from fankeep.policy import parse_return_path


@pytest.mark.parametrize(
    "path",
    ["/", "/inbox", "/inbox/", "/a/b.c", "/inbox?tab=unread&next=/x", "/caf%C3%A9", "/a?q=a%26b", "/@handle"],
)
def test_a_local_path_is_kept_as_it_is(path):
    assert parse_return_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "inbox",
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "/\tevil",
        "/a\r\nset-cookie: x=y",
        "/a b",
        "/a//b",
        "/../a",
        "/a/./b",
        "/%2e%2e/a",
        "/%2fevil.example",
        "/%5Cevil.example",
        "/a%0d%0ab",
        "/a%00",
        "/a%252fb",
        "/a%2",
        "/a%zz",
        "/a#fragment",
        "/ä",
        "/\u2028",
        "javascript:alert(1)",
        "/" + "a" * 512,
    ],
)
def test_whatever_could_lead_elsewhere_is_refused(path):
    with pytest.raises(HostileInputError) as refused:
        parse_return_path(path)
    assert refused.value.reason == "return_path"
