"""Whether a server can be reached, and if not, why."""

from __future__ import annotations

import pathlib
import socket
import ssl

import pytest

from hairpin.probing.advice import Cause
from hairpin.probing.reaching import TIMING, Reached, Unreached, reach
from stun import TransactionTiming
from stun.resolution import Target
from tests.closed import both_ports, closed_port
from tests.hairpin.certificates import write_certificate
from transport import TransportAddress, TransportProtocol
from transport.aio import ClientTls
from turn.aio import Endpoint, RelayServer, ServerCertificate

from .servers import (
    LOOPBACK,
    Refusing,
    relay,
    relay_config,
    serving,
    streaming,
    streaming_beside_silence,
)

HASTE = TransactionTiming(rc=1, rm=1, ti=0.5)
"""Where nothing will come."""

HTTP = b"HTTP/1.1 400 Bad Request\r\n\r\n"


def target(
    address: TransportAddress, transport: TransportProtocol = TransportProtocol.UDP
) -> Target:
    return Target(transport, address, "127.0.0.1", "127.0.0.1")


def loopback(port: int) -> TransportAddress:
    return TransportAddress.parse("127.0.0.1", port)


async def why(
    to: Target, tls: ClientTls | None = None, *, timing: TransactionTiming = TIMING
) -> Unreached:
    outcome = await reach(to, tls or ClientTls(), timing=timing)
    assert isinstance(outcome, Unreached)
    return outcome


async def test_a_server_that_answers_says_who_we_are() -> None:
    async with relay() as server:
        outcome = await reach(target(server.addresses[0]), ClientTls())

    assert isinstance(outcome, Reached)
    assert outcome.mapped == outcome.path.local
    assert outcome.round_trip_time is not None


@pytest.mark.parametrize(
    "transport", [TransportProtocol.UDP, TransportProtocol.TCP, TransportProtocol.TLS]
)
async def test_a_closed_port_is_found_out_at_once(transport: TransportProtocol) -> None:
    with closed_port() as nobody:
        outcome = await why(target(nobody, transport))

    assert outcome.cause is Cause.PORT_CLOSED
    assert "refused" in outcome.said.lower()


@pytest.mark.long  # an RTO
async def test_silence_over_udp_of_a_machine_that_is_there_is_a_filter() -> None:
    with both_ports() as (silent, _):
        outcome = await why(target(loopback(silent.getsockname()[1])), timing=HASTE)

    assert outcome.cause is Cause.UDP_BLOCKED
    assert "refuses TCP" in outcome.said


@pytest.mark.long  # an RTO
async def test_silence_over_udp_of_a_server_that_takes_tcp_is_a_filter() -> None:
    with streaming_beside_silence() as address:
        outcome = await why(target(address), timing=HASTE)

    assert outcome.cause is Cause.UDP_BLOCKED
    assert "TCP connects" in outcome.said


async def test_a_refused_binding_has_its_code() -> None:
    async with serving(Refusing(401, binding=403)) as address:
        outcome = await why(target(address))

    assert outcome.cause is Cause.BINDING_REFUSED
    assert outcome.said.startswith("403")


@pytest.mark.parametrize("reply", [HTTP, b""], ids=["http", "nothing"])
async def test_a_stream_of_something_else_is_no_stun(reply: bytes) -> None:
    with streaming(reply) as address:
        outcome = await why(target(address, TransportProtocol.TCP))

    assert outcome.cause is Cause.NOT_STUN


@pytest.mark.long  # a wait for an answer
async def test_a_stream_that_is_silent_is_no_stun() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = TransportAddress.parse(*listener.getsockname())
        outcome = await why(target(address, TransportProtocol.TCP), timing=HASTE)

    assert outcome.cause is Cause.NOT_STUN


@pytest.mark.parametrize("transport", [TransportProtocol.TLS, TransportProtocol.DTLS])
async def test_over_tls_and_dtls_a_certificate_decides(
    transport: TransportProtocol, tmp_path: pathlib.Path
) -> None:
    chain, key = write_certificate(tmp_path)
    certificate = ServerCertificate(str(chain), str(key))
    async with RelayServer.open(
        relay_config(), endpoints=[Endpoint(transport, LOOPBACK)], certificate=certificate
    ) as server:
        address = next(each.address for each in server.endpoints if each.transport is transport)
        trusted = await reach(target(address, transport), ClientTls(ca=str(chain)))
        unknown = await why(target(address, transport))

    assert isinstance(trusted, Reached)
    assert unknown.cause is Cause.CERTIFICATE_WRONG


async def test_an_address_without_a_way_is_said_so() -> None:
    nowhere = TransportAddress.parse("fe80::1%nowhere0", 3478)

    assert (await why(target(nowhere))).cause is Cause.NO_WAY


async def test_a_server_without_tls_is_told_from_one_with_a_wrong_certificate() -> None:
    with streaming(HTTP) as address:
        outcome = await why(target(address, TransportProtocol.TLS))

    assert outcome.cause is Cause.NO_TLS


async def test_a_certificate_that_nobody_has_signed_is_named(tmp_path: pathlib.Path) -> None:
    certificate, key = write_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    with streaming(HTTP, tls=context) as address:
        unknown = await why(target(address, TransportProtocol.TLS))
        named = Target(TransportProtocol.TLS, address, "other.example", "other.example")
        foreign = await why(named, ClientTls(ca=str(certificate)))

    assert unknown.cause is foreign.cause is Cause.CERTIFICATE_WRONG
    assert "self-signed" in unknown.said
    assert "other.example" in foreign.said
