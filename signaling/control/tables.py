"""What the control plane keeps, and the interface through which it does.

Operations run inside one transaction of whatever implements ``Tables``: SQLite in
``signaling.aio``, dictionaries here for programs that keep nothing.
"""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Mapping
from typing import Protocol

from signaling.channel import Channel
from signaling.sigv4 import AccessKey

MAX_ACCESS_KEYS = 1000
"""Keys are held in memory, so that no request waits for the disk to be verified."""


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelNamespace:
    """Channel names are unique within an account and region."""

    account: str
    region: str


@dataclasses.dataclass(frozen=True, slots=True)
class StoredKey:
    """An access key with the time of its making, Unix seconds."""

    key: AccessKey
    created: float


class Tables(Protocol):
    """Channels and access keys, as one operation sees them."""

    def find_channel(self, space: ChannelNamespace, name: str) -> Channel | None: ...

    def put_channel(self, channel: Channel) -> None:
        """Insert a channel, or replace the one of its name."""

    def remove_channel(self, channel: Channel) -> None: ...

    def count_channels(self, space: ChannelNamespace) -> int: ...

    def list_channels(
        self, space: ChannelNamespace, *, prefix: str, after: str, limit: int
    ) -> list[Channel]:
        """The first ``limit`` by name that begin with ``prefix`` and come after ``after``."""

    def next_creation_ms(self, now_ms: int) -> int:
        """``now_ms``, or later if a channel was ever made then: an ARN is never used twice."""

    def token_key(self) -> bytes:
        """A key that only this store has, to recognise its pagination tokens by."""

    def list_keys(self) -> list[StoredKey]:
        """All access keys, the oldest first."""

    def put_key(self, stored: StoredKey) -> None: ...

    def remove_key(self, key_id: str) -> bool:
        """Whether there was such a key."""


class MemoryTables:
    """Tables in memory, for tests and for services that end with their process."""

    def __init__(self, token_key: bytes) -> None:
        self._channels: dict[ChannelNamespace, dict[str, Channel]] = {}
        self._names: dict[ChannelNamespace, list[str]] = {}
        self._keys: dict[str, StoredKey] = {}
        self._last_creation_ms = 0
        self._token_key = token_key

    @property
    def keys(self) -> Mapping[str, StoredKey]:
        return self._keys

    def find_channel(self, space: ChannelNamespace, name: str) -> Channel | None:
        return self._channels.get(space, {}).get(name)

    def put_channel(self, channel: Channel) -> None:
        space = ChannelNamespace(channel.arn.account, channel.arn.region)
        channels = self._channels.setdefault(space, {})
        if channel.name not in channels:
            bisect.insort(self._names.setdefault(space, []), channel.name)
        channels[channel.name] = channel

    def remove_channel(self, channel: Channel) -> None:
        space = ChannelNamespace(channel.arn.account, channel.arn.region)
        if self._channels.get(space, {}).pop(channel.name, None) is not None:
            self._names[space].remove(channel.name)

    def count_channels(self, space: ChannelNamespace) -> int:
        return len(self._channels.get(space, {}))

    def list_channels(
        self, space: ChannelNamespace, *, prefix: str, after: str, limit: int
    ) -> list[Channel]:
        found: list[Channel] = []
        names = self._names.get(space, [])
        start = max(bisect.bisect_left(names, prefix), bisect.bisect_right(names, after))
        for name in names[start:]:
            if not name.startswith(prefix) or len(found) == limit:
                break
            found.append(self._channels[space][name])
        return found

    def next_creation_ms(self, now_ms: int) -> int:
        self._last_creation_ms = max(now_ms, self._last_creation_ms + 1)
        return self._last_creation_ms

    def token_key(self) -> bytes:
        return self._token_key

    def list_keys(self) -> list[StoredKey]:
        return sorted(self._keys.values(), key=lambda stored: (stored.created, stored.key.id))

    def put_key(self, stored: StoredKey) -> None:
        self._keys[stored.key.id] = stored

    def remove_key(self, key_id: str) -> bool:
        return self._keys.pop(key_id, None) is not None
