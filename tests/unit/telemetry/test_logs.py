import asyncio
import logging
import re
import subprocess
import sys

import pytest

from fankeep.telemetry import get_logger, log_fields

log = get_logger("fankeep.test")


def test_an_event_is_one_json_line_with_utc_time_level_and_logger(lines):
    log.info("token_refreshed", generation=3)
    (event,) = lines.events
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event.pop("timestamp"))
    assert event == {"event": "token_refreshed", "generation": 3, "logger": "fankeep.test", "level": "info"}


def test_redaction_comes_last_so_nothing_that_was_bound_escapes_it(lines):
    with log_fields(password="hunter2"):
        log.bind(refresh_token="ory_rt_abc.def").warning("odd", url="https://x.example/?code=abc")
    assert "hunter2" not in lines.text
    assert "ory_rt" not in lines.text
    assert "code=abc" not in lines.text


def test_a_text_cannot_start_a_line_of_its_own(lines):
    log.info("odd", value='x\n{"event": "forged"}')
    assert len(lines.events) == 1


def test_fields_of_a_block_are_on_its_events_and_those_of_its_tasks(lines):
    async def work():
        log.info("inside")

    async def main():
        with log_fields(reference="r1"):
            await asyncio.gather(work(), work())
        log.info("outside")

    asyncio.run(main())
    events = [event for event in lines.events if event["logger"] == "fankeep.test"]
    assert [event.get("reference") for event in events] == ["r1", "r1", None]


def test_an_event_s_own_field_wins_over_the_block_s(lines):
    with log_fields(user="outer"):
        log.bind(user="bound").info("a")
        log.info("b", user="own")
    assert [event["user"] for event in lines.events] == ["bound", "own"]


def test_an_exception_is_logged_by_type_and_place_without_its_message(lines):
    def fail():
        raise RuntimeError("hunter2 at https://x.example/?code=abc")

    with pytest.raises(RuntimeError) as caught:
        fail()
    log.error("broke", error=caught.value)
    (event,) = lines.events
    assert event["error"]["type"] == "RuntimeError"
    assert event["error"]["frames"][-1].endswith(":fail")
    assert "hunter2" not in lines.text


def test_levels_that_are_off_cost_no_rendering(lines, monkeypatch):
    class Unrenderable:
        def __class__(self):
            raise AssertionError

    monkeypatch.setattr(logging.getLogger("fankeep.test"), "level", logging.WARNING)
    log.info("unseen", value=Unrenderable())
    assert lines.text == ""


def test_importing_telemetry_imports_neither_structlog_nor_prometheus():
    code = "import sys, fankeep.telemetry; print({'structlog', 'prometheus_client'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "set()"
