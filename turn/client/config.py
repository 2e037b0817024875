"""What a client may be told, and what a process's clients learn of servers."""

from __future__ import annotations

import collections
import dataclasses
from typing import Final

from stun import (
    AddressFamily,
    ErrorCode,
    ErrorNumber,
    Message,
    MessageClass,
    Method,
    Nonce,
    Realm,
    RtoCache,
    encode_message,
)
from transport import TransportAddress

from .limits import MAX_SERVERS

_NO_TRANSACTION: Final = bytes(12)


@dataclasses.dataclass(frozen=True, slots=True)
class ClientConfig:
    """How a client asks for its allocation.

    ``family`` is that of the relayed transport address; None leaves it to the server,
    for which RFC 8656 section 7.2 says IPv4. ``lifetime`` is in seconds; None leaves it
    to the server too. ``software`` goes into Allocate and Refresh requests (section 5).
    ``server_name`` is the name that a TLS certificate must have.
    """

    family: AddressFamily | None = None
    lifetime: int | None = None
    software: str | None = "hairpin"
    server_name: str | None = None

    def __post_init__(self) -> None:
        if self.lifetime is not None and not 0 < self.lifetime <= 0xFFFFFFFF:
            raise ValueError(f"a lifetime to ask for is at least 1 second, not {self.lifetime}")


class ServerMemory:
    """Realm, nonce and round-trip time of each server, shared by a process's clients.

    With a nonce at hand a client's first Allocate is authenticated, which saves a
    round trip (RFC 8489 section 9.2.3.2); one that has gone stale costs none.
    """

    __slots__ = ("_challenges", "rto")

    def __init__(self) -> None:
        self.rto = RtoCache()
        self._challenges: collections.OrderedDict[TransportAddress, Message] = (
            collections.OrderedDict()
        )

    def preset(self, server: TransportAddress, *, realm: str, nonce: str) -> None:
        """Know realm and nonce beforehand, as from a former run.

        Raises:
            ValueError: one of them is too long.
        """
        attributes = (ErrorCode.of(ErrorNumber.UNAUTHENTICATED), Realm(realm), Nonce(nonce))
        challenge = encode_message(Method.ALLOCATE, MessageClass.ERROR, _NO_TRANSACTION, attributes)
        self.learn(server, Message.decode(challenge))

    def learn(self, server: TransportAddress, challenge: Message) -> None:
        """Remember the newest 401 or 438 of a server."""
        self._challenges[server] = challenge
        self._challenges.move_to_end(server)
        if len(self._challenges) > MAX_SERVERS:
            self._challenges.popitem(last=False)

    def recall(self, server: TransportAddress) -> Message | None:
        """The newest challenge of a server, or None."""
        return self._challenges.get(server)

    def forget(self, server: TransportAddress) -> None:
        """The server did not take what we remembered; it need not be there."""
        self._challenges.pop(server, None)
