"""SEC: peers that a relay is not to lead to (RFC 8656 section 21, and known faults).

What is denied is asked for with CreatePermission and ChannelBind, and with data where a
listener can be placed.
"""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address
from typing import Final

from conformance.building import one_byte
from conformance.client import describe, xor
from conformance.codes import FORBIDDEN, Attr, Class, Method
from conformance.denied import (
    NO_ROOM,
    PORT,
    IPNetwork,
    Peer,
    Relays,
    denied_through,
    expect_denied,
    grants,
    in_ipv6,
    relays,
)
from conformance.expect import expect_error
from conformance.link import DatagramPort
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.row import Feature, row
from transport import IPAddress, TransportAddress

LOOPBACK: Final = IPv4Address("127.0.0.1")
NOT_TRIED: Final = (400, FORBIDDEN, 443)
"""Of Connect; 447 would say that it was tried."""

LOCAL: Final = (
    *Peer.of("127.0.0.0/8", "127.0.0.1", "127.0.0.2", "127.255.255.254"),
    *Peer.of("0.0.0.0/8", "0.0.0.0", "0.0.0.1"),
    *Peer.of("::1/128"),
    *Peer.of("::/128"),
)
LINK_LOCAL: Final = (
    *Peer.of("169.254.0.0/16", "169.254.169.254", "169.254.0.1"),
    *Peer.of("fe80::/10", "fe80::1"),
    *Peer.of("fc00::/7", "fc00::1", "fd00:ec2::254"),
    *Peer.of("fec0::/10", "fec0::1"),
)
SPECIAL: Final = tuple(
    peer
    for network in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::1/128",
        "64:ff9b::/96",
        "100::/64",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    )
    for peer in Peer.of(network)
)
TUNNELED: Final = (
    *Peer.of("2002::/16", "2002:808:808::1"),
    *Peer.of("2001::/32", "2001:0:4136:e378:8000:63bf:f7f7:f7f7"),
)
MANY: Final = (
    *Peer.of("224.0.0.0/4", "224.0.0.1", "239.255.255.250"),
    *Peer.of("ff00::/8", "ff02::1", "ff05::2"),
    *Peer.of("255.255.255.255/32"),
)
HIDDEN: Final = (IPv4Address("127.0.0.2"), IPv4Address("10.0.0.1"))
"""What IPv6 spellings are tried of."""

SERVICES: Final = {
    22: "SSH",
    25: "SMTP",
    53: "DNS",
    80: "HTTP",
    123: "NTP",
    443: "HTTPS",
    6379: "Redis",
    11211: "memcached",
}


@row(
    "SEC-01",
    "Peers at this host's own addresses (127.0.0.0/8, 0.0.0.0/8, ::1, ::) are refused.",
    Feature.TURN,
    Feature.PEER,
)
async def the_servers_own_host_is_no_peer(probe: Probe) -> Outcome | None:
    through = await relays(probe)
    outcome = await denied_through(probe, through, LOCAL)
    if outcome is None:
        await _expect_no_connect(probe)
        await _expect_no_data(probe, through)
    return outcome


@row(
    "SEC-02",
    "IPv4 addresses written in IPv6 (mapped, compatible, NAT64, 6to4, Teredo) are held against "
    "the rules for IPv4.",
    Feature.TURN,
    Feature.PEER,
)
async def no_spelling_leads_to_a_denied_address(probe: Probe) -> Outcome | None:
    through = await relays(probe)
    if not through.has(4):
        raise NotOffered("without IPv4 allocations there is no telling what is denied of IPv4")
    denied = [ip for ip in HIDDEN if await grants(through, ip) is None]
    if not denied:
        raise NotOffered(f"the server refuses none of {', '.join(map(str, HIDDEN))} itself")
    networks: dict[IPv4Address, IPNetwork] = {
        ip: ipaddress.ip_network((ip, 8), strict=False) for ip in denied
    }
    peers = [Peer(each, networks[ip]) for ip in denied for each in in_ipv6(ip)]
    return await denied_through(probe, through, peers)


