import json

import pytest

from fankeep.errors import StorageUnavailable
from fankeep.telemetry import metrics

PATHS = [
    "/auth/login",
    "/auth/callback?code=abc",
    "/auth/session",
    "/api/fanvue/users/me",
    "/webhooks/fanvue",
    "/healthz",
    "/readyz",
    "/.well-known/fankeep/jwks.json",
    "/anything",
]


PROBES = ["/healthz", "/readyz"]
HOSTS = ["evil.example", "", "localhost.evil.example", ["localhost", "localhost"]]


@pytest.mark.parametrize("path", [path for path in PATHS if path not in PROBES])
@pytest.mark.parametrize("host", HOSTS)
async def test_another_host_is_refused_everywhere(site, path, host):
    answer = await site("GET", path, host=host)
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", PROBES)
@pytest.mark.parametrize("host", ["10.1.2.3:8080", "evil.example"])
async def test_a_platforms_probe_is_answered_under_any_host_and_learns_one_word(site, path, host):
    answer = await site("GET", path, host=host)
    assert answer.status == 200
    assert list(answer.json) == ["status"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_carries_the_headers_that_protect_it(site, path):
    answer = await site("GET", path)
    assert answer.one("strict-transport-security") == "max-age=31536000; includeSubDomains"
    assert answer.one("x-content-type-options") == "nosniff"
    assert "frame-ancestors 'none'" in answer.one("content-security-policy")
    assert answer.one("referrer-policy") in {"same-origin", "no-referrer"}
    assert answer.one("cross-origin-opener-policy") == "same-origin"
    assert answer.one("cache-control") in {"no-store", "public, max-age=300"}


async def test_production_answers_its_own_host_over_https_from_the_declared_proxy(production):
    answer = await production("GET", "/auth/session", x_forwarded_proto="https")
    assert (answer.status, answer.json) == (200, {"connected": False})


@pytest.mark.parametrize("proto", [None, "http", "https, http", ["https", "http"], "ftp"])
@pytest.mark.parametrize(
    "path", ["/auth/login", "/auth/session", "/api/fanvue/users/me", "/webhooks/fanvue", "/x"]
)
async def test_production_refuses_plain_http_and_does_not_redirect(production, path, proto):
    for method in ("GET", "POST"):
        answer = await production(method, path, x_forwarded_proto=proto)
        assert (answer.status, answer.json["error"]) == (403, "https_required")
        assert answer.one("location") is None


async def test_a_client_cannot_claim_https_by_itself(open_site):
    async with open_site(public_origin="https://app.example", require_https=True) as direct:
        assert (await direct("GET", "/auth/session", x_forwarded_proto="https")).status == 403


async def test_probes_are_answered_over_plain_http(production):
    assert (await production("GET", "/healthz")).json == {"status": "ok"}
    assert (await production("HEAD", "/readyz")).status == 200


async def test_readiness_follows_the_services(site):
    async def broken():
        raise StorageUnavailable

    async def unready():
        return False

    assert (await site("GET", "/readyz")).json == {"status": "ready"}
    for probe in (broken, unready):
        site.readiness.append(probe)
        answer = await site("GET", "/readyz")
        assert (answer.status, answer.json) == (503, {"status": "not_ready"})
    assert (await site("GET", "/healthz")).status == 200


async def test_what_is_not_ours_is_not_found(site):
    for path in ("/", "/anything", "/api/other", "/webhooks/other", "/auth/", "/AUTH/login", "/auth%2flogin",
                 "//auth/login", "/docs", "/openapi.json", "/.git/config"):  # fmt: skip
        answer = await site("GET", path)
        assert (answer.status, answer.json["error"]) == (404, "not_found")


SHORT = {
    b"SESSION": b"__Host-fankeep-session",
    b"OWN": b"sec-fetch-site: same-origin",
    b"FORM": b"content-type: application/x-www-form-urlencoded",
    b"JSON": b"content-type: application/json",
    b"CHUNKED": b"transfer-encoding: chunked",
    b"TWO": b"content-length: 2",
    b" HTTP/1.1": b" HTTP/1.1\r\nconnection: close",
}
MALFORMED = [
    b"GET /auth/session HTTP/1.1\r\n\r\n",
    b"GET /auth/session HTTP/1.1\r\nhost: HOST\r\nhost: HOST\r\n\r\n",
    b"GET /auth/session HTTP/1.0\r\n\r\n",
    b"GET http://evil.example/auth/session HTTP/1.1\r\nhost: evil.example\r\n\r\n",
    b"GET /auth/login?%ff HTTP/1.1\r\nhost: HOST\r\n\r\n",
    b"GET /auth/login?return_to=%00 HTTP/1.1\r\nhost: HOST\r\n\r\n",
    b"GET /auth/login?" + b"a=b&" * 500 + b" HTTP/1.1\r\nhost: HOST\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nhost: HOST\r\n\r\n",
    b"GET /%00%0d%0a HTTP/1.1\r\nhost: HOST\r\n\r\n",
    b"GET /auth/session HTTP/1.1\r\nhost: HOST\r\ncookie: SESSION=\xff\xfe\r\n\r\n",
    b"GET /auth/session HTTP/1.1\r\nhost: HOST\r\ncookie: SESSION=a; SESSION=b\r\n\r\n",
    b"GET /auth/session HTTP/1.1\r\nhost: HOST\r\ncookie: " + b"a=b; " * 12_000 + b"\r\n\r\n",
    b"BREW /auth/session HTTP/1.1\r\nhost: HOST\r\n\r\n",
    b"POST /auth/login HTTP/1.1\r\nhost: HOST\r\nOWN\r\ncontent-length: 3\r\n\r\n\xff\xfe\xfd",
    b"POST /auth/login HTTP/1.1\r\nhost: HOST\r\nOWN\r\nFORM\r\ncontent-length: 3\r\n\r\n\xff\xfe\xfd",
    b"POST /webhooks/fanvue HTTP/1.1\r\nhost: HOST\r\ncontent-type: \xff\r\ncontent-length: 2\r\n\r\n{}",
    b"POST /webhooks/fanvue HTTP/1.1\r\nhost: HOST\r\nJSON\r\nx-fanvue-signature: \xff\r\nTWO\r\n\r\n{}",
    b"POST /webhooks/fanvue HTTP/1.1\r\nhost: HOST\r\nJSON\r\nTWO\r\nCHUNKED\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"GET /api/fanvue/users/me HTTP/1.1\r\nhost: HOST\r\nsec-fetch-site: \xff\r\nfankeep-request: 1\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nhost: HOST\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    b"CONNECT HOST HTTP/1.1\r\nhost: HOST\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nhost: HOST\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
]


@pytest.mark.parametrize("request_bytes", MALFORMED, ids=range(len(MALFORMED)))
async def test_a_malformed_request_is_never_our_failure(site, make_answer, request_bytes):
    for word, meaning in {**SHORT, b"HOST": site.host.encode()}.items():
        request_bytes = request_bytes.replace(word, meaning)
    answer = make_answer(await site.raw(request_bytes))
    assert answer.status < 500
    assert b"Traceback" not in answer.body
    assert (await site("GET", "/healthz")).status == 200


async def test_a_request_is_one_line_without_path_query_or_address(lines, site):
    await site("GET", "/auth/callback?code=hunter2&state=hunter3", cookie="theme=hunter4")
    (line,) = [line for line in lines() if line["event"] == "request"]
    assert (line["route"], line["method"], line["status"]) == ("callback", "GET", 400)
    assert "hunter" not in json.dumps(lines())
    assert "127.0.0.1" not in json.dumps(lines())


async def test_the_line_of_a_call_says_who_and_what(lines, site, user):
    await site.call("GET", "/api/fanvue/users/me?x=hunter2", cookie=await site.sign_in())
    (line,) = [line for line in lines() if line["event"] == "request"]
    assert (line["user"], line["operation"], line["route"]) == (user, "getCurrentUser", "api")


async def test_an_unexpected_error_is_logged_under_the_reference_that_the_user_sees(lines, site):
    site.api.fails = RuntimeError("hunter2")
    answer = await site.call("GET", "/api/fanvue/users/me", cookie=await site.sign_in())
    (line,) = [line for line in lines() if line["event"] == "alarm"]
    assert line["reference"] == answer.json["reference"]
    assert line["error"]["type"] == "RuntimeError"
    assert any("conftest.py" in frame for frame in line["error"]["frames"])
    assert "hunter2" not in json.dumps(lines())


async def test_requests_are_counted_by_route_and_class(site):
    def count():
        return (
            metrics.REGISTRY.get_sample_value("fankeep_requests_total", {"route": "login", "status": "2xx"})
            or 0
        )

    before = count()
    await site.page("GET", "/auth/login?return_to=/somewhere")
    assert count() == before + 1
