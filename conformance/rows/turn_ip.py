"""TURN-IP: what the IP header of relayed datagrams says (RFC 8656 sections 14 and 15)."""

from __future__ import annotations

from typing import Final

from conformance.allocation import Allocation
from conformance.codes import Method
from conformance.expect import need_success
from conformance.link import DatagramPort
from conformance.outcome import NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.relayed import Relayed, expect_arrival, pattern
from conformance.relaying import Pair, permitted_pair
from conformance.row import Feature, row
from conformance.wire import MarkedLink

from .stuns_tcp import stream_client

EXPEDITED: Final = 46 << 2
"""A DSCP (RFC 3246) in the TOS byte."""

ECN: Final = 3
ECN_NAMES: Final = ("Not-ECT", "ECT(1)", "ECT(0)", "CE")
EXPERIENCED: Final = 3
TRIES: Final = 3

LARGE: Final = 8000
"""Bytes that fit into no packet of an Ethernet."""

UNKNOWN_OPTIONAL: Final = 0xC0FE


@row(
    "TURN-IP-01",
    "DSCP: Set the outgoing value to the incoming value. Alternate: Set the outgoing value to a "
    "fixed value, which by default is Best Effort unless configured otherwise.",
    Feature.TURN,
    Feature.PEER,
)
async def what_becomes_of_the_dscp(probe: Probe) -> Outcome:
    marked = await _marked(probe)
    to_peer = {tos >> 2: (await marked.to_peer(tos)) >> 2 for tos in (0, EXPEDITED)}
    to_client = {tos >> 2: (await marked.to_client(tos)) >> 2 for tos in (0, EXPEDITED)}
    return seen(f"DSCP {_pairs(to_peer)} to the peer, {_pairs(to_client)} to the client")


@row(
    "TURN-IP-02",
    "ECN: Set the outgoing value to the incoming value. Alternate: Set the outgoing value to "
    "Not-ECT (=0b00).",
    Feature.TURN,
    Feature.PEER,
)
async def ecn_is_copied_or_not_used(probe: Probe) -> None:
    marked = await _marked(probe)
    for sent in range(4):
        for way, carry in (("peer", marked.to_peer), ("client", marked.to_client)):
            found = await carry(sent) & ECN
            may_be_marked = sent in (1, 2) and found == EXPERIENCED
            if found not in (0, sent) and not may_be_marked:
                raise Violated(
                    f"{ECN_NAMES[sent]} comes to the {way} as {ECN_NAMES[found]}, neither copied "
                    "nor Not-ECT"
                )


@row(
    "TURN-IP-03",
    "TCP-to-UDP: No mechanism is defined to indicate what ECN value should be used for the "
    "outgoing UDP datagrams of an allocation; therefore, set the outgoing value to Not-ECT.",
    Feature.TURN,
    Feature.PEER,
    Feature.STREAM,
)
async def what_comes_by_tcp_goes_on_without_ecn(probe: Probe) -> None:
    peer, link = await probe.marked_peer()
    pair = Pair(probe, await probe.allocate(client=await stream_client(probe)), peer)
    await pair.permit()
    if await pair.send(b"over TCP") is None:
        raise NotOffered("data from a client over TCP does not come to the peer")
    found = _tos(link) & ECN
    if found:
        raise Violated(f"what a client sends over TCP comes to the peer as {ECN_NAMES[found]}")


@row(
    "TURN-IP-05",
    "The resulting packet may be too large for the outgoing link. If this is the case, then the "
    "normal fragmentation rules apply.",
    Feature.TURN,
    Feature.PEER,
)
async def large_datagrams_are_fragmented(probe: Probe) -> Outcome | None:
    pair = await permitted_pair(probe)
    await pair.need_both_ways(when="with a permission")
    client, filler = pair.allocation.client, (UNKNOWN_OPTIONAL, bytes(LARGE))
    # What shows that fragments come to the server at all.
    request = client.message(Method.BINDING, filler).build()
    if await client.ask(request) is None:
        raise NotOffered(f"a Binding request of {len(request)} bytes is not answered")
    data = pattern(LARGE)
    found = await pair.send(data)
    if found is None and await pair.back(data) is None:
        raise NotOffered(f"{LARGE} bytes pass neither way: there may be no room, or no fragments")
    expect_arrival(found, data, of="a Send indication")
    relayed = pair.allocation.relayed.ip
    if probe.peer_ip.is_loopback or probe.peer_ip == relayed:
        return seen(f"{LARGE} bytes come out; between {relayed} and {probe.peer_ip} all fits")
    return None


class _Marked:
    """A client and a peer that choose and see TOS bytes."""

    def __init__(
        self, allocation: Allocation, client: MarkedLink, peer: DatagramPort, link: MarkedLink
    ) -> None:
        self._allocation = allocation
        self._client = client
        self._peer = peer
        self._link = link

    async def to_peer(self, tos: int) -> int:
        """The TOS byte that a datagram arrives with which is sent with this one.

        Raises:
            NotOffered: none arrives.
        """
        self._client.tos = tos
        for _ in range(TRIES):
            await self._allocation.send(self._peer.local, bytes([tos]))
            received = await self._peer.receive(1.0)
            if received is not None and received[0] == bytes([tos]):
                return _tos(self._link)
        raise NotOffered(f"no data comes to the peer that is sent with TOS 0x{tos:02x}")

    async def to_client(self, tos: int) -> int:
        """The same the other way.

        Raises:
            NotOffered: none arrives.
        """
        self._link.tos = tos
        for _ in range(TRIES):
            await self._peer.send(bytes([tos]), self._allocation.relayed)
            message = await self._allocation.client.next_message(1.0)
            relayed = None if message is None else Relayed.read(message)
            # What was sent before may come twice, or late.
            if relayed is not None and relayed.data == bytes([tos]):
                return _tos(self._client)
        raise NotOffered(f"no data comes to the client that is sent with TOS 0x{tos:02x}")


async def _marked(probe: Probe) -> _Marked:
    client, client_link = await probe.marked_client()
    peer, peer_link = await probe.marked_peer()
    allocation = await probe.allocate(client=client)
    await need_success(allocation.permit(peer.local), "CreatePermission")
    return _Marked(allocation, client_link, peer, peer_link)


def _tos(link: MarkedLink) -> int:
    """Raises:
    NotOffered: this host does not tell.
    """
    tos = link.last_tos
    if tos is None:
        raise NotOffered("this host does not tell what the IP header of a datagram says")
    return tos


def _pairs(found: dict[int, int]) -> str:
    return ", ".join(f"{sent} as {came}" for sent, came in found.items())
