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
        "TURN-SEND-07": "wants a peer that is permitted first and forbidden afterwards",
        "TURN-TCP-02": "wants a client that speaks DTLS, which this harness has not",
    }
)
"""Id of a row -> the reason, in a few words."""
