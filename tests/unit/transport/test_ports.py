import socket

import pytest

from fankeep.errors import ConfigurationError
from fankeep.transport.ports import available_port, free_port

FIRST_OF_THE_SYSTEM = 32_768


def test_free_ports_differ_and_are_none_that_the_system_gives_to_others():
    ports = [free_port() for _ in range(100)]

    assert len(set(ports)) == len(ports)
    assert max(ports) < FIRST_OF_THE_SYSTEM


def test_a_port_that_is_taken_is_passed_over(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        number = taken.getsockname()[1]
        monkeypatch.setattr("fankeep.transport.ports._OURS", range(number, number + 2))

        assert free_port() == number + 1
        with pytest.raises(ConfigurationError, match="in use"):
            available_port("127.0.0.1", number)


def test_without_any_free_port_somebody_is_told(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        number = taken.getsockname()[1]
        monkeypatch.setattr("fankeep.transport.ports._OURS", range(number, number + 1))

        with pytest.raises(ConfigurationError, match="all ports"):
            free_port()
