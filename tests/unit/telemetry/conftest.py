import io
import json
import logging

import pytest

from fankeep import telemetry
from fankeep.telemetry import pipeline


class Lines:
    def __init__(self):
        self.stream = io.StringIO()

    @property
    def text(self):
        return self.stream.getvalue()

    @property
    def events(self):
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def lines():
    """Configures the logs of the process for one test and puts everything back afterwards."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level, pipeline._Active.pipeline)
    found = Lines()
    telemetry.configure(stream=found.stream, level="DEBUG")
    yield found
    logging.captureWarnings(capture=False)
    root.handlers[:], level, pipeline._Active.pipeline = before
    root.setLevel(level)
