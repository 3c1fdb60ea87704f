"""Key-encryption keys: what wraps and unwraps the users' data keys.

A data key never lies anywhere unwrapped. Whoever holds only the databases can open nothing; the
key-encryption keys come from other places, named by ``FANKEEP_KEYS``: a key file, a variable, AWS KMS,
HashiCorp Vault.
"""

from fankeep.kms.key_encryption import KeyEncryption, KeyEncryptionKey, WrapContext
from fankeep.kms.key_file import add_to_key_file, create_key_file, load_key_file, remove_from_key_file
from fankeep.kms.private_file import read_private_file
from fankeep.kms.setting import from_setting

__all__ = [
    "KeyEncryption",
    "KeyEncryptionKey",
    "WrapContext",
    "add_to_key_file",
    "create_key_file",
    "from_setting",
    "load_key_file",
    "read_private_file",
    "remove_from_key_file",
]
