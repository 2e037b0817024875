"""NAT behaviour discovery, the server's side (RFC 5780 sections 6 and 7)."""

from __future__ import annotations

import itertools
from ipaddress import ip_address

import pytest

from stun import (
    AlternateServer,
    AnyAttribute,
    ChangeRequest,
    ErrorCode,
    MappedAddress,
    Message,
    MessageClass,
    Method,
    OtherAddress,
    Padding,
    ResponseOrigin,
    ResponsePort,
    UnknownAttribute,
    UnknownAttributes,
    XorMappedAddress,
    encode_message,
)
from stun.server import AlternatePair, BehaviorServer
from stun.server.behavior import PADDING_BYTES
from stun.server.source_limiter import UNPROVEN_BURST, UNPROVEN_RATE
from transport import Path, Transmit, TransportAddress, TransportProtocol

ID = bytes(range(12))
A1, A2 = "192.0.2.1", "192.0.2.2"
P1, P2 = 3478, 3479
CLIENT = TransportAddress.parse("198.51.100.9", 40000)
PAIR = AlternatePair(TransportAddress.parse(A1, P1), TransportAddress.parse(A2, P2))
OTHER_IP = {A1: A2, A2: A1}
OTHER_PORT = {P1: P2, P2: P1}


def path(
    local: TransportAddress = PAIR.primary,
    remote: TransportAddress = CLIENT,
    transport: TransportProtocol = TransportProtocol.UDP,
) -> Path:
    return Path(transport, local, remote)


def request(*attributes: AnyAttribute, fingerprint: bool = False) -> bytes:
    return encode_message(
        Method.BINDING, MessageClass.REQUEST, ID, attributes, fingerprint=fingerprint
    )


def answer_to(
    data: bytes, by: Path | None = None, server: BehaviorServer | None = None
) -> tuple[Message, Transmit]:
    """The one response, and where it goes."""
    server = server or BehaviorServer(PAIR)
    server.receive(data, by or path(), 0.0)
    transmit = server.poll_transmit()
    assert transmit is not None
    assert server.poll_transmit() is None
    (response,) = transmit.segments
    return Message.decode(response), transmit


@pytest.mark.requirement("stun-turn:NATB-01", "stun-turn:NATB-09")
def test_a_response_has_the_address_in_both_forms_and_no_alternate_server() -> None:
    response, transmit = answer_to(request())

    assert transmit.path == path()
    assert response.message_class is MessageClass.SUCCESS
    assert response.transaction_id == ID
    assert [number for number, _ in response.raw_attributes()] == [
        MappedAddress.TYPE,
        XorMappedAddress.TYPE,
        ResponseOrigin.TYPE,
        OtherAddress.TYPE,
    ]
    assert response.get(MappedAddress) == MappedAddress(CLIENT)
    assert response.get(XorMappedAddress) == XorMappedAddress(CLIENT)
    assert not response.has(AlternateServer)


@pytest.mark.parametrize(
    ("change_ip", "change_port", "ip", "port"),
    list(itertools.product([False, True], [False, True], [A1, A2], [P1, P2])),
)
@pytest.mark.requirement("stun-turn:NATB-02", "stun-turn:NATB-03", "stun-turn:NATB-04")
def test_the_address_that_a_response_leaves_from_is_the_one_asked_for(
    change_ip: bool, change_port: bool, ip: str, port: int
) -> None:
    local = TransportAddress.parse(ip, port)

    response, transmit = answer_to(
        request(ChangeRequest(change_ip=change_ip, change_port=change_port)), path(local)
    )

    origin = TransportAddress.parse(
        OTHER_IP[ip] if change_ip else ip, OTHER_PORT[port] if change_port else port
    )
    other = TransportAddress.parse(OTHER_IP[ip], OTHER_PORT[port])
    assert transmit.path == path(origin)
    assert response.get(ResponseOrigin) == ResponseOrigin(origin)
    assert response.get(OtherAddress) == OtherAddress(other)


