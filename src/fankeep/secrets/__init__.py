"""Client and webhook secrets with their versions, and which one matched.

Settings are read here into values that are known to be usable: long enough, not a placeholder from an
example, and without what copying and pasting adds. A secret that is wrong in form stops the start; it never
becomes one that silently does not match.
"""

from fankeep.secrets.ages import Age, NamedSecret, SecretAges
from fankeep.secrets.client_secrets import ClientSecret, ClientSecrets, parse_client_secrets
from fankeep.secrets.register import FORWARD, Record, parse_secret_register
from fankeep.secrets.secret_file import read_secret_file
from fankeep.secrets.strength import why_unusable
from fankeep.secrets.webhook_secrets import parse_webhook_secrets

__all__ = [
    "FORWARD",
    "Age",
    "ClientSecret",
    "ClientSecrets",
    "NamedSecret",
    "Record",
    "SecretAges",
    "parse_client_secrets",
    "parse_secret_register",
    "parse_webhook_secrets",
    "read_secret_file",
    "why_unusable",
]
