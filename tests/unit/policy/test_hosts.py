from ipaddress import ip_network

import pytest

from fankeep.errors import HostileInputError
from fankeep.policy import HostList, TrustedProxies

PRODUCTION = HostList.for_origins(["https://app.example"])
DEVELOPMENT = HostList.for_origins(["http://localhost:8000"], development=True)
PROXIES = TrustedProxies((ip_network("10.0.0.0/8"), ip_network("::1/128")))


def refusal(hosts, *headers):
    with pytest.raises(HostileInputError) as refused:
        hosts.check(headers)
    return refused.value.reason


@pytest.mark.parametrize("host", [b"app.example", b"APP.example", b"app.example:443"])
def test_the_public_host_is_answered_with_or_without_its_default_port(host):
    assert PRODUCTION.check([host]) in {"app.example", "app.example:443"}


@pytest.mark.parametrize(
    "host", [b"evil.example", b"app.example:80", b"localhost", b"127.0.0.1:8000", b"app.example.evil.example"]
)
def test_a_foreign_host_is_refused(host):
    assert refusal(PRODUCTION, host) == "host_unknown"


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b" ",
        b"app.example, evil",
        b"app.example:",
        b"app.example:abc",
        b"user@app.example",
        b"app.example/",
        b"\xff",
    ],
)
def test_a_malformed_host_is_refused(host):
    assert refusal(PRODUCTION, host) == "host_malformed"


def test_no_host_and_two_hosts_are_refused():
    assert refusal(PRODUCTION) == "host_count"
    assert refusal(PRODUCTION, b"app.example", b"app.example") == "host_count"


@pytest.mark.parametrize("host", [b"localhost", b"localhost:3000", b"127.0.0.1:8000", b"[::1]:9"])
def test_development_answers_every_loopback_name_at_every_port(host):
    assert DEVELOPMENT.check([host]) == host.decode()


@pytest.mark.parametrize(
    "host", [b"localhost.evil.example", b"127.0.0.1.evil.example", b"app.example", b"0.0.0.0"]
)
def test_development_answers_nothing_else(host):
    assert refusal(DEVELOPMENT, host) == "host_unknown"


def test_development_under_a_public_name_cannot_be_set_up():
    with pytest.raises(ValueError):
        HostList.for_origins(["https://app.example"], development=True)


@pytest.mark.parametrize("origin", ["app.example", "ftp://app.example", "https://", "https://a@b"])
def test_what_is_no_origin_cannot_be_on_the_list(origin):
    with pytest.raises(ValueError):
        HostList.for_origins([origin])


def test_forwarded_scheme_is_believed_from_a_declared_proxy_alone():
    assert PROXIES.scheme("10.1.2.3", "http", ["https"]) == "https"
    assert PROXIES.scheme("192.0.2.1", "http", ["https"]) == "http"
    assert PROXIES.scheme("10.1.2.3", "http", []) == "http"


@pytest.mark.parametrize("said", [["http"], ["https, http"], ["https", "http"], ["HTTPS2"], [""]])
def test_one_hop_over_http_makes_the_request_an_http_request(said):
    assert PROXIES.scheme("10.1.2.3", "https", said) == "http"


def test_the_client_is_the_last_hop_that_is_not_a_declared_proxy():
    assert PROXIES.client("10.0.0.1", ["203.0.113.9, 198.51.100.7, 10.0.0.2"]) == "198.51.100.7"
    assert PROXIES.client("::1", ["198.51.100.7"]) == "198.51.100.7"


def test_a_client_cannot_choose_its_own_address():
    assert PROXIES.client("192.0.2.1", ["198.51.100.7"]) == "192.0.2.1"
    assert PROXIES.client("10.0.0.1", ["198.51.100.7, nonsense, 10.0.0.2"]) == "10.0.0.2"


def test_an_ipv4_proxy_is_known_by_its_mapped_address_too():
    assert "::ffff:10.1.2.3" in PROXIES
    assert "nonsense" not in PROXIES
