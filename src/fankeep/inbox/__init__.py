"""Deliveries: every genuine event stored once and handled.

:class:`Inbox` takes what ``fanvue.verify_webhook`` returns and answers after the commit. :class:`Dispatcher`
hands stored events to handlers. Both work on an :class:`EventLog`, which is the database
(:class:`DatabaseLog`). Where an app fetches its events by itself, a :class:`Puller` takes the dispatcher's
place.
"""

from __future__ import annotations

from fankeep.inbox.accept import TEST_EVENT, Accepted, Inbox
from fankeep.inbox.dispatch import Dispatcher
from fankeep.inbox.handlers import Handlers, PlainHandler, ReceivedEvent, Registration, TwoPhaseHandler
from fankeep.inbox.log import DatabaseLog, EventLog
from fankeep.inbox.metrics import BacklogGauges
from fankeep.inbox.payload import KeepLists
from fankeep.inbox.pull import Puller

__all__ = [
    "TEST_EVENT",
    "Accepted",
    "BacklogGauges",
    "DatabaseLog",
    "Dispatcher",
    "EventLog",
    "Handlers",
    "Inbox",
    "KeepLists",
    "PlainHandler",
    "Puller",
    "ReceivedEvent",
    "Registration",
    "TwoPhaseHandler",
]
