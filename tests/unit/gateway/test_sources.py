"""How much may be refused from one address before it has to wait, and who never has to."""

from ipaddress import ip_network

import pytest

from fankeep.gateway.refusals import TooManyRefused
from fankeep.gateway.sources import Sources
from fankeep.policy import TrustedProxies

FANVUE, PROXY = "8.8.4.4", "10.1.2.3"
ATTACKER = "9.9.9.9"


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sources(clock):
    return Sources(TrustedProxies((ip_network("10.0.0.0/8"),)), clock=clock)


def request(peer, *forwarded):
    headers = [(b"x-forwarded-for", address.encode()) for address in forwarded]
    return {"type": "http", "client": (peer, "1"), "headers": headers}


def refuse(sources, scope, times):
    for _ in range(times):
        sources.check(scope)
        sources.refused(scope)


def test_after_sixty_refusals_an_address_waits_for_the_rest_of_the_minute(sources, clock):
    refuse(sources, request(ATTACKER), 60)
    clock.now += 20
    with pytest.raises(TooManyRefused) as held:
        sources.check(request(ATTACKER))
    assert held.value.seconds == pytest.approx(40)
    sources.check(request(FANVUE))

    clock.now += 41
    refuse(sources, request(ATTACKER), 60)


def test_refusals_over_a_long_time_hold_nobody_back(sources, clock):
    for _ in range(10):
        refuse(sources, request(ATTACKER), 59)
        clock.now += 61


def test_where_something_genuine_came_from_nothing_is_held_back_for_an_hour(sources, clock):
    sources.accepted(request(FANVUE))
    refuse(sources, request(FANVUE), 500)
    clock.now += 3601
    refuse(sources, request(FANVUE), 60)
    with pytest.raises(TooManyRefused):
        sources.check(request(FANVUE))


def test_behind_a_declared_proxy_the_client_is_held_back_and_nobody_else(sources):
    refuse(sources, request(PROXY, f"1.2.3.4, {ATTACKER}"), 60)
    with pytest.raises(TooManyRefused):
        sources.check(request(PROXY, ATTACKER))
    sources.check(request(PROXY, FANVUE))


@pytest.mark.parametrize("peer", [PROXY, "127.0.0.1", "192.168.3.4", "::1", "", "unix:"])
def test_what_may_be_a_proxy_that_keeps_silent_is_never_held_back(sources, peer):
    refuse(sources, request(peer), 500)


def test_a_client_cannot_name_another_address_as_its_own(sources):
    refuse(sources, request(ATTACKER, FANVUE), 60)
    sources.check(request(FANVUE))
    with pytest.raises(TooManyRefused):
        sources.check(request(ATTACKER, FANVUE))


def test_the_memory_of_addresses_is_bounded(sources):
    for number in range(5000):
        sources.refused(request(f"9.9.{number >> 8}.{number & 255}"))
        sources.accepted(request(f"8.8.{number >> 8}.{number & 255}"))
    assert len(sources._refusals) <= 4096
    assert len(sources._genuine) <= 4096
