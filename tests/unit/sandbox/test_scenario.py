"""Scenario files: what is read, and the one line that says what is wrong and where."""

import pytest

from fankeep.errors import ConfigurationError
from fankeep.sandbox import parse_scenario, read_scenario
from fankeep.sandbox.fault_reading import KEYS, read_fault
from fankeep.sandbox.faults import FILTERS, RULES, Fault, FaultKind, Moment, Target


def test_a_scenario_is_its_faults_in_order():
    text = """
    [[fault]]
    kind = "status"
    target = "api"
    operation = "getCurrentUser"
    status = 429
    seconds = 7
    skip = 2
    count = "all"
    start = 10
    end = 20.5
    chance = 0.25

    [[fault]]
    kind = "scopes_removed"
    scopes = ["read:chat"]
    """
    first, second = parse_scenario(text)
    assert first == Fault(
        Target.API,
        FaultKind.STATUS,
        operation="getCurrentUser",
        status=429,
        seconds=7.0,
        skip=2,
        count=None,
        start=10.0,
        end=20.5,
        chance=0.25,
    )
    assert second == Fault(Target.ANY, FaultKind.SCOPES_REMOVED, scopes=("read:chat",))


def test_an_empty_scenario_has_no_faults():
    assert parse_scenario("# nothing goes wrong\n") == ()


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_can_be_written_with_all_that_fits_it(kind):
    rule = RULES[kind]
    values = {
        "moment": "before",
        "status": 500,
        "seconds": 1,
        "copies": 3,
        "behind": 2,
        "scopes": ["read:chat"],
        "creator": "somebody",
    }
    details = {key: values[key] for key in rule.details}
    for target in rule.targets:
        fault = read_fault({"kind": kind, "target": target, **details})
        assert (fault.kind, fault.target) == (kind, target)
        assert fault.moment is (Moment.BEFORE if "moment" in details else Moment.AFTER)


def test_every_detail_and_filter_is_a_key():
    assert {key for rule in RULES.values() for key in rule.details} <= set(KEYS)
    assert set(FILTERS.values()) <= set(KEYS)
    assert all(rule.needed <= rule.details for rule in RULES.values())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[[fault]]\nkind = lost", r"is not TOML: .*line 2"),
        ("[fault]\n", "each fault as a table of its own"),
        ("fault = [1]", "each fault as a table of its own"),
        ("seed = 1", r"only \[\[fault\]\] tables"),
        ("[[fault]]", "fault 1, kind: missing"),
        ('[[fault]]\nkind = "lots"', "fault 1, kind: expected one of status, firewall"),
        ('[[fault]]\nkind = "lost"\n[[fault]]\nkind = "lost"\ncuont = 1', "fault 2, 'cuont': there is no"),
        ('[[fault]]\nkind = "lost"\n"a\\nb" = 1', r"fault 1, 'a\\nb': there is no such key"),
        ('[[fault]]\nkind = "lost"\ncount = 0', "fault 1, count: expected a number from 1"),
        ('[[fault]]\nkind = "lost"\ncount = "some"', "fault 1, count: expected a number from 1"),
        ('[[fault]]\nkind = "lost"\ncount = true', "fault 1, count: expected a number from 1"),
        ('[[fault]]\nkind = "lost"\nskip = 1.5', "fault 1, skip: expected a whole number"),
        ('[[fault]]\nkind = "lost"\nstart = nan', "fault 1, start: expected a number from 0"),
        ('[[fault]]\nkind = "lost"\nstart = 5\nend = 5', "fault 1, end: expected more than start"),
        ('[[fault]]\nkind = "lost"\nchance = 0', "fault 1, chance: expected a number above 0"),
        ('[[fault]]\nkind = "lost"\nchance = 1.1', "fault 1, chance: expected a number above 0"),
        ('[[fault]]\nkind = "lost"\nmoment = "later"', "fault 1, moment: expected one of before, after"),
        ('[[fault]]\nkind = "lost"\nstatus = 500', "fault 1, status: means nothing for lost at token"),
        ('[[fault]]\nkind = "lost"\ntopic = "tip.new"', "fault 1, topic: means nothing for lost at token"),
        ('[[fault]]\nkind = "lost"\ngrant_type = "password"', "fault 1, grant_type: expected one of"),
        ('[[fault]]\nkind = "lost"\ntarget = "delivery"', "fault 1, target: lost strikes at token, revoke"),
        ('[[fault]]\nkind = "status"\nstatus = 200', "fault 1, status: expected a number from 400 to 599"),
        ('[[fault]]\nkind = "slow"\nseconds = -1', "fault 1, seconds: expected a number of at least 0"),
        (
            '[[fault]]\nkind = "status"\ntarget = "api"\noperation = "x"',
            "operation: expected the id of an op",
        ),
        ('[[fault]]\nkind = "late"\ntopic = "x"', "fault 1, topic: expected an event that Fanvue has"),
        ('[[fault]]\nkind = "duplicated"\ncopies = 1', "fault 1, copies: expected a number from 2"),
        ('[[fault]]\nkind = "clock_skew"', "fault 1, seconds: missing; clock_skew needs it"),
        ('[[fault]]\nkind = "secret_reset"\nmoment = "before"', "moment: means nothing for secret_reset"),
        ('[[fault]]\nkind = "scopes_removed"\nscopes = ["x"]', "scopes: expected a list of scopes"),
        ('[[fault]]\nkind = "consent_withdrawn"\ncreator = ""', "fault 1, creator: expected a text"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_place(text, line):
    with pytest.raises(ConfigurationError, match=line) as refusal:
        parse_scenario(text, name="flaky.toml")
    assert str(refusal.value).startswith("flaky.toml")
    assert "\n" not in str(refusal.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"missing\.toml: No such file"):
        read_scenario(tmp_path / "missing.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_scenario(tmp_path / "latin.toml")
    (tmp_path / "large.toml").write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(ConfigurationError, match="over a megabyte"):
        read_scenario(tmp_path / "large.toml")
