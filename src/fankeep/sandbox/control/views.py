"""What the control API shows."""

from __future__ import annotations

from collections.abc import Mapping

from fankeep.sandbox.control.wanted import ControlError, Wanted
from fankeep.sandbox.journal import NAMES, Kind, fingerprint
from fankeep.sandbox.json import Json, JsonObject
from fankeep.sandbox.sandbox import Sandbox
from fankeep.sandbox.switching import turned
from fankeep.sandbox.tokens import Chain

__all__ = ["deliveries", "endpoints", "grants", "held", "journal", "needles", "state"]


def state(sandbox: Sandbox) -> JsonObject:
    """The whole of it at a glance, without secrets."""
    return {
        "now": sandbox.now(),
        "clock_offset": sandbox.clock.offset,
        "clock_skew": sandbox.clock.skew,
        "seed": sandbox.settings.seed,
        "creators": [
            {
                "uuid": creator.uuid,
                "handle": creator.handle,
                "display_name": creator.display_name,
                "fans": [fan.handle for fan in creator.followers],
                "manages": list(creator.manages),
            }
            for creator in sandbox.world.creators.values()
        ],
        "apps": [
            {
                "client_id": app.client_id,
                "name": app.name,
                "redirect_uris": list(app.redirect_uris),
                "scopes": list[Json](sorted(app.scopes)),
            }
            for app in sandbox.apps
        ],
        "endpoints": endpoints(sandbox),
        "faults": [fault.as_json() for fault in sandbox.faults.armed],
        "held": held(sandbox),
        "switches": {**turned(sandbox.settings.switches)},
        "access_token_lifetime": sandbox.tokens.access_token_lifetime,
    }


def grants(sandbox: Sandbox) -> Json:
    """Every token chain with its refresh tokens by fingerprint."""
    now = sandbox.now()
    return [
        {**_chain(chain, now), "handle": _handle(sandbox, chain.authorization.creator)}
        for chain in sandbox.tokens.chains
    ]


def journal(sandbox: Sandbox, query: Mapping[str, str]) -> Json:
    """Journal entries; ``since`` and ``limit``, every other parameter is a field or note that has to match.

    Raises:
        ControlError: no entry has a field of that name, or is of that kind.
        ValueError: ``since`` or ``limit`` are no numbers.
    """
    _check_names(query, {*NAMES, "since", "limit"})
    Wanted({**query}).optional_choice("kind", Kind)
    wanted = dict(query)
    since = int(wanted.pop("since", "0"))
    limit = int(wanted.pop("limit", "0")) or None
    return [entry.as_json() for entry in sandbox.journal.find(wanted, since=since, limit=limit)]


def needles(sandbox: Sandbox) -> Json:
    """Every secret value by kind."""
    return {kind: list[Json](values) for kind, values in sandbox.needles.values().items()}


def endpoints(sandbox: Sandbox) -> Json:
    """The webhook endpoints, without their secrets."""
    return [endpoint.as_json() for endpoint in sandbox.endpoints]


def deliveries(sandbox: Sandbox, query: Mapping[str, str]) -> Json:
    """Deliveries, of one event or one endpoint when the query says so.

    Raises:
        ControlError: deliveries cannot be asked for by a field of that name.
    """
    _check_names(query, {"endpoint", "event_id"})
    return [
        {**delivery.as_json(), "url": endpoint.url}
        for endpoint in sandbox.endpoints
        for delivery in endpoint.history
        if query.get("endpoint", endpoint.id) == endpoint.id
        and query.get("event_id", delivery.event_id) == delivery.event_id
    ]


def held(sandbox: Sandbox) -> Json:
    """The answers that are held back."""
    return [{"number": answer.number, "entry": answer.entry} for answer in sandbox.faults.held]


def _handle(sandbox: Sandbox, uuid: str) -> str | None:
    creator = sandbox.world.creator(uuid)
    return None if creator is None else creator.handle


def _check_names(query: Mapping[str, str], known: set[str]) -> None:
    unknown = ", ".join(sorted(query.keys() - known))
    if unknown:
        raise ControlError(f"{unknown}: expected only {', '.join(sorted(known))}")


def _chain(chain: Chain, now: float) -> JsonObject:
    authorization = chain.authorization
    return {
        "chain": chain.number,
        "client_id": authorization.client_id,
        "creator": authorization.creator,
        "scopes": list(authorization.scopes),
        "started_at": chain.started_at,
        "ended": chain.ended.value if chain.ended else None,
        "live": chain.live(now),
        "live_access_tokens": sum(token.live(now) for token in chain.access_tokens),
        "live_refresh_tokens": sum(token.live(now) for token in chain.refresh_tokens),
        "refresh_tokens": [
            {
                "number": token.number,
                "fingerprint": fingerprint(token.value),
                "uses": token.uses,
                "first_used_at": token.first_used_at,
                "live": token.live(now),
            }
            for token in chain.refresh_tokens
        ],
    }
