import io
import json

import pytest
from bench.rig import tables

LINES = [
    {
        "metric": "deliveries_per_s",
        "value": 1234.5,
        "beside": {"bare": 20000.0, "plain": 400.0},
        "processes": 1,
    },
    {"metric": "cpu_us", "value": 170.4, "beside": {"bare": 28.1, "plain": 3000.0}, "processes": 1},
    {"metric": "server_cpu_us", "value": 65.0, "beside": {}, "processes": 1},
    {"metric": "deliveries_per_s", "value": 900.0, "beside": {}, "stored": 1_000_000},
    {"metric": "p99_ms", "value": 26.0, "beside": {"bare": 3.04}, "at_per_s": 617},
    {"metric": "step_us", "value": 5.25, "beside": {}, "step": "digest"},
]


@pytest.fixture
def printed(monkeypatch, capsys):
    lines = [json.dumps({"bench": "webhooks", "engine": "postgresql"} | line) for line in LINES]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(["a note", *lines])))
    tables.main()
    return capsys.readouterr().out


def test_rates_and_processor_time_of_one_setup_share_a_row(printed):
    assert "| postgresql, 1 process | 1,234 | 20,000 | 400 |  | 170 | 28 | 65 |" in printed
    assert "| postgresql, 1,000,000 old events | 900 |  |  |  |  |  |  |" in printed


def test_delays_and_steps_have_tables_of_their_own(printed):
    assert "| postgresql | 617 | 26 | 3.0 |" in printed
    assert "| digest: keyed, for deduplication | 5.2 |" in printed
