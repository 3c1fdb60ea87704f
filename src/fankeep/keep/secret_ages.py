"""How old the secrets of an installation are, wired: for the services of a process and for a command."""

from __future__ import annotations

from fankeep.keep.settings import Settings
from fankeep.keep.stores import Stores
from fankeep.secret import Secret
from fankeep.secrets import FORWARD, NamedSecret, SecretAges, parse_client_secrets

__all__ = ["secret_ages"]


def secret_ages(settings: Settings, stores: Stores) -> SecretAges:
    """Gather the secrets of the settings and what is written down about them."""
    clients = parse_client_secrets(settings.client_secret).candidates()
    secrets = [NamedSecret("client", secret.name, secret.value) for secret in clients]
    secrets += [
        NamedSecret("webhook", secret.name, Secret(str(secret.value.reveal())))
        for secret in settings.webhook_secrets
    ]
    if settings.forward_secret is not None:
        secrets.append(NamedSecret("forward", FORWARD, settings.forward_secret))
    key = stores.datakeys.installation.key("secret-ages")
    return SecretAges(stores.data, key, secrets, settings.secret_register)
