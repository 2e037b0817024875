"""What a right server answers: scripts are this, but for the one thing that they try."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable
from typing import Final

from conformance.building import (
    MessageBuilder,
    address,
    u32,
    xor_address,
)
from conformance.client import Attribute, xor
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import IPAddress, Path, RandomBytes, TransportAddress

from .heard import Heard, channel_of, message_of
from .integrity import Integrity
from .settings import Settings

DEFAULT_LIFETIME: Final = 600
NONCE_PREFIX: Final = b"hairpin-"
"""Of every nonce that has no other: a client that has one has logged in here before."""

FIRST_RELAYED_PORT: Final = 50_000
IPV6_RELAYED: Final = ipaddress.IPv6Address("2001:db8::50")
IPV6_FAMILY: Final = 2
ERROR_PHRASES: Final = {401: b"Unauthenticated", 438: b"Stale Nonce"}


@dataclasses.dataclass(slots=True)
class Relayed:
    """An allocation of the client's."""

    addresses: tuple[TransportAddress, ...]
    permitted: set[IPAddress] = dataclasses.field(default_factory=set)
    channels: dict[int, TransportAddress] = dataclasses.field(default_factory=dict)


class RightServer:
    """Answers as the RFCs have it. Scripts change its knobs before it answers, or its answers.

    ``algorithms`` is the value of PASSWORD-ALGORITHMS, if there is to be one; ``echoes`` has
    peers send back what they get.
    """

    def __init__(self, settings: Settings, random_bytes: RandomBytes) -> None:
        self.nonce = NONCE_PREFIX + random_bytes(8).hex().encode()
        self.realm = settings.realm
        self.integrity = Integrity(settings)
        self.algorithms: bytes | None = None
        self.lifetime = DEFAULT_LIFETIME
        self.echoes = True
        self.has_ipv6 = True
        self.is_mobile = False
        self.tickets: dict[Path, bytes] = {}
        """The newest one of each mobile allocation (RFC 8016)."""
        self.allocations: dict[Path, Relayed] = {}
        self.data_paths: set[Path] = set()
        """Connections that are a peer's by now (RFC 6062)."""
        self._random_bytes = random_bytes
        self._next_port = FIRST_RELAYED_PORT

    def renew_nonce(self, prefix: bytes = NONCE_PREFIX) -> None:
        """From now on the nonce of before is stale."""
        self.nonce = prefix + self._random_bytes(8).hex().encode()

    # Answers

    def answers(self, heard: Heard) -> list[bytes]:
        """To anything that a client sends."""
        if heard.channel is not None:
            return self._echo_of_channel(heard)
        message = heard.message
        if message is None:
            return []
        if message.message_class is Class.INDICATION:
            return self._echo_of_indication(heard)
        if message.message_class is not Class.REQUEST:
            return []
        return [self.answer(heard)]

    def answer(self, heard: Heard) -> bytes:
        """To a request."""
        refused = self.refusal(heard)
        if refused is not None:
            return refused
        method = heard.method
        if method in (Method.BINDING, Method.ALLOCATE):
            return self.success(heard)
        if method == Method.REFRESH and heard.path not in self.allocations and self._moved(heard):
            return self.success(heard)
        if method != Method.CONNECTION_BIND and heard.path not in self.allocations:
            return self.error(heard, 437)
        return self.success(heard)

    def refusal(self, heard: Heard) -> bytes | None:
        """What it gets that does not prove who sends it, or None."""
        if heard.method == Method.BINDING and not heard.is_signed:
            return None
        if not heard.is_signed:
            return self.challenge(heard)
        message = message_of(heard)
        if Attr.REALM in message.types and message.get(Attr.NONCE) != self.nonce:
            return self.challenge(heard, code=438)
        return None if self.integrity.is_authentic(heard) else self.challenge(heard)

    def challenge(self, heard: Heard, *attributes: Attribute, code: int = 401) -> bytes:
        """401 or 438, with what it takes to come back."""
        reply = self.bare(heard, Class.ERROR)
        reply.add(Attr.ERROR_CODE, error_code(code) + ERROR_PHRASES.get(code, b""))
        reply.add(Attr.REALM, self.realm.encode())
        reply.add(Attr.NONCE, self.nonce)
        if self.algorithms is not None:
            reply.add(Attr.PASSWORD_ALGORITHMS, self.algorithms)
        return add_all(reply, attributes).build()

    def error(self, heard: Heard, code: int, *attributes: Attribute) -> bytes:
        """An error response, signed as the request is."""
        return self.integrity.sign(self.unsigned_error(heard, code, *attributes), heard).build()

    def unsigned_error(self, heard: Heard, code: int, *attributes: Attribute) -> MessageBuilder:
        reply = self.bare(heard, Class.ERROR).add(Attr.ERROR_CODE, error_code(code) + b"Because")
        return add_all(reply, attributes)

    def success(self, heard: Heard, *attributes: Attribute) -> bytes:
        """A success response with all that belongs there and ``attributes``, signed as the
        request is; what was asked for holds from now on."""
        return self.integrity.sign(self.unsigned_success(heard, *attributes), heard).build()

    def unsigned_success(self, heard: Heard, *attributes: Attribute) -> MessageBuilder:
        reply = self.bare(heard, Class.SUCCESS)
        match heard.method:
            case Method.BINDING:
                self._add_mapped(reply, heard)
            case Method.ALLOCATE:
                self._allocate(reply, heard)
            case Method.REFRESH:
                self._refresh(reply, heard)
            case Method.CREATE_PERMISSION:
                self._permit(heard)
            case Method.CHANNEL_BIND:
                self._bind(heard)
            case Method.CONNECT:
                reply.add(Attr.CONNECTION_ID, self._random_bytes(4))
            case Method.CONNECTION_BIND:
                self.data_paths.add(heard.path)
            case _:
                pass
        return add_all(reply, attributes)

    def data(self, peer: TransportAddress, data: bytes) -> bytes:
        """A Data indication."""
        attributes: tuple[Attribute, ...] = (xor(Attr.XOR_PEER_ADDRESS, peer), (Attr.DATA, data))
        return self.indication(Method.DATA, *attributes).build()

    def indication(self, method: int, *attributes: Attribute) -> MessageBuilder:
        """An indication with these attributes."""
        return add_all(MessageBuilder(method, Class.INDICATION, self._random_bytes(12)), attributes)

    # What holds

    def bare(self, heard: Heard, message_class: Class) -> MessageBuilder:
        """A response with nothing in it."""
        message = message_of(heard)
        return MessageBuilder(message.method, message_class, message.transaction_id)

    def _add_mapped(self, reply: MessageBuilder, heard: Heard) -> None:
        value = xor_address(heard.path.remote, reply.transaction_id)
        reply.add(Attr.XOR_MAPPED_ADDRESS, value)

    def _allocate(self, reply: MessageBuilder, heard: Heard) -> None:
        message = message_of(heard)
        known = self.allocations.get(heard.path)
        if known is None:
            known = self.allocations[heard.path] = Relayed(self._relayed(heard.path, message))
        for each in known.addresses:
            reply.add(Attr.XOR_RELAYED_ADDRESS, xor_address(each, reply.transaction_id))
        reply.add(Attr.LIFETIME, u32(self.lifetime))
        self._add_mapped(reply, heard)
        if message.get(Attr.EVEN_PORT) == b"\x80":
            reply.add(Attr.RESERVATION_TOKEN, self._random_bytes(8))
        self._add_ticket(reply, heard)

    def _relayed(self, path: Path, message: ReceivedMessage) -> tuple[TransportAddress, ...]:
        self._next_port += 2
        port = self._next_port
        ipv4 = TransportAddress(
            ipaddress.ip_address("192.0.2.50") if path.local.is_ipv6 else path.local.ip, port
        )
        ipv6 = TransportAddress(IPV6_RELAYED, port)
        if Attr.ADDITIONAL_ADDRESS_FAMILY in message.types:
            return (ipv4, ipv6) if self.has_ipv6 else (ipv4,)
        family = message.get(Attr.REQUESTED_ADDRESS_FAMILY)
        return (ipv6,) if family is not None and family[:1] == b"\x02" else (ipv4,)

    def _add_ticket(self, reply: MessageBuilder, heard: Heard) -> None:
        if Attr.MOBILITY_TICKET in message_of(heard).types and self.is_mobile:
            ticket = self.tickets[heard.path] = self._random_bytes(16)
            reply.add(Attr.MOBILITY_TICKET, ticket)

    def _moved(self, heard: Heard) -> bool:
        """Whether it is a Refresh with our ticket: the allocation goes with it (RFC 8016)."""
        ticket = message_of(heard).get(Attr.MOBILITY_TICKET)
        old = next((path for path, known in self.tickets.items() if known == ticket), None)
        if old is None or old not in self.allocations:
            return False
        self.allocations[heard.path] = self.allocations.pop(old)
        del self.tickets[old]
        return True

    def _refresh(self, reply: MessageBuilder, heard: Heard) -> None:
        message = message_of(heard)
        if heard.lifetime != 0:
            reply.add(Attr.LIFETIME, u32(self.lifetime))
            self._add_ticket(reply, heard)
            return
        reply.add(Attr.LIFETIME, u32(0))
        known = self.allocations.get(heard.path)
        family = message.get(Attr.REQUESTED_ADDRESS_FAMILY)
        if known is not None and family is not None and len(known.addresses) > 1:
            wanted = family[:1] == bytes([IPV6_FAMILY])
            known.addresses = tuple(each for each in known.addresses if each.is_ipv6 != wanted)
        else:
            self.allocations.pop(heard.path, None)

    def _permit(self, heard: Heard) -> None:
        known = self.allocations.get(heard.path)
        if known is not None:
            known.permitted.update(peer.ip for peer in heard.peers)

    def _bind(self, heard: Heard) -> None:
        self._permit(heard)
        known, number = self.allocations.get(heard.path), channel_of(heard)
        if known is not None and heard.peers and number is not None:
            known.channels[number] = heard.peers[0]

    def _echo_of_channel(self, heard: Heard) -> list[bytes]:
        known = self.allocations.get(heard.path)
        if not self.echoes or known is None or heard.channel is None:
            return []
        return [heard.data] if heard.channel.number in known.channels else []

    def _echo_of_indication(self, heard: Heard) -> list[bytes]:
        known, message = self.allocations.get(heard.path), message_of(heard)
        data = message.get(Attr.DATA)
        if not self.echoes or known is None or data is None or message.method != Method.SEND:
            return []
        return [self.data(peer, data) for peer in heard.peers[:1] if peer.ip in known.permitted]


def error_code(code: int) -> bytes:
    """The fixed part of ERROR-CODE (RFC 8489 section 14.8)."""
    return bytes([0, 0, code // 100, code % 100])


def add_all(builder: MessageBuilder, attributes: Iterable[Attribute]) -> MessageBuilder:
    """Add attributes, some of which depend on the transaction id."""
    for kind, value in attributes:
        builder.add(kind, value if isinstance(value, bytes) else value(builder.transaction_id))
    return builder


def alternate(server: TransportAddress) -> Attribute:
    """ALTERNATE-SERVER."""
    return Attr.ALTERNATE_SERVER, address(server)
