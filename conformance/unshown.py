"""Rows of the catalogue that no row function shows, and why.

What is seen only inside of a server, needs another configuration than one run can have, or
takes hours. ``hairpin conformance list`` prints the reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

UNSHOWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "NATB-12": "what a client finds out about its NAT: hairpin's own tests show it behind NATs",
        "SEC-11": "the memory of a server is seen only inside, and addresses are not to be forged",
        "SEC-14": "buffers and the memory of a server are seen only inside",
        "SEC-21": "whether a comparison takes constant time is for a review: no run can tell",
        "SEC-23": "what a server writes into its logs is seen only there",
        "TURN-ICMP-02": "wants a router between server and peer that sends an ICMP error",
        "TURN-ICMP-03": "wants forged ICMP messages, for which a host needs privileges",
        "TURN-IP-04": "wants peers of both families at once: a run has one peer address",
        "TURN-SEND-07": "wants a peer that is permitted first and forbidden afterwards",
        "TURN-TCP-02": "wants a client that speaks DTLS, which this harness has not",
    }
)
"""Id of a row -> the reason, in a few words."""
