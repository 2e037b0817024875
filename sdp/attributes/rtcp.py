"""a=rtcp and the flags of RTCP (RFC 3605, RFC 5761, RFC 8858, RFC 5506)."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.errors import SdpError
from sdp.grammar import TOKEN, VISIBLE, match

RTCP_MUX = "rtcp-mux"
RTCP_MUX_ONLY = "rtcp-mux-only"
RTCP_RSIZE = "rtcp-rsize"

_RTCP = re.compile(rf"([0-9]{{1,5}})(?: ({TOKEN}) ({TOKEN}) ({VISIBLE}))?")
_MAX_PORT = 0xFFFF


@dataclasses.dataclass(frozen=True, slots=True)
class Rtcp:
    """The port of RTCP and, if it differs from RTP's, its address."""

    NAME: ClassVar[str] = "rtcp"

    port: int
    nettype: str | None = None
    addrtype: str | None = None
    address: str | None = None

    @classmethod
    def parse(cls, value: str) -> Self:
        port, nettype, addrtype, address = match(_RTCP, value, "RTCP port").groups()
        if int(port) > _MAX_PORT:
            raise SdpError.in_value(0, f"{port} is no port")
        return cls(int(port), nettype, addrtype, address)

    def __str__(self) -> str:
        if self.nettype is None:
            return str(self.port)
        return f"{self.port} {self.nettype} {self.addrtype} {self.address}"
