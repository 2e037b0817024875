"""Peers that a relay must not reach, and whether it does (RFC 8656 sections 10.2 and 21)."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import itertools
from collections.abc import Awaitable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from transport import IPAddress, TransportAddress

from .allocation import UDP, Allocation
from .building import one_byte
from .client import Attribute, Client, describe
from .codes import Attr, Class
from .expect import need_success
from .outcome import Mark, NotOffered, Outcome, OutOfReach, Unanswered, Violated, seen
from .probe import Probe
from .reading import ReceivedMessage
from .row import Feature

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

PORT: Final = 9
"""Of a peer that is not to be reached: discard."""

FIRST_CHANNEL: Final = 0x4000
LAST_CHANNEL: Final = 0x4FFF
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


class Relays:
    """Allocations to try peers with: of IPv4, and of IPv6 where there are such.

    A server may let an allocation have few permissions: then there is another one.
    """

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._found: dict[int, Allocation] = {}
        self._channels = itertools.cycle(range(FIRST_CHANNEL, LAST_CHANNEL + 1))

    async def open(self) -> None:
        """Raises:
        NotOffered: there is none of the peers' family.
        """
        for version in (4, 6):
            if version == 6 and Feature.IPV6_RELAY in self._probe.survey.missing:
                continue
            response, allocation = await self._allocate(version)
            if allocation is not None:
                self._found[version] = allocation
            elif version == self._probe.peer_ip.version:
                raise NotOffered(f"Allocate is met with {describe(response)}")

    def has(self, version: int) -> bool:
        """Whether there is one of that family."""
        return version in self._found

    def toward(self, ip: IPAddress) -> Allocation:
        """That of the same family; else the other one, which is to refuse it."""
        return self._found.get(ip.version) or next(iter(self._found.values()))

    async def renew(self, ip: IPAddress) -> None:
        """Another one for the same family.

        Raises:
            NotOffered: there is none.
        """
        old = self.toward(ip)
        version = old.relayed.ip.version
        await self._probe.give_back(old)
        response, allocation = await self._allocate(version)
        if allocation is None:
            raise NotOffered(f"another Allocate is met with {describe(response)}")
        self._found[version] = allocation

    def next_channel(self) -> int:
        return next(self._channels)

    async def _allocate(self, version: int) -> tuple[ReceivedMessage, Allocation | None]:
        """IPv4 is what a server gives who asks for nothing, if it has that."""
        wanted = (Attr.REQUESTED_ADDRESS_FAMILY, one_byte({4: 1, 6: 2}[version]))
        if version == 4:
            client = await self._probe.client()
            client.family = None
            response, allocation = await self._try(client)
            if allocation is not None and allocation.relayed.ip.version == 4:
                return response, allocation
            if allocation is not None:
                await self._probe.give_back(allocation)
        return await self._try(await self._probe.client(), wanted)

    async def _try(
        self, client: Client, *attributes: Attribute
    ) -> tuple[ReceivedMessage, Allocation | None]:
        try:
            return await self._probe.try_to_allocate(UDP, *attributes, client=client)
        except Unanswered as error:
            raise OutOfReach(error.detail) from error


async def relays(probe: Probe) -> Relays:
    """Raises:
    NotOffered: no permission is to be had at all.
    """
    found = Relays(probe)
    await found.open()
    # What refuses everybody shows nothing.
    await need_success(_control(probe, found), f"a permission for {probe.peer_ip}")
    return found


def _control(probe: Probe, through: Relays) -> Awaitable[ReceivedMessage]:
    """A permission for a peer that is to have one."""
    return through.toward(probe.peer_ip).permit(TransportAddress(probe.peer_ip, PORT))


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
        if _may_be_meant(probe, peer):
            allowed.append(peer)
        else:
            granted.append(peer)
            answer = answer or response
    if answer is not None:
        raise Violated(f"peers that are granted: {_names(granted)}", Mark(answer.data, 0, 2))
    try:
        await _control(probe, through)
    except Unanswered as error:  # then silence was no refusal
        raise OutOfReach(error.detail) from error
    if not allowed:
        return None
    networks = dict.fromkeys(each.network for each in allowed if probe.peer_ip in each.network)
    where = ", ".join(str(each) for each in networks) or "the loopback network"
    return seen(
        f"{_names(allowed)} granted, and not judged: the peer address {probe.peer_ip} is in "
        f"{where}, too"
    )


def _may_be_meant(probe: Probe, peer: Peer) -> bool:
    """Who lets clients to the harness on ::1 may have let them to all of loopback."""
    is_loopback = probe.peer_ip.is_loopback and peer.ip.is_loopback
    return is_loopback or probe.peer_ip in peer.network


async def grants(through: Relays, ip: IPAddress) -> ReceivedMessage | None:
    """The success of a CreatePermission or ChannelBind for a peer; None if neither has any.

    Raises:
        NotOffered: the server has no room for permissions.
    """
    for response in await _asked(through, ip):
        if response.error_code in NO_ROOM:
            await through.renew(ip)
            return await _granted_by_new(through, ip)
        if response.message_class is Class.SUCCESS:
            return response
    return None


async def _granted_by_new(through: Relays, ip: IPAddress) -> ReceivedMessage | None:
    for response in await _asked(through, ip):
        if response.error_code in NO_ROOM:
            raise NotOffered(f"a permission is met with {describe(response)}")
        if response.message_class is Class.SUCCESS:
            return response
    return None


async def _asked(through: Relays, ip: IPAddress) -> Sequence[ReceivedMessage]:
    """The answers to CreatePermission and ChannelBind, up to one that decides."""
    allocation, peer = through.toward(ip), TransportAddress(ip, PORT)
    number, answers = through.next_channel(), []
    for ask in (allocation.permit, functools.partial(allocation.bind, number)):
        try:
            answers.append(await ask(peer))
        except Unanswered:
            continue  # silence does not let it through, either
        if answers[-1].message_class is Class.SUCCESS or answers[-1].error_code in NO_ROOM:
            break
    return answers


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
