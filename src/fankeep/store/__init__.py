"""All SQL: engines, migrations, and the statements of every service.

A service gets a :class:`Database` and calls the functions of the topic modules inside its transactions::

    row = await database.read(lambda tx: grants.load(tx, grant_id))

One module a topic (``grants``, ``sessions``, ``events``, ``data_keys``, ...); SQL stands nowhere else.
"""

from fankeep.store.database import ConstraintViolated, Database, Transaction
from fankeep.store.opening import open_data, open_keys
from fankeep.store.statement import Command, Rows, SqlValue, Statement

__all__ = [
    "Command",
    "ConstraintViolated",
    "Database",
    "Rows",
    "SqlValue",
    "Statement",
    "Transaction",
    "open_data",
    "open_keys",
]
