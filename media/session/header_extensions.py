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

ONE_BYTE_PROFILE = b"\xbe\xde"
"""RFC 8285 section 4.2."""

_BLOCK_HEADER_BYTES = 4
_SEND_TIME_BYTES = 3
_TRANSPORT_BYTES = 2


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

    __slots__ = ("_layouts", "_transport_sequence", "mid_acknowledged")

    def __init__(
        self, extensions: Mapping[int, str], mid: str, transport_sequence: TransportSequence
    ) -> None:
        by_uri = {uri: number for number, uri in extensions.items()}
        mid_id = by_uri.get(SdesMid.URI)
        first = () if mid_id is None else (HeaderExtension(mid_id, SdesMid(mid).encode()),)
        self._layouts = (_Layout(by_uri, first), _Layout(by_uri, ()))
        self._transport_sequence = transport_sequence
        self.mid_acknowledged = False

    def blocks(self, count: int, now: float) -> list[bytes]:
        """The extension block of each of the next ``count`` packets, sent together."""
        layout = self._layouts[self.mid_acknowledged]
        block = layout.block(now)
        if layout.transport_at is None:
            return [block] * count
        head, tail = block[: layout.transport_at], block[layout.transport_at + 2 :]
        take = self._transport_sequence.take
        return [head + take().to_bytes(2, "big") + tail for _ in range(count)]


class _Layout:
    """A block that is complete but for the fields that change from packet to packet.

    There is one write per run in the loop that sends to all viewers: filling in two
    fields costs a twentieth of encoding the elements anew.
    """

    __slots__ = ("_template", "_time_at", "transport_at")

    def __init__(self, by_uri: Mapping[str, int], first: tuple[HeaderExtension, ...]) -> None:
        elements = list(first)
        ends: dict[str, int] = {}
        for uri, length in (
            (AbsoluteSendTime.URI, _SEND_TIME_BYTES),
            (TransportSequenceNumber.URI, _TRANSPORT_BYTES),
        ):
            if uri in by_uri:
                elements.append(HeaderExtension(by_uri[uri], bytes(length)))
                ends[uri] = len(elements)
        self._template = encode_extensions(elements)
        header = _element_header_length(self._template)
        self._time_at = _offset(elements, ends.get(AbsoluteSendTime.URI), header)
        self.transport_at = _offset(elements, ends.get(TransportSequenceNumber.URI), header)

    def block(self, now: float) -> bytes:
        """With the time of sending filled in."""
        at = self._time_at
        if at is None:
            return self._template
        time = AbsoluteSendTime(now).encode()
        return self._template[:at] + time + self._template[at + _SEND_TIME_BYTES :]


def _element_header_length(block: bytes) -> int:
    """Of each element: one byte or two, by the profile of the block."""
    return 1 if block[:2] == ONE_BYTE_PROFILE else 2


def _offset(elements: list[HeaderExtension], end: int | None, header: int) -> int | None:
    """Where the data of the last of the first ``end`` elements begins."""
    if end is None:
        return None
    before = sum(header + len(element.data) for element in elements[: end - 1])
    return _BLOCK_HEADER_BYTES + before + header
