import pytest

from fankeep.errors import ConfigurationError
from fankeep.fanvue import WebhookSecret
from fankeep.fanvue.webhook_secrets import as_webhook_secrets
from fankeep.secret import Secret

ALICE = "f4b2a184-2b4a-4a04-9b70-3c0e0a1caa12"


@pytest.mark.parametrize("value", ["", " ", "\n\t"])
def test_a_blank_secret_is_a_configuration_error(value):
    with pytest.raises(ConfigurationError):
        WebhookSecret("a", Secret(value))


@pytest.mark.parametrize(
    "scope", ["", "App", "creator", "creator:", f"creator:{ALICE.upper()}", f"creator:{ALICE}\n"]
)
def test_a_scope_is_the_app_or_one_creator(scope):
    with pytest.raises(ConfigurationError):
        WebhookSecret("a", Secret("value"), scope)
    assert WebhookSecret("a", Secret("value"), f"creator:{ALICE}").scope == f"creator:{ALICE}"


def test_bare_secrets_are_named_by_their_place_and_speak_for_the_app():
    found = list(as_webhook_secrets(["first", " ", Secret("third")]))
    assert [(secret.name, secret.scope) for secret in found] == [("secret-1", "app"), ("secret-3", "app")]


def test_the_value_does_not_show_in_the_repr():
    assert "hunter2" not in repr(WebhookSecret("a", Secret("hunter2")))
