"""Peers that a relay must not reach, and whether it does (RFC 8656 sections 10.2 and 21)."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from transport import IPAddress, TransportAddress

from .building import one_byte
from .client import describe
from .codes import Attr, Class
from .expect import need_success
from .outcome import Mark, NotOffered, Outcome, Unanswered, Violated, seen
from .probe import UDP, Allocation, Probe
from .reading import ReceivedMessage
from .row import Feature

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

PORT: Final = 9
"""Of a peer that is not to be reached: discard."""

FIRST_CHANNEL: Final = 0x4000
NO_ROOM: Final = frozenset({486, 508})
"""What says nothing about the peer."""

TEREDO: Final = ipaddress.IPv6Network("2001::/32")
TEREDO_SERVER: Final = IPv4Address("65.54.227.120")


@dataclasses.dataclass(frozen=True, slots=True)
class Peer:
    """An address to be denied, and the network that it stands for."""

    ip: IPAddress
    network: IPNetwork

    @classmethod
    def of(cls, network: str, *ips: str) -> list[Peer]:
        """These addresses of a network; by default one near each of its ends."""
        parsed = ipaddress.ip_network(network)
        near_ends = (parsed[0], parsed[-1]) if parsed.num_addresses < 4 else (parsed[1], parsed[-2])
        chosen = [ipaddress.ip_address(each) for each in ips] or list(dict.fromkeys(near_ends))
        return [cls(each, parsed) for each in chosen]


@dataclasses.dataclass(slots=True)
class Relays:
    """Allocations to try peers with: of IPv4, and of IPv6 where there are such."""

    ipv4: Allocation
    ipv6: Allocation | None
    next_channel: int = FIRST_CHANNEL

    def toward(self, ip: IPAddress) -> Allocation:
        return self.ipv6 if self.ipv6 is not None and ip.version == 6 else self.ipv4


async def relays(probe: Probe) -> Relays:
    """Raises:
    NotOffered: no permission is to be had at all.
    """
    found = Relays(await probe.allocate(), None)
    if Feature.IPV6_RELAY not in probe.survey.missing:
        family = (Attr.REQUESTED_ADDRESS_FAMILY, one_byte(2))
        _, found.ipv6 = await probe.try_to_allocate(UDP, family)
    # What refuses everybody shows nothing.
    control = found.toward(probe.peer_ip).permit(TransportAddress(probe.peer_ip, PORT))
    await need_success(control, f"a permission for {probe.peer_ip}")
    return found


async def expect_denied(probe: Probe, peers: Iterable[Peer]) -> Outcome | None:
    """That neither CreatePermission nor ChannelBind leads to these peers.

    A network that the peer of the harness is in may be allowed on purpose: what is granted in
    it is told, not judged.

    Raises:
        Violated: one of the others is granted.
        NotOffered: the server has no room for permissions.
    """
    through = await relays(probe)
    return await denied_through(probe, through, peers)


async def denied_through(probe: Probe, through: Relays, peers: Iterable[Peer]) -> Outcome | None:
    """The same with allocations that are there."""
    granted: list[Peer] = []
    allowed: list[Peer] = []
    answer: ReceivedMessage | None = None
    for peer in peers:
        if peer.ip in (probe.peer_ip, through.toward(peer.ip).relayed.ip):
            continue
        response = await grants(through, peer.ip)
        if response is None:
            continue
        if probe.peer_ip in peer.network:
            allowed.append(peer)
        else:
            granted.append(peer)
            answer = answer or response
    if answer is not None:
        raise Violated(f"peers that are granted: {_names(granted)}", Mark(answer.data, 0, 2))
    if not allowed:
        return None
    networks = ", ".join(str(each) for each in dict.fromkeys(peer.network for peer in allowed))
    return seen(
        f"{_names(allowed)} granted, and not judged: the peer address {probe.peer_ip} is in "
        f"{networks}, too"
    )


async def grants(through: Relays, ip: IPAddress) -> ReceivedMessage | None:
    """The success of a CreatePermission or ChannelBind for a peer; None if neither has any.

    Raises:
        NotOffered: the server has no room for permissions.
    """
    allocation, peer = through.toward(ip), TransportAddress(ip, PORT)
    number = through.next_channel
    through.next_channel += 1
    for ask in (allocation.permit, functools.partial(allocation.bind, number)):
        try:
            response = await ask(peer)
        except Unanswered:
            continue  # silence does not let it through, either
        if response.message_class is Class.SUCCESS:
            return response
        if response.error_code in NO_ROOM:
            raise NotOffered(f"a permission is met with {describe(response)}")
    return None


def in_ipv6(ip: IPv4Address) -> Sequence[IPv6Address]:
    """The ways in which IPv6 writes an IPv4 address: mapped, compatible, NAT64, 6to4, Teredo."""
    number = int(ip)
    teredo = int(TEREDO.network_address) | int(TEREDO_SERVER) << 64 | number ^ 0xFFFFFFFF
    return (
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(number),
        IPv6Address(int(IPv6Address("64:ff9b::")) | number),
        IPv6Address(0x2002 << 112 | number << 80 | 1),
        IPv6Address(teredo),
    )


def _names(peers: Iterable[Peer]) -> str:
    return ", ".join(str(peer.ip) for peer in peers)
