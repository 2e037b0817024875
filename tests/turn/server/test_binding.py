"""Binding requests to a relay, with the extensions that its operator enables."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_address

import pytest

from stun import (
    ChangeRequest,
    ErrorCode,
    MappedAddress,
    Message,
    MessageClass,
    Method,
    OtherAddress,
    ResponseOrigin,
    ResponsePort,
    XorMappedAddress,
    encode_message,
)
from stun.server.source_limiter import UNPROVEN_BURST
from transport import Path, TransportAddress, TransportProtocol
from turn.server import DropReason, ServerConfig

from .harness import CLIENT, LISTENING, Relay, config

ALTERNATE = TransportAddress.parse("5.5.5.9", 3479)
ID = bytes(range(12))
PATH = Path(TransportProtocol.UDP, LISTENING, CLIENT)
CLASSIC = b"\0\1\0\0" + bytes(range(16))
BINDING = encode_message(Method.BINDING, MessageClass.REQUEST, ID, ())


def discovering(alternate: TransportAddress | None = ALTERNATE) -> ServerConfig:
    return dataclasses.replace(config(), nat_discovery=True, alternate_address=alternate)


@pytest.mark.requirement("stun-turn:NATB-11", "stun-turn:SEC-10")
def test_nat_discovery_is_off_by_default() -> None:
    relay = Relay()
    change = encode_message(Method.BINDING, MessageClass.REQUEST, ID, (ChangeRequest(),))

    (refused,) = relay.receive(change, PATH)
    (plain,) = relay.receive(BINDING, PATH)

    assert Message.decode(refused.segments[0]).get(ErrorCode) == ErrorCode(420)
    numbers = [number for number, _ in Message.decode(plain.segments[0]).raw_attributes()]
    assert numbers == [XorMappedAddress.TYPE]


@pytest.mark.requirement("stun-turn:STUNS-BASE-13")
def test_classic_clients_are_not_answered_by_default() -> None:
    relay = Relay()

    assert relay.receive(CLASSIC, PATH) == []
    assert relay.server.stats().drops[DropReason.NOT_TURN] == 1


@pytest.mark.requirement("stun-turn:STUNS-BASE-13", "stun-turn:STUNS-BASE-14")
def test_classic_clients_are_answered_where_that_is_enabled() -> None:
    relay = Relay(dataclasses.replace(config(), classic_stun=True))

    (answer,) = relay.receive(CLASSIC, PATH)

    assert answer.path == PATH
    value = MappedAddress(CLIENT).encode(b"")
    assert answer.segments[0] == b"\1\1\0\x0c" + CLASSIC[4:] + b"\0\1\0\x08" + value


def test_classic_clients_are_known_over_udp_alone() -> None:
    relay = Relay(dataclasses.replace(config(), classic_stun=True))

    assert relay.receive(CLASSIC, dataclasses.replace(PATH, transport=TransportProtocol.TCP)) == []


@pytest.mark.requirement("stun-turn:STUNS-BASE-12")
@pytest.mark.parametrize("enabled", [False, True], ids=["classic-off", "classic-on"])
def test_over_dtls_a_request_without_a_cookie_gets_500_and_an_indication_nothing(
    enabled: bool,
) -> None:
    relay = Relay(dataclasses.replace(config(), classic_stun=enabled))
    over_dtls = dataclasses.replace(PATH, transport=TransportProtocol.DTLS)

    (refusal,) = relay.receive(CLASSIC, over_dtls)

    assert refusal.path == over_dtls
    assert refusal.segments[0][:2] == b"\1\x11"
    assert refusal.segments[0][4:28] == CLASSIC[4:] + bytes.fromhex("0009 0010 00000500")
    assert relay.receive(b"\0\x11" + CLASSIC[2:], over_dtls) == []


def test_what_is_neither_is_dropped_as_before() -> None:
    relay = Relay(dataclasses.replace(config(), classic_stun=True))

    assert relay.receive(b"hello", PATH) == []
    assert relay.server.stats().drops[DropReason.NOT_TURN] == 1


@pytest.mark.requirement("stun-turn:NATB-03", "stun-turn:NATB-04")
def test_a_relay_with_an_alternate_address_answers_from_there() -> None:
    relay = Relay(discovering())
    change = ChangeRequest(change_ip=True, change_port=True)

    (answer,) = relay.receive(
        encode_message(Method.BINDING, MessageClass.REQUEST, ID, (change,)), PATH
    )

    response = Message.decode(answer.segments[0])
    assert answer.path == dataclasses.replace(PATH, local=ALTERNATE)
    assert response.get(OtherAddress) == OtherAddress(ALTERNATE)


@pytest.mark.requirement("stun-turn:NATB-05")
def test_a_relay_without_one_says_where_it_answers_from_and_no_more() -> None:
    relay = Relay(discovering(None))

    (answer,) = relay.receive(BINDING, PATH)

    response = Message.decode(answer.segments[0])
    assert response.get(ResponseOrigin) == ResponseOrigin(LISTENING)
    assert response.get(OtherAddress) is None


@pytest.mark.requirement("stun-turn:SEC-10")
def test_reflected_answers_are_dropped_beyond_the_limit_and_counted() -> None:
    relay = Relay(discovering())
    reflected = encode_message(Method.BINDING, MessageClass.REQUEST, ID, (ResponsePort(53),))

    answers = [relay.receive(reflected, PATH) for _ in range(100)]

    assert sum(map(len, answers)) == UNPROVEN_BURST
    assert relay.server.stats().drops[DropReason.RATE_LIMITED] == 100 - UNPROVEN_BURST


@pytest.mark.parametrize(
    ("alternate", "message"),
    [
        pytest.param("5.5.5.5", "another IP address", id="same-ip"),
        pytest.param("0.0.0.0", "another IP address", id="wildcard"),
        pytest.param("5.5.5.9", "another IP address and another port", id="same-port"),
    ],
)
def test_an_alternate_address_that_is_none_is_refused(alternate: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        discovering(TransportAddress(ip_address(alternate), LISTENING.port))


def test_an_alternate_address_is_for_nat_discovery_alone() -> None:
    with pytest.raises(ValueError, match="NAT behavior discovery"):
        dataclasses.replace(config(), alternate_address=ALTERNATE)
