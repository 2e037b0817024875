"""Asking a server for what RFC 5780 has, and where its responses come from and go to.

What may come from another address than was asked is received on plain sockets.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from conformance.building import MessageBuilder
from conformance.checks import mark_attribute
from conformance.client import describe
from conformance.codes import Attr, Class, Method, attribute_name
from conformance.expect import expect_attribute
from conformance.link import DatagramPort
from conformance.outcome import NotOffered, Violated
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from transport import TransportAddress

CHANGE_IP: Final = 4
CHANGE_PORT: Final = 2
FLAGS: Final = {
    0: "no flag",
    CHANGE_IP: "change IP",
    CHANGE_PORT: "change port",
    CHANGE_IP | CHANGE_PORT: "change IP and change port",
}
"""Of CHANGE-REQUEST."""

TRIES: Final = 3
"""Times that a request is sent."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """A response, and the address that it came from."""

    message: ReceivedMessage
    source: TransportAddress


@dataclasses.dataclass(frozen=True, slots=True)
class Addresses:
    """A1:P1, which the target names, and A2:P2."""

    primary: TransportAddress
    alternate: TransportAddress

    @property
    def all(self) -> tuple[TransportAddress, ...]:
        one, other = self.primary, self.alternate
        return (
            one,
            TransportAddress(one.ip, other.port),
            TransportAddress(other.ip, one.port),
            other,
        )

    def changed(self, asked: TransportAddress, flags: int) -> TransportAddress:
        """Where the response to a request at ``asked`` has to leave from (table 1)."""
        ips = {self.primary.ip: self.alternate.ip, self.alternate.ip: self.primary.ip}
        ports = {self.primary.port: self.alternate.port, self.alternate.port: self.primary.port}
        return TransportAddress(
            ips[asked.ip] if flags & CHANGE_IP else asked.ip,
            ports[asked.port] if flags & CHANGE_PORT else asked.port,
        )


async def offers(probe: Probe) -> list[str]:
    """What the server has of RFC 5780, in words."""
    socket, other = await open_socket(probe), await probe.socket()
    server, found = probe.target.address, []
    plain = (await ask(probe, socket, server)).message
    for kind in (Attr.OTHER_ADDRESS, Attr.RESPONSE_ORIGIN):
        if kind in plain.types:
            found.append(f"{attribute_name(kind)} in responses")
    changed = await exchange(probe, socket, server, binding(probe, flags=CHANGE_PORT).build())
    if changed is not None and changed.source != server:
        found.append("CHANGE-REQUEST")
    if await is_reflected(probe, socket, other):
        found.append("RESPONSE-PORT")
    return found


async def is_reflected(probe: Probe, socket: DatagramPort, other: DatagramPort) -> bool:
    """Whether a response to ``socket`` goes to ``other`` where RESPONSE-PORT asks for that."""
    request = to_port(probe, other.local.port).build()
    await exchange(probe, socket, probe.target.address, request)
    return await response_at(probe, other, request, 0) is not None


async def open_socket(probe: Probe) -> DatagramPort:
    probe.needs_udp()
    return await probe.socket()


def binding(probe: Probe, *, flags: int | None = None) -> MessageBuilder:
    builder = MessageBuilder(Method.BINDING, Class.REQUEST, probe.wire.random_bytes(12))
    return builder if flags is None else builder.add(*change(flags))


def to_port(probe: Probe, port: int) -> MessageBuilder:
    return binding(probe).add(Attr.RESPONSE_PORT, port.to_bytes(2, "big") + bytes(2))


def change(flags: int) -> tuple[Attr, bytes]:
    return Attr.CHANGE_REQUEST, flags.to_bytes(4, "big")


async def ask(probe: Probe, socket: DatagramPort, server: TransportAddress) -> Answer:
    """The response to a plain Binding request, from wherever it comes.

    Raises:
        NotOffered: there is none.
    """
    answer = await exchange(probe, socket, server, binding(probe).build())
    if answer is None:
        raise NotOffered(f"a Binding request at {server} is not answered")
    return answer


async def ask_to_change(
    probe: Probe, socket: DatagramPort, server: TransportAddress, flags: int
) -> Answer:
    """The response to a Binding request with CHANGE-REQUEST, from wherever it comes.

    Raises:
        Violated: there is none.
    """
    answer = await exchange(probe, socket, server, binding(probe, flags=flags).build())
    if answer is None:
        raise Violated(f"a Binding request with {FLAGS[flags]} at {server} is not answered")
    return answer


async def exchange(
    probe: Probe, socket: DatagramPort, server: TransportAddress, request: bytes
) -> Answer | None:
    """Send a request up to three times; its response, from wherever it comes."""
    for _ in range(TRIES):
        await socket.send(request, server)
        answer = await response_at(probe, socket, request, probe.target.patience / TRIES)
        if answer is not None:
            return answer
    return None


async def response_at(
    probe: Probe, socket: DatagramPort, request: bytes, seconds: float
) -> Answer | None:
    """What comes in time with the transaction id of the request."""
    deadline = probe.wire.now() + seconds
    while (received := await socket.receive(max(0.0, deadline - probe.wire.now()))) is not None:
        data, source = received
        if len(data) >= 20 and data[8:20] == request[8:20]:
            return Answer(ReceivedMessage.parse(data), source)
    return None


async def addresses_of(probe: Probe, socket: DatagramPort) -> Addresses:
    """The four that the server has.

    Raises:
        NotOffered: it does not say, or its own address is another than is asked.
    """
    server = probe.target.address
    other = (await ask(probe, socket, server)).message.address(Attr.OTHER_ADDRESS)
    if other is None:
        raise NotOffered("a Binding response has no OTHER-ADDRESS")
    if other.is_ipv6 != server.is_ipv6 or other.ip == server.ip or other.port == server.port:
        raise NotOffered(f"OTHER-ADDRESS {other} has not another IP address and another port")
    if other.ip.is_global and not server.ip.is_global:
        raise NotOffered(f"OTHER-ADDRESS {other} is a public address: nothing is sent there")
    return Addresses(server, other)


async def reachable(
    probe: Probe, socket: DatagramPort, addresses: Addresses
) -> list[TransportAddress]:
    """Those of the four that answer; what they send comes through a firewall of this host then.

    Raises:
        NotOffered: not all do, as seen from here, or they see this host as several.
    """
    mapped = set()
    for each in addresses.all:
        answer = await exchange(probe, socket, each, binding(probe).build())
        if answer is None:
            raise NotOffered(f"no answer from {each}, which OTHER-ADDRESS says there is")
        mapped.add(answer.message.xor_address(Attr.XOR_MAPPED_ADDRESS))
    if len(mapped) > 1:
        raise NotOffered("a NAT on the way has another port for each address of the server")
    return list(addresses.all)


def due_where_unknown(kind: int) -> str:
    """What a server that has nothing of RFC 5780 is told."""
    return (
        f"a server that does not know {attribute_name(kind)} has to answer 420, for it is "
        "comprehension-required (RFC 8489 section 14)"
    )


def expect_known(response: ReceivedMessage, kind: int) -> None:
    """Raises:
    NotOffered: the attribute is unknown to the server, as it may be.
    """
    if response.error_code == 420:
        raise NotOffered(f"{attribute_name(kind)} is met with {describe(response)}")


def expect_unknown(response: ReceivedMessage, kind: int) -> None:
    listed = expect_attribute(response, Attr.UNKNOWN_ATTRIBUTES)
    numbers = {int.from_bytes(listed[at : at + 2], "big") for at in range(0, len(listed), 2)}
    if kind not in numbers:
        names = ", ".join(attribute_name(each) for each in sorted(numbers)) or "nothing"
        mark = mark_attribute(response, Attr.UNKNOWN_ATTRIBUTES)
        raise Violated(f"UNKNOWN-ATTRIBUTES lists {names}, not {attribute_name(kind)}", mark)
