"""Both implementations of the tables do the same."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signaling import AccessKey, Channel, ChannelArn
from signaling.aio.sqlite_tables import SqliteTables, open_database
from signaling.control import ChannelNamespace, MemoryTables, StoredKey, Tables

SPACE = ChannelNamespace("000000000000", "us-west-2")


@pytest.fixture(params=["memory", "sqlite"])
def tables(request: pytest.FixtureRequest) -> Iterator[Tables]:
    if request.param == "memory":
        yield MemoryTables(b"key")
        return
    with contextlib.closing(open_database(":memory:")) as connection:
        yield SqliteTables(connection)


def channel(name: str, **more: str) -> Channel:
    return Channel(ChannelArn(name, 1_600_000_000_000, **more), "v1", 60, (("a", "ä"),))


def test_a_channel_is_found_as_it_was_put(tables: Tables) -> None:
    tables.put_channel(channel("demo"))

    assert tables.find_channel(SPACE, "demo") == channel("demo")
    assert tables.find_channel(SPACE, "Demo") is None


def test_a_channel_is_replaced_by_one_of_its_name(tables: Tables) -> None:
    tables.put_channel(channel("demo"))
    changed = Channel(channel("demo").arn, "v2", 5)

    tables.put_channel(changed)

    assert tables.find_channel(SPACE, "demo") == changed
    assert tables.count_channels(SPACE) == 1


def test_a_removed_channel_is_gone(tables: Tables) -> None:
    tables.put_channel(channel("demo"))

    tables.remove_channel(channel("demo"))

    assert tables.find_channel(SPACE, "demo") is None
    assert tables.list_channels(SPACE, prefix="", after="", limit=9) == []


def test_regions_and_accounts_are_apart(tables: Tables) -> None:
    tables.put_channel(channel("demo"))
    tables.put_channel(channel("demo", region="eu-west-1"))
    tables.put_channel(channel("demo", account="123456789012"))

    assert tables.count_channels(SPACE) == 1
    found = tables.find_channel(ChannelNamespace("000000000000", "eu-west-1"), "demo")
    assert found is not None
    assert found.arn.region == "eu-west-1"


names = st.text("aB._-09z", min_size=1, max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(names, max_size=8), st.text("aB._-09z", max_size=2), names, st.integers(0, 9))
def test_a_list_is_what_begins_with_the_prefix_after_a_name(
    tables: Tables, found: set[str], prefix: str, after: str, limit: int
) -> None:
    space = ChannelNamespace("000000000000", f"r-{abs(hash((*sorted(found), prefix, after)))}")
    for name in found:
        tables.put_channel(channel(name, region=space.region))

    listed = tables.list_channels(space, prefix=prefix, after=after, limit=limit)

    expected = sorted(name for name in found if name.startswith(prefix) and name > after)
    assert [each.name for each in listed] == expected[:limit]


def test_a_creation_time_is_never_given_twice_even_if_the_clock_runs_back(tables: Tables) -> None:
    assert [tables.next_creation_ms(now) for now in (5, 5, 3, 9)] == [5, 6, 7, 9]


def test_keys_are_listed_from_the_oldest(tables: Tables) -> None:
    young, old = StoredKey(AccessKey("a", "1"), 2.5), StoredKey(AccessKey("b", "2"), 1.5)

    tables.put_key(young)
    tables.put_key(old)

    assert tables.list_keys() == [old, young]
    assert tables.remove_key("b")
    assert not tables.remove_key("b")
    assert tables.list_keys() == [young]


def test_the_token_key_stays_the_same(tables: Tables) -> None:
    assert tables.token_key() == tables.token_key() != b""
