"""The tables of the control plane in one SQLite file."""

from __future__ import annotations

import os
import pathlib
import sqlite3

import msgspec

from signaling.channel import Channel, ChannelArn
from signaling.control import ChannelNamespace, StoredKey
from signaling.errors import SignalingError
from signaling.sigv4 import AccessKey

SCHEMA_VERSION = 1
APPLICATION_ID = 0x48_50_49_4E
"""Of a store among all SQLite files: "HPIN" in ASCII."""

_SCHEMA = """
CREATE TABLE channels (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    partition TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    version TEXT NOT NULL,
    message_ttl_seconds INTEGER NOT NULL,
    tags TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
) WITHOUT ROWID;
CREATE TABLE access_keys (
    id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    created REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE state (
    last_creation_ms INTEGER NOT NULL,
    token_key BLOB NOT NULL
);
"""

_COLUMNS = "account, region, name, partition, created_ms, version, message_ttl_seconds, tags"
_AFTER_ALL_NAMES = "\x7f"
"""Sorts behind every character that a channel name may have."""


class StoreError(SignalingError):
    """The store's file cannot be used; the message says why."""


def open_database(path: str) -> sqlite3.Connection:
    """Open a store's file, made if it does not exist, for this process alone.

    It is readable by its owner only: secrets are in it. ``:memory:`` keeps nothing.

    Raises:
        StoreError: another process has it, it is no store, or of a later hairpin.
    """
    try:
        if path != ":memory:":
            _make_private(path)
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot open {path}: {error}") from error
    try:
        # Held until the connection is closed, or the process is killed.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection, path)
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise StoreError(f"{path} is in use by another server") from error
        raise StoreError(f"cannot use {path}: {error}") from error
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"{path} is not a store of hairpin: {error}") from error
    except StoreError:
        connection.close()
        raise
    return connection


def _make_private(path: str) -> None:
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (version or tables):
        raise StoreError(f"{path} is not a store of hairpin")
    if version > SCHEMA_VERSION:
        raise StoreError(f"{path} was written by a later version of hairpin")
    if version == 0:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for statement in _SCHEMA.split(";\n"):
            connection.execute(statement)
        connection.execute("INSERT INTO state VALUES (0, ?)", (os.urandom(32),))
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


class SqliteTables:
    """Tables on a connection, used from one thread inside a transaction of its owner.

    ``keys_changed`` is set by whatever changes the access keys.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.keys_changed = True

    def find_channel(self, space: ChannelNamespace, name: str) -> Channel | None:
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM channels WHERE account = ? AND region = ? AND name = ?",
            (space.account, space.region, name),
        ).fetchone()
        return None if row is None else _channel(row)

    def put_channel(self, channel: Channel) -> None:
        arn = channel.arn
        self._connection.execute(
            f"INSERT OR REPLACE INTO channels ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                arn.account,
                arn.region,
                arn.name,
                arn.partition,
                arn.created_ms,
                channel.version,
                channel.message_ttl_seconds,
                msgspec.json.encode(channel.tags).decode(),
            ),
        )

    def remove_channel(self, channel: Channel) -> None:
        arn = channel.arn
        self._connection.execute(
            "DELETE FROM channels WHERE account = ? AND region = ? AND name = ?",
            (arn.account, arn.region, arn.name),
        )

    def count_channels(self, space: ChannelNamespace) -> int:
        (count,) = self._connection.execute(
            "SELECT count(*) FROM channels WHERE account = ? AND region = ?",
            (space.account, space.region),
        ).fetchone()
        return int(count)

    def list_channels(
        self, space: ChannelNamespace, *, prefix: str, after: str, limit: int
    ) -> list[Channel]:
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM channels WHERE account = ? AND region = ?"
            " AND name >= ? AND name < ? AND name > ? ORDER BY name LIMIT ?",
            (space.account, space.region, prefix, prefix + _AFTER_ALL_NAMES, after, limit),
        )
        return [_channel(row) for row in rows]

    def next_creation_ms(self, now_ms: int) -> int:
        (given,) = self._connection.execute(
            "UPDATE state SET last_creation_ms = max(last_creation_ms + 1, ?)"
            " RETURNING last_creation_ms",
            (now_ms,),
        ).fetchone()
        return int(given)

    def token_key(self) -> bytes:
        (key,) = self._connection.execute("SELECT token_key FROM state").fetchone()
        return bytes(key)

    def list_keys(self) -> list[StoredKey]:
        rows = self._connection.execute(
            "SELECT id, secret, created FROM access_keys ORDER BY created, id"
        )
        return [StoredKey(AccessKey(id, secret), created) for id, secret, created in rows]

    def put_key(self, stored: StoredKey) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO access_keys (id, secret, created) VALUES (?, ?, ?)",
            (stored.key.id, stored.key.secret, stored.created),
        )
        self.keys_changed = True

    def remove_key(self, key_id: str) -> bool:
        self.keys_changed = True
        removed = self._connection.execute("DELETE FROM access_keys WHERE id = ?", (key_id,))
        return removed.rowcount > 0


def _channel(row: tuple[str, str, str, str, int, str, int, str]) -> Channel:
    account, region, name, partition, created_ms, version, ttl, tags = row
    return Channel(
        ChannelArn(name, created_ms, region, account, partition),
        version,
        ttl,
        msgspec.json.decode(tags, type=tuple[tuple[str, str], ...]),
    )
