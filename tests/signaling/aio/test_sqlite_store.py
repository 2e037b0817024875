from __future__ import annotations

import asyncio
import pathlib
import sqlite3
import stat
import subprocess
import sys
import textwrap

import pytest

from signaling import AccessKey, ServiceError
from signaling.aio import SqliteStore, StoreError
from signaling.aio.sqlite_store import MAX_WAITING
from signaling.aio.sqlite_tables import SCHEMA_VERSION
from signaling.control import Tables


async def test_channels_and_keys_are_there_when_the_store_is_opened_again(
    tmp_path: pathlib.Path,
) -> None:
    async with SqliteStore.open(tmp_path / "store") as store:
        channel = await store.create_channel("demo", message_ttl_seconds=7)
        key = await store.create_access_key()

    async with SqliteStore.open(tmp_path / "store") as store:
        assert await store.find_channel("demo") == channel
        assert store.access_key(key.id) == key
        assert [stored.key for stored in await store.list_access_keys()] == [key]


async def test_a_name_is_used_once() -> None:
    async with SqliteStore.open(":memory:") as store:
        await store.create_channel("demo")
        with pytest.raises(ServiceError, match="ResourceInUseException"):
            await store.create_channel("demo")


async def test_a_revoked_key_is_not_known_any_more() -> None:
    async with SqliteStore.open(":memory:") as store:
        key = await store.create_access_key()
        assert store.access_key(key.id) == key

        assert await store.delete_access_key(key.id)
        assert not await store.delete_access_key(key.id)

        assert store.access_key(key.id) is None


async def test_what_raises_changes_nothing() -> None:
    def make_and_fail(tables: Tables) -> None:
        tables.put_key(stored)
        raise LookupError

    async with SqliteStore.open(":memory:") as store:
        await store.create_access_key()
        (stored,) = await store.list_access_keys()
        await store.delete_access_key(stored.key.id)

        with pytest.raises(LookupError):
            await store.run(make_and_fail)

        assert await store.list_access_keys() == []
        assert store.access_key(stored.key.id) is None


async def test_transactions_run_one_after_another_in_the_order_they_came() -> None:
    numbers: list[int] = []

    def append_next(tables: Tables) -> int:
        numbers.append(len(numbers))
        return numbers[-1]

    async with SqliteStore.open(":memory:") as store:
        results = await asyncio.gather(*(store.run(append_next) for _ in range(MAX_WAITING)))

    assert results == list(range(MAX_WAITING))


async def test_more_than_may_wait_are_refused_at_once() -> None:
    async with SqliteStore.open(":memory:") as store:
        results = await asyncio.gather(
            *(store.run(lambda tables: None) for _ in range(MAX_WAITING + 1)),
            return_exceptions=True,
        )
        assert await store.find_channel("demo") is None

    assert results[:-1] == [None] * MAX_WAITING
    assert isinstance(results[-1], ServiceError)
    assert results[-1].name.status == 503


async def test_a_closed_store_refuses() -> None:
    async with SqliteStore.open(":memory:") as store:
        pass

    with pytest.raises(StoreError, match="closed"):
        await store.find_channel("demo")


def modes_in(folder: pathlib.Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


async def test_the_files_of_a_store_are_for_their_owner_alone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "store"
    path.touch(0o644)

    async with SqliteStore.open(path) as store:
        await store.create_channel("demo")
        modes = modes_in(tmp_path)

    assert modes["store"] == 0o600
    assert set(modes.values()) == {0o600}


async def test_a_store_in_use_is_refused_and_free_when_closed(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "store"
    async with SqliteStore.open(path):
        with pytest.raises(StoreError, match="in use by another server"):
            async with SqliteStore.open(path):
                pass

    async with SqliteStore.open(path):
        pass


async def test_a_file_that_is_no_database_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "store"
    path.write_bytes(b"not a database, but long enough to be one" * 100)

    with pytest.raises(StoreError, match="not a store of hairpin"):
        async with SqliteStore.open(path):
            pass


async def test_the_database_of_another_program_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "store"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE photos (id)")
    other.close()

    with pytest.raises(StoreError, match="not a store of hairpin"):
        async with SqliteStore.open(path):
            pass


async def test_a_store_of_a_later_version_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "store"
    async with SqliteStore.open(path):
        pass
    later = sqlite3.connect(path)
    later.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    later.close()

    with pytest.raises(StoreError, match="later version"):
        async with SqliteStore.open(path):
            pass


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="file"):
        async with SqliteStore.open(tmp_path / "file" / "store"):
            pass


WRITER = """
    import asyncio, sys
    from signaling.aio import SqliteStore

    async def main():
        async with SqliteStore.open(sys.argv[1]) as store:
            number = 0
            while True:
                await store.create_channel(f"c{number}")
                print(number, flush=True)
                number += 1

    asyncio.run(main())
"""


def written_until_killed(path: pathlib.Path) -> list[int]:
    """What a process that makes channels had answered when it was killed."""
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=pathlib.Path(__file__).parents[3],
    )
    assert writer.stdout is not None
    answered = [int(writer.stdout.readline()) for _ in range(40)]
    writer.kill()
    answered += [int(line) for line in writer.stdout if line.endswith("\n")]
    writer.stdout.close()
    writer.wait()
    return answered


@pytest.mark.long
async def test_what_was_answered_survives_a_kill(tmp_path: pathlib.Path) -> None:
    answered = written_until_killed(tmp_path / "store")

    async with SqliteStore.open(tmp_path / "store") as store:
        for number in answered:
            assert await store.find_channel(f"c{number}") is not None
        assert await store.create_channel("another")


def test_a_key_does_not_show_its_secret() -> None:
    assert "hush" not in repr(AccessKey("id", "hush"))
