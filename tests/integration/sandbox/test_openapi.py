"""The OpenAPI document says what the sandbox does: schemathesis reads it and calls every operation."""

import http.client
import json
from dataclasses import replace
from urllib.parse import urlsplit

import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fankeep.fanvue.operations import OPERATIONS
from fankeep.testing.running import default_settings

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SETTINGS = hypothesis.settings(
    database=None,
    deadline=None,
    derandomize=True,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)


@pytest.fixture
def fanvue_sandbox_settings():
    return replace(default_settings(), rate_limit=1_000_000)


def get(sandbox, path, headers=None):
    connection = http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc, timeout=10)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.fixture
def document(fanvue_sandbox):
    status, document = get(fanvue_sandbox, "/openapi.json")
    assert status == 200
    return document


def test_the_document_is_valid(document):
    schemathesis.openapi.from_dict(document).validate()
    assert document["openapi"] == "3.1.0"


def test_every_operation_is_described_with_its_scopes(document):
    described = {
        (one["operationId"], method.upper(), path, *one["security"][0]["fanvue"])
        for path, methods in document["paths"].items()
        for method, one in methods.items()
    }
    assert described >= {(op.id, op.method, op.path, *op.scopes) for op in OPERATIONS.values()}
    named = document["components"]["securitySchemes"]["fanvue"]["flows"]["authorizationCode"]["scopes"]
    assert {scope for one in described for scope in one[3:]} <= set(named)


def test_everything_that_the_sandbox_serves_as_api_is_described(document, fanvue_sandbox):
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described - {(op.method, op.path) for op in OPERATIONS.values()} == {
        ("POST", "/webhooks/subscriptions"),
        ("GET", "/webhooks/subscriptions"),
        ("DELETE", "/webhooks/subscriptions/{id}"),
    }
    token = fanvue_sandbox.control.connect().access_token
    sent = {"Authorization": f"Bearer {token}", "X-Fanvue-API-Version": "2025-06-26"}
    for prefix in ("", "/v1"):
        status, answer = get(fanvue_sandbox, f"{prefix}/webhooks/subscriptions", sent)
        assert (status, answer) == (200, {"data": []})


def test_both_prefixes_are_named(document, fanvue_sandbox):
    assert [server["url"] for server in document["servers"]] == [
        fanvue_sandbox.base_url,
        f"{fanvue_sandbox.base_url}/v1",
    ]


def real_people(sandbox, agency, headers):
    """Who exists, for calls on one's own behalf (False) and on behalf of a managed creator (True)."""
    managed = agency["manages"][0]
    versioned = {**headers, "X-Fanvue-API-Version": "2025-06-26"}
    own = get(sandbox, "/chats?size=1", versioned)[1]["data"][0]["user"]["uuid"]
    theirs = get(sandbox, f"/creators/{managed}/chats?size=1", versioned)[1]["data"][0]["user"]["uuid"]
    return {False: {"userUuid": own}, True: {"creatorUserUuid": managed, "userUuid": theirs}}


@pytest.mark.parametrize(
    ("mode", "prefix", "examples"),
    [(GenerationMode.POSITIVE, "", 6), (GenerationMode.NEGATIVE, "/v1", 3)],
    ids=["right", "wrong"],
)
def test_whatever_is_called_answers_as_described(document, fanvue_sandbox, mode, prefix, examples):
    agency = next(one for one in fanvue_sandbox.control.state()["creators"] if one["manages"])
    token = fanvue_sandbox.control.connect(agency["uuid"]).access_token
    headers = {"Authorization": f"Bearer {token}"}
    people = real_people(fanvue_sandbox, agency, headers) if mode is GenerationMode.POSITIVE else {}
    statuses = set()

    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = found.ok()

        @hypothesis.settings(SETTINGS, max_examples=examples)
        @hypothesis.given(operation.as_strategy(generation_mode=mode))
        def call(case):
            about = people.get("creatorUserUuid" in case.path_parameters, {})
            if isinstance(case.body, dict) and str(case.body.get("url", "")).startswith("https:"):
                case.body["url"] = "http://127.0.0.1:9/nobody"  # a valid one, but nothing leaves this machine
            case.path_parameters.update({name: about[name] for name in about if name in case.path_parameters})
            answer = case.call(headers=headers, base_url=fanvue_sandbox.base_url + prefix)
            statuses.add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        call()

    assert (statuses >= {200, 201, 204, 404}) if mode is GenerationMode.POSITIVE else (400 in statuses)


@pytest.mark.parametrize(("path", "status"), [("/users%0A/me", 404), ("/login/nowhere", 404)])
def test_a_path_that_nothing_serves_is_answered_in_json(fanvue_sandbox, path, status):
    assert get(fanvue_sandbox, path) == (status, {"message": "Not Found"})
