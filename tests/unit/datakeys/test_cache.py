from fankeep.datakeys.cache import BoundedCache


def make(clock, size=2):
    return BoundedCache(size, 30.0, clock)


def test_a_value_is_fresh_for_its_time_and_known_afterwards(clock):
    cache = make(clock)
    cache.put("a", 1)
    clock.now += 29.9
    assert cache.fresh("a") == 1
    clock.now += 0.1
    assert cache.fresh("a") is None
    assert cache.known("a") == 1


def test_use_does_not_make_a_value_fresher(clock):
    cache = make(clock)
    cache.put("a", 1)
    for _ in range(3):
        clock.now += 10
        cache.fresh("a")
    assert cache.fresh("a") is None


def test_putting_a_value_again_makes_it_fresh(clock):
    cache = make(clock)
    cache.put("a", 1)
    clock.now += 40
    cache.put("a", 1)
    assert cache.fresh("a") == 1
    assert len(cache) == 1


def test_the_value_that_was_not_used_for_longest_makes_room(clock):
    cache = make(clock)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.fresh("a")
    cache.put("c", 3)
    assert (cache.known("a"), cache.known("b"), cache.known("c")) == (1, None, 3)
    assert len(cache) == 2


def test_dropped_values_are_not_known_any_more(clock):
    cache = make(clock)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.drop(lambda value: value == 1)
    assert (cache.known("a"), cache.known("b")) == (None, 2)
    assert cache.fresh("a") is None
