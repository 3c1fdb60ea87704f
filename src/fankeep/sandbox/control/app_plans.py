"""The part of the control API that is about what apps ask of creators."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from fankeep.sandbox.control.actions import Action, app_of
from fankeep.sandbox.control.wanted import ControlError, Wanted
from fankeep.sandbox.json import JsonObject
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.world import PERIOD_SECONDS, AppPlan, AppSubscription

__all__ = ["APP_PLAN_ACTIONS"]


class _Billing(StrEnum):
    FREE = "free"
    ONE_TIME = "one_time"
    RECURRING = "recurring"


class _PlanStatus(StrEnum):
    PENDING_SETUP = "pending_setup"
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


class _Status(StrEnum):
    ACTIVE = "active"
    PENDING = "pending"
    CANCELLED = "cancelled"
    NONE = "none"


async def add_plan(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """The owner makes a plan for an app; a recurring one is monthly."""
    billing = wanted.choice("billing", _Billing, _Billing.RECURRING)
    plan = AppPlan(
        uuid=sandbox.world.dice.uuid(),
        client_id=app_of(sandbox, wanted).client_id,
        name=wanted.text("name") or "Standard",
        billing=billing.value,
        interval="monthly" if billing is _Billing.RECURRING else None,
        price=0 if billing is _Billing.FREE else wanted.count("price", 999),
        status=wanted.choice("status", _PlanStatus, _PlanStatus.ACTIVE).value,
    )
    sandbox.world.app_plans.append(plan)
    return {"uuid": plan.uuid}


async def subscribe(sandbox: Sandbox, wanted: Wanted) -> JsonObject:
    """A creator subscribes to an app's newest plan, or ends that; apps learn of it only by asking."""
    app = app_of(sandbox, wanted)
    creator = sandbox.creator(wanted.text("creator"))
    status = wanted.choice("status", _Status, _Status.ACTIVE)
    if status is _Status.NONE:
        sandbox.world.app_subscriptions.pop((app.client_id, creator.uuid), None)
        return {"status": status.value}
    plans = [plan for plan in sandbox.world.app_plans if plan.client_id == app.client_id]
    if not plans:
        raise ControlError("client_id: the app has no plan")
    sandbox.world.app_subscriptions[app.client_id, creator.uuid] = AppSubscription(
        plan=plans[-1],
        creator=creator.uuid,
        status=status.value,
        period_end=sandbox.now() + PERIOD_SECONDS if plans[-1].billing == "recurring" else None,
        ends=wanted.flag("ends", default=False),
    )
    return {"status": status.value, "plan": plans[-1].uuid}


APP_PLAN_ACTIONS: Mapping[str, Action] = MappingProxyType(
    {"app/plan": add_plan, "app/subscription": subscribe}
)
