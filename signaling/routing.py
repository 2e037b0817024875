"""Who is on a signaling channel, and who hears what.

One master, up to ten viewers. A viewer's message reaches the master and nobody
else, whatever recipient it names; the master's reaches the viewer it names.
The newest connection of a role and client id displaces the one before.
"""

from __future__ import annotations

import collections
import dataclasses
import enum

from transport import Event, TokenBucket

from .errors import ErrorName, ServiceError
from .messages import (
    CLIENT_ID,
    Action,
    ClientMessage,
    MessageRefused,
    ServiceEvent,
    StatusResponse,
    decode_client_message,
    encode_event,
)
from .pending import PendingMessages, WaitingMessage

MAX_VIEWERS = 10
"""Viewers of one channel at a time (KVS quota for ConnectAsViewer)."""

DEFAULT_MESSAGE_TTL = 60.0
"""Seconds a message waits for an absent peer (KVS: 5 to 120)."""

DESCRIPTIONS_PER_SECOND = 5.0
CANDIDATES_PER_SECOND = 20.0
"""Per connection (KVS quotas for SendSdpOffer, SendSdpAnswer and SendIceCandidate)."""

BURST_SECONDS = 5.0
"""A browser hands over all its candidates at once: the rates hold over five seconds."""


class Role(enum.Enum):
    """What a connection is on its channel."""

    MASTER = "MASTER"
    VIEWER = "VIEWER"


@dataclasses.dataclass(eq=False, slots=True)
class Connection:
    """One open WebSocket. ``client_id`` is the viewer's; a master has none that counts."""

    role: Role
    client_id: str | None
    descriptions: TokenBucket
    candidates: TokenBucket

    @property
    def key(self) -> str | None:
        """The place it holds on the channel: its client id, None for the master."""
        return self.client_id if self.role is Role.VIEWER else None


@dataclasses.dataclass(frozen=True, slots=True)
class TextReady(Event):
    """Text to send to one connection."""

    connection: Connection
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Displaced(Event):
    """A newer connection took this one's place: close it."""

    connection: Connection
    reason: str


class ChannelRouter:
    """Presence and message routing of one signaling channel, without I/O.

    connect(), receive(), disconnect() --> poll_event(); handle_timeout() lets
    waiting messages expire.
    """

    def __init__(
        self, *, message_ttl: float = DEFAULT_MESSAGE_TTL, max_viewers: int = MAX_VIEWERS
    ) -> None:
        self.message_ttl = message_ttl
        self.max_viewers = max_viewers
        self._present: dict[str | None, Connection] = {}
        self._pending = PendingMessages()
        self._events: collections.deque[Event] = collections.deque()

    @property
    def has_master(self) -> bool:
        return None in self._present

    @property
    def viewers(self) -> tuple[str, ...]:
        """The client ids of the viewers that are connected."""
        return tuple(key for key in self._present if key is not None)

    @property
    def is_idle(self) -> bool:
        """Nobody is here and nothing waits: the router may be forgotten."""
        return not self._present and not len(self._pending)

    def connect(self, role: Role, client_id: str | None, now: float) -> Connection:
        """Give a new connection its place, and what waited for it.

        Raises:
            ServiceError: the viewer's id is missing or malformed, or the channel is full.
        """
        if role is Role.VIEWER:
            self._check_viewer(client_id)
        connection = Connection(
            role,
            client_id if role is Role.VIEWER else None,
            TokenBucket(DESCRIPTIONS_PER_SECOND, DESCRIPTIONS_PER_SECOND * BURST_SECONDS, now),
            TokenBucket(CANDIDATES_PER_SECOND, CANDIDATES_PER_SECOND * BURST_SECONDS, now),
        )
        older = self._present.get(connection.key)
        if older is not None:
            self._events.append(Displaced(older, "a newer connection took its place"))
        self._present[connection.key] = connection
        for waiting in self._pending.take(connection.key, now):
            self._deliver(connection, waiting.sender, waiting.action, waiting.payload)
        return connection

    def disconnect(self, connection: Connection) -> None:
        """Free its place at once. One that was displaced has none any more."""
        if self._present.get(connection.key) is connection:
            del self._present[connection.key]

    def close(self, reason: str) -> None:
        """The channel is gone: everybody leaves, nothing waits any longer."""
        for connection in self._present.values():
            self._events.append(Displaced(connection, reason))
        self._present.clear()
        self._pending = PendingMessages()

    def receive(self, connection: Connection, text: str, now: float) -> None:
        """Pass on what a connection sent, or tell it why not."""
        if self._present.get(connection.key) is not connection:
            return
        correlation_id = None
        try:
            message = decode_client_message(text)
            correlation_id = message.correlation_id
            self._charge(connection, message.action, now)
            self._route(connection, message, now)
        except MessageRefused as refused:
            self._refuse(connection, refused, refused.correlation_id or correlation_id)
        except ServiceError as refused:
            self._refuse(connection, refused, correlation_id)

    def handle_timeout(self, now: float) -> None:
        self._pending.expire(now)

    def next_timeout(self) -> float | None:
        return self._pending.next_expiry()

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def _check_viewer(self, client_id: str | None) -> None:
        if client_id is None or not CLIENT_ID.match(client_id):
            raise ServiceError(
                ErrorName.INVALID_ARGUMENT, "X-Amz-ClientId must match [a-zA-Z0-9_.-]{1,256}"
            )
        if client_id.upper().startswith("AWS_"):
            raise ServiceError(
                ErrorName.INVALID_ARGUMENT, "X-Amz-ClientId must not start with AWS_"
            )
        if client_id not in self._present and len(self.viewers) >= self.max_viewers:
            raise ServiceError(
                ErrorName.CLIENT_LIMIT_EXCEEDED,
                f"the channel has {self.max_viewers} viewers, which is its limit",
            )

    def _charge(self, connection: Connection, action: Action, now: float) -> None:
        is_candidate = action is Action.ICE_CANDIDATE
        bucket = connection.candidates if is_candidate else connection.descriptions
        if not bucket.take(now):
            raise ServiceError(
                ErrorName.CLIENT_LIMIT_EXCEEDED,
                f"more than {bucket.rate:g} {action.value} messages a second",
            )

    def _route(self, connection: Connection, message: ClientMessage, now: float) -> None:
        recipient = self._recipient(connection, message)
        sender = connection.key
        target = self._present.get(recipient)
        if target is not None:
            self._deliver(target, sender, message.action, message.payload)
        else:
            expiry = now + self.message_ttl
            waiting = WaitingMessage(sender, message.action, message.payload, expiry)
            self._pending.add(recipient, waiting)

    def _recipient(self, connection: Connection, message: ClientMessage) -> str | None:
        if connection.role is Role.VIEWER:
            return None
        if message.recipient is None or not CLIENT_ID.match(message.recipient):
            raise ServiceError(
                ErrorName.INVALID_ARGUMENT, "a master must name the viewer in recipientClientId"
            )
        return message.recipient

    def _deliver(
        self, target: Connection, sender: str | None, action: Action, payload: str
    ) -> None:
        text = encode_event(ServiceEvent(action.value, payload, sender))
        self._events.append(TextReady(target, text))

    def _refuse(
        self, connection: Connection, refused: ServiceError, correlation_id: str | None
    ) -> None:
        if correlation_id is None:
            return
        status = StatusResponse(
            correlation_id, refused.name.code, refused.name.status, refused.message
        )
        text = encode_event(ServiceEvent("STATUS_RESPONSE", status=status))
        self._events.append(TextReady(connection, text))
