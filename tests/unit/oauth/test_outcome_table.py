from pathlib import Path

from fankeep.oauth import OUTCOME_TABLE, Condition, Outcome, Row

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "token-errors.md"
HEAD = "| # | Row | Applies to | Outcome | Stored as | Waits | Why |\n|---|---|---|---|---|---|---|\n"


def statuses(lowest: int, highest: int) -> str:
    return f"status {lowest}" if lowest == highest else f"status {lowest} to {highest}"


def applies_to(when: Condition) -> str:
    parts = []
    if when.answer is not None:
        parts.append(when.answer.value)
    if when.errors is not None:
        parts.append(", ".join(f"`{error}`" for error in sorted(when.errors)))
    if when.statuses is not None:
        parts.append(statuses(*when.statuses))
    return "; ".join(parts) or "everything else"


def line(number: int, row: Row) -> str:
    code = f"`{row.code}`" if row.code else "nothing"
    wait = f"{row.cool_down:.0f} s" if row.cool_down else "no"
    cells = (str(number), row.name, applies_to(row.when), f"`{row.outcome.value}`", code, wait, row.why)
    return "| " + " | ".join(cells) + " |\n"


def test_the_documented_table_is_the_one_that_runs():
    table = HEAD + "".join(line(number, row) for number, row in enumerate(OUTCOME_TABLE, start=1))
    assert table in PAGE.read_text("utf-8"), f"put this into {PAGE.name}:\n{table}"


def test_every_outcome_is_explained_in_the_documentation():
    page = PAGE.read_text("utf-8")
    assert all(f"- `{outcome.value}`: " in page for outcome in Outcome)


def test_the_last_row_always_applies_and_no_other_does():
    assert [row.name for row in OUTCOME_TABLE if row.when == Condition()] == [OUTCOME_TABLE[-1].name]
