import pytest

from fankeep.fanvue import answer_schema, body_schema, operation, validate
from fankeep.fanvue.schema import parse_schema

UUID = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ("str", ["", "a"], [None, 1, [], {}]),
        ("str?", [None, "a"], [1]),
        ("str[1..3]", ["a", "abc"], ["", "abcd"]),
        ("uuid", [UUID, UUID.upper()], ["", UUID + "0", UUID.replace("-", ""), None]),
        ("email", ["a@b.cc"], ["a", "a@b", "a b@c.dd", "@b.cc"]),
        ("url", ["https://a/b"], ["ftp://a", "a", "https://"]),
        ("date", ["2023-11-14", "2023-11-14T22:13:20.000Z"], ["", "today", 5]),
        ("date-time", ["2023-11-14T22:13:20Z"], ["", "now"]),
        ("num", [1, 1.5, -1], ["1", None, True]),
        ("num[min 300]", [300, 300.5], [299, 0, float("nan")]),
        ("int", [1, 1.0], [1.5, True, "1"]),
        ("int[1..50]", [1, 50], [0, 51, 10**400]),
        ("int[exclusive min 0]", [1], [0, -1]),
        ("bool", [True, False], [0, 1, "true", None]),
        ("any", [None, 1, [], {}, "a"], []),
        ("text/plain", ["a"], [1, {}]),
        (["int"], [[], [1, 2]], [{}, None, ["a"]]),
        ({"array": "int", "min": 1, "max": 2}, [[1], [1, 2]], [[], [1, 2, 3]]),
        ({"map": "int"}, [{}, {"a": 1}], [[], {"a": None}]),
        ({"map?": "int"}, [{"a": None}], [{"a": "b"}]),
        ({"oneOf": [{"a": "int"}, {"b": "int"}]}, [{"a": 1}, {"b": 1}], [{}, {"a": "x"}, 5]),
        ({"a": "int~", "b": "int"}, [{"b": 1}, {"a": 1, "b": 1}], [{}, {"a": 1}]),
    ],
)
def test_values_are_what_their_schema_says(schema, right, wrong):
    node = parse_schema(schema)
    assert [value for value in right if validate(node, value, strict=True)] == []
    assert [value for value in wrong if not validate(node, value, strict=True)] == []
    assert [value for value in wrong if not validate(node, value)] == []


def test_only_the_strict_mode_minds_new_words_and_new_fields():
    node = parse_schema({"kind": "enum(a|b)"})
    value = {"kind": "c", "more": 1}
    assert validate(node, value) == []
    assert validate(node, value, strict=True) == ["kind: not one of a, b", "more: no such field"]
    assert validate(node, {"kind": 5}) == ["kind: expected a word"]


def test_problems_name_places_and_never_values():
    node = parse_schema({"data": [{"price": "num[min 300]", "to": {"map": "email"}}]})
    value = {"data": [{"price": 500, "to": {}}, {"price": 5, "to": {"Zoë": "hunter2"}}, {}]}
    assert validate(node, value) == [
        "data[1].price: at least 300",
        "data[1].to{}: expected email",
        "data[2].price: missing",
        "data[2].to: missing",
    ]


def test_a_strange_field_name_is_not_repeated():
    assert validate(parse_schema({}), {"zoe@example.com": 1}, strict=True) == ["?: no such field"]


def test_the_list_of_problems_is_bounded():
    assert len(validate(parse_schema(["int"]), ["x"] * 10_000)) == 100


def test_the_body_of_a_message_is_checked():
    node = body_schema(operation("sendMessage"))
    assert validate(node, {"text": "hi", "price": 300}, strict=True) == []
    assert validate(node, {"text": "x" * 5001, "price": 299}, strict=True) != []


def test_an_answer_with_a_new_message_type_passes_where_clients_read_it():
    message = {
        "uuid": UUID,
        "text": None,
        "sentAt": "2023-11-14T22:13:20.000Z",
        "sender": {"uuid": UUID, "handle": "zoe"},
        "recipient": {},
        "hasMedia": None,
        "mediaType": None,
        "mediaUuids": [],
        "type": "SOMETHING_NEW",
        "pricing": None,
        "purchasedAt": None,
        "sentByUserId": None,
        "isRead": True,
        "new": 1,
    }
    answer = {"data": [message], "pagination": {"page": 1, "size": 15, "hasMore": False}}
    node = answer_schema(operation("listMessages"))
    assert validate(node, answer) == []
    assert len(validate(node, answer, strict=True)) == 2
