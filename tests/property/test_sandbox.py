"""The sandbox under arbitrary input: a value or its own refusal, and chains that keep their rules."""

from contextlib import suppress
from enum import StrEnum
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fankeep.errors import ConfigurationError, VerificationError
from fankeep.fanvue import verify_webhook
from fankeep.fanvue.operations import OPERATIONS
from fankeep.sandbox import AppRegistration, SandboxSettings
from fankeep.sandbox.api.call import ApiRefusal
from fankeep.sandbox.api.inputs import read_call_body, read_params, read_query
from fankeep.sandbox.api.routing import Routes
from fankeep.sandbox.apps import AppBook
from fankeep.sandbox.client_authentication import authenticate
from fankeep.sandbox.codes import Authorization
from fankeep.sandbox.control.wanted import ControlError, Wanted
from fankeep.sandbox.fault_reading import KEYS, FaultError, read_fault
from fankeep.sandbox.faults import RULES, Fault, FaultKind
from fankeep.sandbox.forging import Forge, Signer, signed_bodies
from fankeep.sandbox.http import parse_form
from fankeep.sandbox.json import decode_json, encode_json
from fankeep.sandbox.refusals import Refusal
from fankeep.sandbox.scenario import parse_scenario
from fankeep.sandbox.tokens import TokenBook
from fankeep.secret import Secret

NOW = 1_800_000_000
SECRET = "whsec_0123456789abcdef0123456789abcdef"
ROUTES = Routes(OPERATIONS.values())

any_text = st.text(max_size=60)
near_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=8,
)
near_query = st.lists(
    st.sampled_from(["page", "size", "markAsRead", "startDate", "=", "&", ",", "%", "1", "-1", "x", "%ff"]),
    max_size=14,
).map("".join)


def outcome(call, refusal):
    """What a call returns, or how it is refused; anything else is a failure."""
    try:
        return call()
    except refusal as refused:
        return refused


def kinds(kind):
    return kind if isinstance(kind, tuple) else (kind,)


@given(any_text | near_query)
def test_a_form_is_read_or_refused(text):
    with suppress(ValueError):
        assert all(isinstance(value, str) for value in parse_form(text).values())


@given(st.binary(max_size=200))
def test_json_is_read_or_refused(data):
    with suppress(ValueError):
        assert encode_json(decode_json(data))


def test_json_that_is_nested_too_deeply_is_refused():
    with pytest.raises(ValueError, match="not JSON"):
        decode_json(b"[" * 100_000)


class Word(StrEnum):
    ONE = "one"
    TWO = "two"


@given(near_json)
def test_a_member_of_a_control_request_is_of_its_type_or_named_in_the_refusal(value):
    wanted = Wanted({"it": value})
    reads = {
        str: lambda: wanted.needed_text("it"),
        (int, float): lambda: wanted.number("it", 1),
        int: lambda: wanted.count("it"),
        bool: lambda: wanted.flag("it", default=True),
        (tuple, type(None)): lambda: wanted.texts("it"),
        (Word, type(None)): lambda: wanted.optional_choice("it", Word),
    }
    for kind, read in reads.items():
        assert isinstance(outcome(read, ControlError), (ControlError, *kinds(kind)))


near_keys = st.sampled_from([*KEYS, "counts"]) | any_text
near_values = near_json | st.sampled_from([*FaultKind, "token", "any", "all", "before", "read:self"])


@settings(max_examples=300)
@given(st.sampled_from(FaultKind), st.dictionaries(near_keys, near_values, max_size=4))
def test_a_table_is_a_fault_that_fits_its_kind_or_is_refused_by_the_key(kind, table):
    result = outcome(lambda: read_fault({"kind": kind, **table}), FaultError)
    if isinstance(result, Fault):
        assert result.target in RULES[result.kind].targets
        assert result.count is None or result.count >= 1
    else:
        assert str(result).partition(":")[0].isascii()
        assert "\n" not in str(result)


