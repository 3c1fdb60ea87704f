import json

import pytest

from fankeep.errors import TransportError
from fankeep.oauth import OUTCOME_TABLE, Outcome, classify_exchange
from fankeep.types import HttpResponse

NOW = 1_800_000_000.0
TOKENS = {"access_token": "a", "token_type": "bearer", "refresh_token": "r"}
HTML = {"content-type": "text/html; charset=UTF-8"}


def error(status: int, code: str, **headers: str) -> HttpResponse:
    body = json.dumps({"error": code, "error_description": "words"}).encode()
    return HttpResponse(status, {"content-type": "application/json", **headers}, body)


CASES = [
    ("never sent", TransportError(outcome_unknown=False), Outcome.NOT_SENT, "not_sent"),
    ("no answer", TransportError(outcome_unknown=True), Outcome.UNKNOWN, "no_answer"),
    ("tokens", HttpResponse(200, {}, json.dumps(TOKENS).encode()), Outcome.SUCCESS, ""),
    ("tokens", HttpResponse(299, {}, json.dumps(TOKENS).encode()), Outcome.SUCCESS, ""),
    ("redirect", HttpResponse(300, {}, json.dumps(TOKENS).encode()), Outcome.BLOCKED, "redirected"),
    (
        "unusable success",
        HttpResponse(200, {}, json.dumps(TOKENS).encode()[:-3]),
        Outcome.UNKNOWN,
        "unusable_answer",
    ),
    (
        "unusable success",
        HttpResponse(200, HTML, b"<html>log in to the wifi"),
        Outcome.UNKNOWN,
        "unusable_answer",
    ),
    ("unusable success", error(200, "invalid_grant"), Outcome.UNKNOWN, "unusable_answer"),
    ("unusable success", HttpResponse(204), Outcome.UNKNOWN, "unusable_answer"),
    ("redirect", HttpResponse(302, {"location": "https://evil.example"}), Outcome.BLOCKED, "redirected"),
    ("redirect", HttpResponse(308), Outcome.BLOCKED, "redirected"),
    ("rate limit", HttpResponse(429, HTML, b"<html>"), Outcome.PASSING, "rate_limited"),
    ("rate limit", error(429, "invalid_grant"), Outcome.PASSING, "rate_limited"),
    (
        "temporarily unavailable",
        error(503, "temporarily_unavailable"),
        Outcome.PASSING,
        "temporarily_unavailable",
    ),
    (
        "temporarily unavailable",
        error(400, "temporarily_unavailable"),
        Outcome.PASSING,
        "temporarily_unavailable",
    ),
    ("page instead of an answer", HttpResponse(403, HTML, b"<html>"), Outcome.PASSING, "intercepted"),
    ("page instead of an answer", HttpResponse(404, HTML, b"<html>"), Outcome.PASSING, "intercepted"),
    ("server failure", HttpResponse(500), Outcome.UNKNOWN, "server_failed"),
    ("server failure", HttpResponse(502, HTML, b"<html>"), Outcome.UNKNOWN, "server_failed"),
    ("server failure", error(500, "invalid_grant"), Outcome.UNKNOWN, "server_failed"),
    ("request time-out", HttpResponse(408), Outcome.UNKNOWN, "no_answer"),
    ("wrong client", error(401, "invalid_client"), Outcome.WRONG_CLIENT, "invalid_client"),
    ("wrong client", error(400, "invalid_client"), Outcome.WRONG_CLIENT, "invalid_client"),
    ("invalid scope", error(400, "invalid_scope"), Outcome.BLOCKED, "invalid_scope"),
    ("unauthorized client", error(400, "unauthorized_client"), Outcome.BLOCKED, "unauthorized_client"),
    (
        "unsupported grant type",
        error(400, "unsupported_grant_type"),
        Outcome.BLOCKED,
        "unsupported_grant_type",
    ),
    ("invalid grant", error(400, "invalid_grant"), Outcome.INVALID_GRANT, "invalid_grant"),
    ("invalid grant", error(401, "invalid_grant"), Outcome.INVALID_GRANT, "invalid_grant"),
    ("invalid request", error(400, "invalid_request"), Outcome.UNKNOWN, "invalid_request"),
    ("unknown error", error(400, "consent_expired"), Outcome.PASSING_REPORTED, "unknown_error"),
    ("unknown error", error(403, "access_denied"), Outcome.PASSING_REPORTED, "unknown_error"),
    ("anything else", HttpResponse(400), Outcome.PASSING_REPORTED, "unexpected_answer"),
    ("anything else", HttpResponse(401, HTML, b"<html>"), Outcome.PASSING_REPORTED, "unexpected_answer"),
    (
        "anything else",
        HttpResponse(404, {}, b'{"message": "no"}'),
        Outcome.PASSING_REPORTED,
        "unexpected_answer",
    ),
    ("anything else", HttpResponse(100), Outcome.PASSING_REPORTED, "unexpected_answer"),
    ("anything else", HttpResponse(999), Outcome.PASSING_REPORTED, "unexpected_answer"),
]


@pytest.mark.parametrize(("name", "exchange", "outcome", "code"), CASES)
def test_each_exchange_has_its_row(name, exchange, outcome, code):
    verdict = classify_exchange(exchange, now=NOW)
    assert (verdict.row.name, verdict.outcome, verdict.code) == (name, outcome, code)
    assert (verdict.tokens is not None) == (outcome is Outcome.SUCCESS)


def test_no_row_is_unreachable():
    assert {name for name, *_ in CASES} == {row.name for row in OUTCOME_TABLE}


def test_one_row_alone_can_end_a_grant():
    (row,) = [row for row in OUTCOME_TABLE if row.outcome is Outcome.INVALID_GRANT]
    assert row.when.errors == frozenset({"invalid_grant"})
    assert row.when.statuses == (400, 499)


def test_the_stored_codes_are_fixed_words_of_ours():
    assert all(
        row.code.replace("_", "").isalpha() for row in OUTCOME_TABLE if row.outcome is not Outcome.SUCCESS
    )
    assert len({row.name for row in OUTCOME_TABLE}) == len(OUTCOME_TABLE)


def test_every_outcome_has_a_row():
    assert {row.outcome for row in OUTCOME_TABLE} == set(Outcome)


@pytest.mark.parametrize("exchange", [HttpResponse(429), error(503, "temporarily_unavailable")])
def test_a_passing_refusal_cools_down_even_when_the_server_says_nothing(exchange):
    assert classify_exchange(exchange, now=NOW).cool_down == 30.0


def test_the_servers_wait_replaces_ours():
    assert classify_exchange(HttpResponse(429, {"retry-after": "7"}), now=NOW).cool_down == 7.0
    late = classify_exchange(HttpResponse(429, {"retry-after": "Fri, 15 Jan 2027 08:02:00 GMT"}), now=NOW)
    assert late.cool_down == 120.0


def test_an_unknown_outcome_never_waits_since_the_grace_is_running():
    assert classify_exchange(HttpResponse(503, {"retry-after": "600"}), now=NOW).cool_down == 0.0
    assert classify_exchange(TransportError(outcome_unknown=True), now=NOW).cool_down == 0.0


@pytest.mark.parametrize("code", ["invalid_client", "invalid_scope", "unauthorized_client"])
def test_a_blocked_grant_is_probed_slowly(code):
    assert classify_exchange(error(400, code), now=NOW).cool_down == 900.0


def test_a_verdict_does_not_print_tokens():
    verdict = classify_exchange(
        HttpResponse(200, {}, json.dumps({**TOKENS, "access_token": "s3cr3t"}).encode()), now=0
    )
    assert "s3cr3t" not in repr(verdict)
