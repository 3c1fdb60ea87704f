"""Key-encryption keys in the transit engine of HashiCorp Vault: their bytes never leave it.

Needs the extra ``vault``.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import hvac
import requests
from hvac.exceptions import InvalidRequest, VaultError

from fankeep.errors import ConfigurationError, SealError
from fankeep.kms.key_encryption import WrapContext
from fankeep.kms.remote import READ_SECONDS, RemoteCalls
from fankeep.secret import Secret
from fankeep.types import KeyId

__all__ = ["VaultKey"]

T = TypeVar("T")

_PATH: Final = re.compile(r"/(?P<mount>[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*)/(?P<name>[A-Za-z0-9._-]+)")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NOT_OURS: Final = ("message authentication failed", "invalid ciphertext")


class VaultKey:
    """A transit key with an AEAD cipher; see :class:`~fankeep.kms.KeyEncryptionKey`.

    The token comes from ``VAULT_TOKEN``, or from a Vault agent on this machine that adds its own;
    ``VAULT_NAMESPACE`` and ``VAULT_CACERT`` are heeded as by Vault's own tools.

    Attributes:
        id: mount and name of the key, not the address: a Vault may move.
    """

    source: Final = "vault"

    def __init__(self, mount: str, name: str, client: hvac.Client) -> None:
        self.id: Final = KeyId(f"vault:{mount}/{name}")
        self._mount = mount
        self._name = name
        self._client = client
        self._calls = RemoteCalls(self.id)

    @classmethod
    def named(cls, address: str, environment: Mapping[str, str] = os.environ) -> VaultKey:
        """Prepare to use the key at this address; nothing is asked yet.

        Args:
            address: ``https://<host>/<mount>/<key>``; http for an agent on this machine.
            environment: where token, namespace and certificate authority are named.

        Raises:
            ConfigurationError: the address does not fit.
        """
        parts = urlsplit(address)
        match = _PATH.fullmatch(parts.path)
        encrypted = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        if match is None or not encrypted or "@" in parts.netloc or parts.query or parts.fragment:
            raise ConfigurationError(
                "FANKEEP_KEYS names a key of Vault by the address of its transit engine:"
                " vault:https://<host>:8200/transit/<key>; http only for an agent on this machine"
            )
        session = requests.Session()
        session.trust_env = False  # no proxy and no .netrc that somebody set for other programs
        session.verify = environment.get("VAULT_CACERT") or True
        client = hvac.Client(
            url=f"{parts.scheme}://{parts.netloc}",
            token=environment.get("VAULT_TOKEN", ""),
            namespace=environment.get("VAULT_NAMESPACE") or None,
            session=session,
            timeout=round(READ_SECONDS),
            allow_redirects=False,
        )
        return cls(match["mount"], match["name"], client)

    async def wrap(self, plaintext: Secret[bytes], context: WrapContext) -> bytes:
        """Encrypt a data key."""

        def call() -> bytes:
            answer = self._answer(
                lambda: self._client.secrets.transit.encrypt_data(
                    name=self._name,
                    plaintext=_base64(plaintext.reveal()),
                    associated_data=_base64(context.encoded()),
                    mount_point=self._mount,
                )
            )
            return str(answer["data"]["ciphertext"]).encode("ascii")

        return await self._calls.run(lambda: self._understood(call))

    async def unwrap(self, wrapped: bytes, context: WrapContext) -> Secret[bytes]:
        """Decrypt a data key."""
        try:
            ciphertext = wrapped.decode("ascii")
        except UnicodeDecodeError:
            raise SealError from None

        def call() -> Secret[bytes]:
            answer = self._answer(
                lambda: self._client.secrets.transit.decrypt_data(
                    name=self._name,
                    ciphertext=ciphertext,
                    associated_data=_base64(context.encoded()),
                    mount_point=self._mount,
                )
            )
            return Secret(base64.b64decode(answer["data"]["plaintext"], validate=True))

        return await self._calls.run(lambda: self._understood(call))

    def _answer(self, ask: Callable[[], Any]) -> Any:
        """Ask Vault; nothing of what it says goes into an error."""
        try:
            return ask()
        except InvalidRequest as error:
            if any(sign in str(error.errors) for sign in _NOT_OURS):
                raise SealError from None
            raise self._calls.unavailable(type(error).__name__) from None
        except (VaultError, requests.RequestException) as error:
            raise self._calls.unavailable(type(error).__name__) from None

    def _understood(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except (TypeError, LookupError, ValueError):  # a redirect, a proxy's page
            raise self._calls.unavailable("an answer that is not Vault's") from None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
