"""Per-user data keys and the keys of this installation, wrapped at rest.

Everything personal is sealed under its user's own data key. Destroying that key erases the data in every
copy of the data file, back-ups included; the wrapped keys lie in a file of their own for this reason.
"""

from fankeep.datakeys.data_keys import DataKeys, open_data_keys
from fankeep.datakeys.errors import KeyGone, NoKey
from fankeep.datakeys.installation import InstallationKeys
from fankeep.datakeys.ledger import Ledger
from fankeep.datakeys.rewrapping import Rewrap
from fankeep.datakeys.rotation import Compromise, KekStatus, Progress, Replicas, Rotation

__all__ = [
    "Compromise",
    "DataKeys",
    "InstallationKeys",
    "KekStatus",
    "KeyGone",
    "Ledger",
    "NoKey",
    "Progress",
    "Replicas",
    "Rewrap",
    "Rotation",
    "open_data_keys",
]
