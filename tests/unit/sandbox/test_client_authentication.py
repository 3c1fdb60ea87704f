"""Which app is calling the token endpoint."""

import base64

import pytest

from fankeep.sandbox import AppRegistration
from fankeep.sandbox.apps import AppBook
from fankeep.sandbox.client_authentication import authenticate
from fankeep.sandbox.refusals import Refusal, RefusalKind
from fankeep.secret import Secret

CLIENT_ID = "6f1c1c3e-63a7-4b52-8f4f-0f1f6f6f1a01"
CLIENT_SECRET = "p%+ ä" * 8


@pytest.fixture
def apps():
    return AppBook([AppRegistration(client_id=CLIENT_ID, client_secret=Secret(CLIENT_SECRET))])


def basic(client_id, client_secret):
    return "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()


ENCODED = "p%25%2B+%C3%A4" * 8


def test_basic_with_form_encoded_parts_is_accepted(apps):
    app = authenticate(basic(CLIENT_ID, ENCODED), {"client_id": CLIENT_ID}, apps, accept_post=False)
    assert app.client_id == CLIENT_ID


@pytest.mark.parametrize(
    ("header", "form"),
    [
        (None, {}),
        (None, {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}),
        (basic(CLIENT_ID, "wrong"), {}),
        (basic("4b9f6a52-6d7b-4a34-9a57-2f0b7f0a4e02", ENCODED), {}),
        (basic(CLIENT_ID, ENCODED), {"client_id": "another"}),
        ("Bearer abc", {}),
        ("Basic !!!", {}),
    ],
)
def test_anything_else_is_an_invalid_client(apps, header, form):
    with pytest.raises(Refusal) as caught:
        authenticate(header, form, apps, accept_post=False)
    assert caught.value.kind is RefusalKind.INVALID_CLIENT


def test_two_methods_at_once_are_an_invalid_request(apps):
    with pytest.raises(Refusal) as caught:
        authenticate(basic(CLIENT_ID, ENCODED), {"client_secret": "x"}, apps, accept_post=True)
    assert caught.value.kind is RefusalKind.INVALID_REQUEST


def test_the_secret_in_the_form_is_accepted_when_switched_on(apps):
    form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    assert authenticate(None, form, apps, accept_post=True).client_id == CLIENT_ID


def test_a_reset_kills_the_old_secret_at_once(apps):
    new = apps.first.reset_secret().reveal()
    with pytest.raises(Refusal):
        authenticate(basic(CLIENT_ID, ENCODED), {}, apps, accept_post=False)
    assert authenticate(basic(CLIENT_ID, new), {}, apps, accept_post=False)
    assert len(bytes.fromhex(new)) == 32