@given(any_text | st.lists(near_json, max_size=3).map(lambda rows: f"fault = {rows}"))
def test_any_text_is_a_scenario_or_refused_in_one_line(text):
    result = outcome(lambda: parse_scenario(text), ConfigurationError)
    assert isinstance(result, tuple) or "\n" not in str(result)


@given(st.sampled_from(["GET", "POST", "x"]), any_text)
def test_any_path_is_an_operation_or_nothing(method, path):
    found = ROUTES.find(method, path)
    assert found is None or found.operation.method == method


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(OPERATIONS)),
    near_query,
    st.binary(max_size=60) | near_json.map(repr).map(str.encode),
)
def test_inputs_of_every_operation_are_read_or_refused_in_fanvues_shapes(operation_id, query, body):
    operation = OPERATIONS[operation_id]
    params = dict.fromkeys(operation.params, query)
    for read in (
        lambda: read_query(operation, query),
        lambda: read_call_body(operation, body),
        lambda: read_params(operation, params),
    ):
        result = outcome(read, ApiRefusal)
        if isinstance(result, ApiRefusal):
            assert (result.status, len(result.body)) == (400, 1)
            assert set(result.body) <= {"errors", "message"}
        else:
            assert isinstance(result, dict)


@given(st.none() | any_text | st.binary(max_size=40).map(lambda raw: "Basic " + raw.hex()), st.booleans())
def test_no_header_but_the_right_one_authenticates_a_client(header, accept_post):
    apps = AppBook([AppRegistration(client_secret=Secret("ab" * 32))])
    with pytest.raises(Refusal):
        authenticate(header, {}, apps, accept_post=accept_post)


@given(st.binary(max_size=200).map(lambda inner: b"{" + inner), st.integers(0, 2**33))
def test_what_the_sandbox_signs_fankeep_verifies(body, at):
    (genuine,) = signed_bodies(body, Signer(Secret(SECRET)), now=at)
    verified = verify_webhook(genuine.body, genuine.signature, SECRET, now=at)
    assert verified.body == body
    assert verified.timestamp == at


@given(
    st.binary(max_size=200).map(lambda inner: b"{" + inner),
    st.sampled_from([forge for forge in Forge if forge is not Forge.REPLAY]),
)
def test_what_the_sandbox_forges_fankeep_refuses(body, forge):
    for forged in signed_bodies(body, Signer(Secret(SECRET)), now=NOW, forge=forge):
        with pytest.raises(VerificationError):
            verify_webhook(forged.body, forged.signature, SECRET, now=NOW)


steps = st.lists(st.tuples(st.integers(0, 7), st.floats(0, 20, allow_nan=False)), max_size=25)


@settings(max_examples=200)
@given(steps)
def test_a_chain_agrees_with_its_rules_whatever_is_tried_and_when(tried):
    """The rules once more, as a model: spent once, repeated inside the grace, dead after reuse."""
    book = TokenBook(SandboxSettings(grace=30, access_token_lifetime=10_000))
    granted = Authorization("app", "creator", ("offline_access",), "http://localhost/cb", "c", NOW)
    pairs = [book.start(granted, "code", now=NOW)]
    first_use: dict[int, float] = {}
    dead = False
    now = float(NOW)
    for choice, pause in tried:
        now += pause
        index = choice % len(pairs)
        late = index in first_use and now >= first_use[index] + 30
        allowed = not dead and not late
        value = pairs[index].refresh.value
        given = {"client_id": "app", "app_scopes": frozenset({"offline_access"}), "scope": None, "now": now}
        result = outcome(partial(book.rotate, value, **given), Refusal)
        if allowed:
            pairs.append(result)
        else:
            assert result.fields["error"] == "invalid_grant"
        dead = dead or late
        if allowed:
            first_use.setdefault(index, now)
        for place, pair in enumerate(pairs):
            living = book.access_token(pair.access.value, now=now) is not None
            assert living == (not dead and place not in first_use)
    assert len({pair.refresh.value for pair in pairs}) == len(pairs)
