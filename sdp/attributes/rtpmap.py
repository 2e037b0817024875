"""a=rtpmap: what a payload type means (RFC 8866 section 6.6, RFC 3551 section 6)."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.errors import SdpError
from sdp.grammar import INTEGER, TOKEN, match

_RTPMAP = re.compile(rf"([0-9]{{1,3}}) +({TOKEN})/({INTEGER})(?:/({TOKEN}))?")
_CHANNELS = re.compile(r"[1-9][0-9]{0,2}")
_MAX_PAYLOAD_TYPE = 127


@dataclasses.dataclass(frozen=True, slots=True)
class RtpMap:
    """A payload type's encoding name, clock rate in Hz and encoding parameters.

    Encoding names compare without regard to case. For audio the parameters are the
    number of channels.
    """

    NAME: ClassVar[str] = "rtpmap"

    payload_type: int
    encoding: str
    clock_rate: int
    parameters: str | None = None

    @classmethod
    def parse(cls, value: str) -> Self:
        found = match(_RTPMAP, value, "payload type, encoding name and clock rate")
        number, encoding, clock_rate, parameters = found.groups()
        if int(number) > _MAX_PAYLOAD_TYPE:
            raise SdpError.in_value(0, f"a payload type is from 0 to 127, not {number}")
        return cls(int(number), encoding, int(clock_rate), parameters)

    def __str__(self) -> str:
        text = f"{self.payload_type} {self.encoding}/{self.clock_rate}"
        return text if self.parameters is None else f"{text}/{self.parameters}"

    @property
    def channels(self) -> int:
        """1 unless the parameters say otherwise."""
        if self.parameters is not None and _CHANNELS.fullmatch(self.parameters):
            return int(self.parameters)
        return 1


STATIC = {
    m.payload_type: m
    for m in (
        RtpMap(0, "PCMU", 8000),
        RtpMap(3, "GSM", 8000),
        RtpMap(4, "G723", 8000),
        RtpMap(5, "DVI4", 8000),
        RtpMap(6, "DVI4", 16000),
        RtpMap(7, "LPC", 8000),
        RtpMap(8, "PCMA", 8000),
        RtpMap(9, "G722", 8000),
        RtpMap(10, "L16", 44100, "2"),
        RtpMap(11, "L16", 44100),
        RtpMap(12, "QCELP", 8000),
        RtpMap(13, "CN", 8000),
        RtpMap(14, "MPA", 90000),
        RtpMap(15, "G728", 8000),
        RtpMap(16, "DVI4", 11025),
        RtpMap(17, "DVI4", 22050),
        RtpMap(18, "G729", 8000),
        RtpMap(25, "CelB", 90000),
        RtpMap(26, "JPEG", 90000),
        RtpMap(28, "nv", 90000),
        RtpMap(31, "H261", 90000),
        RtpMap(32, "MPV", 90000),
        RtpMap(33, "MP2T", 90000),
        RtpMap(34, "H263", 90000),
    )
}
"""What payload types mean without an a=rtpmap (RFC 3551 tables 4 and 5)."""
