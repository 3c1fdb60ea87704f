import pytest

from fankeep.inbox.dropping import DroppedFields
from fankeep.telemetry import metrics


def counted():
    lines = metrics.render().decode().splitlines()
    prefix = "fankeep_event_fields_dropped_total{"
    pairs = [line.rsplit(" ", 1) for line in lines if line.startswith(prefix)]
    return {labels.split('"')[1]: float(value) for labels, value in pairs}


@pytest.fixture
def since():
    before = counted()
    return lambda: {
        name: value - before.get(name, 0) for name, value in counted().items() if value != before.get(name, 0)
    }


def test_dropped_fields_are_counted_by_what_they_say_about_a_person(since):
    fields = DroppedFields()
    for _ in range(3):
        fields.note("creator.message.received", ("fan.display_name", "fan.handle", "mood", "text"))
    assert since() == {"profile": 6, "content": 3, "unlisted": 3}


def test_an_object_of_which_nothing_is_kept_counts_as_what_is_inside(since):
    DroppedFields().note("creator.payment.succeeded", ("tracking",))
    assert since() == {"content": 1}


def test_all_of_an_unknown_type_is_unlisted(since):
    DroppedFields().note("creator.story.viewed", ("text", "uuid"))
    assert since() == {"unlisted": 2}


def test_a_dropped_field_is_logged_the_first_time(caplog):
    caplog.set_level("INFO")
    fields = DroppedFields()
    fields.note("creator.message.received", ("text",))
    fields.note("creator.message.received", ("text",))
    fields.note("creator.message.received", ("mood", "text"))
    lines = [line for line in caplog.messages if "event_field_dropped" in line]
    assert len(lines) == 2
    assert '"field":"text"' in lines[0]
    assert '"field":"mood"' in lines[1]
    assert '"personal":"unlisted"' in lines[1]


def test_there_is_a_limit_to_what_is_remembered_and_none_to_what_is_counted(since, monkeypatch):
    monkeypatch.setattr("fankeep.inbox.dropping._REMEMBERED", 2)
    fields = DroppedFields()
    for number in range(5):
        fields.note("creator.message.received", (f"x{number}",))
    assert len(fields._counts) == 2
    assert since() == {"unlisted": 5}
