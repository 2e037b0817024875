"""What a client may be told, and what a process's clients learn of servers."""

from __future__ import annotations

import collections
import dataclasses
import enum
from typing import Final

from stun import (
    AddressFamily,
    ErrorCode,
    ErrorNumber,
    IpProtocol,
    Message,
    MessageClass,
    Method,
    Nonce,
    Realm,
    RtoCache,
    encode_message,
)
from transport import TransportAddress

from .events import AllocationFailed
from .limits import MAX_SERVERS

_NO_TRANSACTION: Final = bytes(12)


RESERVATION_TOKEN_BYTES: Final = 8


@dataclasses.dataclass(frozen=True, slots=True)
class RefusedFamily:
    """An address family that a server has refused with ``code`` in ADDRESS-ERROR-CODE.

    It is not asked for again before ``until``, or ever (RFC 8656 section 7.3).
    """

    family: AddressFamily
    code: int
    until: float | None


class PortWish(enum.Enum):
    """Which port the relayed transport address is to have (EVEN-PORT)."""

    ANY = "any"
    EVEN = "even"
    EVEN_PAIR = "even-pair"
    """An even one, and the next is held for another allocation, whose client asks for it
    with ``Allocated.reservation_token``."""


@dataclasses.dataclass(frozen=True, slots=True)
class ClientConfig:
    """How a client asks for its allocation.

    ``family`` is that of the relayed transport address; None leaves it to the server,
    for which RFC 8656 section 7.2 says IPv4. With ``dual`` an IPv4 and an IPv6 one are
    asked for. ``port`` is a wish, and ``reservation_token`` stands for an address that a
    server has held since such a wish. With ``dont_fragment`` the server is asked whether it
    can keep datagrams from being cut, which ``send_unfragmented`` needs.
    ``protocol`` is spoken between the server and peers: with TCP it is a TCP allocation (RFC
    6062), for clients over TCP and TLS.
    ``lifetime`` is in seconds; None leaves it to the server too. ``software`` goes into
    Allocate and Refresh requests (section 5). ``server_name`` is the name that a TLS
    certificate must have. With ``mobility`` the client asks for what it takes to keep the
    allocation at another address (RFC 8016); with ``third_party_auth`` it asks for an
    access token where the server takes them (RFC 7635), and whoever drives it has to answer
    TokenRequested.
    """

    family: AddressFamily | None = None
    lifetime: int | None = None
    software: str | None = "hairpin"
    server_name: str | None = None
    mobility: bool = False
    third_party_auth: bool = False
    dual: bool = False
    port: PortWish = PortWish.ANY
    reservation_token: bytes | None = None
    dont_fragment: bool = False
    protocol: IpProtocol = IpProtocol.UDP

    def __post_init__(self) -> None:
        self._check_combination()
        if self.lifetime is not None and not 0 < self.lifetime <= 0xFFFFFFFF:
            raise ValueError(f"a lifetime to ask for is at least 1 second, not {self.lifetime}")

    def _check_combination(self) -> None:
        """Refuse what must not be in one request (section 7.1, RFC 6062 section 4.1)."""
        has_wish = self.dont_fragment or self.port is not PortWish.ANY
        if self.protocol is IpProtocol.TCP and (has_wish or self.reservation_token is not None):
            raise ValueError("even and reserved ports and whole datagrams are of UDP alone")
        if self.dual and self.family is not None:
            raise ValueError("a dual allocation has both families: none can be asked for")
        if self.dual and self.port is PortWish.EVEN_PAIR:
            raise ValueError("a dual allocation cannot have the next port held")
        if self.reservation_token is None:
            return
        if len(self.reservation_token) != RESERVATION_TOKEN_BYTES:
            raise ValueError(f"a reservation token has {RESERVATION_TOKEN_BYTES} bytes")
        if self.dual or self.family is not None or self.port is not PortWish.ANY:
            raise ValueError("a reservation token stands for an address: no other can be wished")


class ServerMemory:
    """What a process's clients know of servers: realm, nonce, round-trip time, and who
    has refused for a time.

    Also the address families that a server has refused beside another one. With a nonce
    at hand a client's first Allocate is authenticated, which saves a
    round trip (RFC 8489 section 9.2.3.2); one that has gone stale costs none.
    """

    __slots__ = ("_barred", "_challenges", "_immobile", "_refused", "rto")

    def __init__(self) -> None:
        self.rto = RtoCache()
        self._immobile: collections.OrderedDict[TransportAddress, None] = collections.OrderedDict()
        self._challenges: collections.OrderedDict[TransportAddress, Message] = (
            collections.OrderedDict()
        )
        self._barred: collections.OrderedDict[TransportAddress, tuple[float, AllocationFailed]] = (
            collections.OrderedDict()
        )
        self._refused: collections.OrderedDict[
            TransportAddress, dict[AddressFamily, RefusedFamily]
        ] = collections.OrderedDict()

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

    def note_immobile(self, server: TransportAddress) -> None:
        """The server forbids mobility (405): do not ask it again (RFC 8016 section 3.1.4)."""
        self._immobile[server] = None
        self._immobile.move_to_end(server)
        if len(self._immobile) > MAX_SERVERS:
            self._immobile.popitem(last=False)

    def is_immobile(self, server: TransportAddress) -> bool:
        """Whether it has said so."""
        return server in self._immobile

    def recall(self, server: TransportAddress) -> Message | None:
        """The newest challenge of a server, or None."""
        return self._challenges.get(server)

    def refuse(self, server: TransportAddress, refused: RefusedFamily) -> None:
        """Remember that a server has no address of a family for us."""
        self._refused.setdefault(server, {})[refused.family] = refused
        self._refused.move_to_end(server)
        if len(self._refused) > MAX_SERVERS:
            self._refused.popitem(last=False)

    def refused(self, server: TransportAddress, now: float) -> dict[AddressFamily, RefusedFamily]:
        """What need not be asked for there now."""
        families = self._refused.get(server, {}).values()
        return {each.family: each for each in families if each.until is None or now < each.until}

    def forget(self, server: TransportAddress) -> None:
        """The server did not take what we remembered; it need not be there."""
        self._challenges.pop(server, None)

    def bar(self, server: TransportAddress, failure: AllocationFailed, now: float) -> None:
        """Leave a server alone for ``failure.retry_after`` seconds (RFC 5928 section 3)."""
        self._barred[server] = (now + (failure.retry_after or 0.0), failure)
        self._barred.move_to_end(server)
        if len(self._barred) > MAX_SERVERS:
            self._barred.popitem(last=False)

    def barred(self, server: TransportAddress, now: float) -> AllocationFailed | None:
        """What a server has answered that is not to be asked yet."""
        until, failure = self._barred.get(server, (now, None))
        return failure if now < until else None
