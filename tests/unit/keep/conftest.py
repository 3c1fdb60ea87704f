"""Settings that hold, to be broken one at a time."""

import os
import secrets

import pytest

from fankeep import ConfigurationError, Settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """No variable of the machine reaches a test."""
    for name in list(os.environ):
        if name.upper().startswith("FANKEEP_"):
            monkeypatch.delenv(name)


@pytest.fixture
def good_secret():
    return secrets.token_hex(32)


@pytest.fixture
def production(tmp_path, good_secret):
    """An environment that production accepts."""
    return {
        "FANKEEP_PUBLIC_URL": "https://app.example.com",
        "FANKEEP_CLIENT_ID": "0d0f2f4c-7d5e-4a0c-9c57-6e5b8f0f3a11",
        "FANKEEP_CLIENT_SECRET": good_secret,
        "FANKEEP_WEBHOOK_SECRETS": f"main=whsec_{secrets.token_hex(32)}",
        "FANKEEP_DATABASE_URL": f"sqlite:///{tmp_path}/fankeep.db",
        "FANKEEP_KEYS": f"file:{tmp_path}/keys.json",
        "FANKEEP_OPERATIONS": "getCurrentUser listChats",
        "FANKEEP_TRUSTED_PROXIES": "10.0.0.0/8",
    }


@pytest.fixture
def development(good_secret):
    """An environment that development accepts."""
    return {
        "FANKEEP_ENV": "development",
        "FANKEEP_PUBLIC_URL": "http://localhost:8080",
        "FANKEEP_CLIENT_ID": "app",
        "FANKEEP_CLIENT_SECRET": good_secret,
        "FANKEEP_WEBHOOK_SECRETS": f"main=whsec_{secrets.token_hex(32)}",
    }


@pytest.fixture
def settings_from(monkeypatch):
    """Make settings from an environment."""

    def make(environment, **arguments):
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            return Settings(**arguments)

    return make


@pytest.fixture
def refusal(settings_from):
    """The one line with which settings are refused."""

    def refuse(environment, **arguments):
        with pytest.raises(ConfigurationError) as caught:
            settings_from(environment, **arguments)
        message = str(caught.value)
        assert "\n" not in message
        # Neither cause nor context: both would hold the values.
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        return message

    return refuse
