"""Routes there and back, and schemas of any shape."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fankeep.errors import ConfigurationError
from fankeep.fanvue import OPERATIONS, build_path, leaf_paths, match, parse_schema, validate
from fankeep.fanvue.routes import Match

any_text = st.text(st.characters(exclude_categories=()))
operations = st.sampled_from(list(OPERATIONS.values()))
methods = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "get", ""])
near_path = st.lists(
    st.sampled_from(
        ["/", "/", "chats", "media", "vault", "folders", "users", "me", "uploads", "parts", "url"]
    )
    | st.sampled_from(["%2F", "%2e", "..", "%25", "%", "%00", "%C3%A9", "?", "\\", "é", ";", "a", "7"])
    | st.just("f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"),
    max_size=10,
).map("".join)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)
leaves = st.sampled_from(
    [
        "str",
        "str[1..3]?",
        "num[min 300]~",
        "int[exclusive min 0]",
        "uuid",
        "email",
        "url",
        "date",
        "bool",
        "any",
        "ref(A)",
    ]
)
schemas = st.recursive(
    leaves,
    lambda inner: (
        inner.map(lambda one: [one])
        | inner.map(lambda one: {"map?": one})
        | inner.map(lambda one: {"array": one, "max": 2})
        | st.lists(inner, min_size=1, max_size=3).map(lambda some: {"oneOf": some})
        | st.dictionaries(
            st.sampled_from(["a", "b?", "c~", "d?~", "array", "map", "oneOf"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    op = draw(operations)
    params = {}
    for name, schema in op.params.items():
        if schema == "uuid":
            params[name] = str(draw(st.uuids()))
        elif schema.startswith("enum"):
            params[name] = draw(st.sampled_from(schema[5:-1].split("|")))
        elif schema.startswith("int"):
            params[name] = str(draw(st.integers(1, 10_000)))
        else:
            params[name] = draw(any_text)
    return op.id, params


@given(call=calls())
@settings(max_examples=300)
def test_a_path_that_is_built_matches_the_same_operation_and_parameters(call):
    op, params = OPERATIONS[call[0]], call[1]
    try:
        path = build_path(op, params)
    except ValueError:
        return
    assert path.isascii()
    found = match(op.method, path)
    assert found is not None
    assert (found.operation.id, found.params) == (op.id, params)


@given(method=methods | any_text, path=any_text | st.binary() | near_path | near_path.map(str.encode))
@settings(max_examples=300)
def test_a_path_that_matches_is_rebuilt_to_one_that_matches_alike(method, path):
    found = match(method, path)
    assert found is None or isinstance(found, Match)
    if found is None:
        return
    again = match(method, build_path(found.operation, found.params))
    assert again is not None
    assert (again.operation.id, again.params) == (found.operation.id, found.params)


@given(
    name=st.text(st.characters(exclude_characters="/\\", exclude_categories=("C", "Zl", "Zp")), min_size=1)
)
@settings(max_examples=200)
def test_ordinary_names_of_folders_survive_the_way_there_and_back(name):
    op = OPERATIONS["getVaultFolder"]
    try:
        path = build_path(op, {"folderName": name})
    except ValueError:
        assert name in {".", ".."} or "%" in name or len(name) > 255
        return
    assert match("GET", path).params == {"folderName": name}


@given(raw=json_values)
@settings(max_examples=300)
def test_reading_a_schema_is_total(raw):
    try:
        node = parse_schema(raw)
    except ConfigurationError:
        return
    assert leaf_paths(node) is not None


@given(raw=schemas, value=json_values, strict=st.booleans())
@settings(max_examples=300)
def test_validating_is_total_and_strictness_only_adds_problems(raw, value, strict):
    try:
        node = parse_schema(raw, {"schemas/A": "enum(a|b)"})
    except ConfigurationError:
        return
    assert isinstance(validate(node, value, strict=strict), list)
    if not validate(node, value, strict=True):
        assert validate(node, value) == []
