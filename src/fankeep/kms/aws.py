"""Key-encryption keys in AWS KMS: their bytes never leave it. Needs the extra ``aws``."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from fankeep.errors import ConfigurationError, KeyUnavailable, SealError
from fankeep.kms.key_encryption import WrapContext
from fankeep.kms.remote import CONNECT_SECONDS, READ_SECONDS, RemoteCalls
from fankeep.secret import Secret
from fankeep.types import KeyId

if TYPE_CHECKING:
    from types_boto3_kms.client import KMSClient

__all__ = ["AwsKey"]

_ARN: Final = re.compile(
    r"arn:aws[a-z-]{0,20}:kms:(?P<region>[a-z0-9-]{1,30}):[0-9]{12}:key/[A-Za-z0-9-]{1,64}"
)
_NOT_OURS: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_CODE: Final = re.compile(r"[A-Za-z]{1,64}")


class AwsKey:
    """A symmetric KMS key; see :class:`~fankeep.kms.KeyEncryptionKey`.

    Credentials come from where AWS's library looks for them: its variables, its files, the role of the
    machine. The role needs ``kms:Encrypt`` and ``kms:Decrypt`` on this key.

    Attributes:
        id: the key's ARN. An alias is refused: whoever can move it could exchange the key under us.
    """

    source: Final = "aws-kms"

    def __init__(self, arn: KeyId, client: KMSClient) -> None:
        self.id: Final = arn
        self._client = client
        self._calls = RemoteCalls(arn)

    @classmethod
    def named(cls, arn: str) -> AwsKey:
        """Prepare to use the key of this ARN; nothing is asked yet.

        Raises:
            ConfigurationError: this is not the ARN of a key.
        """
        match = _ARN.fullmatch(arn)
        if match is None:
            raise ConfigurationError(
                "FANKEEP_KEYS names a key of AWS KMS by its ARN, which an alias is not:"
                " aws-kms:arn:aws:kms:<region>:<account>:key/<id>"
            )
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": 2, "mode": "standard"},
        )
        return cls(KeyId(arn), Session().client("kms", region_name=match["region"], config=config))

    async def wrap(self, plaintext: Secret[bytes], context: WrapContext) -> bytes:
        """Encrypt a data key."""

        def call() -> bytes:
            try:
                answer = self._client.encrypt(
                    KeyId=self.id,
                    Plaintext=plaintext.reveal(),
                    EncryptionContext=_encryption_context(context),
                )
            except (BotoCoreError, ClientError) as error:
                raise self._unavailable(error) from None
            return answer["CiphertextBlob"]

        return await self._calls.run(call)

    async def unwrap(self, wrapped: bytes, context: WrapContext) -> Secret[bytes]:
        """Decrypt a data key."""

        def call() -> Secret[bytes]:
            try:
                answer = self._client.decrypt(
                    KeyId=self.id, CiphertextBlob=wrapped, EncryptionContext=_encryption_context(context)
                )
            except (BotoCoreError, ClientError) as error:
                if _code(error) in _NOT_OURS:
                    raise SealError from None
                raise self._unavailable(error) from None
            if answer["KeyId"] != self.id:
                raise SealError
            return Secret(answer["Plaintext"])

        return await self._calls.run(call)

    def _unavailable(self, error: BotoCoreError | ClientError) -> KeyUnavailable:
        return self._calls.unavailable(_code(error))


def _encryption_context(context: WrapContext) -> dict[str, str]:
    """Bind to all parts; AWS logs these values for years, so the user is in the digest alone."""
    return {
        "fankeep:installation": context.installation,
        "fankeep:data-key": context.key_id,
        "fankeep:bound-to": hashlib.sha256(context.encoded()).hexdigest(),
    }


def _code(error: BotoCoreError | ClientError) -> str:
    """Name what happened by AWS's code or the library's, and by nothing of what was sent."""
    code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
    return code if _CODE.fullmatch(code) else type(error).__name__
