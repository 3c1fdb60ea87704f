import socket

import pytest

from fankeep.cli.stack import free_port, require_free
from fankeep.errors import ConfigurationError

FIRST_OF_THE_SYSTEM = 32_768


def test_free_ports_differ_and_are_none_that_the_system_gives_to_others():
    ports = [free_port() for _ in range(100)]

    assert len(set(ports)) == len(ports)
    assert max(ports) < FIRST_OF_THE_SYSTEM


def test_a_port_that_is_taken_is_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port() + 1))
        taken.listen()

        assert free_port() != taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match="in use"):
            require_free(taken.getsockname()[1])
