import pytest

from fankeep.telemetry import alarm, metrics, reference


def value(name, **labels):
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_label_value_outside_its_set_is_counted_as_other():
    before = value("fankeep_requests_total", route="other", status="4xx")
    metrics.REQUESTS.add(route="/u/jane@example.com", status="4xx")
    assert value("fankeep_requests_total", route="other", status="4xx") == before + 1
    assert b"jane" not in metrics.render()


def test_a_metric_takes_exactly_its_own_labels():
    with pytest.raises(TypeError):
        metrics.REQUESTS.add(route="login")
    with pytest.raises(TypeError):
        metrics.REQUESTS.add(route="login", status="2xx", user="x")


def test_durations_are_counted_by_route():
    before = value("fankeep_request_seconds_count", route="login")
    metrics.REQUEST_SECONDS.observe(0.2, route="login")
    assert value("fankeep_request_seconds_count", route="login") == before + 1


def test_a_gauge_shows_the_last_value():
    gauge = metrics.ClosedGauge("fankeep_test_gauge", "For this test.", kind=["a"])
    gauge.set(3, kind="a")
    gauge.set(5, kind="b")
    assert value("fankeep_test_gauge", kind="a") == 3
    assert value("fankeep_test_gauge", kind="other") == 5


def test_an_alarm_is_a_line_and_a_count(lines):
    before = value("fankeep_alarms_total", alarm="mac_mismatch")
    alarm("mac_mismatch", table="sessions")
    assert value("fankeep_alarms_total", alarm="mac_mismatch") == before + 1
    (event,) = lines.events
    assert (event["event"], event["alarm"], event["table"]) == ("alarm", "mac_mismatch", "sessions")


def test_references_are_random_and_long_enough():
    made = {reference() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 32 for one in made)
