"""The header extensions that a sender writes (RFC 8285, RFC 9143 section 15)."""

from __future__ import annotations

from collections.abc import Mapping

from media.rtp import (
    AbsoluteSendTime,
    HeaderExtension,
    SdesMid,
    TransportSequenceNumber,
    encode_extensions,
)


class TransportSequence:
    """The counter that all packets of a transport share, retransmitted ones too
    (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 2)."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = 0

    def take(self) -> int:
        value = self._next
        self._next = (value + 1) & 0xFFFF
        return value


class ExtensionWriter:
    """Writes the extensions that were negotiated for one media description.

    The MID goes out until a report of the peer shows that it knows the stream
    (``mid_acknowledged``); all packets of a run then have headers of one size.
    """

    __slots__ = (
        "_mid",
        "_send_time_id",
        "_transport_id",
        "_transport_sequence",
        "mid_acknowledged",
    )

    def __init__(
        self, extensions: Mapping[int, str], mid: str, transport_sequence: TransportSequence
    ) -> None:
        by_uri = {uri: number for number, uri in extensions.items()}
        mid_id = by_uri.get(SdesMid.URI)
        self._mid = () if mid_id is None else (HeaderExtension(mid_id, SdesMid(mid).encode()),)
        self._send_time_id = by_uri.get(AbsoluteSendTime.URI)
        self._transport_id = by_uri.get(TransportSequenceNumber.URI)
        self._transport_sequence = transport_sequence
        self.mid_acknowledged = False

    def blocks(self, count: int, now: float) -> list[bytes]:
        """The extension block of each of the next ``count`` packets, sent together."""
        elements = [] if self.mid_acknowledged else [*self._mid]
        if self._send_time_id is not None:
            elements.append(HeaderExtension(self._send_time_id, AbsoluteSendTime(now).encode()))
        if self._transport_id is None:
            return [encode_extensions(elements)] * count
        return [encode_extensions([*elements, self._count()]) for _ in range(count)]

    def _count(self) -> HeaderExtension:
        assert self._transport_id is not None  # asked by blocks() just before
        number = TransportSequenceNumber(self._transport_sequence.take())
        return HeaderExtension(self._transport_id, number.encode())
