"""What the API tells beside what the webhooks told: events that never arrived.

:class:`Reconciler` reads, compares, reports, and stores what is missing when it is asked to. :class:`Watch`
starts it after deliveries were refused because they came too late.
"""

from __future__ import annotations

from fankeep.reconcile.reconciler import Reconciler
from fankeep.reconcile.report import Compared, Report
from fankeep.reconcile.watch import Watch

__all__ = ["Compared", "Reconciler", "Report", "Watch"]