@pytest.mark.parametrize(
    ("server", "local"),
    [
        pytest.param(BehaviorServer(), PAIR.primary, id="without-a-pair"),
        pytest.param(
            BehaviorServer(PAIR), TransportAddress.parse("192.0.2.3", P1), id="outside-the-pair"
        ),
    ],
)
@pytest.mark.requirement("stun-turn:NATB-03", "stun-turn:NATB-05")
def test_a_single_address_has_no_other_and_knows_no_change_request(
    server: BehaviorServer, local: TransportAddress
) -> None:
    refused, _ = answer_to(request(ChangeRequest()), path(local), server)
    plain, _ = answer_to(request(), path(local), server)

    assert refused.get(ErrorCode) == ErrorCode(420)
    assert refused.get(UnknownAttributes) == UnknownAttributes((ChangeRequest.TYPE,))
    assert not refused.has(OtherAddress)
    assert plain.get(ResponseOrigin) == ResponseOrigin(local)
    assert not plain.has(OtherAddress)


@pytest.mark.requirement("stun-turn:NATB-06")
def test_a_response_goes_to_the_port_that_is_asked_for_at_the_address_of_who_asks() -> None:
    response, transmit = answer_to(request(ResponsePort(50000)))

    assert transmit.path == path(remote=TransportAddress(CLIENT.ip, 50000))
    assert response.get(XorMappedAddress) == XorMappedAddress(CLIENT)


def test_a_change_of_address_and_of_port_go_together() -> None:
    _, transmit = answer_to(request(ChangeRequest(change_ip=True), ResponsePort(50000)))

    assert transmit.path == path(TransportAddress.parse(A2, P1), TransportAddress(CLIENT.ip, 50000))


@pytest.mark.parametrize("length", [0, 4, 1500])
@pytest.mark.requirement("stun-turn:NATB-07")
def test_who_pads_gets_a_padded_answer_of_an_mtu(length: int) -> None:
    response, transmit = answer_to(request(Padding(bytes(length))))

    padding = response.get(Padding)
    assert transmit.path == path()
    assert padding is not None
    assert len(padding.padding) == PADDING_BYTES
    assert PADDING_BYTES % 4 == 0


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param((Padding(b"x"), ResponsePort(50000)), id="padding-to-another-port"),
        pytest.param((ResponsePort(0),), id="port-0"),
        pytest.param((UnknownAttribute(ResponsePort.TYPE, b"x"),), id="malformed-port"),
        pytest.param((UnknownAttribute(ChangeRequest.TYPE, b"xx"),), id="malformed-change"),
    ],
)
@pytest.mark.requirement("stun-turn:NATB-08")
def test_what_cannot_be_obeyed_is_400_to_who_asks(attributes: tuple[AnyAttribute, ...]) -> None:
    response, transmit = answer_to(request(*attributes))

    assert response.message_class is MessageClass.ERROR
    assert response.get(ErrorCode) == ErrorCode(400)
    assert transmit.path == path()
    assert not response.has(Padding)


@pytest.mark.parametrize(
    "attribute", [ChangeRequest(), Padding(b""), ResponsePort(1)], ids=lambda each: type(each)
)
@pytest.mark.parametrize(
    "transport", [TransportProtocol.TCP, TransportProtocol.TLS, TransportProtocol.DTLS]
)
@pytest.mark.requirement("stun-turn:NATB-10")
def test_what_needs_udp_is_unknown_elsewhere(
    attribute: ChangeRequest | Padding | ResponsePort, transport: TransportProtocol
) -> None:
    response, transmit = answer_to(request(attribute), path(transport=transport))

    assert response.get(ErrorCode) == ErrorCode(420)
    assert response.get(UnknownAttributes) == UnknownAttributes((attribute.TYPE,))
    assert transmit.path == path(transport=transport)


@pytest.mark.parametrize("transport", [TransportProtocol.TCP, TransportProtocol.TLS])
def test_over_a_stream_there_is_no_other_address(transport: TransportProtocol) -> None:
    response, _ = answer_to(request(), path(transport=transport))

    assert response.get(MappedAddress) == MappedAddress(CLIENT)
    assert response.get(ResponseOrigin) == ResponseOrigin(PAIR.primary)
    assert not response.has(OtherAddress)


