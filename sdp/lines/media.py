"""m=: media type, port, protocol and formats (RFC 8866 section 5.14)."""

from __future__ import annotations

import dataclasses
import re
from typing import Self

from sdp.errors import SdpError
from sdp.grammar import INTEGER, TOKEN, match

_MEDIA = re.compile(
    rf"({TOKEN}) ([0-9]{{1,5}})(?:/({INTEGER}))? ({TOKEN}(?:/{TOKEN})*) ({TOKEN}(?: {TOKEN})*)"
)
_MAX_PORT = 0xFFFF

RTP_PROTOCOLS = frozenset(
    {
        "RTP/AVP",
        "RTP/AVPF",
        "RTP/SAVP",
        "RTP/SAVPF",
        "TCP/DTLS/RTP/SAVP",
        "TCP/DTLS/RTP/SAVPF",
        "UDP/TLS/RTP/SAVP",
        "UDP/TLS/RTP/SAVPF",
    }
)
"""All of them mean DTLS-SRTP in an offer with a fingerprint (RFC 8829 section 5.1.2)."""


@dataclasses.dataclass(frozen=True, slots=True)
class MediaLine:
    """``media`` is the media type, ``formats`` what its protocol makes of them:
    payload types for RTP."""

    media: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    port_count: int = 1

    @classmethod
    def parse(cls, value: str) -> Self:
        found = match(_MEDIA, value, "media line (media port proto fmt ...)")
        media, port, count, protocol, formats = found.groups()
        if int(port) > _MAX_PORT:
            raise SdpError.in_value(found.start(2), f"{port} is no port")
        return cls(media, int(port), protocol, tuple(formats.split(" ")), int(count or 1))

    def __str__(self) -> str:
        count = "" if self.port_count == 1 else f"/{self.port_count}"
        formats = " ".join(self.formats)
        return f"{self.media} {self.port}{count} {self.protocol} {formats}"

    @property
    def is_rtp(self) -> bool:
        return self.protocol in RTP_PROTOCOLS

    @property
    def payload_types(self) -> tuple[int, ...]:
        """The formats that are RTP payload types, in order of preference."""
        return tuple(
            int(text)
            for text in self.formats
            if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 127
        )
