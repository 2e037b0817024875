"""NAT behaviour discovery, the server's side (RFC 5780 sections 6 and 7).

A server with two IP addresses and two ports has four sockets, and answers from the one that
the client asks for. All that reflects or amplifies is limited by source network: an answer
to another port, from another address, or with PADDING.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final

from stun.attributes import (
    KNOWN_TYPES,
    AnyAttribute,
    ChangeRequest,
    ErrorCode,
    ErrorNumber,
    MappedAddress,
    OtherAddress,
    Padding,
    ResponseOrigin,
    ResponsePort,
    UnknownAttributes,
    XorMappedAddress,
)
from stun.encoding import encode_message
from stun.message import Message
from stun.types import MessageClass, Method
from transport import (
    DecodeError,
    Event,
    IPAddress,
    Path,
    Transmit,
    TransportAddress,
    TransportProtocol,
)

from .binding import MAX_UNKNOWN_TYPES, mapped_address
from .source_limiter import SourceLimiter

PADDING_BYTES: Final = 1500
"""Of a response: the MTU of an Ethernet, which is a multiple of four (section 6.1)."""

_NOT_OVER_STREAMS: Final = frozenset((ChangeRequest.TYPE, Padding.TYPE, ResponsePort.TYPE))
"""Where the server cannot choose where a response leaves from and goes to (section 3)."""


@dataclasses.dataclass(frozen=True, slots=True)
class AlternatePair:
    """The two addresses that make four: A1:P1 and A2:P2, with A1:P2 and A2:P1 (section 6).

    Raises:
        ValueError: they have an IP address or a port in common, or are of two families.
    """

    primary: TransportAddress
    alternate: TransportAddress

    def __post_init__(self) -> None:
        if self.primary.is_ipv6 != self.alternate.is_ipv6:
            raise ValueError(f"{self.primary} and {self.alternate} are of different families")
        if self.primary.ip == self.alternate.ip or self.primary.port == self.alternate.port:
            raise ValueError(
                f"an alternate address has another IP address and another port than {self.primary}"
            )

    @property
    def addresses(self) -> tuple[TransportAddress, ...]:
        """Where the server listens, the primary one first."""
        one, other = self.primary, self.alternate
        return (
            one,
            TransportAddress(one.ip, other.port),
            TransportAddress(other.ip, one.port),
            other,
        )

    def origin(self, local: TransportAddress, change: ChangeRequest) -> TransportAddress:
        """Where a response leaves from whose request came to ``local`` (table 1)."""
        other = self.other(local)
        return TransportAddress(
            other.ip if change.change_ip else local.ip,
            other.port if change.change_port else local.port,
        )

    def other(self, local: TransportAddress) -> TransportAddress:
        """Ca:Cp: that with the other IP address and the other port."""
        return TransportAddress(
            self.alternate.ip if local.ip == self.primary.ip else self.primary.ip,
            self.alternate.port if local.port == self.primary.port else self.primary.port,
        )


class BehaviorServer:
    """A machine that answers Binding requests as RFC 5780 wants it.

    Without ``pair`` it has one address: RESPONSE-PORT and PADDING are obeyed, CHANGE-REQUEST
    is unknown. So it is for requests that come to an address outside the pair, and over
    other transports than UDP. ``advertised`` says which address clients see in place of one
    of ours, where a NAT stands in front of the server.
    """

    __slots__ = ("_advertised", "_limiter", "_own", "_pair", "_transmits", "dropped")

    def __init__(
        self,
        pair: AlternatePair | None = None,
        *,
        advertised: Mapping[IPAddress, IPAddress] | None = None,
    ) -> None:
        self._pair = pair
        self._own = frozenset(() if pair is None else pair.addresses)
        self._advertised = advertised or {}
        self._limiter = SourceLimiter()
        self._transmits: collections.deque[Transmit] = collections.deque()
        self.dropped = 0
        """Messages that were no Binding request, malformed, or one too many."""

    def respond(self, request: Message, path: Path, now: float) -> Transmit | None:
        """The answer to a Binding request; None if its network has had enough of them."""
        pair = self._pair_at(path)
        unknown = request.unknown_comprehension_required(_understood(path, pair))
        if unknown:
            listed = UnknownAttributes(unknown[:MAX_UNKNOWN_TYPES])
            return _refuse(request, path, ErrorNumber.UNKNOWN_ATTRIBUTE, listed)
        try:
            wish = _Wish.read(request)
        except DecodeError:
            return _refuse(request, path, ErrorNumber.BAD_REQUEST)
        if wish.needs_limit and not self._limiter.allows(path.remote.ip, now):
            return None
        origin = path.local if pair is None else pair.origin(path.local, wish.change)
        attributes: list[AnyAttribute] = [
            MappedAddress(mapped_address(path)),
            XorMappedAddress(mapped_address(path)),
        ]
        if not origin.ip.is_unspecified:
            attributes.append(ResponseOrigin(self._seen(origin)))
        if pair is not None:
            attributes.append(OtherAddress(self._seen(pair.other(path.local))))
        if wish.padding:
            attributes.append(Padding(bytes(PADDING_BYTES)))
        data = _encode(request, MessageClass.SUCCESS, attributes)
        port = path.remote.port if wish.port is None else wish.port
        remote = TransportAddress(path.remote.ip, port)
        return Transmit(Path(path.transport, origin, remote), (data,))

    def receive(self, data: bytes, path: Path, now: float) -> None:
        try:
            message = Message.decode(data)
        except DecodeError:
            self.dropped += 1
            return
        is_request = message.message_class is MessageClass.REQUEST
        answer: Transmit | None = None
        if is_request and message.method == Method.BINDING and message.fingerprint_ok is not False:
            answer = self.respond(message, path, now)
        if answer is None:
            self.dropped += 1
        else:
            self._transmits.append(answer)

    def handle_timeout(self, now: float) -> None:
        """Nothing is ever due."""

    def next_timeout(self) -> float | None:
        return None

    def poll_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def poll_event(self) -> Event | None:
        return None

    def _pair_at(self, path: Path) -> AlternatePair | None:
        is_ours = path.transport is TransportProtocol.UDP and path.local in self._own
        return self._pair if is_ours else None

    def _seen(self, address: TransportAddress) -> TransportAddress:
        return TransportAddress(self._advertised.get(address.ip, address.ip), address.port)


@dataclasses.dataclass(frozen=True, slots=True)
class _Wish:
    """What a request asks for beyond its answer."""

    change: ChangeRequest
    port: int | None
    padding: bool

    @classmethod
    def read(cls, request: Message) -> _Wish:
        """
        Raises:
            DecodeError: an attribute is malformed, or two exclude each other: PADDING
                amplifies what RESPONSE-PORT reflects (section 7.5).
        """
        asked = request.get(ResponsePort)
        padding = request.has(Padding)
        if asked is not None and (padding or asked.port == 0):
            raise DecodeError("RESPONSE-PORT", "with PADDING, or port 0")
        change = request.get(ChangeRequest) or ChangeRequest()
        return cls(change, None if asked is None else asked.port, padding)

    @property
    def needs_limit(self) -> bool:
        """Whether the answer may reach who has not asked, or is far longer than the request."""
        change = self.change
        return change.change_ip or change.change_port or self.port is not None or self.padding


def _understood(path: Path, pair: AlternatePair | None) -> frozenset[int]:
    if path.transport is not TransportProtocol.UDP:
        return KNOWN_TYPES - _NOT_OVER_STREAMS
    return KNOWN_TYPES - {ChangeRequest.TYPE} if pair is None else KNOWN_TYPES


def _refuse(
    request: Message, path: Path, error: ErrorNumber, *attributes: AnyAttribute
) -> Transmit:
    answer = _encode(request, MessageClass.ERROR, (ErrorCode(error), *attributes))
    return Transmit(path, (answer,))


def _encode(
    request: Message, message_class: MessageClass, attributes: Sequence[AnyAttribute]
) -> bytes:
    return encode_message(
        Method.BINDING,
        message_class,
        request.transaction_id,
        attributes,
        fingerprint=request.fingerprint_ok is not None,
    )
