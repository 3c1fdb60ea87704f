"""What `fankeep sandbox` prints."""

import socket
import subprocess
import sys

import pytest

from fankeep.cli.program import run


def test_a_sandbox_that_cannot_start_prints_no_environment_for_a_gateway():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "fankeep", "sandbox", "--port", port],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert done.returncode == 2
    assert done.stdout == ""
    assert f"port {port} is in use" in done.stderr


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        ("sandbox", "--port", "99999"),
        ("sandbox", "--port", "-1"),
        ("sandbox", "--seed", "-1"),
        ("dev", "--port", "65536"),
        ("dev", "--sandbox-port", "0"),
        ("dev", "--app-port", "99999"),
    ],
)
def test_a_number_that_cannot_be_one_is_a_usage_error(command, option, value, capsys):
    assert run([command, option, value]) == 2
    assert f"Invalid value for '{option}': {value} is not in the range" in capsys.readouterr().err