@pytest.mark.parametrize(
    "attribute",
    [
        pytest.param(ResponsePort(50000), id="another-port"),
        pytest.param(ChangeRequest(change_ip=True), id="another-address"),
        pytest.param(ChangeRequest(change_port=True), id="another-port-of-ours"),
        pytest.param(Padding(b""), id="padding"),
    ],
)
@pytest.mark.requirement("stun-turn:SEC-10")
def test_what_reflects_or_amplifies_is_limited_by_network(attribute: AnyAttribute) -> None:
    server = BehaviorServer(PAIR)

    def answers(host: str, now: float, data: bytes = request(attribute)) -> int:
        for _ in range(100):
            server.receive(data, path(remote=TransportAddress.parse(host, 1)), now)
        count = 0
        while server.poll_transmit() is not None:
            count += 1
        return count

    assert answers("198.51.100.1", 0.0) == UNPROVEN_BURST
    assert answers("198.51.100.2", 0.0) == 0
    assert answers("198.51.101.1", 0.0) == UNPROVEN_BURST
    assert answers("198.51.100.1", 1.0) == UNPROVEN_RATE
    assert answers("198.51.100.1", 1.0, request()) == 100
    assert server.dropped == 50 + 100 + 50 + 90


def test_a_plain_answer_is_at_most_3_times_its_request() -> None:
    ipv6 = TransportAddress.parse("2001:db8::1", 1)
    pair = AlternatePair(
        TransportAddress.parse("2001:db8::2", P1), TransportAddress.parse("2001:db8::3", P2)
    )

    four, _ = answer_to(request())
    six, _ = answer_to(request(), path(pair.primary, ipv6), BehaviorServer(pair))

    assert len(four.data) + 28 <= 3 * (20 + 28)
    assert len(six.data) + 48 <= 3 * (20 + 48)


def test_behind_a_nat_of_its_own_a_server_names_the_addresses_that_clients_see() -> None:
    advertised = {
        ip_address(A1): ip_address("203.0.113.1"),
        ip_address(A2): ip_address("203.0.113.2"),
    }

    response, transmit = answer_to(
        request(ChangeRequest(change_ip=True)), server=BehaviorServer(PAIR, advertised=advertised)
    )

    assert transmit.path.local == TransportAddress.parse(A2, P1)
    assert response.get(ResponseOrigin) == ResponseOrigin(TransportAddress.parse("203.0.113.2", P1))
    assert response.get(OtherAddress) == OtherAddress(TransportAddress.parse("203.0.113.2", P2))


def test_a_socket_on_a_wildcard_does_not_know_where_its_answer_leaves_from() -> None:
    response, _ = answer_to(
        request(), path(TransportAddress.parse("0.0.0.0", P1)), BehaviorServer()
    )

    assert not response.has(ResponseOrigin)


@pytest.mark.parametrize("fingerprint", [False, True])
def test_a_response_has_fingerprint_if_the_request_has(fingerprint: bool) -> None:
    response, _ = answer_to(request(fingerprint=fingerprint))

    assert response.fingerprint_ok is (True if fingerprint else None)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(encode_message(Method.BINDING, MessageClass.INDICATION, ID, ()), id="class"),
        pytest.param(encode_message(Method.ALLOCATE, MessageClass.REQUEST, ID, ()), id="method"),
        pytest.param(request(fingerprint=True)[:-1] + b"\0", id="wrong-fingerprint"),
    ],
)
def test_all_else_is_met_with_silence(data: bytes) -> None:
    server = BehaviorServer(PAIR)

    server.receive(data, path(), 0.0)
    server.handle_timeout(1.0)

    assert server.poll_transmit() is None
    assert server.poll_event() is None
    assert server.next_timeout() is None
    assert server.dropped == 1


@pytest.mark.parametrize(
    "alternate",
    [
        pytest.param((A1, P2), id="same-ip"),
        pytest.param((A2, P1), id="same-port"),
        pytest.param(("2001:db8::1", P2), id="another-family"),
    ],
)
def test_two_addresses_that_make_no_four_are_refused(alternate: tuple[str, int]) -> None:
    with pytest.raises(ValueError, match=r"famil|another"):
        AlternatePair(PAIR.primary, TransportAddress.parse(*alternate))
