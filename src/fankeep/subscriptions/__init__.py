"""Webhook subscriptions that are made through Fanvue's API: made, listed, removed, and their secrets kept.

:class:`Subscriptions` manages them for an operator; :class:`SubscriptionSecrets` gives the receiver of
deliveries the secret that belongs to an address; :class:`Probe` sends a delivery of our own.
"""

from __future__ import annotations

from fankeep.subscriptions.manage import Found, Removal, Standing, Subscriptions
from fankeep.subscriptions.probe import Probe, ProbeResult
from fankeep.subscriptions.secrets import OVERLAP, SubscriptionSecrets

__all__ = [
    "OVERLAP",
    "Found",
    "Probe",
    "ProbeResult",
    "Removal",
    "Standing",
    "SubscriptionSecrets",
    "Subscriptions",
]
