"""The pytest plugin is found by its entry point, and costs a run that does not use it next to nothing."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

import fankeep.testing


def test_pytest_finds_the_plugin_by_its_entry_point():
    (found,) = entry_points(group="pytest11", name="fankeep")
    assert found.value == "fankeep.testing.plugin"


def test_loading_the_plugin_loads_nothing_but_itself():
    show = "import sys; import fankeep.testing.plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert {name for name in loaded if name.startswith("fankeep")} == {
        "fankeep",
        "fankeep.testing",
        "fankeep.testing.plugin",
    }
    assert not {"starlette", "granian", "pyreqwest", "jinja2"} & set(loaded)


@pytest.mark.parametrize("name", fankeep.testing.__all__)
def test_every_name_can_be_imported(name):
    assert getattr(fankeep.testing, name).__name__ == name
    assert name in dir(fankeep.testing)


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Sandboxx'"):
        _ = fankeep.testing.Sandboxx
