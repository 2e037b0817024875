"""TURN-TCP: TCP allocations (RFC 6062 section 5.1)."""

from __future__ import annotations

from typing import Final

from conformance.allocation import UDP
from conformance.building import one_byte
from conformance.codes import FORBIDDEN, Attr, attribute_name
from conformance.expect import expect_attribute, expect_no_attribute
from conformance.outcome import NotOffered
from conformance.probe import Probe
from conformance.row import Feature, row

from .needs import expect_granted, expect_refusal
from .stuns_dtls import dtls_client
from .stuns_tcp import stream_client
from .tcp_needs import TCP, allocate_tcp

UNSUPPORTED_PROTOCOLS: Final = (132, 1, 255, 0)
OF_UDP_ALONE: Final = (
    (Attr.DONT_FRAGMENT, b"", Feature.DONT_FRAGMENT),
    (Attr.EVEN_PORT, b"\x00", Feature.EVEN_PORT),
    (Attr.RESERVATION_TOKEN, b"reserved", Feature.EVEN_PORT),
)


@row(
    "TURN-TCP-01",
    "If the client connection transport is not TCP or TLS, the server MUST reject the request "
    "with a 400 (Bad Request) error.",
    Feature.TCP_RELAY,
)
async def tcp_is_not_allocated_over_udp(probe: Probe) -> None:
    probe.needs_udp()
    response, _ = await probe.try_to_allocate(TCP)
    await expect_refusal(probe, response, 400, to="Allocate for TCP over UDP")


@row(
    "TURN-TCP-02",
    "The fact that DTLS uses UDP implies that TCP allocations MUST NOT be obtained using a DTLS "
    "association between client and server (RFC 7350 section 4.6); if the client connection "
    "transport is not TCP or TLS, the server MUST reject the request with a 400 (Bad Request) "
    "error (RFC 6062 section 5.1).",
    Feature.TURN,
)
async def tcp_is_not_allocated_over_dtls(probe: Probe) -> None:
    response, allocation = await probe.try_to_allocate(TCP, client=await dtls_client(probe))
    if allocation is None and Feature.TCP_RELAY in probe.survey.missing:
        reason = probe.survey.missing[Feature.TCP_RELAY]
        raise NotOffered(f"not offered: {Feature.TCP_RELAY.value}; {reason}")
    await expect_refusal(probe, response, 400, to="Allocate for TCP over DTLS")


@row(
    "TURN-TCP-03",
    "A TCP relayed transport address MUST be allocated; the server MUST start accepting incoming "
    "TCP connections on it.",
    Feature.TCP_RELAY,
)
async def a_tcp_relayed_address_listens(probe: Probe) -> None:
    client = await stream_client(probe)
    response, allocation = await probe.try_to_allocate(TCP, client=client)
    expect_granted(response, to="Allocate for TCP over a stream")
    expect_attribute(response, Attr.XOR_RELAYED_ADDRESS)
    assert allocation is not None
    await probe.connecting_peer(allocation.relayed)


@row(
    "TURN-TCP-04",
    "If the request contains the DONT-FRAGMENT, EVEN-PORT, or RESERVATION-TOKEN attribute, the "
    "server MUST reject it with a 400 (Bad Request) error. RESERVATION-TOKEN MUST NOT be present "
    "in the success response.",
    Feature.TCP_RELAY,
)
async def what_is_of_udp_alone_is_refused(probe: Probe) -> None:
    allocation = await allocate_tcp(probe)
    expect_no_attribute(allocation.response, Attr.RESERVATION_TOKEN)
    for kind, value, feature in OF_UDP_ALONE:
        client, name = await stream_client(probe), attribute_name(kind)
        response, _ = await probe.try_to_allocate(TCP, (kind, value), client=client)
        # Who does not know the attribute at all says so first.
        codes = (400, 420) if feature in probe.survey.missing else (400,)
        await expect_refusal(probe, response, *codes, to=f"Allocate for TCP with {name}")


@row(
    "TURN-TCP-05",
    "If REQUESTED-TRANSPORT specifies a protocol other than UDP or TCP, the server MUST reject "
    "the request with a 442 (Unsupported Transport Protocol) error; if UDP is forbidden by local "
    "policy, with a 403 (Forbidden) error.",
    Feature.TCP_RELAY,
)
async def other_protocols_are_refused(probe: Probe) -> None:
    for protocol in UNSUPPORTED_PROTOCOLS:
        transport = (Attr.REQUESTED_TRANSPORT, one_byte(protocol))
        response, _ = await probe.try_to_allocate(transport, client=await stream_client(probe))
        await expect_refusal(probe, response, 442, to=f"the protocol {protocol}")
    response, allocation = await probe.try_to_allocate(UDP, client=await stream_client(probe))
    if allocation is None:
        await expect_refusal(probe, response, FORBIDDEN, to="UDP, if it is not allowed,")
