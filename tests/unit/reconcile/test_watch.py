"""When the looking begins: once for a bunch of late deliveries, and again if it failed."""

import asyncio

from fankeep.errors import StorageUnavailable
from fankeep.reconcile import Watch


async def watched(look, *refusals, rest=0.0):
    watch = Watch(look, settle=0.01, rest=rest)
    running = asyncio.create_task(watch.run())
    for refusal in refusals:
        watch.refused(refusal)
    return watch, running


async def test_one_look_is_for_all_that_came_late_together_since_the_oldest():
    looks = asyncio.Queue()
    _, running = await watched(looks.put, 30.0, 10.0, 20.0)

    assert await asyncio.wait_for(looks.get(), 30) == 10.0
    await asyncio.sleep(0.05)
    assert looks.empty()
    running.cancel()


async def test_a_look_that_failed_is_made_again():
    looks = asyncio.Queue()

    async def look(since):
        await looks.put(since)
        if looks.qsize() == 1:
            raise StorageUnavailable

    _, running = await watched(look, 10.0)
    async with asyncio.timeout(30):
        while looks.qsize() < 2:
            await asyncio.sleep(0.01)
    assert [looks.get_nowait(), looks.get_nowait()] == [10.0, 10.0]
    running.cancel()


async def test_between_two_looks_is_a_rest():
    looks = asyncio.Queue()
    watch, running = await watched(looks.put, 10.0, rest=60.0)
    assert await asyncio.wait_for(looks.get(), 30) == 10.0

    watch.refused(20.0)
    await asyncio.sleep(0.05)

    assert looks.empty()
    running.cancel()
