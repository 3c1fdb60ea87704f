"""The pytest plugin: found by its entry point, and idle until a test asks for one of its fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fankeep.sandbox.faults import Fault
    from fankeep.testing import FanvueSandbox, SandboxSettings

__all__ = ["fanvue_sandbox", "fanvue_sandbox_settings", "pytest_configure"]

_MARKER = """\
fanvue_scenario(file, *, text): what goes wrong in fanvue_sandbox: a scenario file, by its path from the \
test's file, or the text of one."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def fanvue_sandbox_settings() -> SandboxSettings:
    """What ``fanvue_sandbox`` is started with; override it to change redirect URIs, seed or switches.

    Its port does not count: each test gets a free one.
    """
    from fankeep.testing.running import default_settings  # noqa: PLC0415 - unrelated runs don't pay for it

    return default_settings()


@pytest.fixture
def fanvue_sandbox(
    request: pytest.FixtureRequest, fanvue_sandbox_settings: SandboxSettings
) -> Iterator[FanvueSandbox]:
    """A local Fanvue for one test, with a port and a world of its own.

    What the markers ``fanvue_scenario`` say goes wrong, after what the settings say.
    """
    from fankeep.testing import fanvue_sandbox_in_thread  # noqa: PLC0415 - unrelated runs don't pay for it

    scenario = fanvue_sandbox_settings.scenario + _marked(request)
    with fanvue_sandbox_in_thread(replace(fanvue_sandbox_settings, port=0, scenario=scenario)) as running:
        yield running


def _marked(request: pytest.FixtureRequest) -> tuple[Fault, ...]:
    """The faults of the test's markers, those of the outermost first; a wrong marker fails with one line."""
    from fankeep.errors import ConfigurationError  # noqa: PLC0415 - unrelated runs don't pay for it

    markers = reversed(list(request.node.iter_markers("fanvue_scenario")))
    try:
        return tuple(fault for marker in markers for fault in _faults(marker, request.path.parent))
    except ConfigurationError as problem:
        pytest.fail(f"fanvue_scenario: {problem}", pytrace=False)


def _faults(marker: pytest.Mark, folder: Path) -> tuple[Fault, ...]:
    from fankeep.errors import ConfigurationError  # noqa: PLC0415 - unrelated runs don't pay for it
    from fankeep.testing import parse_scenario, read_scenario  # noqa: PLC0415 - the same

    match marker.args, marker.kwargs:
        case ((str() | Path()) as file,), {**others} if not others:
            return read_scenario(folder / file)
        case (), {"file": str() | Path() as file, **others} if not others:
            return read_scenario(folder / file)
        case (), {"text": str() as text, **others} if not others:
            return parse_scenario(text)
    raise ConfigurationError("give it the path of a file, or text=, and nothing else")
