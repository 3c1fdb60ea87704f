"""The ``data`` of checkout and app payment events: amounts in minor units, a checkout link on each."""

from __future__ import annotations

from collections.abc import Callable

from fankeep.sandbox.json import JsonObject
from fankeep.sandbox.payloads.scene import Scene

__all__ = [
    "app_payment",
    "app_refund",
    "dispute",
    "installment",
    "payment",
    "payout",
    "plan",
    "refund",
    "subscription",
]


def _attribution(scene: Scene) -> JsonObject:
    return {
        "client_reference_id": f"order-{scene.reference}",
        "checkout_link": {
            "uuid": "5f3c0d1e-7a52-4e0b-9a38-0c6b3e4c8d11",
            "name": "Winter bundle",
            "product_uuid": "b1b5a0a2-6c0e-4c5e-8f3b-6a9f1d2e3c47",
            "product_price_uuid": "c7d2f6a8-1e3b-4b6d-9c5a-2f8e7d6c5b40",
        },
        "purchaser": {"uuid": scene.fan.uuid, "email": scene.fan.email},
        "creator": scene.creator_ref,
        "metadata": {"campaign": "winter"},
    }


def payment(status: str) -> Callable[[Scene], JsonObject]:
    """A payment that is ``pending``, ``succeeded`` or ``failed``."""

    def build(scene: Scene) -> JsonObject:
        fee = scene.price // 5
        return {
            "object": "payment",
            "id": f"FV-{scene.reference}",
            "status": status,
            "billing_reason": "one_time",
            "gross": scene.price,
            "net": scene.price - fee if status == "succeeded" else None,
            "fees": {"fanvue_fee": fee, "transaction_fee": 0},
            "currency": "USD",
            "paid_in_full": status == "succeeded",
            "installment": None,
            "subscription": None,
            "transaction_id": f"txn-{scene.reference}",
            "created_at": scene.time,
            "paid_at": scene.time if status == "succeeded" else None,
            **_attribution(scene),
        }

    return build


def subscription(status: str, *, ends: bool = False) -> Callable[[Scene], JsonObject]:
    """A checkout subscription that is ``active``, ``cancelled`` or ``expired``."""

    def build(scene: Scene) -> JsonObject:
        return {
            "object": "subscription",
            "id": scene.subject,
            "status": status,
            "cancel_at_period_end": ends,
            "expires_at": scene.days_later(30),
            "created_at": scene.time,
            "deactivation_reason": "NON_RENEWING" if status == "expired" else None,
            **_attribution(scene),
        }

    return build


def refund(scene: Scene) -> JsonObject:
    """A refund, which is always full."""
    return {
        "object": "refund",
        "id": f"FVC-{scene.reference}",
        "payment_id": f"FV-{scene.reference}",
        "amount": scene.price,
        "currency": "USD",
        "reason": None,
        "full_amount": True,
        "created_at": scene.time,
        **_attribution(scene),
    }


def dispute(scene: Scene) -> JsonObject:
    """An early warning or a formal chargeback."""
    return {
        "object": "dispute",
        "id": f"FVD-{scene.reference}",
        "payment_id": f"FV-{scene.reference}",
        "amount": scene.price,
        "currency": "USD",
        "created_at": scene.time,
        **_attribution(scene),
    }


def installment(status: str) -> Callable[[Scene], JsonObject]:
    """A later part of a sale paid in parts, ``paid`` or ``failed``."""

    def build(scene: Scene) -> JsonObject:
        return {
            "object": "installment",
            "id": scene.subject,
            "status": status,
            "reason": "charge_failed" if status == "failed" else None,
            "installment_number": 2,
            "number_of_installments": 4,
            "amount": scene.price,
            "currency": "USD",
            "outstanding_amount": scene.price * 2,
            "process_date": scene.time,
            "created_at": scene.time,
            **_attribution(scene),
        }

    return build


def plan(scene: Scene) -> JsonObject:
    """A sale in parts is paid off."""
    return {"object": "plan", "id": scene.subject, "created_at": scene.time, **_attribution(scene)}


def payout(scene: Scene) -> JsonObject:
    """Money on its way to the creator's bank."""
    return {
        "object": "payout",
        "id": f"FVP-{scene.reference}",
        "amount": scene.price * 40,
        "currency": "USD",
        "paid_at": scene.time,
        "creator": scene.creator_ref,
    }


def _app(scene: Scene, kind: str, prefix: str) -> JsonObject:
    return {
        "object": kind,
        "id": f"{prefix}-{scene.reference}",
        "purchase_reference": f"appotp_{scene.reference}",
        "gross": scene.price,
        "currency": "USD",
        "created_at": scene.time,
        "purchaser": {"uuid": scene.creator.uuid, "email": None},
        "creator": scene.creator_ref,
    }


def app_payment(scene: Scene) -> JsonObject:
    """A creator bought a one-time item of the app."""
    return _app(scene, "payment", "FV")


def app_refund(scene: Scene) -> JsonObject:
    """Such a purchase was taken back."""
    return _app(scene, "refund", "FVC")
