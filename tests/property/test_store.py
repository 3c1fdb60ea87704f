"""Values go through the database unchanged; addresses are paths or are refused."""

import asyncio
import math
import tempfile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fankeep.errors import ConfigurationError
from fankeep.store import Statement, open_data
from fankeep.store.postgresql_address import SCHEMES

ECHO = Statement("SELECT :first, :second", lambda *columns: columns)

values = (
    st.none()
    | st.text()
    | st.binary()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False).filter(lambda number: math.copysign(1, number) > 0 or number)
)


async def echo(rows):
    with tempfile.TemporaryDirectory() as folder:
        database = await open_data(f"sqlite:///{folder}/data.db", create=True)
        got = [
            await database.read(lambda tx, row=row: tx.one(ECHO, first=row[0], second=row[1])) for row in rows
        ]
        await database.close()
    return got


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.tuples(values, values), min_size=1, max_size=30))
def test_every_value_comes_back_as_it_went_in_with_its_type(rows):
    got = asyncio.run(echo(rows))
    assert got == rows
    assert [tuple(map(type, row)) for row in got] == [tuple(map(type, row)) for row in rows]


@settings(max_examples=200, deadline=None)
@given(url=st.text(max_size=60).filter(lambda text: not text.startswith("sqlite:///")))
@example(url="postgresql://")
def test_any_other_text_is_no_address_and_is_not_repeated(url):
    with pytest.raises(ConfigurationError) as caught:
        asyncio.run(open_data(url, create=True))
    # The message shows how an address begins.
    assert len(url) < 12 or url in SCHEMES or url not in str(caught.value)
