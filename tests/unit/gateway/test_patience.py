import asyncio
import time

import pytest

from fankeep.gateway.patience import Patience

FOREVER = 3600


async def test_a_block_that_takes_too_long_ends_in_a_timeout():
    with pytest.raises(TimeoutError):
        async with Patience().timeout(0.02):
            await asyncio.sleep(FOREVER)


async def test_a_block_that_ends_in_time_is_left_alone_afterwards():
    patience = Patience()
    async with patience.timeout(0.02):
        pass
    await asyncio.sleep(0.05)


async def test_each_of_many_has_its_own_time_whoever_came_first():
    patience, took = Patience(), {}

    async def wait(seconds):
        began = time.monotonic()
        try:
            async with patience.timeout(seconds):
                await asyncio.sleep(FOREVER)
        except TimeoutError:
            took[seconds] = time.monotonic() - began

    async def leave():
        async with patience.timeout(0.05):
            await asyncio.sleep(0)

    # In which order they end says nothing: on a slow machine several may be over at one look.
    longest = asyncio.create_task(wait(FOREVER))
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await asyncio.gather(wait(0.15), leave(), wait(0.1), wait(0.02))
    longest.cancel()
    assert took.keys() == {0.15, 0.1, 0.02}
    assert all(passed >= 0.99 * seconds for seconds, passed in took.items())


async def test_a_cancellation_from_outside_stays_one():
    async def wait():
        async with Patience().timeout(FOREVER):
            await asyncio.sleep(FOREVER)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_a_cancellation_at_the_moment_of_the_timeout_is_heard():
    async def wait():
        async with Patience().timeout(0.02):
            try:
                await asyncio.sleep(FOREVER)
            except asyncio.CancelledError:
                asyncio.current_task().cancel()
                raise

    task = asyncio.create_task(wait())
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_after_a_timeout_the_task_can_wait_again():
    patience = Patience()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with patience.timeout(0.01):
                await asyncio.sleep(FOREVER)
    async with patience.timeout(FOREVER):
        await asyncio.sleep(0.01)
    assert asyncio.current_task().cancelling() == 0


async def test_an_error_of_the_block_goes_through():
    with pytest.raises(ValueError, match="its own"):
        async with Patience().timeout(FOREVER):
            raise ValueError("its own")
