import asyncio
import gc
import io
import logging
import warnings

import pytest

from fankeep import telemetry
from fankeep.secret import Secret


def test_lines_of_other_libraries_go_through_the_same_redaction(lines):
    logging.getLogger("server.core").warning("GET /auth/callback?code=abcdef&state=xyz from %s", "127.0.0.1")
    (event,) = lines.events
    assert event["logger"] == "server.core"
    assert event["level"] == "warning"
    assert "abcdef" not in event["event"]


def test_a_foreign_traceback_keeps_places_and_loses_its_words(lines):
    with pytest.raises(ValueError) as caught:
        int("hunter2")
    logging.getLogger("foreign").error("failed: %s", "once", exc_info=caught.value)
    logging.getLogger("server.utils").error("raised\nTraceback (most recent call last):\n  hunter2")
    first, second = lines.events
    assert first["error"]["type"] == "ValueError"
    assert second["event"] == "raised"
    assert "hunter2" not in lines.text


def test_a_task_whose_error_nobody_fetched_does_not_print_it(lines):
    async def fail():
        raise ValueError("hunter2")

    async def main():
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    asyncio.run(main())
    gc.collect()
    assert "Task exception was never retrieved" in lines.text
    assert "hunter2" not in lines.text


def test_warnings_are_lines_too(lines):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("something is old", stacklevel=1)
    assert "something is old" in lines.events[0]["event"]


def test_secrets_known_at_start_are_withheld_by_value(lines):
    stream = io.StringIO()
    telemetry.configure(stream=stream, known_secrets=[Secret("plain words here")])
    telemetry.get_logger("fankeep.test").info("odd", value="x plain words here y")
    assert "plain words here" not in stream.getvalue()
    assert "odd" in stream.getvalue()


def test_configuring_again_replaces_the_stream_and_doubles_nothing(lines):
    second = io.StringIO()
    telemetry.configure(stream=second)
    telemetry.get_logger("fankeep.test").info("once")
    assert lines.text == ""
    assert second.getvalue().count("once") == 1


def test_the_console_format_is_for_people(lines):
    stream = io.StringIO()
    telemetry.configure(format="console", stream=stream)
    telemetry.get_logger("fankeep.test").info("ready", port=8000)
    assert "ready" in stream.getvalue()
    assert "port=8000" in stream.getvalue()
    assert "{" not in stream.getvalue()


def test_levels_below_the_chosen_one_are_not_written(lines):
    stream = io.StringIO()
    telemetry.configure(level="WARNING", stream=stream)
    telemetry.get_logger("fankeep.test").info("unseen")
    assert stream.getvalue() == ""


def test_an_unknown_level_is_refused(lines):
    with pytest.raises(ValueError):
        telemetry.configure(level="LOUD")


class BrokenStream(io.StringIO):
    def write(self, text):
        raise OSError("no space")


def test_a_line_that_cannot_be_written_is_not_printed_elsewhere(lines, capsys):
    telemetry.configure(stream=BrokenStream())
    telemetry.get_logger("fankeep.test").info("hunter2")
    assert capsys.readouterr().err == "fankeep: a log line could not be written\n"
