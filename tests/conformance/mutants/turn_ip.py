"""What breaks the rows of TURN-IP and TURN-ICMP."""

from __future__ import annotations

from conformance.building import MessageBuilder, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError, TransportAddress

from .mutant import Mutant, Setup

ECT_1, ECT_0, CE = 1, 2, 3
MTU = 1472
CHANNEL = b"\x40\x01"
PORT_UNREACHABLE = bytes([0, 0, 6, 3, 0, 0, 0, 0])
"""Type 3, code 3, in 7 and 9 bits."""


def _cut(data: bytes) -> bytes:
    """Sends on what fits into a packet."""
    return data[:MTU]


def _drop_long(data: bytes) -> bytes | None:
    return data if len(data) <= MTU else None


class Unreachable:
    """Tells a client of ICMP errors about data for nobody, which netsim's hosts do not send."""

    def __init__(self, icmp: bytes = PORT_UNREACHABLE, *more: tuple[int, bytes]) -> None:
        self._attributes = ((Attr.ICMP, icmp), *more)
        self._peer: TransportAddress | None = None

    def __call__(self, data: bytes) -> bytes | None:
        if data[:2] != CHANNEL:
            self._remember(data)
        if not data.rstrip(b"\0").endswith(b"to nobody") or self._peer is None:
            return None
        builder = MessageBuilder(Method.DATA, Class.INDICATION, bytes(12))
        builder.add(Attr.XOR_PEER_ADDRESS, xor_address(self._peer, bytes(12)))
        for kind, value in self._attributes:
            builder.add(kind, value)
        return builder.build()

    def _remember(self, data: bytes) -> None:
        try:
            peer = ReceivedMessage.parse(data).xor_address(Attr.XOR_PEER_ADDRESS)
        except DecodeError:
            return
        self._peer = peer or self._peer


MUTANTS = {
    "TURN-IP-02": {
        "claims-ecn": Mutant(tos=ECT_0),
        "claims-another": Mutant(tos=ECT_1),
        "always-congested": Mutant(tos=CE),
    },
    "TURN-IP-03": {"claims-ecn": Mutant(tos=ECT_0)},
    "TURN-IP-05": {
        "drops": Mutant(relay=_drop_long),
        "cuts": Mutant(relay=_cut),
    },
}

OPEN = {
    "TURN-IP-01": "what is on the way may mark packets, too",
    "TURN-ICMP-01": "hosts may send no ICMP, and servers hear of none",
    "TURN-ICMP-04": "figure 11 of RFC 8656 has two readings",
    "TURN-ICMP-05": "hosts may send no ICMP, and servers hear of none",
}

SETUPS = {row_id: Setup(reply=Unreachable()) for row_id in OPEN if "ICMP" in row_id}
