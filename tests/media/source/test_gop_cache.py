from __future__ import annotations

from media.source import GopCache
from media.units import AccessUnit, CodecName


def unit(seconds: float, *, keyframe: bool = False, size: int = 10) -> AccessUnit:
    return AccessUnit(CodecName.VP8, bytes(size), round(seconds * 90_000), keyframe)


def test_it_holds_everything_from_the_last_keyframe_on() -> None:
    cache: GopCache[AccessUnit] = GopCache()
    units = [unit(0, keyframe=True), unit(1), unit(2, keyframe=True), unit(3)]
    for one in units:
        cache.push(one)

    assert cache.units() == tuple(units[2:])
    assert (cache.duration, cache.size_bytes, len(cache)) == (1.0, 20, 2)


def test_before_the_first_keyframe_it_is_empty() -> None:
    cache: GopCache[AccessUnit] = GopCache()
    cache.push(unit(0))

    assert (cache.units(), cache.duration, cache.overflowed) == ((), 0.0, False)


def test_a_group_longer_than_the_bound_is_not_held_until_the_next_keyframe() -> None:
    cache: GopCache[AccessUnit] = GopCache(max_seconds=12.0)
    for second in range(14):
        cache.push(unit(second, keyframe=second == 0))

    assert (cache.units(), cache.overflowed) == ((), True)
    cache.push(unit(14, keyframe=True))
    assert (len(cache), cache.overflowed) == (1, False)


def test_a_group_of_exactly_the_bound_is_held() -> None:
    cache: GopCache[AccessUnit] = GopCache(max_seconds=12.0, max_bytes=130)
    for second in range(13):
        cache.push(unit(second, keyframe=second == 0))

    assert (len(cache), cache.size_bytes) == (13, 130)


def test_a_group_of_more_bytes_than_the_bound_is_not_held() -> None:
    cache: GopCache[AccessUnit] = GopCache(max_bytes=100)
    cache.push(unit(0, keyframe=True, size=101))

    assert (len(cache), cache.size_bytes, cache.overflowed) == (0, 0, True)
