"""What breaks the rows of SEC that are about peers."""

from __future__ import annotations

import dataclasses
import ipaddress

from conformance.building import MessageBuilder, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError, TransportAddress

from .changing import is_error, with_error
from .mutant import Mutant, Setup, edited
from .relaying import relaying_for_anybody
from .stuns_tcp import HELLO_VERIFY_REQUEST

HARNESS = ("192.0.2.2/32", "2001:db8::2/128")
SERVER = TransportAddress.parse("192.0.2.1", 3478)
ASKS = (Method.CREATE_PERMISSION, Method.CHANNEL_BIND)


def _allowing(*networks: str) -> Mutant:
    """A server that lets clients to these networks."""
    allowed = tuple(ipaddress.ip_network(each) for each in (*HARNESS, *networks))
    return Mutant(options={"allow_peers": allowed})


def _granting(network: str, *methods: Method) -> Mutant:
    """A server that says so, whether it is carried out or not."""
    parsed = ipaddress.ip_network(network)

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if request.method not in (methods or ASKS) or response.error_code != 403:
            return response.data
        peer = request.xor_address(Attr.XOR_PEER_ADDRESS)
        if peer is None or peer.ip not in parsed:
            return response.data
        drop = [Attr.ERROR_CODE]
        return edited(response, request, message_class=Class.SUCCESS, drop=drop)

    return Mutant(answer)


def _loop(data: bytes) -> bytes | None:
    """Answers a Binding request, or a ClientHello, in a Send indication to the server itself."""
    try:
        message = ReceivedMessage.parse(data)
    except DecodeError:
        return None
    inner = message.get(Attr.DATA)
    if message.method != Method.SEND or message.xor_address(Attr.XOR_PEER_ADDRESS) != SERVER:
        return None
    assert inner is not None
    answer = MessageBuilder(Method.BINDING, Class.SUCCESS, inner[8:20]).build()
    if inner[:1] == HELLO_VERIFY_REQUEST[:1]:
        answer = HELLO_VERIFY_REQUEST
    builder = MessageBuilder(Method.DATA, Class.INDICATION, bytes(12))
    builder.add(Attr.XOR_PEER_ADDRESS, xor_address(SERVER, bytes(12)))
    return builder.add(Attr.DATA, answer).build()


def _unmarked(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    return edited(response, request, drop=[Attr.RESPONSE_ORIGIN, Attr.OTHER_ADDRESS])


def _connected(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    """Has tried to reach the peer."""
    if request.method != Method.CONNECT:
        return response.data
    return edited(response, request, change={Attr.ERROR_CODE: bytes([0, 0, 4, 47])})


MUTANTS = {
    "SEC-08": {
        "says-400": dataclasses.replace(
            with_error(is_error(403, Method.CHANNEL_BIND), 400),
            options={"deny_peer_ports": (range(22, 23),)},
        ),
    },
    "SEC-01": {
        "loopback": _allowing("127.0.0.0/8"),
        "only-one-address": _allowing("127.255.255.254/32"),
        "this-network": _allowing("0.0.0.0/8"),
        "ipv6-loopback": _allowing("::1/128"),
        "channels-alone": _granting("127.0.0.0/8", Method.CHANNEL_BIND),
        "connects": Mutant(_connected),
        "says-403-and-relays": Mutant(blurt=relaying_for_anybody("127.0.0.1")),
    },
    "SEC-02": {
        "mapped": _granting("::ffff:0:0/96"),
        "compatible": _granting("::/96"),
        "nat64": _granting("64:ff9b::/96"),
        "6to4": _granting("2002::/16"),
        "teredo": _granting("2001::/32"),
    },
    "SEC-03": {
        "metadata": _allowing("169.254.169.254/32"),
        "ipv6": _allowing("fe80::/10"),
        "unique-local": _allowing("fd00:ec2::/32"),
    },
    "SEC-04": {
        "private": _allowing("10.0.0.0/8"),
        "shared": _allowing("100.64.0.0/10"),
        "reserved": _allowing("240.0.0.0/4"),
    },
    "SEC-05": {
        "6to4": _granting("2002::/16"),
        "teredo-in-channels": _granting("2001::/32", Method.CHANNEL_BIND),
    },
    "SEC-06": {
        "multicast": _allowing("224.0.0.0/4"),
        "broadcast": _allowing("255.255.255.255/32"),
        "ipv6": _allowing("ff00::/8"),
    },
    "SEC-07": {"loops": Mutant(reply=_loop)},
    "SEC-10": {
        "reflects": Mutant(_unmarked, options={"nat_discovery": True}),
    },
}

OPEN = {"SEC-08": "which ports peers may have is the operator's choice"}

SETUPS = {"SEC-01": Setup({"tcp_relay": True}, same_host=True)}
