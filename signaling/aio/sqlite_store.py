"""Channels and access keys in a SQLite file, behind one thread of their own."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import pathlib
import queue
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Generic, Self, TypeVar

from signaling.channel import (
    DEFAULT_ACCOUNT,
    DEFAULT_MESSAGE_TTL_SECONDS,
    DEFAULT_REGION,
    Channel,
)
from signaling.control import ChannelNamespace, StoredKey, Tables, add_channel, add_key
from signaling.errors import ErrorName, ServiceError
from signaling.sigv4 import AccessKey

from .sqlite_tables import SqliteTables, StoreError, open_database

logger = logging.getLogger(__name__)

MAX_WAITING = 256
"""Transactions that wait for the thread. More are refused: each waits for the disk, and
a client that retries later is better off than one that waits for its time limit."""

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class _Job(Generic[T]):
    """A transaction, and who waits for it."""

    transaction: Callable[[Tables], T]
    waiter: asyncio.Future[T]

    def run(self, tables: SqliteTables, connection: sqlite3.Connection) -> Callable[[], None]:
        """Do it; what is returned tells the waiter, on the loop."""
        try:
            connection.execute("BEGIN")
            try:
                result = self.transaction(tables)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            failure = StoreError(f"the store failed: {error}")
            failure.__cause__ = error
            return lambda: self._fail(failure)
        except Exception as error:  # the waiter's own, which it gets
            raised = error
            return lambda: self._fail(raised)
        return lambda: self._succeed(result)

    def _succeed(self, result: T) -> None:
        if not self.waiter.done():
            self.waiter.set_result(result)

    def _fail(self, error: Exception) -> None:
        if not self.waiter.done():
            self.waiter.set_exception(error)


class SqliteStore:
    """What a signaling service keeps between its starts.

    ``async with SqliteStore.open(path) as store``; all calls from one event loop.
    Transactions run one after another, and their results come in that order. What was
    answered survives the process being killed.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._tables = SqliteTables(connection)
        self._keys: Mapping[str, AccessKey] = {}
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[Callable[[], Callable[[], None]] | None] = queue.SimpleQueue()
        self._waiting = 0
        self._thread = threading.Thread(target=self._work, name="hairpin-store", daemon=True)
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._is_closing = False

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, path: str | pathlib.Path) -> AsyncIterator[Self]:
        """Open the store at ``path``, or one that forgets at ``:memory:``.

        Raises:
            StoreError: another server uses the file, or it is no store.
        """
        connection = await asyncio.to_thread(open_database, str(path))
        store = cls(connection)
        store._thread.start()
        try:
            await store.run(lambda tables: None)
            yield store
        finally:
            await store._close()

    def access_key(self, key_id: str) -> AccessKey | None:
        """A key that is kept, without waiting for the disk."""
        return self._keys.get(key_id)

    async def run(self, transaction: Callable[[Tables], T]) -> T:
        """Run a function on the tables in a transaction; what it raises undoes it.

        It runs in the store's thread: it must not touch what belongs to the loop.

        Raises:
            ServiceError: too much waits for the store.
            StoreError: the file failed.
        """
        if self._is_closing:
            raise StoreError("the store is closed")
        if self._waiting >= MAX_WAITING:
            raise ServiceError(ErrorName.SERVICE_UNAVAILABLE, "The service is busy; try again.")
        waiter: asyncio.Future[T] = self._loop.create_future()
        job = _Job(transaction, waiter)
        self._waiting += 1
        self._jobs.put(lambda: job.run(self._tables, self._connection))
        return await waiter

    async def create_channel(
        self,
        name: str,
        *,
        region: str = DEFAULT_REGION,
        account: str = DEFAULT_ACCOUNT,
        message_ttl_seconds: int = DEFAULT_MESSAGE_TTL_SECONDS,
    ) -> Channel:
        """Make a channel, for programs that own the store.

        Raises:
            ServiceError: ResourceInUseException, the name is taken.
        """
        space = ChannelNamespace(account, region)
        return await self.run(
            lambda tables: add_channel(
                tables,
                space,
                name,
                message_ttl_seconds=message_ttl_seconds,
                now=time.time(),
                random_bytes=os.urandom,
            )
        )

    async def find_channel(
        self, name: str, *, region: str = DEFAULT_REGION, account: str = DEFAULT_ACCOUNT
    ) -> Channel | None:
        """The channel of a name, if there is one."""
        space = ChannelNamespace(account, region)
        return await self.run(lambda tables: tables.find_channel(space, name))

    async def create_access_key(self) -> AccessKey:
        """Make an access key.

        Raises:
            ServiceError: there are too many.
        """
        stored = await self.run(
            lambda tables: add_key(tables, now=time.time(), random_bytes=os.urandom)
        )
        return stored.key

    async def list_access_keys(self) -> list[StoredKey]:
        """All access keys that are kept, the oldest first."""
        return await self.run(lambda tables: tables.list_keys())

    async def delete_access_key(self, key_id: str) -> bool:
        """Revoke a key; False when there is none of this id."""
        return await self.run(lambda tables: tables.remove_key(key_id))

    async def _close(self) -> None:
        self._is_closing = True
        self._jobs.put(None)
        await self._ended

    def _work(self) -> None:
        """The thread: one job at a time, until None."""
        while (job := self._jobs.get()) is not None:
            tell = job()
            if self._tables.keys_changed:
                self._reload_keys()
            self._loop.call_soon_threadsafe(self._finish, tell)
        self._connection.close()
        self._loop.call_soon_threadsafe(self._ended.set_result, None)

    def _finish(self, tell: Callable[[], None]) -> None:
        self._waiting -= 1
        tell()

    def _reload_keys(self) -> None:
        # Replaced as a whole and before the change is answered: the loop sees either state.
        try:
            keys = {stored.key.id: stored.key for stored in self._tables.list_keys()}
        except sqlite3.Error:
            logger.exception("the access keys cannot be read; those known so far stay")
            return
        self._keys = keys
        self._tables.keys_changed = False