@row(
    "SEC-03",
    "Link-local addresses (169.254.0.0/16 with the metadata services of clouds, fe80::/10) and "
    "those of private IPv6 networks (fc00::/7, fec0::/10) are refused.",
    Feature.TURN,
    Feature.PEER,
)
async def link_local_addresses_are_no_peers(probe: Probe) -> Outcome | None:
    return await expect_denied(probe, LINK_LOCAL)


@row(
    "SEC-04",
    "Special-purpose addresses (RFC 6890: private, shared, documentation, benchmarking, reserved) "
    "are refused unless they are allowed.",
    Feature.TURN,
    Feature.PEER,
)
async def special_purpose_addresses_are_no_peers(probe: Probe) -> Outcome | None:
    return await expect_denied(probe, SPECIAL)


@row(
    "SEC-05",
    "A TURN server MUST NOT accept Teredo or 6to4 addresses in these requests.",
    Feature.TURN,
    Feature.PEER,
    Feature.IPV6_RELAY,
)
async def tunnels_are_no_peers(probe: Probe) -> Outcome | None:
    return await expect_denied(probe, TUNNELED)


@row(
    "SEC-06",
    "Multicast and broadcast addresses (224.0.0.0/4, ff00::/8, 255.255.255.255) are refused.",
    Feature.TURN,
    Feature.PEER,
)
async def many_hosts_are_no_peer(probe: Probe) -> Outcome | None:
    return await expect_denied(probe, MANY)


@row(
    "SEC-08",
    "The server MAY impose restrictions on the IP address and port values allowed in the "
    "XOR-PEER-ADDRESS attribute; if a value is not allowed, the server rejects the request with a "
    "403 (Forbidden) error (RFC 8656 section 12.2).",
    Feature.TURN,
    Feature.PEER,
    Feature.CHANNELS,
)
async def which_ports_of_peers_are_denied(probe: Probe) -> Outcome:
    allocation = (await relays(probe)).toward(probe.peer_ip)
    denied = []
    for number, (port, name) in enumerate(SERVICES.items(), start=0x4000):
        response = await allocation.bind(number, TransportAddress(probe.peer_ip, port))
        if response.error_code in NO_ROOM:
            raise NotOffered(f"ChannelBind is met with {describe(response)}")
        if response.message_class is not Class.SUCCESS:
            expect_error(response, FORBIDDEN, to=f"ChannelBind to port {port}, if not allowed,")
            denied.append(f"{port} ({name})")
    return seen(f"refused ports: {', '.join(denied)}" if denied else "no port is refused")


async def _expect_no_connect(probe: Probe) -> None:
    """The same for TCP to the peer, where there is that (RFC 6062)."""
    if {Feature.TCP_RELAY, Feature.STREAM} & set(probe.survey.missing):
        return
    client = await probe.client(transport=probe.target.stream)
    transport = (Attr.REQUESTED_TRANSPORT, one_byte(6))
    _, allocation = await probe.try_to_allocate(transport, client=client)
    if allocation is None:
        return
    for peer in LOCAL:
        if peer.ip.version == 6 or peer.ip == probe.peer_ip:
            continue
        address = TransportAddress(peer.ip, PORT)
        response = await client.authenticated(Method.CONNECT, xor(Attr.XOR_PEER_ADDRESS, address))
        if response.error_code not in NOT_TRIED:
            detail = f"Connect to {address} is met with {describe(response)}"
            raise Violated(detail, Mark(response.data, 0, len(response.data)))


async def _expect_no_data(probe: Probe, through: Relays) -> None:
    """Nothing of a Send indication comes to a listener on this host's loopback address.

    That shows something where the server is on this host, too.
    """
    listener = await _listener(probe, LOOPBACK)
    if listener is None or probe.peer_ip == LOOPBACK:
        return
    await through.toward(LOOPBACK).send(listener.local, b"to loopback")
    if (received := await listener.receive(probe.target.silence)) is not None:
        data, source = received
        raise Violated(f"data comes to {LOOPBACK} from {source}", Mark(data, 0, len(data)))
    await probe.is_alive()


async def _listener(probe: Probe, ip: IPAddress) -> DatagramPort | None:
    try:
        return await probe.socket(ip)
    except OSError:
        return None
