"""What an app asks of creators, and who subscribes to it.

Who owns an app is not modelled: whoever holds one of its tokens may ask for its plans.
"""

from __future__ import annotations

from fankeep.sandbox.api.call import ApiCall, ApiRefusal
from fankeep.sandbox.api.handlers.rows import when
from fankeep.sandbox.apps import App
from fankeep.sandbox.json import Json

__all__ = ["get_my_subscription", "get_subscription_status"]


def get_my_subscription(call: ApiCall) -> Json:
    """``GET /apps/{appUuid}/subscription/me``: the caller's, and those of the creators whom they manage."""
    app = _app(call)
    return {
        "appUuid": app.client_id,
        **_state(call, app, call.owner.uuid),
        "managedCreators": [_state(call, app, uuid) for uuid in call.owner.manages],
    }


def get_subscription_status(call: ApiCall) -> Json:
    """``GET /apps/{appUuid}/subscription-status``: the plans, and one word for all of them."""
    app = _app(call)
    plans = [plan for plan in call.sandbox.world.app_plans if plan.client_id == app.client_id]
    return {
        "appUuid": app.client_id,
        "appName": app.name,
        "availability": "complete",
        "overallStatus": _overall({plan.status for plan in plans}),
        "pricingPlans": [
            {
                "uuid": plan.uuid,
                "name": plan.name,
                "billingType": plan.billing,
                "interval": plan.interval,
                "price": plan.price,
                "currencyCode": "USD",
                "status": plan.status,
            }
            for plan in plans
        ],
    }


def _app(call: ApiCall) -> App:
    """The app of the path, whose token the caller has to hold; its uuid is the client id."""
    app = call.sandbox.apps.get(call.params["appUuid"].lower())
    if app is None:
        raise ApiRefusal(404, {"message": "App not found"})
    if app.client_id != call.client_id:
        raise ApiRefusal(403, {"error": "Forbidden"})
    return app


def _state(call: ApiCall, app: App, creator: str) -> dict[str, Json]:
    one = call.sandbox.world.app_subscriptions.get((app.client_id, creator))
    if one is None:
        return {
            "userUuid": creator,
            "hasActiveSubscription": False,
            "status": "none",
            "planUuid": None,
            "planName": None,
            "currentPeriodEnd": None,
            "cancelAtPeriodEnd": False,
        }
    return {
        "userUuid": creator,
        "hasActiveSubscription": one.status == "active",
        "status": one.status,
        "planUuid": one.plan.uuid,
        "planName": one.plan.name,
        "currentPeriodEnd": when(one.period_end),
        "cancelAtPeriodEnd": one.ends,
    }


def _overall(statuses: set[str]) -> str:
    match list(statuses):
        case []:
            return "notConfigured"
        case ["pending_setup"]:
            return "pendingSetup"
        case [only]:
            return only
        case _:
            return "mixed"
