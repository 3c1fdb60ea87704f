"""What a comparison leaves on the trail and in the log."""

import pytest

from fankeep.keep.reconciling import noted
from fankeep.reconcile import Compared, Report
from fankeep.store import open_data, trail
from fankeep.types import UserId

SINCE = 1_795_990_481.7
ONE = Report(UserId("0" * 32), SINCE, messages=Compared(seen=4), payments=Compared(seen=2))
LOST = Report(UserId("1" * 32), SINCE, messages=Compared(4, 1, 1), payments=Compared(2, 2))


@pytest.fixture
async def database(tmp_path):
    opened = await open_data(f"sqlite:///{tmp_path}/data.db", create=True)
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("reports", "outcome", "level"),
    [
        ([ONE], "1 creator, 0 messages missing, 0 filled, 0 payments missing", "INFO"),
        ([ONE, LOST], "2 creators, 1 message missing, 1 filled, 2 payments missing", "WARNING"),
    ],
)
async def test_only_what_is_missing_is_a_warning_and_the_trail_has_a_date(
    database, caplog, reports, outcome, level
):
    caplog.set_level("INFO")
    await noted(database, reports, actor="system", since=SINCE)
    (line,) = await database.read(lambda tx: trail.page(tx, limit=5))
    assert (line.object, line.outcome) == ("since 2026-11-29T22:14:41Z", outcome)
    (record,) = [record for record in caplog.records if "events_reconciled" in record.getMessage()]
    assert record.levelname == level
