"""NAPTR records that point to relays: S-NAPTR (RFC 3958) with the tags of RFC 5928."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from transport import TransportProtocol

from .records import NaptrRecord

RELAY: Final = "relay"
"""The application service tag, in lower case (RFC 5928 section 3)."""

_TAGS: Final = {
    "turn.udp": TransportProtocol.UDP,
    "turn.tcp": TransportProtocol.TCP,
    "turn.tls": TransportProtocol.TLS,
    "turn.dtls": TransportProtocol.DTLS,
}


def offers(record: NaptrRecord, transport: TransportProtocol) -> bool:
    """Whether a record points to relays over this transport. S-NAPTR has no regexp."""
    service, *tags = record.service.lower().split(":")
    is_relay = service == RELAY and not record.regexp and record.replacement not in ("", ".")
    return is_relay and transport in {_TAGS[tag] for tag in tags if tag in _TAGS}


def rank(record: NaptrRecord) -> tuple[int, int]:
    """Lower comes first (RFC 3958 section 2.2.1)."""
    return record.order, record.preference


def pointers_for(records: Sequence[NaptrRecord], transport: TransportProtocol) -> list[NaptrRecord]:
    """Those that lead to relays over this transport, the best first."""
    return sorted((each for each in records if offers(each, transport)), key=rank)


def rank_transports(
    records: Sequence[NaptrRecord], preferred: Sequence[TransportProtocol]
) -> list[TransportProtocol]:
    """Those that the first set of records has, in its order; equals as we prefer them.

    Each is then followed to its end by itself, as RFC 3958 section 2.2.5 wants it.
    """
    best = {
        transport: rank(pointers[0])
        for transport in preferred
        if (pointers := pointers_for(records, transport))
    }
    return sorted(best, key=lambda transport: best[transport])
