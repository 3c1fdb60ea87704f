"""What every benchmark shares: one JSON line a result, fair turns, medians."""

import json

from bench import harness


def test_a_result_is_one_line_of_json_with_what_it_was_measured_beside(capsys):
    harness.print_result("start", "help_s", 0.051234, "s", beside={"python": 0.0123456}, engine="sqlite")

    shown = capsys.readouterr()
    assert shown.out.count("\n") == 1
    assert json.loads(shown.out) == {
        "bench": "start",
        "metric": "help_s",
        "value": 0.05123,
        "unit": "s",
        "beside": {"python": 0.01235},
        "engine": "sqlite",
    }


def test_facts_about_the_machine_stay_off_stdout(capsys):
    harness.print_machine()

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("machine: ")


def test_things_are_measured_in_turn_and_the_order_alternates():
    order = []

    def measuring(name):
        def measure():
            order.append(name)
            return float(len(order))

        return measure

    figures = harness.in_turn(2, {"a": measuring("a"), "b": measuring("b")})

    assert order == ["a", "b", "b", "a", "a", "b"]
    assert figures == {"a": [4.0, 5.0], "b": [3.0, 6.0]}


def test_the_first_round_does_not_count():
    values = iter([100.0, 1.0, 3.0, 2.0])

    figures = harness.in_turn(3, {"a": lambda: next(values)})

    assert harness.medians(figures) == {"a": 2.0}
