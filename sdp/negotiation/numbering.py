"""Payload types, header extension ids and mids: once given, kept for the session."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Iterable

from sdp.attributes.extmap import ONE_BYTE_IDS, TWO_BYTE_IDS, ExtMap
from sdp.errors import DescriptionRefused

from .codec import RtpCodec
from .formats import Formats

DYNAMIC: tuple[int, ...] = (*range(96, 128), *range(35, 64))
"""Payload types to give out: the dynamic range of RFC 3551, then what RFC 3551 leaves
unassigned; never 64 to 95, which look like RTCP under rtcp-mux (RFC 5761 section 4)."""

FORBIDDEN = range(64, 96)

Format = tuple[str, str, int, int]


@dataclasses.dataclass(frozen=True, slots=True)
class CodecKey:
    """What makes two entries of the caller's lists the same codec."""

    format: Format
    parameters: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, codec: RtpCodec) -> CodecKey:
        return cls(format_of(codec), codec.parameters)


def format_of(codec: RtpCodec) -> Format:
    return codec.kind.value, codec.name.lower(), codec.clock_rate, codec.channels


class Numbering:
    """What each number means in the one RTP session of a BUNDLE group.

    RFC 3264 section 8.3.2: a payload type that was used keeps its meaning for the
    whole session; RFC 8285 section 6: so does the id of a header extension.
    """

    def __init__(self) -> None:
        self._payload_types: dict[CodecKey, int] = {}
        self._rtx: dict[CodecKey, int] = {}
        self._taken: set[int] = set()
        self._extensions: dict[str, int] = {}
        self._taken_ids: set[int] = set()
        self._mids: set[str] = set()

    def number(self, codec: RtpCodec) -> int:
        """The payload type of one of our codecs: the one it has, or a free one.

        Raises:
            DescriptionRefused: none is free.
        """
        key = CodecKey.of(codec)
        if key not in self._payload_types:
            wish = () if codec.payload_type is None else (codec.payload_type,)
            self._payload_types[key] = self._free(wish)
        return self._payload_types[key]

    def number_rtx(self, codec: RtpCodec) -> int:
        """The payload type of the RTX of one of our codecs."""
        key = CodecKey.of(codec)
        if key not in self._rtx:
            self._rtx[key] = self._free(())
        return self._rtx[key]

    def agreed(self, local: RtpCodec, receive: RtpCodec) -> None:
        """Keep the numbers that an answer of ours took over from the offer."""
        key = CodecKey.of(local)
        if receive.payload_type is not None:
            self._payload_types[key] = receive.payload_type
        if receive.rtx_payload_type is not None:
            self._rtx[key] = receive.rtx_payload_type

    def offered_by_peer(self, formats: Formats) -> None:
        """The peer says what these payload types mean; ours that differ give way."""
        theirs = set(formats.unmapped)
        for codec in formats.codecs:
            theirs.update(n for n in (codec.payload_type, codec.rtx_payload_type) if n is not None)
        self._taken |= theirs
        for numbers in (self._payload_types, self._rtx):
            for key in [key for key, number in numbers.items() if number in theirs]:
                del numbers[key]

    def extension_id(self, uri: str) -> int:
        """The id of a header extension in our offers.

        Raises:
            DescriptionRefused: none is free.
        """
        number = self._extensions.get(uri)
        if number is None:
            ids = (i for i in (*ONE_BYTE_IDS, *TWO_BYTE_IDS[15:]) if i not in self._taken_ids)
            number = next(ids, None)
            if number is None:
                raise DescriptionRefused(None, "no identifier for a header extension is free")
            self.extension_agreed(number, uri)
        return number

    def extension_agreed(self, number: int, uri: str) -> None:
        self._extensions[uri] = number
        self._taken_ids.add(number)

    def extensions_offered_by_peer(self, extensions: Iterable[ExtMap]) -> None:
        """The peer says what these ids mean; ours that differ give way."""
        theirs = {extension.id: extension.uri for extension in extensions}
        self._taken_ids.update(theirs)
        for uri in [u for u, n in self._extensions.items() if theirs.get(n, u) != u]:
            del self._extensions[uri]

    def free_extension_id(self, used: Iterable[int]) -> int | None:
        """A one-byte id that neither side uses, for an offer that left the choice."""
        taken = self._taken_ids.union(used)
        return next((i for i in ONE_BYTE_IDS if i not in taken), None)

    def mid(self, proposed: Collection[str] = ()) -> str:
        """A mid that was never used, nor is proposed: short, and without meaning
        (RFC 8829 section 5.2.1)."""
        taken = self._mids.union(proposed)
        return next(mid for mid in map(str, itertools.count()) if mid not in taken)

    def mids_seen(self, mids: Iterable[str]) -> None:
        self._mids.update(mids)

    def _free(self, wishes: Iterable[int]) -> int:
        for number in (*wishes, *DYNAMIC):
            if number not in self._taken and number not in FORBIDDEN:
                self._taken.add(number)
                return number
        raise DescriptionRefused(None, "no payload type is free")
