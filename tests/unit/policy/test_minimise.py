import pytest

from fankeep.policy import KeepList, minimise


def test_only_listed_fields_are_kept_and_the_others_are_named():
    data = {
        "id": "e1",
        "data": {"price": 5, "text": "private", "sender": {"uuid": "u", "handle": "h"}},
        "x": 1,
    }
    result = minimise(data, KeepList(["id", "data.price", "data.sender.uuid"]))
    assert result.kept == {"id": "e1", "data": {"price": 5, "sender": {"uuid": "u"}}}
    assert result.dropped == ("data.sender.handle", "data.text", "x")


def test_lists_are_looked_through():
    data = {"items": [{"price": 1, "note": "n"}, {"price": 2}], "tags": ["a", "b"]}
    result = minimise(data, KeepList(["items.price", "tags"]))
    assert result.kept == {"items": [{"price": 1}, {"price": 2}], "tags": ["a", "b"]}
    assert result.dropped == ("items.note",)


def test_an_object_where_a_scalar_was_expected_is_dropped():
    result = minimise({"price": {"amount": 5}}, KeepList(["price"]))
    assert result.kept == {}
    assert result.dropped == ("price",)


def test_a_scalar_where_an_object_was_expected_is_dropped():
    result = minimise({"sender": "Jane Doe"}, KeepList(["sender.uuid"]))
    assert result.kept == {}
    assert result.dropped == ("sender",)


def test_null_is_kept_in_either_place():
    assert minimise({"a": None, "b": None}, KeepList(["a", "b.c"])).kept == {"a": None, "b": None}


def test_a_list_of_lists_is_dropped():
    result = minimise({"a": [["Jane"]]}, KeepList(["a"]))
    assert result.kept == {}
    assert result.dropped == ("a",)


def test_a_key_that_is_no_field_name_may_be_personal_and_is_not_named():
    result = minimise({"jane@example.com": 1, "a b": 2}, KeepList(["id"]))
    assert result.dropped == ("?",)


def test_the_list_of_dropped_names_is_bounded():
    result = minimise({f"f{number}": 1 for number in range(1000)}, KeepList(["id"]))
    assert len(result.dropped) == 64


@pytest.mark.parametrize("path", ["", "a..b", "a.", "a b", "1a", "a.*"])
def test_a_keep_list_holds_field_names_only(path):
    with pytest.raises(ValueError):
        KeepList([path])


def test_a_map_is_kept_with_whatever_names_it_has_and_with_scalars_alone():
    data = {"notes": {"a": "x", "b c": 1, "d": {"e": 1}, "f": [1, {"g": 2}]}, "other": {"a": "x"}}
    found = minimise(data, KeepList(["notes{}"]))
    assert found.kept == {"notes": {"a": "x", "b c": 1, "f": [1]}}
    assert found.dropped == ("notes.d", "notes.f", "other")


@pytest.mark.parametrize("value", [{"a": 1}, [[1]], [{"a": 1}]])
def test_a_key_of_a_kept_map_that_is_no_field_name_is_not_named_when_its_value_is_dropped(value):
    found = minimise({"notes": {"Jane Roe \x1b[2J": value, "nul\x00": value}}, KeepList(["notes{}"]))
    assert found.dropped == ("notes.?",)


def test_a_list_without_some_paths_drops_them_and_what_is_below():
    whole = KeepList(["a.b.c", "a.bc", "a.b", "d{}", "e.f"])
    data = {"a": {"b": {"c": 1}, "bc": 2}, "d": {"x": 3}, "e": "text"}
    found = minimise(data, whole.without(["a.b", "d", "e.f"]))
    assert (found.kept, found.dropped) == ({"a": {"bc": 2}}, ("a.b", "d", "e"))
    assert minimise(data, whole).kept == {"a": {"b": {"c": 1}, "bc": 2}, "d": {"x": 3}}


def test_the_mark_of_a_map_means_nothing_elsewhere():
    assert minimise({"{}": 1}, KeepList(["a"])).kept == {}
    with pytest.raises(ValueError, match="keep list"):
        KeepList(["a.{}"])
