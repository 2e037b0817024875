"""DTLS under the TURN server, on a clock that jumps."""

from __future__ import annotations

import os

import pytest

from stun import Message, MessageClass, Method, XorMappedAddress, encode_message
from tests.transport.dtls.issued import ANCHORS, IDENTITY, NAME
from transport import Event, Path, TransportAddress, TransportProtocol
from transport.dtls import (
    DtlsClient,
    DtlsClients,
    DtlsClosed,
    DtlsDataReceived,
    DtlsEstablished,
    DtlsTrust,
)
from turn.aio import UserSpacePlane
from turn.aio.machine import RelayMachine
from turn.aio.secured import SecuredClients
from turn.server import TurnServer
from turn.server.limits import STREAM_GRACE

from .over import config

SERVER = TransportAddress.parse("192.0.2.2", 5349)
CLIENT = TransportAddress.parse("192.0.2.1", 1000)
UDP = TransportProtocol.UDP
AT_SERVER, AT_CLIENT = Path(UDP, SERVER, CLIENT), Path(UDP, CLIENT, SERVER)
BINDING = encode_message(Method.BINDING, MessageClass.REQUEST, bytes(12), ())


class World:
    """A relay with one client over DTLS."""

    def __init__(self) -> None:
        server = TurnServer(config(SERVER), random_bytes=os.urandom)
        self.relay = RelayMachine(
            server,
            UserSpacePlane(),
            udp={SERVER},
            dtls={SERVER},
            secured=SecuredClients(server, IDENTITY, random_bytes=os.urandom),
        )
        self.client: DtlsClient = DtlsClients(DtlsTrust(ANCHORS)).associate(AT_CLIENT, NAME)
        self.client.start(0.0)
        self.deliver(0.0)

    def deliver(self, now: float) -> list[Event]:
        """Pass datagrams to and fro; what the client has to report."""
        events: list[Event] = []
        busy = True
        while busy:
            busy = False
            while (transmit := self.client.poll_transmit()) is not None:
                busy = True
                for segment in transmit.segments:
                    self.relay.receive(segment, AT_SERVER, now)
            # As a driver does: what is to be sent, then one event.
            while (transmit := self.relay.poll_transmit()) is not None or self.relay.poll_event():
                busy = True
                for segment in transmit.segments if transmit else ():
                    self.client.receive(segment, AT_CLIENT, now)
            while (event := self.client.poll_event()) is not None:
                events.append(event)
        self.events = events
        return events


@pytest.mark.requirement("stun-turn:STUNS-TCP-10")
async def test_a_client_is_answered_over_dtls_and_in_plain_at_one_address() -> None:
    world = World()
    established = world.events
    world.client.send(BINDING)
    (over_dtls,) = world.deliver(1.0)
    world.relay.receive(BINDING, AT_SERVER, 1.0)
    in_plain = world.relay.poll_transmit()

    assert established == [DtlsEstablished(None)]
    assert isinstance(over_dtls, DtlsDataReceived)
    assert in_plain is not None
    for answer in (over_dtls.data, in_plain.segments[0]):
        mapped = Message.decode(answer).get(XorMappedAddress)
        assert mapped is not None
        assert mapped.address == CLIENT


@pytest.mark.requirement("stun-turn:STUNS-BASE-12")
async def test_over_dtls_a_request_without_a_cookie_gets_500_and_an_indication_nothing() -> None:
    world = World()
    world.client.send(BINDING[:4] + bytes(16))
    world.client.send(b"\0\x11" + BINDING[2:4] + bytes(16))

    (refusal,) = world.deliver(1.0)

    assert isinstance(refusal, DtlsDataReceived)
    assert refusal.data[:2] == b"\x01\x11"
    assert refusal.data[20:28] == bytes.fromhex("0009 0010 00000500")


async def test_an_association_that_is_used_for_nothing_is_closed() -> None:
    world = World()
    assert world.relay.next_timeout() == STREAM_GRACE
    world.relay.handle_timeout(STREAM_GRACE - 0.1)
    assert world.deliver(STREAM_GRACE - 0.1) == []

    world.relay.handle_timeout(STREAM_GRACE)

    assert world.deliver(STREAM_GRACE) == [DtlsClosed()]
    assert world.relay.next_timeout() is None


async def test_closing_says_goodbye() -> None:
    world = World()

    world.relay.close(1.0)

    assert world.deliver(1.0) == [DtlsClosed()]
