from urllib.parse import quote

import pytest

from fankeep.fanvue import OPERATIONS, build_path, match, operation

UUID = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"
OTHER = "5939ae62-3eb5-4433-954f-f78c7b4282f3"
SAMPLES = {"uploadId": "2~abc.DEF_-", "partNumber": "17", "folderName": "Summer & sun/".strip("/")}


def sample(op) -> dict[str, str]:
    found = {name: SAMPLES.get(name, UUID) for name in op.params}
    return {name: "muted" if schema.startswith("enum") else found[name] for name, schema in op.params.items()}


@pytest.mark.parametrize("op", OPERATIONS.values(), ids=lambda op: op.id)
def test_every_operation_is_found_by_the_path_that_is_built_for_it(op):
    params = sample(op)
    path = build_path(op, params)
    assert "{" not in path
    for raw in (path, path.encode()):
        found = match(op.method, raw)
        assert found is not None
        assert (found.operation.id, found.params) == (op.id, params)


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/media/bulk", "getBulkMedia"),
        ("GET", f"/media/{UUID}", "getUserMediaByUuid"),
        ("GET", f"/chats/{UUID}/messages", "listMessages"),
        ("GET", "/chats/mass-messages", "listMassMessages"),
        ("POST", "/chats/messages/batch", "messagesBatch"),
        ("GET", "/chats/lists/smart/muted", "getSmartListMembers"),
        ("GET", "/users/me", "getCurrentUser"),
    ],
)
def test_literals_win_over_parameters(method, path, name):
    assert match(method, path).operation.id == name


def test_the_parameters_of_a_uuid_are_lower_case():
    assert match("GET", f"/media/{UUID.upper()}").params == {"uuid": UUID}


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("a%20b", "a b"),
        ("100%25", "100%"),
        ("%3F%23%3B", "?#;"),
        ("%E2%9D%A4%EF%B8%8F%E2%80%8D%F0%9F%94%A5", "\u2764\ufe0f\u200d\U0001f525"),
        ("...", "..."),
        ("%41bc", "Abc"),
        ("a+b", "a+b"),
        ("a;b=c", "a;b=c"),
    ],
)
def test_a_name_is_decoded_once(raw, name):
    assert match("GET", f"/vault/folders/{raw}").params == {"folderName": name}


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "%2e",
        "%2e%2e",
        ".%2E",
        "a%2Fb",
        "a%2fb",
        "a%5Cb",
        "a\\b",
        "a%00b",
        "a%0d%0ab",
        "a%7Fb",
        "a%C2%85b",
        "a%E2%80%A8b",
        "a%252Fb",
        "a%2541b",
        "a%25%32%66b",
        "%",
        "%4",
        "%zz",
        "%FF",
        "%C0%AF",
        "%ED%A0%80",
        "a b",
        "a?b",
        "a#b",
        "é",
        "a\x00",
        "a\n",
        "a%0A",
        "x" * 256,
        '"',
        "<",
        "{folderName}",
    ],
)
def test_a_segment_that_could_be_read_in_two_ways_matches_nothing(name):
    assert match("GET", f"/vault/folders/{name}") is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/"),
        ("GET", "//users/me"),
        ("GET", "/users//me"),
        ("GET", "/users/me/"),
        ("GET", "users/me"),
        ("GET", "/users/./me"),
        ("GET", "/x/../users/me"),
        ("GET", "/users/me?x=1"),
        ("GET", "/users/me#x"),
        ("GET", "/users/me;x"),
        ("GET", "/Users/me"),
        ("GET", "/users%2Fme"),
        ("GET", "https://api.fanvue.com/users/me"),
        ("GET", "*"),
        ("GET", b"/users/me\xff"),
        ("GET", "/users/\ud800"),
        ("get", "/users/me"),
        ("HEAD", "/users/me"),
        ("OPTIONS", "/users/me"),
        ("DELETE", "/users/me"),
        ("GET", "/users"),
        ("GET", "/users/me/more"),
        ("GET", "/v1/users/me"),
        ("GET", "/media/not-a-uuid"),
        ("GET", f"/media/{UUID}0"),
        ("GET", f"/media/{{{UUID}}}"),
        ("GET", "/chats/lists/smart/everyone"),
        ("GET", "/media/uploads/abc/parts/0/url"),
        ("GET", "/media/uploads/abc/parts/10001/url"),
        ("GET", "/media/uploads/abc/parts/01/url"),
        ("GET", "/media/uploads/abc/parts/-1/url"),
        ("GET", "/media/uploads/abc/parts/1e3/url"),
        ("GET", "/media/uploads/abc/parts/%D9%A1/url"),
        ("GET", "/vault/folders/" + "%41" * 2000),
        ("GET", "/" + "a/" * 1000),
    ],
)
def test_everything_else_matches_nothing(method, path):
    assert match(method, path) is None


def test_no_sibling_of_a_parameter_is_a_value_of_it():
    """Then it does not matter whether literals or parameters are looked at first."""
    for op in OPERATIONS.values():
        for other in OPERATIONS.values():
            mine, theirs = op.path.split("/"), other.path.split("/")
            for index, segment in enumerate(mine[: len(theirs)]):
                if mine[:index] != theirs[:index] or not segment.startswith("{"):
                    continue
                literal = theirs[index]
                if not literal.startswith("{"):
                    assert op.params[segment[1:-1]] == "uuid", (op.path, other.path)


@pytest.mark.parametrize(
    "params",
    [{}, {"folderName": "a", "more": "b"}, {"uuid": UUID}]
    + [
        {"folderName": name}
        for name in ("", ".", "..", "a/b", "a\\b", "a%2Fb", "\x00", "\n", "\ud800", "\u2028", "x" * 256)
    ],
)
def test_a_path_is_not_built_from_what_would_not_match_again(params):
    with pytest.raises(ValueError, match="parameter"):
        build_path(operation("getVaultFolder"), params)


def test_a_path_that_would_be_too_long_to_match_is_not_built():
    with pytest.raises(ValueError, match="too long"):
        build_path(operation("completeUploadSession"), {"uploadId": "\U0001f525" * 1000})


def test_parameters_are_escaped_and_cannot_fill_one_another():
    op = operation("detachMediaFromVaultFolder")
    path = build_path(op, {"folderName": "{mediaUuid}?&#=é", "mediaUuid": UUID})
    assert path == f"/vault/folders/{quote('{mediaUuid}?&#=é', safe='')}/media/{UUID}"


def test_parameters_of_two_kinds_keep_their_places():
    op = operation("getMessageMediaByUuids")
    path = build_path(op, {"messageUuid": OTHER, "userUuid": UUID.upper()})
    assert path == f"/chats/{UUID}/messages/{OTHER}/media"
