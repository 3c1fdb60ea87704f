import pytest

from fankeep.store import Command, Rows, Statement


def test_now_becomes_the_engines_clock_wherever_it_stands():
    text = Statement("SELECT {now}, expires_at - {now} FROM grants", float).sqlite
    assert "{now}" not in text
    assert text.count("julianday('now')") == 2


def test_named_parameters_stay_as_they_are():
    assert Command("DELETE FROM users WHERE id = :id").sqlite == "DELETE FROM users WHERE id = :id"


def test_a_statement_shows_its_first_line():
    assert repr(Command("\nDELETE FROM users\nWHERE id = :id")) == "<Command 'DELETE FROM users'>"


def test_postgresql_gets_numbers_and_its_own_clock():
    command = Command("UPDATE a SET b = :b, c = {now} + :c WHERE b <> :b AND d = :d::text")
    assert command.postgresql == (
        "UPDATE a SET b = $1, c = extract(epoch from clock_timestamp())::float8 + $2"
        " WHERE b <> $1 AND d = $3::text"
    )
    assert command.postgresql_values({"d": 3, "c": 2.0, "b": 1, "more": 0}) == [1, 2.0, 3]


def test_a_group_is_bound_value_by_value_on_sqlite_and_is_one_array_a_column_on_postgresql():
    command = Command(
        "INSERT INTO a SELECT row.x, row.y, :z FROM {rows} AS row", rows=Rows(x="blob", y="real")
    )
    group = {"rows": [(b"\x01", 1.5), (b"\x02", None), (b"\x03", 2.5)], "z": "z"}
    text, values = command.on_sqlite(group)
    assert "VALUES (?2, ?3), (?4, ?5), (?6, ?7), (?8, ?9)" in text
    assert values == ["z", b"\x01", 1.5, b"\x02", None, b"\x03", 2.5, None, None]
    group = {"rows": [(b"\x01", 1.5), (b"\x02", None)], "z": "z"}
    assert command.postgresql_values(group) == [[b"\x01", b"\x02"], [1.5, None], "z"]
    assert "unnest($1::bytea[], $2::float8[])" in command.postgresql
    assert "$3" in command.postgresql


def test_only_postgresql_passes_over_rows_that_another_transaction_is_changing():
    command = Command("DELETE FROM a WHERE b IN (SELECT b FROM a LIMIT :limit {free})")
    assert command.sqlite == "DELETE FROM a WHERE b IN (SELECT b FROM a LIMIT :limit )"
    assert command.postgresql == "DELETE FROM a WHERE b IN (SELECT b FROM a LIMIT $1 FOR UPDATE SKIP LOCKED)"


def test_groups_of_many_sizes_share_few_texts():
    command = Command("DELETE FROM a WHERE x IN (SELECT row.x FROM {rows} AS row)", rows=Rows(x="integer"))
    texts = {command.on_sqlite({"rows": [(number,) for number in range(size)]})[0] for size in range(1, 129)}
    assert len(texts) == 8


def test_a_large_group_and_an_empty_one_are_one_json_text_on_sqlite():
    command = Command("DELETE FROM a WHERE x IN (SELECT row.x FROM {rows} AS row)", rows=Rows(x="blob"))
    text, values = command.on_sqlite({"rows": [(b"\x01",)] * 129})
    assert "json_each(:rows)" in text
    assert values == {"rows": "[" + ",".join(['["01"]'] * 129) + "]"}
    assert command.on_sqlite({"rows": []})[1] == {"rows": "[]"}


@pytest.mark.parametrize("row", [(None, 1), (1,), (1, 2, 3)])
def test_a_row_that_does_not_fit_is_refused_rather_than_passed_over(row):
    command = Command(
        "DELETE FROM a WHERE x IN (SELECT row.x FROM {rows} AS row)", rows=Rows(x="blob", y="real")
    )
    with pytest.raises(ValueError, match="a row of the group"):
        command.on_sqlite({"rows": [(b"\x01", 1.5), row]})
