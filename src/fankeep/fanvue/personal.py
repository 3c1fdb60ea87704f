"""What each field says about a person: the classes that retention, redaction and the console go by.

The path of a field is written as in ``data[].user.handle``: names parted by dots, ``[]`` for the elements of
a list, ``{}`` for the values of a map (``byChat{}.messages[].text``). The empty path is a whole answer.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["KEPT_BY_DEFAULT", "Personal"]


class Personal(StrEnum):
    """The class of one field."""

    ID = "id"
    """An opaque identifier of a person, a message, a post, a payment; most maps have them as keys."""

    PROFILE = "profile"
    """How a person appears to others: name, handle, nickname, picture, biography."""

    CONTACT = "contact"
    """A way to reach a person outside Fanvue: the e-mail address."""

    CONTENT = "content"
    """What somebody wrote, made or named, how a picture is described, and addresses that open either."""

    MONEY = "money"
    """Amounts, prices, currencies, earnings and figures computed from them."""

    STATE = "state"
    """Flags, types, statuses and counts."""

    TIME = "time"
    """When something happened or will happen."""

    NONE = "none"
    """Says nothing about anybody: paging, fixed texts, measures of a file."""


KEPT_BY_DEFAULT = frozenset({Personal.ID, Personal.MONEY, Personal.STATE, Personal.TIME, Personal.NONE})
"""The classes that are stored unless an app opts in to more: never texts, names, handles, addresses."""
