"""No secret of any kind survives, in whatever shape it reaches a log line."""

import base64
import json
from urllib.parse import quote, urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from fankeep.policy import Redactor
from fankeep.secret import Secret

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
CLIENT_SECRET = "made-up client secret 0001"

opaque = st.text(BASE64URL, min_size=43, max_size=86)
jwt = st.builds(
    lambda payload, signature: f"eyJhbGciOiJFUzI1NiJ9.{payload}.{signature}",
    st.text(BASE64URL, min_size=8, max_size=60),
    st.text(BASE64URL, min_size=8, max_size=60),
)
ory = st.builds(lambda kind, rest: f"ory_{kind}_{rest}", st.sampled_from(["at", "rt", "ac"]), opaque)
hexadecimal = st.text("0123456789abcdef", min_size=64, max_size=64)
whsec = st.builds("whsec_{}".format, hexadecimal)
signature = st.builds("t={},v0={}".format, st.integers(1, 10**10), hexadecimal)
email = st.from_regex(r"[a-z]{3,10}\.[a-z]{3,10}@[a-z]{3,10}\.(com|example)", fullmatch=True)
cookie = st.builds("__Host-fankeep-session={}".format, opaque)

service_key = st.builds(
    "fankeep_sk_{}_{}".format, st.text("0123456789abcdef", min_size=12, max_size=12), opaque
)
shaped = st.one_of(
    jwt, ory, hexadecimal, whsec, service_key, signature, email, cookie, st.just(CLIENT_SECRET)
)
# Values without a shape of their own: only the place where they stand tells what they are.
parameter = st.tuples(
    st.sampled_from(
        ["code", "state", "code_verifier", "refresh_token", "client_secret", "nonce", "id_token"]
    ),
    st.text(BASE64URL, min_size=22, max_size=43),
)

sentences = st.sampled_from(
    [
        "{}",
        "got {} from there",
        "value={}",
        "[{}]",
        "({})",
        "'{}'",
        '"{}"',
        "a:{}",
        "{}\n",
        "x {}, y",
        "/path/{}/more",
    ]
)


def leaks(secret: str, rendered: str) -> bool:
    """Whether any recognisable part of the secret stands in the text."""
    parts = [secret[start : start + 12] for start in range(0, max(1, len(secret) - 12), 6)]
    words = {"__Host-fankeep-session", "eyJhbGciOiJFUzI1NiJ9"}
    return any(part in rendered for part in parts if not any(part in word for word in words))


REDACTOR = Redactor([Secret(CLIENT_SECRET)])


def rendered(event: dict) -> str:
    return json.dumps(REDACTOR.redact(event))


@settings(max_examples=300)
@given(shaped, sentences)
def test_a_secret_with_a_shape_survives_in_no_place(secret, sentence):
    text = sentence.format(secret)
    places = {
        "event": text,
        "detail": text,
        text: 1,
        "deep": {"list": [text, {"x": (text,)}]},
        "as_bytes": text.encode(),
        "error": RuntimeError(text),
        "printed": repr({"k": text}),
        "dumped": json.dumps({"k": text}),
    }
    assert not leaks(secret, rendered(places))


@settings(max_examples=200)
@given(opaque)
def test_a_random_value_alone_is_recognised_as_one(value):
    assert not leaks(value, rendered({"event": value, "detail": f"found {value} here"}))


@settings(max_examples=300)
@given(parameter)
def test_a_callback_parameter_survives_in_no_spelling(parameter):
    name, value = parameter
    query = urlencode({"x": "1", name: value, "y": "2"})
    places = {
        "a": f"/auth/callback?{query}",
        "b": f"GET https://app.example/auth/callback?{query} HTTP/1.1",
        "c": quote(f"/auth/callback?{query}", safe=""),
        "d": json.dumps({name: value}),
        "e": json.dumps(json.dumps({name: value})),
        "f": repr({name: value}),
        "g": f"{name} = {value}",
        "h": f"{name}: {value}",
        "i": f"{name}='{value}'",
        name: value,
    }
    shown = rendered(places)
    assert value not in shown
    assert value[:12] not in shown


@given(st.text(BASE64URL, min_size=1, max_size=60), st.sampled_from(["Bearer", "bearer", "Basic", "DPoP"]))
def test_an_authorization_header_survives_in_no_shape(value, scheme):
    marked = f"Zq9{value}Zq9"
    header = f"{scheme} {marked}"
    places = {
        "a": header,
        "b": f"authorization: {header}",
        "authorization": header,
        "d": repr({"authorization": header}),
    }
    assert marked not in rendered(places)


@given(st.text(BASE64URL, min_size=12, max_size=40), st.text(BASE64URL, min_size=12, max_size=40))
def test_client_credentials_in_basic_form_are_withheld(user, password):
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    assert encoded[:20] not in rendered(
        {"a": f"Basic {encoded}", "b": f"https://{user}:{password}@h.example/"}
    )


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=30,
)


@given(st.dictionaries(st.text() | st.integers(), json_like))
def test_whatever_goes_in_one_line_of_json_comes_out(event):
    line = json.dumps(REDACTOR.redact(event), ensure_ascii=False, allow_nan=False)
    assert line.isprintable() or not any(ord(character) < 32 for character in line)
    assert "\n" not in line
    assert len(line) < 300_000


@given(st.text())
def test_redacting_twice_changes_nothing_more(text):
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once
